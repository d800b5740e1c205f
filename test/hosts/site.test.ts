import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import type { Asset } from '#studio/assets';
import { createSite, type Answer, type Site } from '#studio/site';

/** What every host with a page answers: the window's files, pictures, ranges, ETags, refusals. */

const BYTES = Uint8Array.from({ length: 10 }, (_, i) => i);
const PICTURES: Readonly<Record<string, Partial<Asset>>> = {
  '/images/1/full': {},
  '/images/2/full': { bytes: new Uint8Array() },
  '/previews/1/1': { etag: null },
};

let folder = '';
let site: Site;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rcg-studio-site-'));
  const renderer = join(folder, 'renderer');
  await mkdir(join(renderer, 'assets'), { recursive: true });
  await mkdir(join(renderer, 'assets', 'folder.js'));
  await writeFile(join(renderer, 'index.html'), '<!doctype html>');
  await writeFile(join(renderer, 'notes.bak'), 'not a part of the page');
  await writeFile(join(renderer, 'assets', 'index-aB3dE5f7.js'), 'export {};');
  await writeFile(join(folder, 'secret.js'), 'not for pages');
  await symlink(join(folder, 'gone.js'), join(renderer, 'gone.js'));
  site = createSite(renderer, {
    get(path) {
      if (path === '/locked') throw new StudioError('library-unavailable', 'Another one runs.');
      if (path === '/broken') throw new TypeError('x is undefined');
      const found = PICTURES[path];
      if (found === undefined) return Promise.resolve(null);
      return Promise.resolve({ type: 'image/png', bytes: BYTES, etag: '"a"', ...found });
    },
    download: () => Promise.resolve(null),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}
const ask = (path: string, { headers = {}, method = 'GET' }: Options = {}): Promise<Answer> =>
  site({
    method,
    url: new URL(path, 'http://studio'),
    header: (name) => headers[name] ?? null,
  });
const picture = (headers: Record<string, string>, path = '/images/1/full'): Promise<Answer> =>
  ask(path, { headers });
const bytesOf = ({ body }: Answer): number[] => [...(body ?? [])];
const textOf = ({ body }: Answer): string => new TextDecoder().decode(body ?? undefined);

describe('ranges', () => {
  test.each([
    ['bytes=0-3', [0, 1, 2, 3], 'bytes 0-3/10'],
    ['bytes=7-', [7, 8, 9], 'bytes 7-9/10'],
    ['bytes=-2', [8, 9], 'bytes 8-9/10'],
    ['bytes=-99', [...BYTES], 'bytes 0-9/10'],
    ['bytes=8-99', [8, 9], 'bytes 8-9/10'],
    ['bytes=9-9', [9], 'bytes 9-9/10'],
  ])('%s gives a part', async (range, bytes, answered) => {
    const answer = await picture({ range });
    expect([answer.status, answer.headers['content-range']]).toEqual([206, answered]);
    expect(bytesOf(answer)).toEqual(bytes);
    expect(answer.headers['content-length']).toBe(String(bytes.length));
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=5-4', 'bytes=-0', 'bytes=999999999999999-'])(
    '%s cannot be had',
    async (range) => {
      const answer = await picture({ range });
      expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */10']);
      expect(bytesOf(answer)).toEqual([]);
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
    const answer = await picture({ range });
    expect([answer.status, answer.headers['content-range']]).toEqual([200, undefined]);
    expect(bytesOf(answer)).toEqual([...BYTES]);
  });

  test('hold only for the content that they were meant for', async () => {
    const part = { range: 'bytes=0-1' };
    expect((await picture({ ...part, 'if-range': '"a"' })).status).toBe(206);
    expect((await picture({ ...part, 'if-range': '"b"' })).status).toBe(200);
    expect((await picture({ ...part, 'if-range': '"a"' }, '/previews/1/1')).status).toBe(200);
  });

  test('of any numbers give exactly those bytes, or none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(15), fc.nat(15), async (from, to) => {
        const answer = await picture({ range: `bytes=${from}-${to}` });
        const expected = [...BYTES.subarray(from, to + 1)];
        expect(answer.status).toBe(expected.length === 0 ? 416 : 206);
        expect(bytesOf(answer)).toEqual(expected);
      }),
    );
  });

  test('of nothing cannot be had', async () => {
    expect((await picture({ range: 'bytes=0-' }, '/images/2/full')).status).toBe(416);
    expect((await picture({}, '/images/2/full')).headers['content-length']).toBe('0');
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
    const answer = await picture({ 'if-none-match': tag });
    expect(answer.status).toBe(status);
    expect(bytesOf(answer)).toEqual(status === 304 ? [] : [...BYTES]);
  });

  test('that are missing mean that nothing may be kept', async () => {
    const answer = await picture({ 'if-none-match': '*' }, '/previews/1/1');
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('etag');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('with an address of their own are kept for ever', async () => {
    const keep = async (path: string) => (await ask(path)).headers['cache-control'];
    expect(await keep('/images/1/full?v=3')).toBe('private, max-age=31536000, immutable');
    expect(await keep('/images/1/full')).toBe('private, no-cache');
    expect(await keep('/assets/index-aB3dE5f7.js')).toBe('private, max-age=31536000, immutable');
    expect(await keep('/index.html')).toBe('private, no-cache');
  });
});

describe('the window’s files', () => {
  test.each([
    ['/', 'text/html; charset=utf-8', '<!doctype html>'],
    ['/index.html', 'text/html; charset=utf-8', '<!doctype html>'],
    ['/assets/index-aB3dE5f7.js', 'text/javascript; charset=utf-8', 'export {};'],
  ])('%s is %s', async (path, type, text) => {
    const answer = await ask(path);
    expect([answer.status, answer.headers['content-type'], textOf(answer)]).toEqual([
      200,
      type,
      text,
    ]);
  });

  test.each([
    '/notes.bak',
    '/gone.js',
    '/assets',
    '/assets/folder.js',
    '/../secret.js',
    '/%2e%2e/secret.js',
    '/..%2fsecret.js',
    '/assets/..%5c..%5csecret.js',
    '/index.html%00.js',
    '/assets//index-aB3dE5f7.js',
    '/INDEX.HTML',
    '/constructor',
    '/__proto__.js',
  ])('%s is none', async (path) => {
    const answer = await ask(path);
    expect([answer.status, textOf(answer)]).toEqual([404, 'There is nothing here.\n']);
  });

  test('are there before the studio is, and without any there are only pictures', async () => {
    const early = createSite(join(folder, 'renderer'), new Promise(() => undefined));
    const given = { method: 'GET', header: () => null };
    const none = () => Promise.resolve(null);
    expect((await early({ ...given, url: new URL('http://studio/') })).status).toBe(200);
    const bare = createSite(join(folder, 'nowhere'), { get: none, download: none });
    expect((await bare({ ...given, url: new URL('http://studio/') })).status).toBe(404);
  });
});

describe('refusals', () => {
  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'get'])('%s is not answered', async (method) => {
    const answer = await ask('/', { method });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  test('say why, and carry the policy too', async () => {
    const answers = await Promise.all(['/nothing', '/locked', '/broken'].map((path) => ask(path)));
    expect(answers.map((answer) => [answer.status, textOf(answer)])).toEqual([
      [404, 'There is nothing here.\n'],
      [503, 'Another one runs.\n'],
      [500, 'x is undefined\n'],
    ]);
    for (const { headers } of answers) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
      expect(headers['cache-control']).toBe('no-store');
    }
  });

  test('HEAD has no body, whatever comes of it', async () => {
    for (const path of ['/', '/images/1/full', '/nothing', '/broken']) {
      const { body, headers } = await ask(path, { method: 'HEAD' });
      expect([body, Number(headers['content-length']) > 0]).toEqual([null, true]);
    }
  });
});
