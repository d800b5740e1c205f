import { describe, expect, test } from 'vitest';
import { SESSION_LIMITS } from '#api/session';
import type { Job } from '#api/jobs';
import { nextSeed, openSession } from '#studio/session';
import { failure } from './helpers.ts';

function store(initial?: unknown) {
  const kept = new Map<string, unknown>([['session', initial]]);
  const settings = {
    get: (key: string) => kept.get(key),
    set: (key: string, value: unknown) => void kept.set(key, value),
  };
  return { kept, open: (writable = true) => openSession({ settings }, { writable }) };
}

describe('the session of a library', () => {
  test('is kept entry by entry; null takes one away', () => {
    const { open } = store();
    open().change({ draft: 'one', place: '#/gallery' });
    open().change({ draft: 'two', place: null });
    expect(open().get()).toEqual({ draft: 'two' });
  });

  test.each([null, 7, 'x', [], { version: 2, entries: {} }, { version: 1, entries: { a: 7 } }])(
    'that cannot be understood is an empty one: %o',
    (kept) => {
      expect(store(kept).open().get()).toEqual({});
    },
  );

  test('that cannot be read is an empty one', () => {
    const settings = {
      get: () => {
        throw new SyntaxError('Not JSON.');
      },
      set: () => {},
    };
    expect(openSession({ settings }, { writable: true }).get()).toEqual({});
  });

  test('is read but not written where the library is for looking only', () => {
    const { open, kept } = store({ version: 1, entries: { draft: 'one' } });
    const looking = open(false);
    looking.change({ draft: 'two' });
    expect(looking.get()).toEqual({ draft: 'two' });
    expect(kept.get('session')).toEqual({ version: 1, entries: { draft: 'one' } });
    const none = openSession(null, { writable: false });
    none.change({ a: 'b' });
    expect(none.get()).toEqual({ a: 'b' });
  });

  test('has a size, beyond which nothing is changed', async () => {
    const { open } = store();
    const session = open();
    session.change({ draft: 'one' });
    const text = 'x'.repeat(SESSION_LIMITS.text);
    for (let index = 0; index < 3; index++) session.change({ [`big${index}`]: text });
    expect(await failure(() => session.change({ last: text }))).toMatchObject({
      code: 'invalid-request',
    });
    for (let index = 0; index < SESSION_LIMITS.entries - 4; index++) {
      session.change({ [`n${index}`]: '' });
    }
    expect(await failure(() => session.change({ more: '' }))).toMatchObject({
      code: 'invalid-request',
    });
    expect(session.get()).toMatchObject({ draft: 'one', big2: text });
  });
});

describe('the next seed', () => {
  const job = (seed: number, total: number) => ({ settings: { seed }, total }) as Job;

  test.each([
    [null, [], 1],
    [0, [], 1],
    [41, [], 42],
    [41, [job(40, 10), job(1, 4)], 50],
    [Number.MAX_SAFE_INTEGER, [], 0],
  ] as const)('after %o and %o is %o', (highest, jobs, next) => {
    expect(nextSeed(highest, jobs)).toBe(next);
  });
});
