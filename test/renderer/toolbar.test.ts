import { expect, test } from 'vitest';
import { itemAfter } from '../../renderer/shared/toolbar.ts';

test.each([
  ['ArrowRight', 0, 3, 1],
  ['ArrowRight', 2, 3, 0],
  ['ArrowLeft', 1, 3, 0],
  ['ArrowLeft', 0, 3, 2],
  ['Home', 2, 3, 0],
  ['End', 0, 3, 2],
  // From the bar itself, where the focus is on none of them.
  ['ArrowRight', -1, 3, 0],
  ['ArrowLeft', -1, 3, 2],
  // One alone, and none at all: all of them may be off.
  ['ArrowRight', 0, 1, 0],
  ['ArrowLeft', 0, 1, 0],
  ['ArrowRight', -1, 0, null],
  ['Home', -1, 0, null],
  ['End', -1, 0, null],
  // Keys that mean something else.
  ['ArrowDown', 0, 3, null],
  ['ArrowUp', 0, 3, null],
  ['Enter', 1, 3, null],
  [' ', 1, 3, null],
  ['Tab', 1, 3, null],
  ['h', 1, 3, null],
  ['', 1, 3, null],
] as const)('%s from %d of %d leads to %s', (key, at, count, to) => {
  expect(itemAfter(key, at, count)).toBe(to);
});
