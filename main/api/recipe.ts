import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const base64 = z.base64();

/**
 * Graph targets that a recipe can name. `cpu` in a request is resolved to one of the first two
 * before anything is made, so a recipe says what really ran.
 */
export const resolvedTarget = z.enum(['cpu-int8', 'cpu-float32', 'portable']);
export type ResolvedTarget = z.infer<typeof resolvedTarget>;

/** Targets that a request can name. */
export const requestedTarget = z.enum(['cpu', 'cpu-int8', 'cpu-float32', 'portable']);
export type RequestedTarget = z.infer<typeof requestedTarget>;

export const guidanceSchedule = z.enum(['linear', 'constant', 'cosine', 'none']);

/** Bounds of every setting, in one place: validation, help texts and controls read them here. */
export const LIMITS = {
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
  count: { min: 1, max: 1000 },
  /** Pictures of a job that starts from a picture, in the interface. */
  variations: { min: 1, max: 16 },
  steps: { min: 1, max: 256 },
  rdmSteps: { min: 1, max: 500 },
  eta: { min: 0, max: 1 },
  guidance: { min: 0, max: 100 },
  temperature: { min: 0, max: 100 },
  chunk: { min: 1, max: 64 },
  frames: { min: 2, max: 1000 },
} as const;

const within = (bounds: { readonly min: number; readonly max: number }) =>
  z.number().min(bounds.min).max(bounds.max);
const whole = (bounds: { readonly min: number; readonly max: number }) =>
  z.int().min(bounds.min).max(bounds.max);

/** Where a picture's representation came from. */
export const recipeSource = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sample'),
    rdmSteps: whole(LIMITS.rdmSteps),
    eta: within(LIMITS.eta),
    /** The label the RDM was given; null for an unconditional RDM. */
    label: z.int().nonnegative().nullable(),
  }),
  z.strictObject({ kind: z.literal('picture'), name: z.string() }),
  z.strictObject({ kind: z.literal('representation'), name: z.string() }),
  z.strictObject({
    kind: z.literal('interpolation'),
    from: z.string(),
    to: z.string(),
    mode: z.enum(['slerp', 'lerp']),
    at: z.number().min(0).max(1),
  }),
]);
export type RecipeSource = z.infer<typeof recipeSource>;

/**
 * Everything that made a picture, and enough to make it again: the content of the PNG's
 * `rcg-studio` chunk and of a history row. Numbers are resolved, never "default".
 */
export const recipeSchema = z.strictObject({
  version: z.literal(1),
  /** Program and version that made the picture. */
  software: z.string(),
  model: z.strictObject({ id: z.string(), hash: sha256 }),
  target: resolvedTarget,
  seed: whole(LIMITS.seed),
  source: recipeSource,
  steps: whole(LIMITS.steps),
  temperature: within(LIMITS.temperature),
  guidance: within(LIMITS.guidance),
  schedule: guidanceSchedule,
  /** f32 little-endian [D]: the representation that the pixel generator was given. */
  representation: base64,
  /** u16 little-endian [N]: the final tokens, row-major. */
  tokens: base64,
  /** SHA-256 of the bytes of `tokens`. */
  tokenHash: sha256,
});
export type Recipe = z.infer<typeof recipeSchema>;
