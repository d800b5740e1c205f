import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mix } from '#engine/interpolate';

const A = Float32Array.of(1, 0, 0);
const B = Float32Array.of(0, 2, 0);

describe('interpolation', () => {
  test('lerp is the plain weighted mean, not standardised again', () => {
    expect([...mix({ from: A, to: B, mode: 'lerp' }, 0.25)]).toEqual([0.75, 0.5, 0]);
  });

  test.each(['lerp', 'slerp'] as const)('the ends of a %s come back exactly', (mode) => {
    expect(mix({ from: A, to: B, mode }, 0)).toEqual(A);
    expect(mix({ from: A, to: B, mode }, 1)).toEqual(B);
  });

  test('slerp follows the arc at an even angle', () => {
    const unit = Float32Array.of(0, 1, 0);
    const third = mix({ from: A, to: unit, mode: 'slerp' }, 1 / 3);
    expect(third[0]).toBeCloseTo(Math.cos(Math.PI / 6), 6);
    expect(third[1]).toBeCloseTo(Math.sin(Math.PI / 6), 6);
  });

  test('slerp between two standardised representations keeps their length', () => {
    const vector = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
      minLength: 8,
      maxLength: 8,
    });
    const at = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(vector, vector, at, (a, b, place) => {
        const [from, to] = [standardise(a), standardise(b)];
        const cosine = dot(from, to) / 7;
        fc.pre(Number.isFinite(cosine) && cosine > -0.999);
        // Numbers of 1e-162 are no representation: their squares vanish.
        fc.pre([from, to].every((end) => Math.abs(dot(end, end) - 7) < 1e-3));
        const between = mix({ from, to, mode: 'slerp' }, place);
        expect(dot(between, between)).toBeCloseTo(7, 2);
      }),
    );
  });

  test('directions without an arc fall back to the straight line', () => {
    const opposite = Float32Array.of(-1, 0, 0);
    const zero = new Float32Array(3);
    expect([...mix({ from: A, to: A, mode: 'slerp' }, 0.5)]).toEqual([1, 0, 0]);
    expect([...mix({ from: A, to: opposite, mode: 'slerp' }, 0.25)]).toEqual([0.5, 0, 0]);
    expect([...mix({ from: A, to: zero, mode: 'slerp' }, 0.5)]).toEqual([0.5, 0, 0]);
  });

  test.each([
    ['ends of different models', () => mix({ from: A, to: new Float32Array(4), mode: 'lerp' }, 0)],
    [
      'empty ends',
      () => mix({ from: new Float32Array(0), to: new Float32Array(0), mode: 'lerp' }, 0),
    ],
    ['NaN', () => mix({ from: A, to: Float32Array.of(0, NaN, 0), mode: 'slerp' }, 0.5)],
    ['a place outside', () => mix({ from: A, to: B, mode: 'lerp' }, 1.01)],
    ['a place that is NaN', () => mix({ from: A, to: B, mode: 'lerp' }, NaN)],
  ])('refuses %s', (_, act) => {
    expect(act).toThrow(expect.objectContaining({ code: 'bad-plan' }));
  });
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

/** Mean 0, sample standard deviation 1. */
function standardise(values: readonly number[]): Float32Array {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Float32Array.from(values, (value) => (value - mean) / Math.sqrt(square / 7));
}
