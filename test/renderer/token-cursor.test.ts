import { describe, expect, test } from 'vitest';
import { movedBy, placeOf, tokenAt } from '../../renderer/generate/token-cursor.ts';

const COUNT = 256;

describe('the cursor over the tokens', () => {
  test('has a row and a column of the grid', () => {
    expect([0, 15, 16, 255].map((token) => placeOf(token, COUNT))).toEqual([
      { row: 1, column: 1 },
      { row: 1, column: 16 },
      { row: 2, column: 1 },
      { row: 16, column: 16 },
    ]);
    expect(placeOf(10, 64)).toEqual({ row: 2, column: 3 });
  });

  test.each([
    ['ArrowRight', 34, 35],
    ['ArrowLeft', 34, 33],
    ['ArrowUp', 34, 18],
    ['ArrowDown', 34, 50],
    ['Home', 34, 32],
    ['End', 34, 47],
    // At an end it stays.
    ['ArrowLeft', 0, 0],
    ['ArrowUp', 9, 9],
    ['ArrowDown', 250, 250],
    ['ArrowRight', 255, 255],
    // The first key makes it appear.
    ['ArrowDown', null, 0],
    ['End', null, 0],
  ])('goes by %s from %j to %d', (key, from, to) => {
    expect(movedBy(key, from, COUNT)).toBe(to);
  });

  test.each(['a', 'Enter', 'PageDown', 'toString', ''])('leaves %j to others', (key) => {
    expect(movedBy(key, 4, COUNT)).toBeNull();
  });

  test('is nowhere without tokens', () => {
    expect(movedBy('ArrowDown', null, 0)).toBeNull();
  });

  test('is at the token under the pointer, also at the very edge', () => {
    expect([tokenAt(0, 0, COUNT), tokenAt(0.5, 0.5, COUNT), tokenAt(1, 1, COUNT)]).toEqual([
      0, 136, 255,
    ]);
    expect([tokenAt(-0.1, 0.1, COUNT), tokenAt(1.2, 0, COUNT)]).toEqual([16, 15]);
  });
});
