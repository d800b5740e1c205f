import { describe, expect, test } from 'vitest';
import { Navigation } from '../../renderer/state/navigation.svelte.ts';
import { Session } from '../../renderer/state/session.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';
import { memoryKept } from './helpers.ts';

/** A studio that keeps a session; its calls can be made to fail or to hang. */
function setUp() {
  let entries: Record<string, string> = {};
  const state = { fails: false, puts: 0 };
  const session = {
    get: () => (state.fails ? new Promise(() => {}) : Promise.resolve({ entries, nextSeed: 17 })),
    put: async (change: Record<string, string>) => {
      state.puts += 1;
      if (state.fails) throw new TypeError('No studio.');
      entries = { ...entries, ...change };
      return { kept: true };
    },
  };
  const studio = { session } as unknown as StudioClient;
  return { state, studio, kept: () => entries };
}

describe('the session', () => {
  test('comes back in the next window', async () => {
    const { studio } = setUp();
    const session = await Session.open(studio);
    expect([session.get('draft'), session.nextSeed]).toEqual([null, 17]);
    session.set('draft', 'one');
    session.set('width', '300');
    await session.flush();
    const next = await Session.open(studio);
    expect([next.get('draft'), next.get('width')]).toEqual(['one', '300']);
  });

  test('writes only what changed, and what changed meanwhile too', async () => {
    const { state, studio, kept } = setUp();
    const session = await Session.open(studio);
    session.set('draft', 'one');
    const writing = session.flush();
    session.set('draft', 'two');
    await session.flush();
    await writing;
    expect([kept(), state.puts]).toEqual([{ draft: 'two' }, 2]);
    session.set('draft', 'two');
    await session.flush();
    expect(state.puts).toBe(2);
  });

  test('keeps what could not be written until it can', async () => {
    const { state, studio, kept } = setUp();
    const session = await Session.open(studio);
    state.fails = true;
    session.set('draft', 'one');
    await session.flush();
    session.set('place', '#/gallery');
    state.fails = false;
    await session.flush();
    expect(kept()).toEqual({ draft: 'one', place: '#/gallery' });
  });

  test('a studio that does not answer opens an empty one', async () => {
    const { state, studio } = setUp();
    state.fails = true;
    const session = await Session.open(studio, 1);
    expect([session.get('draft'), session.nextSeed]).toEqual([null, 1]);
  });
});

describe('the place', () => {
  const bar = (hash: string) => ({ location: { hash }, addEventListener: () => {} });

  test('is that of the last window, unless the address names one', () => {
    const kept = memoryKept();
    new Navigation(bar(''), kept).go('generate', { image: 12 });
    expect(new Navigation(bar(''), kept)).toMatchObject({ view: 'generate', image: 12 });
    // What was selected in the gallery since is remembered there.
    new Navigation(bar(''), kept).go('gallery', { image: 12 });
    expect(new Navigation(bar(''), kept)).toMatchObject({ view: 'gallery', image: null });
    expect(new Navigation(bar('#/models'), kept)).toMatchObject({ view: 'models', image: null });
  });

  test.each(['', '#/nowhere', 'javascript:alert(1)'])('a kept place of %o is Generate', (place) => {
    expect(new Navigation(bar('#/'), memoryKept({ place })).view).toBe('generate');
  });
});
