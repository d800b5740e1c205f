import { readFloat32 } from '#checkpoint/convert';
import type { DType, StateDict } from '#checkpoint/types';
import { ImportError } from './errors.ts';

/** Steps of RCG's diffusion of representations (spec 3.2). */
const STEPS = 1000;
const LINEAR_START = 0.0015;
const LINEAR_END = 0.0195;
/** Largest difference from the exact value that rounding to float32 explains, with room. */
const TOLERANCE = 1e-6;
/** What rounding to a shorter type adds to that, as a part of the value: half a unit of its last place. */
const ROUNDING: Partial<Readonly<Record<DType, number>>> = {
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
};

/**
 * β and ᾱ of RCG's schedule, float64 [1000] each (spec 3.3).
 * @internal
 */
export function rcgSchedule(): { readonly betas: Float64Array; readonly alphasBar: Float64Array } {
  const betas = new Float64Array(STEPS);
  const alphasBar = new Float64Array(STEPS);
  const start = Math.sqrt(LINEAR_START);
  const step = (Math.sqrt(LINEAR_END) - start) / (STEPS - 1);
  let product = 1;
  for (let i = 0; i < STEPS; i += 1) {
    const beta = (start + i * step) ** 2;
    product *= 1 - beta;
    betas[i] = beta;
    alphasBar[i] = product;
  }
  return { betas, alphasBar };
}

/**
 * Makes sure that an RDM was trained with the schedule that the sampler uses, as far as the file
 * says: any other would silently give wrong representations.
 * @throws ImportError 'other-schedule'
 */
export async function checkSchedule(section: StateDict, file: string): Promise<void> {
  const { betas, alphasBar } = rcgSchedule();
  for (const [key, expected] of [
    ['betas', betas],
    ['alphas_cumprod', alphasBar],
  ] as const) {
    const stored = section.get(key);
    if (!stored) continue;
    const refuse = (why: string) =>
      new ImportError(
        'other-schedule',
        { file, key },
        `${key}: ${why}. This RDM was trained with another noise schedule than RCG's ` +
          `(${STEPS} steps, ${LINEAR_START} to ${LINEAR_END}), so it would be sampled wrongly. ` +
          'Nothing was changed.',
      );
    if (stored.shape.length !== 1 || stored.shape[0] !== STEPS) {
      throw refuse(`has shape [${stored.shape.join(', ')}], expected [${STEPS}]`);
    }
    const values = await readFloat32(stored);
    const rounding = ROUNDING[stored.dtype] ?? 0;
    const wrong = expected.findIndex((value, i) => {
      const found = values[i];
      // Written so that NaN counts as wrong.
      return found === undefined || !(Math.abs(found - value) <= TOLERANCE + rounding * value);
    });
    if (wrong >= 0)
      throw refuse(`is ${values[wrong]} at step ${wrong}, expected ${expected[wrong]}`);
  }
}
