import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepare } from '#engine/picture';
import type { RgbImage } from '#engine/picture';

/** A picture whose three channels all hold these rows of grey. */
function grey(rows: readonly (readonly number[])[]): RgbImage {
  const data = Uint8Array.from(rows.flat().flatMap((value) => [value, value, value]));
  return { width: rows[0]?.length ?? 0, height: rows.length, data };
}

/** The red channel of a square result, row by row. */
function red(pixels: Uint8Array, side: number): number[][] {
  return Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (__, x) => pixels[(y * side + x) * 3] ?? -1),
  );
}

function noise(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = Math.imul(i + 1, 2654435761) >>> 24;
  return { width, height, data };
}

/** The whole picture resized the slow way: both passes in full, float weights, 8 bits between. */
function slowly(image: RgbImage, width: number, height: number): number[] {
  const cubic = (distance: number) => {
    const x = Math.abs(distance);
    if (x < 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
    return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
  };
  const line = (values: readonly number[], to: number) => {
    const scale = values.length / to;
    const stretch = Math.max(1, scale);
    return Array.from({ length: to }, (_, i) => {
      const centre = (i + 0.5) * scale;
      const weights = values.map((__, x) => cubic((x + 0.5 - centre) / stretch));
      const sum = weights.reduce((a, b) => a + b, 0);
      const value = values.reduce((a, v, x) => a + (v * (weights[x] ?? 0)) / sum, 0);
      return Math.min(255, Math.max(0, Math.floor(value + 0.5)));
    });
  };
  const channel = (c: number) => {
    const rows = Array.from({ length: image.height }, (_, y) =>
      line(
        Array.from(
          { length: image.width },
          (__, x) => image.data[(y * image.width + x) * 3 + c] ?? 0,
        ),
        width,
      ),
    );
    const columns = Array.from({ length: width }, (_, x) =>
      line(
        rows.map((row) => row[x] ?? 0),
        height,
      ),
    );
    return Array.from(
      { length: height * width },
      (_, i) => columns[i % width]?.[Math.floor(i / width)],
    );
  };
  const planes = [channel(0), channel(1), channel(2)];
  return Array.from(
    { length: width * height * 3 },
    (_, i) => planes[i % 3]?.[Math.floor(i / 3)] ?? -1,
  );
}

describe('resize', () => {
  test('two pixels to four, worked out by hand: overshoot and all', () => {
    const out = prepare(
      grey([
        [100, 200],
        [100, 200],
      ]),
      { short: 4, crop: 4 },
    );
    expect(red(out, 4)).toEqual(Array(4).fill([91, 121, 179, 209]));
  });

  test('values are clipped, not wrapped', () => {
    const out = prepare(
      grey([
        [0, 255],
        [0, 255],
      ]),
      { short: 4, crop: 4 },
    );
    expect(red(out, 4)[0]).toEqual([0, 53, 202, 255]);
  });

  test('shrinking averages over everything it covers (antialias)', () => {
    const stripes = Array.from({ length: 64 }, () =>
      Array.from({ length: 64 }, (_, x) => (x % 2 === 0 ? 0 : 255)),
    );
    const out = prepare(grey(stripes), { short: 8, crop: 8 });
    const inner = red(out, 8).map((row) => row.slice(2, 6));
    expect(inner.flat().every((value) => value === 127 || value === 128)).toBe(true);
  });

  test('the same size is the same picture', () => {
    const image = noise(9, 9);
    expect([...prepare(image, { short: 9, crop: 9 })]).toEqual([...image.data]);
  });

  test.each([
    [13, 9, 6],
    [9, 13, 6],
    [5, 7, 12],
    [40, 31, 10],
    [33, 64, 32],
  ])('%i×%i to %i agrees with the plain algorithm, crop and all', (width, height, short) => {
    const image = noise(width, height);
    const least = Math.min(width, height);
    const wide = Math.floor((short * width) / least);
    const high = Math.floor((short * height) / least);
    const whole = slowly(image, wide, high);
    const crop = short - 1;
    // Half to even, as Python rounds.
    const offset = (size: number) => {
      const half = (size - crop) / 2;
      return half % 1 === 0.5 ? 2 * Math.round(half / 2) : half;
    };
    const expected = Array.from({ length: crop * crop * 3 }, (_, i) => {
      const x = Math.floor(i / 3) % crop;
      const y = Math.floor(i / 3 / crop);
      return whole[((y + offset(high)) * wide + x + offset(wide)) * 3 + (i % 3)] ?? -1;
    });
    const out = prepare(image, { short, crop });
    // A sum within 2⁻²⁰ of a half may round the other way in fixed point; these pictures have none.
    expect([...out]).toEqual(expected);
  });
});

describe('crop', () => {
  const ramp = (width: number) => grey(Array(4).fill(Array.from({ length: width }, (_, x) => x)));

  test.each([
    [5, 0],
    [6, 1],
    [7, 2],
    [9, 2],
    [11, 4],
  ])('of 4 out of %i starts at %i: half a pixel goes to the even side', (width, first) => {
    const row = red(prepare(ramp(width), { short: 4, crop: 4 }), 4)[0];
    expect(row).toEqual([first, first + 1, first + 2, first + 3]);
  });

  test('the long side is rounded down', () => {
    // 3 × 7 with a short side of 4: 9 rows (9.33), so the crop starts at 2.5, which is 2.
    const rows = Array.from({ length: 7 }, (_, y) => [y * 30, y * 30, y * 30]);
    const out = prepare(grey(rows), { short: 4, crop: 4 });
    expect([...out.slice(0, 3)]).toEqual(slowly(grey(rows), 4, 9).slice(2 * 12, 2 * 12 + 3));
  });
});

describe('any picture', () => {
  test('a flat one stays flat, whatever its size', () => {
    const side = fc.integer({ min: 1, max: 70 });
    const colour = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255));
    fc.assert(
      fc.property(side, side, colour, (width, height, rgb) => {
        const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => rgb[i % 3] ?? 0);
        const out = prepare({ width, height, data }, { short: 16, crop: 11 });
        expect(out).toHaveLength(11 * 11 * 3);
        expect(out.every((value, i) => value === rgb[i % 3])).toBe(true);
      }),
    );
  });

  test('one of 30,000 by 1 pixels costs no more than its centre', () => {
    const data = new Uint8Array(90_000).fill(77);
    for (const [width, height] of [
      [30_000, 1],
      [1, 30_000],
    ] as const) {
      const out = prepare({ width, height, data }, { short: 256, crop: 256 });
      expect(out.every((value) => value === 77)).toBe(true);
    }
  });

  test.each([
    ['no pixels', { width: 0, height: 4, data: new Uint8Array(0) }, 8, 8],
    ['half a pixel', { width: 1.5, height: 2, data: new Uint8Array(9) }, 8, 8],
    ['bytes missing', { width: 2, height: 2, data: new Uint8Array(11) }, 8, 8],
    ['an alpha channel', { width: 2, height: 2, data: new Uint8Array(16) }, 8, 8],
    ['a crop beyond the picture', noise(4, 4), 8, 9],
    ['a crop of nothing', noise(4, 4), 8, 0],
  ])('%s is refused', (_, image, short, crop) => {
    expect(() => prepare(image, { short, crop })).toThrow(
      expect.objectContaining({ code: 'bad-plan', field: 'image' }),
    );
  });
});
