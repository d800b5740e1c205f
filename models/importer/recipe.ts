import { z } from 'zod';
import { pictureSide } from '#bundle/about';
import type { Manifest } from '#bundle/manifest';
import { ImportError } from './errors.ts';

/** More labels than any class table has. */
const MAX_CLASSES = 100_000;
const MAX_NAME = 200;

const size = z.int().positive().max(1_000_000);
const name = z.string().min(1).max(MAX_NAME);
const text = z.strictObject({ en: name, ja: name.optional() });
const settings = z.strictObject({
  rdm_steps: z.int().min(1).max(500).optional(),
  eta: z.number().min(0).max(1).optional(),
  steps: z.int().min(1).max(256).optional(),
  guidance: z.number().min(0).max(100).optional(),
  guidance_schedule: z.enum(['linear', 'constant', 'cosine', 'none']).optional(),
  temperature: z.number().min(0).max(100).optional(),
});

/**
 * What a recipe file can say of a model: the head counts, which shapes cannot tell, names and
 * settings, and sizes, which must then agree with the weights. Every field is optional.
 */
const recipeFile = z.strictObject({
  /** Becomes the id. */
  name: name.optional(),
  version: z.literal(1).optional(),
  title: z.union([text, name]).optional(),
  /** Side of the pictures. */
  image_size: size.optional(),
  /** Tokens along a side. */
  grid: size.optional(),
  encoder: z
    .strictObject({
      kind: z.enum(['mocov3', 'dino', 'ibot', 'deit']).optional(),
      /** Side of the pictures that the ViT itself sees. */
      image_size: size.optional(),
      patch_size: size.optional(),
      width: size.optional(),
      depth: size.optional(),
      heads: size.optional(),
      /** Hidden width of the projection head. */
      mlp_dim: size.optional(),
      rep_dim: size.optional(),
    })
    .optional(),
  rdm: z
    .strictObject({
      model_channels: size.optional(),
      bottleneck_channels: size.optional(),
      time_embed_dim: size.optional(),
      num_res_blocks: size.optional(),
      context_channels: size.optional(),
      class_cond: z.boolean().optional(),
      n_classes: size.optional(),
      /** The label that means "any". */
      unconditional_class: z.int().nonnegative().nullable().optional(),
      classes: z
        .array(z.union([text, name]))
        .max(MAX_CLASSES)
        .optional(),
    })
    .optional(),
  vqgan: z
    .strictObject({
      ch: size.optional(),
      ch_mult: z.array(size).min(1).max(16).optional(),
      num_res_blocks: size.optional(),
      z_channels: size.optional(),
      n_embed: size.optional(),
    })
    .optional(),
  mage: z
    .strictObject({
      width: size.optional(),
      depth: size.optional(),
      heads: size.optional(),
      dec_width: size.optional(),
      dec_depth: size.optional(),
      dec_heads: size.optional(),
      codebook: size.optional(),
      /** Vocabulary entries between the codes and the mask id. */
      class_slots: z.int().nonnegative().optional(),
    })
    .optional(),
  defaults: settings.optional(),
  preview: settings.optional(),
});
/** A parsed recipe file. */
export type RecipeFile = z.infer<typeof recipeFile>;
type RecipeSettings = z.infer<typeof settings>;

/**
 * Checks a recipe file's parsed JSON; null or undefined stands for "no recipe".
 * @throws ImportError 'recipe', naming the field
 */
export function parseRecipe(json: unknown): RecipeFile {
  if (json === undefined || json === null) return {};
  const parsed = recipeFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = fieldOf(issue);
  throw new ImportError(
    'recipe',
    { key },
    `The recipe file's field ${key === '' ? '(root)' : key} is wrong: ${issue?.message ?? 'unknown'}. ` +
      'Correct the recipe file and import again.',
  );
}

function fieldOf(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return '';
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') path.push(issue.keys[0] ?? '');
  return path.join('.');
}

/** A name in two languages, where the recipe gives one. */
export function textOf(given: z.infer<typeof text> | string): Manifest['title'] {
  if (typeof given === 'string') return { en: given };
  return given.ja === undefined ? { en: given.en } : { en: given.en, ja: given.ja };
}

/** `base` with what the recipe says instead. */
export function withSettings(
  base: Manifest['recommended'],
  given: RecipeSettings | undefined,
): Manifest['recommended'] {
  return {
    rdmSteps: given?.rdm_steps ?? base.rdmSteps,
    eta: given?.eta ?? base.eta,
    steps: given?.steps ?? base.steps,
    guidance: given?.guidance ?? base.guidance,
    schedule: given?.guidance_schedule ?? base.schedule,
    temperature: given?.temperature ?? base.temperature,
  };
}

/**
 * Compares every size that the recipe states with the one read off the weights.
 * @throws ImportError 'recipe', naming the field
 */
export function checkRecipe(recipe: RecipeFile, networks: Manifest['networks']): void {
  const { encoder, rdm, vqgan, mage } = networks;
  const labelled = rdm && rdm.classes > 0 ? rdm : undefined;
  const facts: readonly (readonly [field: string, stated: unknown, actual: unknown])[] = [
    ['image_size', recipe.image_size, vqgan && pictureSide(vqgan)],
    ['grid', recipe.grid, mage && Math.sqrt(mage.tokens)],
    ['encoder.kind', recipe.encoder?.kind, encoder?.kind],
    ['encoder.image_size', recipe.encoder?.image_size, encoder?.imageSize],
    ['encoder.patch_size', recipe.encoder?.patch_size, encoder?.patchSize],
    ['encoder.width', recipe.encoder?.width, encoder?.width],
    ['encoder.depth', recipe.encoder?.depth, encoder?.depth],
    ['encoder.heads', recipe.encoder?.heads, encoder?.heads],
    ['encoder.mlp_dim', recipe.encoder?.mlp_dim, encoder?.headWidth],
    ['encoder.rep_dim', recipe.encoder?.rep_dim, encoder?.representation],
    ['rdm.model_channels', recipe.rdm?.model_channels, rdm?.width],
    ['rdm.bottleneck_channels', recipe.rdm?.bottleneck_channels, rdm?.bottleneck],
    ['rdm.time_embed_dim', recipe.rdm?.time_embed_dim, rdm?.timeEmbedding],
    ['rdm.num_res_blocks', recipe.rdm?.num_res_blocks, rdm?.depth],
    ['rdm.class_cond', recipe.rdm?.class_cond, rdm && rdm.classes > 0],
    // An unconditional RDM has a table too, of one row that is never used (spec 3.1).
    ['rdm.context_channels', recipe.rdm?.context_channels, labelled?.context],
    ['rdm.n_classes', recipe.rdm?.n_classes, labelled?.classes],
    ['vqgan.ch', recipe.vqgan?.ch, vqgan?.channels],
    ['vqgan.ch_mult', recipe.vqgan?.ch_mult, vqgan?.multipliers],
    ['vqgan.num_res_blocks', recipe.vqgan?.num_res_blocks, vqgan?.blocks],
    ['vqgan.z_channels', recipe.vqgan?.z_channels, vqgan?.latent],
    ['vqgan.n_embed', recipe.vqgan?.n_embed, vqgan?.codes],
    ['mage.width', recipe.mage?.width, mage?.width],
    ['mage.depth', recipe.mage?.depth, mage?.depth],
    ['mage.heads', recipe.mage?.heads, mage?.heads],
    ['mage.dec_width', recipe.mage?.dec_width, mage?.decoderWidth],
    ['mage.dec_depth', recipe.mage?.dec_depth, mage?.decoderDepth],
    ['mage.dec_heads', recipe.mage?.dec_heads, mage?.decoderHeads],
    ['mage.codebook', recipe.mage?.codebook, mage?.codes],
    ['mage.class_slots', recipe.mage?.class_slots, mage && mage.vocabulary - mage.codes - 1],
  ];
  for (const [field, stated, actual] of facts) {
    if (stated === undefined || actual === undefined) continue;
    if (String(stated) !== String(actual)) throw contradiction(field, stated, actual);
  }
  const classes = labelled?.classes ?? 0;
  const names = recipe.rdm?.classes?.length ?? 0;
  if (rdm && names > 0 && names !== classes) {
    throw contradiction('rdm.classes', `${names} names`, `${classes} labels`);
  }
  const any = recipe.rdm?.unconditional_class ?? null;
  if (rdm && any !== null && any >= classes) {
    throw contradiction('rdm.unconditional_class', any, `${classes} labels`);
  }
}

function contradiction(field: string, stated: unknown, actual: unknown): ImportError {
  return new ImportError(
    'recipe',
    { key: field },
    `The recipe file says ${field} is ${String(stated)}, but the weights say ${String(actual)}. ` +
      'The recipe may be of another model; nothing was changed.',
  );
}
