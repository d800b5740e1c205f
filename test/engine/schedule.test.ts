import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  confidenceTemperature,
  ddimSchedule,
  executedSteps,
  guidanceWeight,
  maskCount,
  noiseSchedule,
} from '#engine/schedule';
import type { GuidanceSchedule } from '#engine/types';

describe('noise schedule', () => {
  test('has the ends that the released checkpoints store', () => {
    const { betas, alphas_cumprod, sqrt_recip_alphas_cumprod } = noiseSchedule();
    expect(betas).toHaveLength(1000);
    expect([betas[0], betas[999]]).toEqual([Math.fround(0.0015), Math.fround(0.0195)]);
    expect(alphas_cumprod[0]).toBe(0.9984999895095825);
    expect(alphas_cumprod[995]).toBe(0.0001539400836918503);
    expect(sqrt_recip_alphas_cumprod[0]).toBe(Math.fround(1 / Math.sqrt(0.9985)));
  });

  test('noise only grows', () => {
    const { alphas_cumprod } = noiseSchedule();
    expect([...alphas_cumprod]).toEqual([...alphas_cumprod].sort((a, b) => b - a));
  });
});

describe('DDIM grid', () => {
  test.each([
    [1, 1, 1],
    [7, 8, 995],
    [250, 250, 997],
    [300, 334, 999],
    [500, 500, 999],
  ])('%i steps asked for: %i run, the first at t = %i', (steps, executed, first) => {
    expect(executedSteps(steps)).toBe(executed);
    const { timesteps } = ddimSchedule({ steps, eta: 1 });
    expect([timesteps.length, timesteps[0], timesteps.at(-1)]).toEqual([executed, first, 1]);
  });

  test('250 steps at eta 1 have the published noise: 0.2745 first, 0.0274 last', () => {
    const { sigma } = ddimSchedule({ steps: 250, eta: 1 });
    const ends = [sigma[0], ...sigma.slice(-3)].map((value) => Number(value?.toFixed(4)));
    expect(ends).toEqual([0.2745, 0.0609, 0.0449, 0.0274]);
  });

  test('7 steps agree with the constants of the official sampler', () => {
    const { timesteps, a_t, a_prev, sigma } = ddimSchedule({ steps: 7, eta: 1 });
    expect([...timesteps]).toEqual([995, 853, 711, 569, 427, 285, 143, 1]);
    expect([a_t[1], a_prev[1], a_prev[7]]).toEqual([
      0.0018810926703736186, 0.01370533462613821, 0.9984999895095825,
    ]);
    expect(sigma[0]).toBeCloseTo(0.9573810696601868, 7);
    expect(sigma[7]).toBeCloseTo(0.027432048693299294, 7);
  });

  test('eta 0 adds no noise, eta scales it', () => {
    expect([...ddimSchedule({ steps: 10, eta: 0 }).sigma]).toEqual(Array(10).fill(0));
    const whole = ddimSchedule({ steps: 10, eta: 1 }).sigma;
    const half = ddimSchedule({ steps: 10, eta: 0.5 }).sigma;
    half.forEach((value, i) => expect(value).toBeCloseTo((whole[i] ?? NaN) / 2, 6));
  });

  test('every row of coefficients is (√1/ā, √(1/ā−1), √(1−a), √a, √a′, direction, σ)', () => {
    const { alphas_cumprod } = noiseSchedule();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (steps, eta) => {
          const { timesteps, coefficients, a_t, a_prev, sigma } = ddimSchedule({ steps, eta });
          expect(coefficients.every(Number.isFinite)).toBe(true);
          timesteps.forEach((t, row) => {
            const a = a_t[row] ?? NaN;
            const ap = a_prev[row] ?? NaN;
            const s = sigma[row] ?? NaN;
            expect(a).toBe(alphas_cumprod[t]);
            const expected = [
              Math.sqrt(1 / a),
              Math.sqrt(1 / a - 1),
              Math.sqrt(1 - a),
              Math.sqrt(a),
              Math.sqrt(ap),
              Math.sqrt(Math.max(0, 1 - ap - s * s)),
              s,
            ];
            expected.forEach((value, column) => {
              const found = coefficients[row * 7 + column] ?? NaN;
              expect(Math.abs(found - value)).toBeLessThan(1e-5 * Math.max(1, value));
            });
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  test('every number of steps stays inside the schedule and goes down to t = 1', () => {
    for (let steps = 1; steps <= 500; steps++) {
      const { timesteps, sigma } = ddimSchedule({ steps, eta: 1 });
      const falling = timesteps.every((t, i) => i === 0 || t < (timesteps[i - 1] ?? 0));
      expect([steps, falling, (timesteps[0] ?? 1000) <= 999, timesteps.at(-1)]).toEqual([
        steps,
        true,
        true,
        1,
      ]);
      expect(sigma.every(Number.isFinite)).toBe(true);
    }
  });

  test.each([0, -1, 501, 1001, 2.5, NaN, Infinity])('refuses %d steps by name', (steps) => {
    expect(() => ddimSchedule({ steps, eta: 1 })).toThrow(
      expect.objectContaining({ code: 'bad-plan', field: 'rdmSteps' }),
    );
  });

  test.each([-0.1, 1.1, NaN])('refuses eta %d by name', (eta) => {
    expect(() => ddimSchedule({ steps: 10, eta })).toThrow(
      expect.objectContaining({ code: 'bad-plan', field: 'eta' }),
    );
  });
});

describe('mask counts', () => {
  const whole = (steps: number) => {
    const counts: number[] = [];
    for (let step = 0, maskedNow = 256; step < steps; step++) {
      maskedNow = maskCount({ step, steps, maskedAtStart: 256, maskedNow });
      counts.push(maskedNow);
    }
    return counts;
  };

  test('20 steps mask what the official code masks', () => {
    expect(whole(20)).toEqual([
      255, 252, 248, 243, 236, 228, 218, 207, 194, 181, 166, 150, 133, 116, 97, 79, 59, 40, 20, 1,
    ]);
  });

  test('cos(π/3) leaves exactly half', () => {
    expect(whole(6)).toEqual([247, 221, 181, 128, 66, 1]);
    expect(maskCount({ step: 1, steps: 3, maskedAtStart: 256, maskedNow: 250 })).toBe(128);
  });

  test('256 steps fix one token each, and one token stays masked to the end', () => {
    const counts = whole(256);
    expect(counts[0]).toBe(255);
    expect(counts.at(-1)).toBe(1);
  });

  test('a small hole spreads its work over all steps', () => {
    const counts: number[] = [];
    for (let step = 0, maskedNow = 10; step < 5; step++) {
      maskedNow = maskCount({ step, steps: 5, maskedAtStart: 10, maskedNow });
      counts.push(maskedNow);
    }
    expect(counts).toEqual([9, 8, 5, 3, 1]);
  });

  test('is at least 1 and, where it can be, less than what is masked now', () => {
    const bounded = fc.record({
      steps: fc.integer({ min: 1, max: 256 }),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      maskedAtStart: fc.integer({ min: 1, max: 256 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(bounded, ({ steps, at, maskedAtStart, share }) => {
        const maskedNow = Math.max(1, Math.floor(maskedAtStart * share));
        const step = Math.floor(at * steps);
        const m = maskCount({ step, steps, maskedAtStart, maskedNow });
        expect(m).toBeGreaterThanOrEqual(1);
        expect(m).toBeLessThanOrEqual(Math.max(1, maskedNow - 1));
      }),
    );
  });
});

describe('ramps', () => {
  const weights = (schedule: GuidanceSchedule) =>
    [0, 1, 2, 3].map((step) =>
      guidanceWeight({ steps: 4, temperature: 6, guidance: 6, schedule }, step),
    );

  test("guidance grows as each schedule says and ends at the plan's weight", () => {
    expect(weights('linear')).toEqual([1.5, 3, 4.5, 6]);
    expect(weights('constant')).toEqual([6, 6, 6, 6]);
    expect(weights('none')).toEqual([0, 0, 0, 0]);
    const cosine = weights('cosine').map((weight) => Number(weight.toFixed(6)));
    expect(cosine).toEqual([0.87868, 3, 5.12132, 6]);
  });

  test('confidence noise fades to exactly nothing', () => {
    const decoding = { steps: 6, temperature: 11, guidance: 0, schedule: 'linear' } as const;
    expect([0, 2, 5].map((step) => confidenceTemperature(decoding, step))).toEqual([
      9.166666666666668, 5.5, 0,
    ]);
  });
});
