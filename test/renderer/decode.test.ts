import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countTokens,
  decodeFloats,
  executedSteps,
  guidanceAt,
  lengths,
  plannedCounts,
  uncertainty,
} from '../../renderer/generate/decode.ts';
import { fakeSteps, MASK, TOKENS } from './fake-decode.ts';

const step = (number: number, tokens: number[], entropy: number[] = []) => ({
  step: number,
  tokens,
  entropy,
  second: entropy.map((bits) => 5 * bits),
  preview: null,
});

describe('tokens of a step', () => {
  test('are decided, new or open', () => {
    const first = step(1, [5, MASK, MASK, MASK]);
    const second = step(2, [5, 6, 7, MASK]);
    expect(countTokens(first, undefined, MASK)).toEqual({ decided: 1, fresh: 1, open: 3 });
    expect(countTokens(second, first, MASK)).toEqual({ decided: 3, fresh: 2, open: 1 });
    // Which of them are new is not known where the step before was not told.
    expect(countTokens(second, undefined, MASK)).toEqual({ decided: 3, fresh: null, open: 1 });
  });

  test('add up in every step of a picture', () => {
    const steps = fakeSteps(3, 20);
    steps.forEach((now, index) => {
      const { decided, open, fresh } = countTokens(now, steps[index - 1], MASK);
      const before = steps[index - 1];
      const decidedBefore = before ? countTokens(before, undefined, MASK).decided : 0;
      expect(decided + open).toBe(TOKENS);
      expect(fresh).toBe(decided - decidedBefore);
    });
  });

  test('follow the cosine schedule: 159 of 256 after step 15 of 20', () => {
    const counts = plannedCounts(256, 20);
    const after15 = counts.slice(0, 15).reduce((sum, count) => sum + count, 0);
    expect([after15, counts[14]]).toEqual([159, 19]);
  });

  test('are all decided after any number of steps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 256 }), (steps) => {
        const counts = plannedCounts(256, steps);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(256);
        expect(counts.every((count) => count >= 0)).toBe(true);
      }),
    );
  });
});

describe('uncertainty', () => {
  const steps = [
    step(1, [5, MASK, MASK], [1, 8, 6]),
    step(2, [5, 6, MASK], [0, 4, 5]),
    step(3, [5, 6, 7], [0, 0, 2]),
  ];

  test('keeps that of each token when it was decided', () => {
    expect(uncertainty(steps, MASK)).toEqual({ bits: [1, 4, 2], second: [5, 20, 10] });
  });

  test('is that of the step that is looked at', () => {
    expect(uncertainty(steps, MASK, 2)).toEqual({ bits: [1, 4, 5], second: [5, 20, 25] });
    expect(uncertainty(steps, MASK, 0)).toBeNull();
  });

  test('is unknown where the steps bring none', () => {
    expect(uncertainty([], MASK)).toBeNull();
    expect(uncertainty([step(1, [1], [])], MASK)).toBeNull();
  });
});

describe('guidance', () => {
  const ramp = { guidance: 6, steps: 20 };

  test.each([
    ['linear', 4.5],
    ['constant', 6],
    ['none', 0],
  ] as const)('%s is %d after step 15', (schedule, weight) => {
    expect(guidanceAt({ ...ramp, schedule }, 15)).toBeCloseTo(weight);
  });

  test('reaches its final weight with every shape', () => {
    for (const schedule of ['linear', 'constant', 'cosine'] as const) {
      expect(guidanceAt({ ...ramp, schedule }, 20)).toBeCloseTo(6);
    }
  });
});

test('steps that do not divide a thousand run as more', () => {
  expect([250, 300, 500, 1].map(executedSteps)).toEqual([250, 334, 500, 1]);
});

describe('a representation', () => {
  test('comes back from its bytes', () => {
    const values = Float32Array.from([0.5, -1.25, 3]);
    const base64 = Buffer.from(values.buffer).toString('base64');
    expect(decodeFloats(base64)).toEqual(values);
  });

  test('that is standardised lies on the sphere', () => {
    const values = Float32Array.from({ length: 256 }, (_, index) => (index % 2 === 0 ? 1 : -1));
    const { own, sphere } = lengths(values);
    expect(own).toBeCloseTo(16);
    expect(sphere).toBeCloseTo(15.97, 2);
  });
});
