import { EngineError, breathe } from './errors.ts';
import type { Control } from './errors.ts';
import type { StepReport } from './events.ts';
import {
  checkDecoding,
  checkRepresentations,
  checkSeeds,
  checkStart,
  countMasked,
} from './plan.ts';
import { gumbels, uniforms } from './random.ts';
import { confidenceTemperature, guidanceWeight, maskCount } from './schedule.ts';
import { floats, ints, rowOf, tensor } from './tensor.ts';
import type { DecodingSettings, Feeds, ModelSizes, Network, StartGrid, Tensor } from './types.ts';

/** Recorded Gumbel noise in place of the seeds' own; the graph must be the variant that takes it. */
export interface DecodingNoise {
  /** `values(step)` f32 [B,N,K], fed as `gumbel` in place of `uniforms`. */
  readonly categorical: {
    readonly kind: 'gumbel';
    readonly values: (step: number) => Float32Array;
  };
  /** f32 [B,N] standard Gumbel draws of a step, not yet scaled. */
  readonly confidence: (step: number) => Float32Array;
}

/** Stage 2 for B pictures of N tokens. */
export interface DecodeRequest extends Control {
  readonly network: Network;
  readonly sizes: ModelSizes;
  /** One a picture. */
  readonly seeds: readonly number[];
  /** f32 [B,D] */
  readonly representations: Float32Array;
  readonly decoding: DecodingSettings;
  /** Where to start instead of from an all-masked grid. */
  readonly start?: StartGrid | undefined;
  readonly noise?: DecodingNoise | undefined;
  /** After every step of every picture; its `index` counts within this batch. */
  readonly onStep?: ((report: StepReport) => void) | undefined;
  /** Most rows that one call of the network gets; a guided picture takes two. No limit by default. */
  readonly maxRows?: number | undefined;
}

/**
 * MAGE's parallel decoding (spec 4.4): in each step draw every unknown token, keep those the
 * network is surest of, mask the rest again. Returns the final tokens i32 [B,N], which are the draws
 * of the last step. Pictures without unknown tokens come back unchanged and cost nothing.
 *
 * Unlike the official code, the number to mask again is counted for each picture, not taken from
 * the batch's first; so a picture is the same in any batch.
 */
export async function decodeTokens(request: DecodeRequest): Promise<Int32Array> {
  check(request);
  const { sizes, seeds, decoding, start, maxRows = Infinity } = request;
  const N = sizes.tokens;
  const tokens = start?.tokens.slice() ?? new Int32Array(seeds.length * N).fill(sizes.maskId);
  const final = tokens.slice();
  const open = [...seeds.keys()].filter(
    (picture) => countMasked(rowOf(tokens, picture, N), sizes.maskId) > 0,
  );
  if (open.length === 0) return final;

  for (let step = start?.step ?? 0; step < decoding.steps; step++) {
    const weight = Math.fround(guidanceWeight(decoding, step));
    const together = Math.max(1, Math.floor(maxRows / (weight > 0 ? 2 : 1)));
    for (let first = 0; first < open.length; first += together) {
      await breathe(request);
      const pictures = open.slice(first, first + together);
      const outputs = await runStep(request, { step, weight, pictures, tokens });
      pictures.forEach((picture, row) => {
        final.set(rowOf(outputs.sampled, row, N), picture * N);
        tokens.set(rowOf(outputs.tokens, row, N), picture * N);
      });
      report(request, { step, weight, pictures, outputs });
    }
  }
  return final;
}

/** One step of some of the batch's pictures. */
interface Step {
  /** k, from 0. */
  readonly step: number;
  /** This step's guidance; 0: no null rows. */
  readonly weight: number;
  /** Indices into the batch: the b rows of this call. */
  readonly pictures: readonly number[];
  /** i32 [B,N] of the whole batch, before the step. */
  readonly tokens: Int32Array;
}

/** What a step gave, b rows each. */
interface StepOutputs {
  readonly sampled: Int32Array;
  readonly tokens: Int32Array;
  readonly probability: Float32Array;
  /** Asked for when someone listens. */
  readonly doubt: { readonly entropy: Float32Array; readonly second: Float32Array } | null;
}

async function runStep(request: DecodeRequest, step: Step): Promise<StepOutputs> {
  const { sizes, onStep } = request;
  const shape = [step.pictures.length, sizes.tokens];
  const fetches = ['sampled', 'tokens_out', 'probability'];
  if (onStep !== undefined) fetches.push('entropy', 'second_probability');
  const outputs = await request.network(stepFeeds(request, step), fetches);
  const sampled = ints(outputs, 'sampled', shape);
  const tokens = ints(outputs, 'tokens_out', shape);
  const probability = floats(outputs, 'probability', shape);
  // Draws from logits that are NaN look like any others; their probability gives them away.
  if (probability.some(Number.isNaN)) throw badDraw('gave a probability that is not a number');
  step.pictures.forEach((picture, row) => {
    const before = rowOf(step.tokens, picture, sizes.tokens);
    checkDraws(before, rowOf(sampled, row, sizes.tokens), rowOf(tokens, row, sizes.tokens), sizes);
  });
  const doubt =
    onStep === undefined
      ? null
      : {
          entropy: floats(outputs, 'entropy', shape),
          second: floats(outputs, 'second_probability', shape),
        };
  return { sampled, tokens, probability, doubt };
}

function stepFeeds(request: DecodeRequest, { step, weight, pictures, tokens }: Step): Feeds {
  const { sizes, decoding, start, representations } = request;
  const b = pictures.length;
  const { tokens: N, representation: D } = sizes;
  // Conditional rows first; then the same again, for the null condition to replace.
  const rows = weight > 0 ? [...pictures, ...pictures] : pictures;
  const counts = pictures.map((picture) =>
    maskCount({
      step,
      steps: decoding.steps,
      maskedAtStart: start?.maskedAtStart[picture] ?? N,
      maskedNow: countMasked(rowOf(tokens, picture, N), sizes.maskId),
    }),
  );
  return {
    tokens: tensor([b, N], gather(tokens, pictures, N)),
    representation: tensor([rows.length, D], gather(representations, rows, D)),
    is_null: tensor(
      [rows.length],
      Float32Array.from(rows, (_, row) => (row < b ? 0 : 1)),
    ),
    guidance: tensor([b], new Float32Array(b).fill(weight)),
    ...categoricalNoise(request, step, pictures),
    confidence_noise: tensor([b, N], confidenceNoise(request, step, pictures)),
    mask_count: tensor([b], Int32Array.from(counts)),
  };
}

/** The noise that draws the codes: one uniform a token, or the recorded Gumbel noise. */
function categoricalNoise(
  { sizes, seeds, noise }: DecodeRequest,
  step: number,
  pictures: readonly number[],
): Record<string, Tensor> {
  const { tokens: N, codes: K } = sizes;
  if (noise !== undefined) {
    const values = gather(noise.categorical.values(step), pictures, N * K);
    return { gumbel: tensor([pictures.length, N, K], values) };
  }
  const values = new Float32Array(pictures.length * N);
  pictures.forEach((picture, row) => {
    uniforms({ seed: seedOf(seeds, picture), stage: 'decoding', step }, rowOf(values, row, N));
  });
  return { uniforms: tensor([pictures.length, N], values) };
}

/** fround(T·(1−ratio)·gumbel) f32 [b,N]: the product in float64, as the original computes it. */
function confidenceNoise(
  { sizes, seeds, decoding, noise }: DecodeRequest,
  step: number,
  pictures: readonly number[],
): Float32Array {
  const N = sizes.tokens;
  const temperature = confidenceTemperature(decoding, step);
  const out = new Float32Array(pictures.length * N);
  const recorded = noise?.confidence(step);
  const own = new Float64Array(N);
  pictures.forEach((picture, row) => {
    const seed = seedOf(seeds, picture);
    if (recorded === undefined) gumbels({ seed, stage: 'decoding', step }, own);
    const draws = recorded === undefined ? own : rowOf(recorded, picture, N);
    for (let i = 0; i < N; i++) out[row * N + i] = temperature * (draws[i] as number);
  });
  return out;
}

function report(
  { sizes, decoding, onStep }: DecodeRequest,
  done: {
    readonly step: number;
    readonly weight: number;
    readonly pictures: readonly number[];
    readonly outputs: StepOutputs;
  },
): void {
  const { probability, doubt, sampled, tokens } = done.outputs;
  if (onStep === undefined || doubt === null) return;
  const N = sizes.tokens;
  done.pictures.forEach((index, row) => {
    onStep({
      index,
      step: done.step + 1,
      steps: decoding.steps,
      guidance: done.weight,
      tokens: rowOf(tokens, row, N).slice(),
      sampled: rowOf(sampled, row, N).slice(),
      probability: rowOf(probability, row, N).slice(),
      entropy: rowOf(doubt.entropy, row, N).slice(),
      second: rowOf(doubt.second, row, N).slice(),
    });
  });
}

/** Known tokens must be as before, draws codes, and the grid the draws with some masked again. */
function checkDraws(
  before: Int32Array,
  sampled: Int32Array,
  after: Int32Array,
  { codes, maskId }: ModelSizes,
): void {
  for (let i = 0; i < before.length; i++) {
    const token = sampled[i] as number;
    const known = before[i] !== maskId;
    if (token < 0 || token >= codes || (known && token !== before[i])) {
      const what = known ? 'changed a token that was known' : `drew token ${token} of ${codes}`;
      throw badDraw(what);
    }
    if (after[i] !== token && after[i] !== maskId) throw badDraw('kept a token it did not draw');
  }
}

function badDraw(what: string): EngineError {
  return new EngineError(
    'bad-output',
    `The decoding network ${what}. The model may be damaged; verify it or import it again.`,
  );
}

function check(request: DecodeRequest): void {
  const { sizes, seeds, decoding, start, maxRows } = request;
  checkSeeds(seeds);
  checkRepresentations(request.representations, seeds.length, sizes);
  checkDecoding(decoding);
  if (start !== undefined) checkStart(start, seeds.length, { sizes, steps: decoding.steps });
  if (maxRows !== undefined && !(maxRows >= 1)) {
    throw new EngineError('bad-plan', `Rows in a call must be 1 or more, not ${maxRows}.`, 'chunk');
  }
}

/** Copies the named rows of a batch, each `length` long, in this order. */
function gather<D extends Float32Array | Int32Array>(
  data: D,
  rows: readonly number[],
  length: number,
): D;
function gather(
  data: Float32Array | Int32Array,
  rows: readonly number[],
  length: number,
): Float32Array | Int32Array {
  const size = rows.length * length;
  const out = data instanceof Float32Array ? new Float32Array(size) : new Int32Array(size);
  rows.forEach((row, i) => out.set(rowOf(data, row, length), i * length));
  return out;
}

function seedOf(seeds: readonly number[], picture: number): number {
  return seeds[picture] as number;
}
