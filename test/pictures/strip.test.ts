import { describe, expect, test } from 'vitest';
import { joinStrip } from '#pictures/strip';

describe('a strip', () => {
  const pixel = (value: number) => ({
    width: 1,
    height: 1,
    data: Uint8Array.of(value, value, value),
  });

  test('sets pictures side by side', () => {
    expect(joinStrip([pixel(1), pixel(2)])).toEqual({
      width: 2,
      height: 1,
      data: Uint8Array.of(1, 1, 1, 2, 2, 2),
    });
  });

  test('wraps after 32 and fills up with white', () => {
    const strip = joinStrip(Array.from({ length: 33 }, (_, i) => pixel(i)));
    expect([strip.width, strip.height]).toEqual([32, 2]);
    expect([strip.data[96], strip.data[99]]).toEqual([32, 255]);
  });
});
