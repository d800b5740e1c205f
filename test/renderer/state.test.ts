import { ORPCError } from '@orpc/client';
import { describe, expect, test, vi } from 'vitest';
import { ERROR_CODES } from '../../main/api/errors.ts';
import { lookOf } from '../../renderer/shell/appearance.svelte.ts';
import { settingEntries } from '../../renderer/shell/palette.ts';
import { nextIndex } from '../../renderer/shell/regions.ts';
import { fitNumber, parseNumber } from '../../renderer/shared/numbers.ts';
import { describeFailure, failureCode, sentenceOf } from '../../renderer/state/errors.ts';
import { Events } from '../../renderer/state/events.svelte.ts';
import { I18n } from '../../renderer/state/i18n.svelte.ts';
import { addressOf, parseAddress } from '../../renderer/state/navigation.svelte.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';
import { Toasts } from '../../renderer/state/toasts.svelte.ts';
import { FAKE_SETTINGS } from './fake-model.ts';
import { openApp, until } from './helpers.ts';

describe('errors', () => {
  const i18n = new I18n();

  test.each(ERROR_CODES)('%s has a sentence in both languages', (code) => {
    for (const language of ['en', 'ja'] as const) {
      i18n.language = language;
      expect(sentenceOf(i18n, code, 'seed').length).toBeGreaterThan(10);
    }
  });

  test.each([
    [new ORPCError('disk-full'), 'disk-full'],
    [new ORPCError('BAD_REQUEST'), 'invalid-request'],
    [new ORPCError('INTERNAL_SERVER_ERROR'), 'internal'],
    [new TypeError('Failed to fetch'), 'connection'],
    [new Error('x'), 'internal'],
    [{ code: 'made-up' }, 'internal'],
    [undefined, 'internal'],
    [null, 'internal'],
    ['text', 'internal'],
  ])('%o is %s', (error, code) => {
    expect(failureCode(error)).toBe(code);
  });

  test('name the field at fault in the person’s words', () => {
    i18n.language = 'en';
    const error = new ORPCError('invalid-request', { data: { field: 'settings.rdmSteps' } });
    expect(describeFailure(i18n, error).sentence).toContain('Sampling steps');
  });

  test('are shown and announced once by act', async () => {
    const { app, close } = openApp();
    expect(await app.act(Promise.reject(new ORPCError('not-found')))).toBeUndefined();
    expect(app.toasts.list).toMatchObject([{ code: 'not-found', tone: 'danger' }]);
    expect(app.announcer.alertText).not.toBe('');
    expect(await app.act(Promise.reject(new ORPCError('cancelled')))).toBeUndefined();
    expect(app.toasts.list).toHaveLength(1);
    await close();
  });
});

describe('the event stream', () => {
  test('connects again after it broke, and says both', async () => {
    let calls = 0;
    const states: string[] = [];
    const studio = {
      studio: {
        events: async () => {
          calls += 1;
          if (calls === 1) throw new TypeError('Failed to fetch');
          return (async function* () {
            yield { kind: 'models' as const };
          })();
        },
      },
    } as unknown as StudioClient;
    const ending = new AbortController();
    const events = new Events(studio, async () => {
      states.push(events.connection);
      if (states.length === 2) ending.abort();
    });
    const connected = vi.fn();
    const heard = vi.fn();
    events.onConnected(connected);
    const stop = events.on('models', heard);
    await events.run(ending.signal);
    expect([calls, connected.mock.calls.length, heard.mock.calls.length]).toEqual([2, 1, 1]);
    expect(states).toEqual(['lost', 'lost']);
    stop();
  });
});

describe('settings', () => {
  test('apply at once, and are one undo step', async () => {
    const { app, close } = openApp();
    await until(() => app.settings.loaded);
    await app.settings.change({ theme: 'light', textSize: 120 });
    expect(app.settings.value).toMatchObject({ theme: 'light', textSize: 120 });
    await app.undoNow();
    expect(app.settings.value).toMatchObject({ theme: 'dark', textSize: 100 });
    await app.redoNow();
    expect(app.settings.value.textSize).toBe(120);
    await close();
  });

  test('stay as they were when the studio refuses, with nothing to undo', async () => {
    const { app, close } = openApp();
    await until(() => app.settings.loaded);
    await expect(app.settings.change({ textSize: 5000 })).rejects.toThrow();
    expect(app.settings.value.textSize).toBe(100);
    expect(app.undo.nextUndo).toBeNull();
    await close();
  });

  test.each([
    [
      { theme: 'system', language: 'system' },
      { theme: 'light', language: 'ja' },
    ],
    [
      { theme: 'dark', language: 'en' },
      { theme: 'dark', language: 'en' },
    ],
  ] as const)('%o looks like %o on a light Japanese system', (change, look) => {
    const system = { dark: false, language: 'ja-JP' };
    expect(lookOf({ ...FAKE_SETTINGS, ...change }, system)).toMatchObject(look);
  });
});

describe('addresses', () => {
  test('come back as they were', () => {
    const sort = { by: 'seed', descending: true } as const;
    const place = { image: 12, find: { filter: { text: 'a & b', tags: ['100 %'] }, sort } };
    expect(parseAddress(addressOf('gallery', place))).toEqual({ view: 'gallery', place });
    const settings = { view: 'settings', place: { part: 'keys' } } as const;
    expect(parseAddress(addressOf('settings', settings.place))).toEqual(settings);
  });

  test.each([
    ...['', '#', '#/', '#/nowhere', '#/gallery?image=x', '#/gallery?image=-1', '#/%%%'],
    ...['#/gallery?find=', '#/gallery?find={', '#/gallery?find={"filter":{"board":"x"}}'],
  ])('%s leads somewhere safe', (hash) => {
    expect(parseAddress(hash).place).toEqual({});
  });
});

describe('numbers', () => {
  test.each([
    ['12', 12],
    [' 1,234 ', 1234],
    ['1,5', 1.5],
    ['１２．５', 12.5],
    ['-3', -3],
    ['', null],
    ['abc', null],
    ['1e999', null],
  ])('%j is read as %j', (text, number) => {
    expect(parseNumber(text)).toBe(number);
  });

  test('are kept on the grid and inside the bounds', () => {
    const eta = { min: 0, max: 1, step: 0.05 };
    expect([0.1 + 0.2, 7, -1, Number.NaN].map((value) => fitNumber(value, eta))).toEqual([
      0.3, 1, 0, 0,
    ]);
  });
});

test('the palette reads a setting from a text, and refuses what the field does not allow', () => {
  const i18n = new I18n();
  const name = (
    field: 'steps' | 'rdmSteps' | 'eta' | 'temperature' | 'guidance' | 'seed' | 'count',
  ) => i18n.t(`field.${field}`);
  expect(settingEntries('temp 8', name).map(({ field, value }) => [field, value])).toEqual([
    ['temperature', 8],
  ]);
  expect(settingEntries('steps 20', name).map(({ field }) => field)).toEqual(['steps', 'rdmSteps']);
  const refused = ['temperature', 'temperature x', '8', 'count 0', 'seed 1.5', 'noise η 2'];
  for (const text of [...refused, 'temperature 20.1', 'final guidance 12.5', 'temp -1']) {
    expect(settingEntries(text, name)).toEqual([]);
  }
});

test('regions go round, and begin at an end from outside', () => {
  expect([
    nextIndex(2, 1, 3),
    nextIndex(0, -1, 3),
    nextIndex(-1, 1, 3),
    nextIndex(-1, -1, 3),
  ]).toEqual([0, 2, 0, 2]);
  expect(nextIndex(0, 1, 0)).toBe(-1);
});

test('toasts say the same once, except where each can be taken back', () => {
  const toasts = new Toasts();
  const texts = () => toasts.list.map(({ text }) => text);
  toasts.show({ text: 'a' });
  toasts.show({ text: 'b' });
  toasts.show({ text: 'a' });
  expect(texts()).toEqual(['b', 'a']);
  const action = { label: 'Undo', run: () => undefined };
  toasts.show({ text: 'b', action });
  toasts.show({ text: 'b', action });
  expect(texts()).toEqual(['a', 'b', 'b']);
  for (const { id } of toasts.list) toasts.dismiss(id);
});

test('toasts leave by themselves unless somebody is at them', () => {
  vi.useFakeTimers();
  const toasts = new Toasts();
  const held = toasts.show({ text: 'a' });
  toasts.show({ text: 'b' });
  toasts.hold(held);
  vi.advanceTimersByTime(11_000);
  expect(toasts.list.map(({ text }) => text)).toEqual(['a']);
  toasts.resume(held);
  vi.advanceTimersByTime(11_000);
  expect(toasts.list).toEqual([]);
  vi.useRealTimers();
});
