import { EngineError } from './errors.ts';
import { ddimSchedule } from './schedule.ts';
import type { DecodingSettings, ModelSizes, Networks, Plan, StartGrid } from './types.ts';

/** More steps than tokens would leave steps with nothing to fix. */
const MAX_DECODING_STEPS = 256;

/**
 * Refuses a plan that cannot be carried out, before any work is done: `bad-plan` names the field,
 * `network-missing` the network.
 */
export function checkPlan(plan: Plan, sizes: ModelSizes, networks: Networks): void {
  const { seeds, source, start } = plan;
  checkSeeds(seeds);
  if (source.kind === 'sample') {
    ddimSchedule(source);
    checkLabels(source.labels, seeds.length, sizes);
    needNetwork(networks, 'rdm');
  } else {
    checkRepresentations(source.values, seeds.length, sizes);
  }
  checkDecoding(plan.decoding);
  if (start !== undefined) checkStart(start, seeds.length, { sizes, steps: plan.decoding.steps });
  needNetwork(networks, 'mage');
  needNetwork(networks, 'decoder');
}

/** What a model without this network cannot do. */
const DISABLED = {
  encoder: 'start from a picture',
  rdm: 'make up new pictures, only start from a picture or a representation',
  mage: 'make pictures',
  decoder: 'turn tokens into pictures',
  tokenizer: 'turn pictures into tokens',
} as const satisfies Record<keyof Networks, string>;

/** The named network, or `network-missing`. */
export function needNetwork<K extends keyof Networks>(
  networks: Networks,
  name: K,
): NonNullable<Networks[K]> {
  const network = networks[name];
  if (network !== undefined) return network;
  throw new EngineError(
    'network-missing',
    `This model has no ${name} network, so it cannot ${DISABLED[name]}. Import the checkpoint that holds it.`,
  );
}

/** At least one seed, each a safe integer ≥ 0. */
export function checkSeeds(seeds: readonly number[]): void {
  if (seeds.length === 0) throw refuse('seeds', 'At least one seed is needed.');
  for (const seed of seeds) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw refuse('seeds', `A seed must be a whole number from 0 to 2^53 − 1, not ${seed}.`);
    }
  }
}

/** Labels of the model's classes, one a picture; null where the caller leaves it to the model. */
export function checkLabels(
  labels: readonly (number | null)[] | null,
  count: number,
  sizes: ModelSizes,
): void {
  if (labels === null) return;
  if (labels.length !== count) {
    throw refuse('labels', `${labels.length} labels do not fit ${count} pictures.`);
  }
  for (const label of labels) {
    if (label === null) continue;
    if (sizes.classes === 0) throw refuse('labels', 'This model has no classes: leave them out.');
    if (!Number.isInteger(label) || label < 0 || label >= sizes.classes) {
      throw refuse('labels', `A class must be from 0 to ${sizes.classes - 1}, not ${label}.`);
    }
  }
}

/** f32 [B,D] without NaN or infinities. */
export function checkRepresentations(values: Float32Array, count: number, sizes: ModelSizes): void {
  if (values.length !== count * sizes.representation) {
    throw refuse(
      'representation',
      `This model needs ${sizes.representation} numbers for each of ${count} pictures, not ${values.length} in all.`,
    );
  }
  if (!values.every(Number.isFinite)) {
    throw refuse('representation', 'The representation holds a number that is not finite.');
  }
}

/** Steps 1…256; temperature and guidance finite and ≥ 0. */
export function checkDecoding({ steps, temperature, guidance }: DecodingSettings): void {
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_DECODING_STEPS) {
    throw refuse(
      'steps',
      `Steps must be a whole number from 1 to ${MAX_DECODING_STEPS}, not ${steps}.`,
    );
  }
  if (!(Number.isFinite(temperature) && temperature >= 0)) {
    throw refuse('temperature', `Temperature must be 0 or more, not ${temperature}.`);
  }
  if (!(Number.isFinite(guidance) && guidance >= 0)) {
    throw refuse('guidance', `Guidance must be 0 or more, not ${guidance}.`);
  }
}

/** A start grid of known tokens and masks that fits the model, the pictures and the steps. */
export function checkStart(
  start: StartGrid,
  count: number,
  { sizes, steps }: { readonly sizes: ModelSizes; readonly steps: number },
): void {
  const { tokens, step, maskedAtStart } = start;
  const N = sizes.tokens;
  if (tokens.length !== count * N || maskedAtStart.length !== count) {
    throw refuse('start', `The tokens to start from do not fit ${count} pictures of ${N} tokens.`);
  }
  if (!Number.isInteger(step) || step < 0 || step >= steps) {
    throw refuse('start', `The first step must be from 0 to ${steps - 1}, not ${step}.`);
  }
  for (const token of tokens) {
    if (token !== sizes.maskId && !(token >= 0 && token < sizes.codes)) {
      throw refuse('start', `Token ${token} is not one of this model's ${sizes.codes} codes.`);
    }
  }
  maskedAtStart.forEach((before, picture) => {
    const now = countMasked(tokens.subarray(picture * N, (picture + 1) * N), sizes.maskId);
    if (!Number.isInteger(before) || before < now || before > N) {
      throw refuse(
        'start',
        `${before} tokens cannot have been masked at the start: ${now} are now.`,
      );
    }
  });
}

/** How many of these tokens are not known yet. */
export function countMasked(tokens: Int32Array, maskId: number): number {
  let count = 0;
  for (const token of tokens) if (token === maskId) count++;
  return count;
}

function refuse(field: string, message: string): EngineError {
  return new EngineError('bad-plan', message, field);
}
