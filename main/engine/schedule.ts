import { EngineError } from './errors.ts';
import type { DecodingSettings, GuidanceSchedule } from './types.ts';

/** Diffusion steps that the RDM was trained with (spec 3.3). */
const TRAIN_STEPS = 1000;
const LINEAR_START = 0.0015;
const LINEAR_END = 0.0195;

/** More would run every one of the 1000 steps, which the official sampler cannot (spec 3.4). */
const MAX_RDM_STEPS = 500;

/** The RDM's schedule as its checkpoints store it: float64 arithmetic, float32 buffers of 1000. */
export interface NoiseSchedule {
  readonly betas: Float32Array;
  readonly alphas_cumprod: Float32Array;
  readonly sqrt_recip_alphas_cumprod: Float32Array;
  readonly sqrt_recipm1_alphas_cumprod: Float32Array;
}

/** β_i = (√0.0015 … √0.0195, evenly)², ā = Π(1 − β) (spec 3.3). */
export function noiseSchedule(): NoiseSchedule {
  const betas = new Float32Array(TRAIN_STEPS);
  const alphas_cumprod = new Float32Array(TRAIN_STEPS);
  const sqrt_recip_alphas_cumprod = new Float32Array(TRAIN_STEPS);
  const sqrt_recipm1_alphas_cumprod = new Float32Array(TRAIN_STEPS);
  const first = Math.sqrt(LINEAR_START);
  const last = Math.sqrt(LINEAR_END);
  const gap = (last - first) / (TRAIN_STEPS - 1);
  let product = 1;
  for (let i = 0; i < TRAIN_STEPS; i++) {
    // Counted from the nearer end, as the original's linspace does.
    const root = i < TRAIN_STEPS / 2 ? first + gap * i : last - gap * (TRAIN_STEPS - 1 - i);
    const beta = root * root;
    product *= 1 - beta;
    betas[i] = beta;
    alphas_cumprod[i] = product;
    sqrt_recip_alphas_cumprod[i] = Math.sqrt(1 / product);
    sqrt_recipm1_alphas_cumprod[i] = Math.sqrt(1 / product - 1);
  }
  return { betas, alphas_cumprod, sqrt_recip_alphas_cumprod, sqrt_recipm1_alphas_cumprod };
}

/** A DDIM run in execution order: large t first. n = `timesteps.length`. */
export interface DdimSchedule {
  /** f32 [n] */
  readonly timesteps: Float32Array;
  /** f32 [n,7]: (√(1/ā), √(1/ā−1), √(1−a), √a, √a', direction, σ), what the `rdm` graph takes. */
  readonly coefficients: Float32Array;
  readonly a_t: Float32Array;
  readonly a_prev: Float32Array;
  readonly sigma: Float32Array;
  readonly sqrt_one_minus_a_t: Float32Array;
}

/** Numbers in a row of `DdimSchedule.coefficients`. */
export const COEFFICIENTS = 7;

/** DDIM steps that really run when `steps` are asked for: ceil(1000/c), c = floor(1000/steps). */
export function executedSteps(steps: number): number {
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_RDM_STEPS) {
    throw new EngineError(
      'bad-plan',
      `RDM steps must be a whole number from 1 to ${MAX_RDM_STEPS}, not ${steps}.`,
      'rdmSteps',
    );
  }
  return Math.ceil(TRAIN_STEPS / Math.floor(TRAIN_STEPS / steps));
}

/** Grid and constants of the DDIM sampler (spec 3.4). Refuses steps outside 1…500, eta outside 0…1. */
export function ddimSchedule(settings: {
  readonly steps: number;
  readonly eta: number;
}): DdimSchedule {
  const n = executedSteps(settings.steps);
  const { eta } = settings;
  if (!(eta >= 0 && eta <= 1)) {
    throw new EngineError('bad-plan', `Eta must be from 0 to 1, not ${eta}.`, 'eta');
  }
  const stride = Math.floor(TRAIN_STEPS / settings.steps);
  const schedule = noiseSchedule();
  const abar = (t: number) => schedule.alphas_cumprod[t] as number;
  // Strides that divide 999 (300 steps, for one) end at 1000, where the official sampler fails; the
  // noisiest step that exists stands in for it.
  const timestep = (i: number) => Math.min(i * stride + 1, TRAIN_STEPS - 1);

  const timesteps = new Float32Array(n);
  const a_t = new Float32Array(n);
  const a_prev = new Float32Array(n);
  const sigma = new Float32Array(n);
  const sqrt_one_minus_a_t = new Float32Array(n);
  const coefficients = new Float32Array(n * COEFFICIENTS);
  for (let row = 0; row < n; row++) {
    const i = n - 1 - row;
    const t = timestep(i);
    const a = abar(t);
    const ap = i === 0 ? abar(0) : abar(timestep(i - 1));
    const s = Math.fround(eta * Math.sqrt(((1 - ap) / (1 - a)) * (1 - a / ap)));
    const q = Math.sqrt(1 - a);
    timesteps[row] = t;
    a_t[row] = a;
    a_prev[row] = ap;
    sigma[row] = s;
    sqrt_one_minus_a_t[row] = q;
    const direction = Math.sqrt(Math.max(0, 1 - ap - s * s));
    const recip = schedule.sqrt_recip_alphas_cumprod[t] as number;
    const recipm1 = schedule.sqrt_recipm1_alphas_cumprod[t] as number;
    const numbers = [recip, recipm1, q, Math.sqrt(a), Math.sqrt(ap), direction, s];
    coefficients.set(numbers, row * COEFFICIENTS);
  }
  return { timesteps, coefficients, a_t, a_prev, sigma, sqrt_one_minus_a_t };
}

/**
 * How many tokens are masked again after step k of n (spec 4.4):
 * floor(maskedAtStart · cos(π/2 · (k+1)/n)), at least 1 and at most one fewer than are masked now.
 * A whole picture (256) gives the official numbers. The argument must be formed exactly so:
 * cos(π/3) has to give 128 of 256, not 127.
 */
export function maskCount(at: {
  readonly step: number;
  readonly steps: number;
  readonly maskedAtStart: number;
  readonly maskedNow: number;
}): number {
  const ratio = (at.step + 1) / at.steps;
  const m = Math.floor(at.maskedAtStart * Math.cos((Math.PI / 2) * ratio));
  return Math.max(1, Math.min(at.maskedNow - 1, m));
}

/** Weight after k of n steps, k = 1…n, for a final weight g. */
const RAMPS: Readonly<Record<GuidanceSchedule, (g: number, k: number, n: number) => number>> = {
  linear: (g, k, n) => (g * k) / n,
  constant: (g) => g,
  cosine: (g, k, n) => (g * (1 - Math.cos((Math.PI * k) / n))) / 2,
  none: () => 0,
};

/** The guidance weight of step k (spec 4.4: linear). 0 means that this step is unguided. */
export function guidanceWeight(decoding: DecodingSettings, step: number): number {
  return RAMPS[decoding.schedule](decoding.guidance, step + 1, decoding.steps);
}

/** T·(1−(k+1)/n): what the confidence's Gumbel noise is scaled by in step k; 0 in the last one. */
export function confidenceTemperature(decoding: DecodingSettings, step: number): number {
  return decoding.temperature * (1 - (step + 1) / decoding.steps);
}
