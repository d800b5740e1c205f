import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { below, gumbels, normals, philox, uniforms } from '#engine/random';
import type { Stream } from '#engine/random';

const hex = (words: Iterable<number>) =>
  Array.from(words, (word) => word.toString(16).padStart(8, '0')).join(' ');

function run(counter: readonly number[], key: readonly number[]): Uint32Array {
  const block = Uint32Array.of(...counter, ...key);
  philox(block);
  return block.subarray(0, 4);
}

/** The published algorithm in plain 64-bit arithmetic. */
function slowPhilox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  const word = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & word, (a >> 32n) ^ c3 ^ k1, a & word];
    k0 = (k0 + 0x9e3779b9n) & word;
    k1 = (k1 + 0xbb67ae85n) & word;
  }
  return [c0, c1, c2, c3].map(Number);
}

const stream = (seed: number, step = 0): Stream => ({ seed, stage: 'decoding', step });

describe('Philox4x32-10', () => {
  test.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])("gives Random123's known answer for counter %j", (counter, key, answer) => {
    expect(hex(run(counter, key))).toBe(answer);
  });

  test('agrees with 64-bit arithmetic everywhere, and keeps the key', () => {
    const words = (length: number) =>
      fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: length, maxLength: length });
    fc.assert(
      fc.property(words(4), words(2), (counter, key) => {
        const block = Uint32Array.of(...counter, ...key);
        philox(block);
        expect([...block]).toEqual([...slowPhilox(counter, key), ...key]);
      }),
    );
  });
});

describe('streams', () => {
  test('key is the seed in two words, counter is (index, step, stage, 0)', () => {
    const seed = 2 ** 53 - 1;
    const out = new Float32Array(3);
    uniforms(stream(seed, 19), out);
    const words = [0, 1, 2].map((i) => run([i, 19, 4, 0], [0xffffffff, 0x1fffff])[0] ?? 0);
    expect([...out]).toEqual(words.map((word) => ((word >>> 9) + 0.5) / 2 ** 23));
  });

  test('the numbers of seed 7 never change: recipes rely on them', () => {
    const codes = new Float32Array(2);
    const confidence = new Float64Array(2);
    const start = new Float32Array(5);
    uniforms(stream(7, 3), codes);
    gumbels(stream(7, 3), confidence);
    normals({ seed: 7, stage: 'representationStart', step: 0 }, start);
    expect({ codes, confidence, start }).toMatchInlineSnapshot(`
      {
        "codes": Float32Array [
          0.6861709952354431,
          0.42379146814346313,
        ],
        "confidence": Float64Array [
          -0.2185162460439382,
          -1.1469179967183831,
        ],
        "start": Float32Array [
          0.5599218010902405,
          1.0453333854675293,
          0.2362210750579834,
          1.5095359086990356,
          0.28697669506073,
        ],
      }
    `);
  });

  test('seeds, steps and stages give different numbers', () => {
    const first = (of: Stream) => {
      const out = new Float32Array(1);
      normals(of, out);
      return out[0];
    };
    const streams: Stream[] = [
      stream(1),
      stream(2),
      stream(1 + 2 ** 32),
      stream(1, 1),
      { seed: 1, stage: 'representationStart', step: 0 },
      { seed: 1, stage: 'representationStep', step: 0 },
      { seed: 1, stage: 'label', step: 0 },
    ];
    expect(new Set(streams.map(first)).size).toBe(streams.length);
  });

  test('a shorter request is the start of a longer one', () => {
    const long = new Float32Array(13);
    const short = new Float32Array(6);
    normals(stream(5), long);
    normals(stream(5), short);
    expect([...short]).toEqual([...long.slice(0, 6)]);
  });

  test('filling a view leaves its neighbours alone', () => {
    const all = new Float32Array(10);
    normals(stream(5), all.subarray(2, 7));
    expect([...all.slice(0, 2), ...all.slice(7)]).toEqual([0, 0, 0, 0, 0]);
    expect(all.slice(2, 7).every((value) => value !== 0)).toBe(true);
  });
});

describe('distributions', () => {
  const count = 40_000;
  const mean = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0) / count;

  test('uniforms stay strictly inside (0,1) as float32, and are even', () => {
    // The extreme words of the formula, which chance would hardly meet.
    for (const word of [0, 0xffffffff]) {
      const extreme = Math.fround(((word >>> 9) + 0.5) / 2 ** 23);
      expect(extreme > 0 && extreme < 1).toBe(true);
      expect(extreme).toBe(((word >>> 9) + 0.5) / 2 ** 23);
    }
    const out = new Float32Array(count);
    uniforms(stream(11), out);
    expect(out.every((u) => u > 0 && u < 1)).toBe(true);
    expect(mean(out)).toBeCloseTo(0.5, 2);
    expect(mean(out.map((u) => u * u))).toBeCloseTo(1 / 3, 2);
  });

  test('normals have mean 0, variance 1 and the right tails, and are never infinite', () => {
    const out = new Float32Array(count);
    normals(stream(11), out);
    expect(out.every(Number.isFinite)).toBe(true);
    expect(Math.abs(mean(out))).toBeLessThan(0.02);
    expect(mean(out.map((z) => z * z))).toBeCloseTo(1, 1);
    expect(mean(out.map((z) => z ** 4))).toBeCloseTo(3, 0);
  });

  test('Gumbel draws have mean γ and variance π²/6', () => {
    const out = new Float64Array(count);
    gumbels(stream(11), out);
    expect(out.every(Number.isFinite)).toBe(true);
    expect(mean(out)).toBeCloseTo(0.5772, 1);
    expect(mean(out.map((g) => (g - 0.5772) ** 2))).toBeCloseTo(Math.PI ** 2 / 6, 1);
  });

  test('labels cover the whole range and nothing else', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; seed++) seen.add(below({ seed, stage: 'label', step: 0 }, 10));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(below({ seed: 3, stage: 'label', step: 0 }, 1)).toBe(0);
  });
});
