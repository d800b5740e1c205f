import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  MIN_SIZE,
  placeWindow,
  readWindowState,
  writeWindowState,
} from '../../main/electron/window-state.ts';

const LEFT = { x: 0, y: 0, width: 1920, height: 1040 };
const RIGHT = { x: 1920, y: 100, width: 1280, height: 800 };
const at = (x: number, y: number, width = 1200, height = 700) => ({
  bounds: { x, y, width, height },
  maximised: false,
});

describe('placeWindow', () => {
  test.each([
    ['as it was', at(50, 60), { x: 50, y: 60, width: 1200, height: 700 }],
    ['on the second screen', at(1950, 120), { x: 1950, y: 120, width: 1200, height: 700 }],
    [
      'partly outside, but to be held',
      at(-1000, 10),
      { x: -1000, y: 10, width: 1200, height: 700 },
    ],
    [
      'no larger than its screen',
      at(1950, 120, 1900, 1000),
      { x: 1950, y: 120, width: 1280, height: 800 },
    ],
    ['no smaller than it may be', at(5, 5, 200, 200), { x: 5, y: 5, ...MIN_SIZE }],
    ['in the middle when it is far away', at(9000, 50), { width: 1200, height: 700 }],
    [
      'in the middle when its title bar is above the screen',
      at(50, -40),
      { width: 1200, height: 700 },
    ],
    ['in the middle when its title bar is below it', at(50, 1030), { width: 1200, height: 700 }],
    ['in the middle when too little of it is left', at(-1150, 0), { width: 1200, height: 700 }],
    ['in the middle the first time', null, { width: 1360, height: 860 }],
  ])('puts it %s', (_what, saved, expected) => {
    expect(placeWindow(saved, [LEFT, RIGHT])).toEqual(expected);
  });

  test('fits a screen that is smaller than the smallest window, or none', () => {
    const small = { x: 0, y: 0, width: 800, height: 600 };
    expect(placeWindow(null, [small])).toEqual({ width: 800, height: 600 });
    expect(placeWindow(at(0, 0), [])).toEqual({ width: 1200, height: 700 });
  });

  test('never puts it where nobody can take hold of it', () => {
    const whole = (range: number) => fc.integer({ min: -range, max: range });
    fc.assert(
      fc.property(whole(5000), whole(5000), fc.nat(5000), fc.nat(5000), (x, y, width, height) => {
        const place = placeWindow(at(x, y, width, height), [LEFT, RIGHT]);
        if (place.x === undefined || place.y === undefined) return;
        const { x: left, y: top } = place;
        const seen = [LEFT, RIGHT].some(
          (screen) =>
            top >= screen.y &&
            top < screen.y + screen.height &&
            left < screen.x + screen.width &&
            left + place.width > screen.x,
        );
        expect(seen).toBe(true);
      }),
    );
  });
});

describe('the file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rcg-studio-window-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('gives back what was kept', () => {
    const file = join(folder, 'window.json');
    const state = { bounds: RIGHT, maximised: true };
    writeWindowState(file, state);
    expect(readWindowState(file)).toEqual(state);
  });

  test.each([
    ['', null],
    ['nonsense', null],
    ['null', null],
    ['[]', null],
    ['{"bounds":null}', null],
    ['{"bounds":{"x":1,"y":2,"width":3}}', null],
    ['{"bounds":{"x":1,"y":2,"width":3,"height":"4"}}', null],
    ['{"bounds":{"x":1e9,"y":2,"width":3,"height":4}}', null],
    ['{"bounds":{"x":0.5,"y":2,"width":3,"height":4}}', null],
    [
      '{"bounds":{"x":1,"y":2,"width":3,"height":4,"z":5},"maximised":"yes"}',
      { bounds: { x: 1, y: 2, width: 3, height: 4 }, maximised: false },
    ],
  ])('that says %j is read as %j', async (text, expected) => {
    const file = join(folder, 'other.json');
    await writeFile(file, text);
    expect(readWindowState(file)).toEqual(expected);
  });

  test('that is not there, or cannot be written, is no trouble', async () => {
    expect(readWindowState(join(folder, 'none.json'))).toBeNull();
    writeWindowState(join(folder, 'no-folder', 'window.json'), at(1, 2));
    await expect(readFile(join(folder, 'no-folder', 'window.json'))).rejects.toThrow();
  });
});
