import { LIMITS, type Recipe, type RequestedTarget } from '#api/recipe';
import type { ImageDetail } from '#api/images';
import type { GenerateSettings, JobSource } from '#api/jobs';
import type { ModelInfo } from '#api/models';

/** The fields of the Generate view that describe a picture. */
export interface DraftValues {
  readonly label: number | null;
  readonly rdmSteps: number;
  readonly eta: number;
  readonly steps: number;
  readonly temperature: number;
  readonly guidance: number;
  readonly schedule: 'linear' | 'constant' | 'cosine' | 'none';
  readonly seed: number;
  readonly count: number;
  /** Pictures of a job that starts from a picture. */
  readonly variations: number;
  /** Null: the studio's own. */
  readonly chunk: number | null;
  /** Null: the studio's own. */
  readonly target: RequestedTarget | null;
}
export type DraftField = keyof DraftValues;

const SAMPLING = [
  'label',
  'rdmSteps',
  'eta',
  'steps',
  'temperature',
  'guidance',
  'schedule',
] as const satisfies readonly DraftField[];

/** Bounds of the fields. More than these brings nothing: only a recipe from elsewhere has it. */
export const FIELD_LIMITS = {
  ...LIMITS,
  steps: { min: LIMITS.steps.min, max: 64 },
  temperature: { min: 0, max: 20 },
  guidance: { min: 0, max: 12 },
} as const;

/** Bounds of a field that holds `values`: one that was recalled from beyond them is kept and shown. */
export function boundsOf(
  field: 'steps' | 'temperature' | 'guidance',
  ...values: readonly number[]
): { readonly min: number; readonly max: number } {
  const { min, max } = FIELD_LIMITS[field];
  return { min, max: Math.max(max, ...values) };
}

/** Fields that a preset holds; the rest belongs to the moment. */
export const PRESET_FIELDS = [
  ...SAMPLING,
  'count',
  'chunk',
  'target',
] as const satisfies readonly DraftField[];

/** Fields that each model has for itself. */
export const MODEL_FIELDS = [
  ...SAMPLING,
  'chunk',
  'target',
] as const satisfies readonly DraftField[];

/** Numbers and words of a picture's recipe that can be given back. */
export const RECIPE_FIELDS = [...SAMPLING, 'seed'] as const satisfies readonly DraftField[];

/** All of a recipe that can be given back, in the order in which it is shown. */
export const RECALL_FIELDS = ['source', 'model', ...RECIPE_FIELDS, 'target'] as const;
export type RecallField = (typeof RECALL_FIELDS)[number];

/** What a recall needs to know of a picture. */
export type Recalled = Pick<ImageDetail, 'id' | 'recipe' | 'parents' | 'operation'>;

/** Before a model has said what it recommends. */
export const FIRST: DraftValues = {
  label: null,
  rdmSteps: 250,
  eta: 1,
  steps: 20,
  temperature: 6,
  guidance: 1,
  schedule: 'linear',
  seed: 1,
  count: 4,
  variations: 4,
  chunk: null,
  target: null,
};

/** The values that a model recommends. */
export function recommended(model: ModelInfo): DraftValues {
  const { rdmSteps, eta, steps, guidance, schedule, temperature } = model.recommended;
  return { ...FIRST, rdmSteps, eta, steps, guidance, schedule, temperature };
}

/** What a preset says of the fields that presets hold. */
export function presetValues(settings: GenerateSettings): Partial<DraftValues> {
  const fields: readonly string[] = PRESET_FIELDS;
  return Object.fromEntries(
    Object.entries(settings).filter(
      ([name, value]) => fields.includes(name) && value !== undefined,
    ),
  );
}

/** The settings that values ask for: what is null is left to the studio. */
export function settingsOf(values: Partial<DraftValues>): GenerateSettings {
  const { chunk, target, variations: _, ...rest } = values;
  return {
    ...rest,
    ...(chunk === null || chunk === undefined ? {} : { chunk }),
    ...(target === null || target === undefined ? {} : { target }),
  };
}

/** The values of a recipe. A picture that was not sampled says nothing of the first stage. */
export function valuesOf(recipe: Recipe): Partial<DraftValues> {
  const { seed, steps, temperature, guidance, schedule, source } = recipe;
  const decoding = { seed, steps, temperature, guidance, schedule };
  if (source.kind !== 'sample') return decoding;
  return { ...decoding, rdmSteps: source.rdmSteps, eta: source.eta, label: source.label };
}

/** Whether no RCG made a picture: what its recipe says of the making is not how it was made. */
export function isForeign({ operation }: Pick<ImageDetail, 'operation'>): boolean {
  return operation === 'import';
}

/** What a job that makes the picture again starts from. */
export function sourceOf({ id, recipe, parents }: Recalled): JobSource {
  if (recipe.source.kind === 'sample') return { kind: 'sample' };
  // Its own representation is that of its parent, unless it lies between two of them.
  const parent = recipe.source.kind === 'representation' ? parents[0]?.id : undefined;
  return { kind: 'image', image: parent ?? id };
}

/** Whether a job from this source starts as the picture did. */
export function startsAs(source: JobSource, picture: Recalled): boolean {
  const wanted = sourceOf(picture);
  if (source.kind === 'sample' || wanted.kind === 'sample') return source.kind === wanted.kind;
  return source.image === wanted.image || source.image === picture.id;
}

/** The seed after a job's pictures; where they run out, they begin again. */
export function seedAfter(seed: number, count: number): number {
  const next = seed + count;
  return next + LIMITS.count.max > LIMITS.seed.max ? LIMITS.seed.min : next;
}
