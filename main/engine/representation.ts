import { EngineError, breathe } from './errors.ts';
import type { Control } from './errors.ts';
import { checkLabels, checkSeeds } from './plan.ts';
import { below, normals } from './random.ts';
import { COEFFICIENTS, ddimSchedule } from './schedule.ts';
import { floats, rowOf, tensor } from './tensor.ts';
import type { ModelSizes, Network } from './types.ts';

/** DDIM steps in one call: short enough for a cancel to be felt, long enough to cost nothing. */
const DEFAULT_SEGMENT = 25;

/** Stage 1 for B pictures: n executed DDIM steps over vectors of D numbers. */
export interface SampleRequest extends Control {
  readonly network: Network;
  readonly sizes: ModelSizes;
  /** One a picture. */
  readonly seeds: readonly number[];
  /** DDIM steps asked for, 1…500; `executedSteps` says how many run. */
  readonly steps: number;
  /** 0…1 */
  readonly eta: number;
  /** One a picture, or null for all: see `chooseLabels`. */
  readonly labels: readonly (number | null)[] | null;
  /** Recorded noise in place of the seeds' own: `start` f32 [B,D], `steps` f32 [n,B,D]. */
  readonly noise?: { readonly start: Float32Array; readonly steps: Float32Array } | undefined;
  /** Most DDIM steps in one call of the network. */
  readonly segment?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What stage 1 made. */
export interface SampledRepresentations {
  /** f32 [B,D], neither clipped nor standardised again. */
  readonly values: Float32Array;
  /** The label that the RDM was given for each picture; null for an unconditional RDM. */
  readonly labels: readonly (number | null)[];
}

/** Samples B representations with the RDM (spec 3.4): r = DDIM(x_T, z), all pictures together. */
export async function sampleRepresentations(
  request: SampleRequest,
): Promise<SampledRepresentations> {
  const { network, sizes, seeds, segment = DEFAULT_SEGMENT } = request;
  checkSeeds(seeds);
  const schedule = ddimSchedule(request);
  const labels = chooseLabels(request.labels, seeds, sizes);
  const B = seeds.length;
  const D = sizes.representation;
  const n = schedule.timesteps.length;
  checkNoise(request, n);

  let x = request.noise?.start ?? startNoise(seeds, D); // [B,D]
  for (let first = 0; first < n; first += segment) {
    await breathe(request);
    const end = Math.min(n, first + segment);
    const outputs = await network(
      {
        x: tensor([B, D], x),
        noise: tensor([end - first, B, D], stepNoise(request, first, end)),
        timesteps: tensor([end - first], schedule.timesteps.slice(first, end)),
        coefficients: tensor(
          [end - first, COEFFICIENTS],
          schedule.coefficients.slice(first * COEFFICIENTS, end * COEFFICIENTS),
        ),
        ...(sizes.classes > 0 ? { labels: tensor([B], Int32Array.from(labels, Number)) } : {}),
      },
      ['representation'],
    );
    x = floats(outputs, 'representation', [B, D]);
    request.onProgress?.(end, n);
  }
  if (!x.every(Number.isFinite)) {
    throw new EngineError(
      'bad-output',
      'Sampling gave a representation that is not a number. The model may be damaged; verify it.',
    );
  }
  return { values: x, labels };
}

/**
 * The label of each picture: the one asked for; else the model's "any class"; else one drawn from
 * the picture's seed. An unconditional RDM has none: null.
 */
function chooseLabels(
  asked: readonly (number | null)[] | null,
  seeds: readonly number[],
  sizes: ModelSizes,
): readonly (number | null)[] {
  checkLabels(asked, seeds.length, sizes);
  return seeds.map((seed, picture) => {
    if (sizes.classes === 0) return null;
    const fallback =
      sizes.unconditionalClass ?? below({ seed, stage: 'label', step: 0 }, sizes.classes);
    return asked?.[picture] ?? fallback;
  });
}

/** x_T f32 [B,D] of these seeds. */
function startNoise(seeds: readonly number[], D: number): Float32Array {
  const noise = new Float32Array(seeds.length * D);
  seeds.forEach((seed, picture) => {
    normals({ seed, stage: 'representationStart', step: 0 }, rowOf(noise, picture, D));
  });
  return noise;
}

/** z f32 [end−first,B,D] of the steps first…end−1. Zeros where σ is 0 anyway. */
function stepNoise(request: SampleRequest, first: number, end: number): Float32Array {
  const { seeds, sizes, eta } = request;
  const B = seeds.length;
  const D = sizes.representation;
  if (request.noise !== undefined) return request.noise.steps.slice(first * B * D, end * B * D);
  const noise = new Float32Array((end - first) * B * D);
  if (eta === 0) return noise;
  for (let step = first; step < end; step++) {
    seeds.forEach((seed, picture) => {
      const row = rowOf(noise, (step - first) * B + picture, D);
      normals({ seed, stage: 'representationStep', step }, row);
    });
  }
  return noise;
}

function checkNoise({ noise, seeds, sizes }: SampleRequest, n: number): void {
  if (noise === undefined) return;
  const size = seeds.length * sizes.representation;
  if (noise.start.length !== size || noise.steps.length !== n * size) {
    throw new EngineError(
      'bad-plan',
      `The noise given does not fit ${n} steps of ${size} numbers.`,
    );
  }
}
