import { z } from 'zod';

const text = z.strictObject({ en: z.string(), ja: z.string().optional() });
const count = z.int().positive();

const encoder = z.strictObject({
  kind: z.enum(['mocov3', 'dino', 'ibot', 'deit']),
  /** Side of the picture that is fed to the graph; the ViT may work at another. */
  sourceSize: count,
  /** Side of the picture after the graph's own resize. */
  imageSize: count,
  patchSize: count,
  width: count,
  depth: count,
  heads: count,
  mlpWidth: count,
  /** Hidden sizes of the projection head; none when the class token itself is the feature. */
  head: z.enum(['mocov3', 'dino', 'none']),
  headWidth: z.int().nonnegative(),
  representation: count,
});
export type EncoderConfig = z.infer<typeof encoder>;

const rdm = z.strictObject({
  representation: count,
  width: count,
  bottleneck: count,
  /** Length of the sinusoid is `width`; this is the size after the time MLP. */
  timeEmbedding: count,
  depth: count,
  /** Size of a class embedding; 0 when unconditional. */
  context: z.int().nonnegative(),
  /** Labels of the class table; 0 when unconditional. */
  classes: z.int().nonnegative(),
});
export type RdmConfig = z.infer<typeof rdm>;

const mage = z.strictObject({
  representation: count,
  codes: count,
  tokens: count,
  vocabulary: count,
  width: count,
  depth: count,
  heads: count,
  mlpWidth: count,
  decoderWidth: count,
  decoderDepth: count,
  decoderHeads: count,
  decoderMlpWidth: count,
});
export type MageConfig = z.infer<typeof mage>;

const vqgan = z.strictObject({
  channels: count,
  multipliers: z.array(count).min(1),
  blocks: count,
  latent: count,
  codes: count,
});
export type VqganConfig = z.infer<typeof vqgan>;

const settings = z.strictObject({
  rdmSteps: z.int().min(1).max(500),
  eta: z.number().min(0).max(1),
  steps: z.int().min(1).max(256),
  guidance: z.number().min(0).max(100),
  schedule: z.enum(['linear', 'constant', 'cosine', 'none']),
  temperature: z.number().min(0).max(100),
});
/** Settings that a model's authors recommend. */
export type RecommendedSettings = z.infer<typeof settings>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A path inside the bundle: plain names, no climbing out. */
const path = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);

export const manifestSchema = z.strictObject({
  format: z.literal('rcg-studio-bundle'),
  version: z.literal(1),
  /** Folder name in the library: lower-case letters, digits, dots, dashes. */
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  title: text,
  /** SHA-256 over the networks (configuration and weight hashes): what recipes name. */
  hash: sha256,
  networks: z.strictObject({
    encoder: encoder.optional(),
    rdm: rdm.optional(),
    mage: mage.optional(),
    vqgan: vqgan.optional(),
  }),
  /** Label that means "any", where the RDM was trained with one. */
  unconditionalClass: z.int().nonnegative().nullable(),
  /** Names of the labels, in order; empty when unknown. */
  classes: z.array(text),
  recommended: settings,
  preview: settings,
  licences: z.array(
    z.strictObject({
      /** SPDX id where there is one. */
      id: z.string(),
      title: z.string(),
      covers: z.string(),
      text: z.string(),
      nonCommercial: z.boolean(),
    }),
  ),
  /** The files that were imported, as far as something was taken from them. */
  sources: z.array(
    z.strictObject({
      name: z.string(),
      size: z.int().nonnegative(),
      /** SHA-256 over what was taken: kind and weight hash of each network, see `finishManifest`. */
      digest: sha256,
    }),
  ),
  /** Every other file of the bundle: weights (`rdm.safetensors` …), card, statistics. */
  files: z.array(z.strictObject({ path, size: z.int().nonnegative(), sha256 })),
});

/** What a bundle says about itself in `manifest.json`. */
export type Manifest = z.infer<typeof manifestSchema>;
/** The parts of a model; each is one safetensors file, `<kind>.safetensors`. */
export type NetworkKind = keyof Manifest['networks'];
