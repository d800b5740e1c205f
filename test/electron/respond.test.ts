import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refuse, respond, type Content } from '../../main/electron/respond.ts';

const BYTES = Uint8Array.from({ length: 10 }, (_, i) => i);
const content = (changes: Partial<Content> = {}): Content => ({
  type: 'image/png',
  bytes: BYTES,
  etag: '"a"',
  immutable: false,
  ...changes,
});
const ask = (headers: Record<string, string>, changes: Partial<Content> = {}): Response =>
  respond(new Request('app://studio/x', { headers }), content(changes));
const bytesOf = async (answer: Response): Promise<number[]> => [
  ...new Uint8Array(await answer.arrayBuffer()),
];

describe('ranges', () => {
  test.each([
    ['bytes=0-3', [0, 1, 2, 3], 'bytes 0-3/10'],
    ['bytes=7-', [7, 8, 9], 'bytes 7-9/10'],
    ['bytes=-2', [8, 9], 'bytes 8-9/10'],
    ['bytes=-99', [...BYTES], 'bytes 0-9/10'],
    ['bytes=8-99', [8, 9], 'bytes 8-9/10'],
    ['bytes=9-9', [9], 'bytes 9-9/10'],
  ])('%s gives a part', async (range, bytes, answered) => {
    const answer = ask({ range });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([206, answered]);
    expect(await bytesOf(answer)).toEqual(bytes);
    expect(answer.headers.get('content-length')).toBe(String(bytes.length));
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=5-4', 'bytes=-0', 'bytes=999999999999999-'])(
    '%s cannot be had',
    async (range) => {
      const answer = ask({ range });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */10']);
      expect(await bytesOf(answer)).toEqual([]);
    },
  );

  test.each([
    'bytes=0-1,4-5',
    'bytes=-',
    'bytes=',
    'bytes=a-b',
    'bytes=0x1-2',
    'items=0-1',
    'bytes=9999999999999999-',
    '0-1',
  ])('%s is answered with the whole', async (range) => {
    const answer = ask({ range });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([200, null]);
    expect(await bytesOf(answer)).toEqual([...BYTES]);
  });

  test('hold only for the content that they were meant for', async () => {
    expect(ask({ range: 'bytes=0-1', 'if-range': '"a"' }).status).toBe(206);
    expect(ask({ range: 'bytes=0-1', 'if-range': '"b"' }).status).toBe(200);
    expect(ask({ range: 'bytes=0-1', 'if-range': '"a"' }, { etag: null }).status).toBe(200);
  });

  test('of any numbers give exactly those bytes, or none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(15), fc.nat(15), async (from, to) => {
        const answer = ask({ range: `bytes=${from}-${to}` });
        const expected = [...BYTES.subarray(from, to + 1)];
        expect(answer.status).toBe(expected.length === 0 ? 416 : 206);
        expect(await bytesOf(answer)).toEqual(expected);
      }),
    );
  });

  test('of nothing cannot be had', () => {
    expect(ask({ range: 'bytes=0-' }, { bytes: new Uint8Array() }).status).toBe(416);
    expect(ask({}, { bytes: new Uint8Array() }).headers.get('content-length')).toBe('0');
  });
});

describe('ETags', () => {
  test.each([
    ['"a"', 304],
    ['W/"a"', 304],
    ['"x", "a"', 304],
    ['"x",W/"a"', 304],
    ['*', 304],
    ['"b"', 200],
    ['a', 200],
    ['', 200],
  ])('if-none-match %s gives %i', async (tag, status) => {
    const answer = ask({ 'if-none-match': tag });
    expect(answer.status).toBe(status);
    expect(await bytesOf(answer)).toEqual(status === 304 ? [] : [...BYTES]);
  });

  test('that are missing mean that nothing may be kept', () => {
    const answer = ask({ 'if-none-match': '*' }, { etag: null });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('etag')).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('with an address of their own are kept for ever', () => {
    const keep = (immutable: boolean) => ask({}, { immutable }).headers.get('cache-control');
    expect(keep(true)).toBe('private, max-age=31536000, immutable');
    expect(keep(false)).toBe('private, no-cache');
  });
});

test('a refusal carries the policy too', () => {
  const answer = refuse(404);
  expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none';/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
});
