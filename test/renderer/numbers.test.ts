import { describe, expect, test } from 'vitest';
import { scrubbed, strideOf } from '../../renderer/shared/numbers.ts';

const none = { shiftKey: false, altKey: false };

describe('a number', () => {
  test('moves ten steps by key with Shift, and never less than one', () => {
    expect(strideOf(0.5, none)).toBe(0.5);
    expect(strideOf(0.5, { shiftKey: true })).toBe(5);
  });

  test.each([
    [40, none, 10],
    [40, { ...none, shiftKey: true }, 100],
    [40, { ...none, altKey: true }, 1],
    [12, { ...none, altKey: true }, 0],
    [-40, { ...none, altKey: true }, -1],
  ])('moves with a drag of %i pixels and %o by %i steps', (pixels, keys, steps) => {
    expect(scrubbed(pixels, 1, keys)).toBe(steps);
  });
});
