import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateDict, StoredTensor } from '#checkpoint/types';
import { importBundle } from '#worker/importing';
import { storedTensor, writeTorchZip } from './torch-stream.ts';

/**
 * A whole RCG, tiny and untrained: the official keys and layout at sizes that import and run in a
 * blink. Weights are a function of key and index, so every run has the same ones.
 */
export interface TinyOptions {
  /** Labels of a class-conditional RDM; left out or 0: unconditional. */
  readonly classes?: number;
  /** Becomes the bundle's id. */
  readonly name?: string;
}

/** Sizes of the tiny model; pictures are `picture` pixels wide. */
export const TINY = {
  representation: 16,
  width: 32,
  heads: 2,
  depth: 1,
  codes: 64,
  grid: 16,
  picture: 32,
  patch: 16,
  channels: 32,
  latent: 16,
  hidden: 48,
  rdmDepth: 2,
  context: 8,
} as const;

/** What shapes cannot tell of the tiny model, as a recipe file says it. */
export function tinyRecipe(options: TinyOptions = {}): Readonly<Record<string, unknown>> {
  return {
    name: options.name ?? 'tiny',
    title: 'Tiny',
    image_size: TINY.picture,
    grid: TINY.grid,
    encoder: { heads: TINY.heads, image_size: TINY.picture },
    mage: { heads: TINY.heads, dec_heads: TINY.heads, codebook: TINY.codes },
    defaults: { rdm_steps: 10, eta: 1, steps: 4, guidance: 1, temperature: 1 },
    preview: { rdm_steps: 5, steps: 2, guidance: 0, temperature: 1 },
  };
}

/** Writes mage.pth and rdm.pth into a folder, and returns their paths. */
export async function tinyCheckpoints(
  folder: string,
  options: TinyOptions = {},
): Promise<string[]> {
  const mage = join(folder, 'mage.pth');
  const rdm = join(folder, 'rdm.pth');
  await mkdir(folder, { recursive: true });
  const encoder = named('pretrained_encoder.', encoderShapes());
  const generator = [...mageShapes(), ...encoder, ...named('vqgan.', tokenizerShapes())];
  await writeTorchZip(mage, { model: tensors(generator) });
  await writeTorchZip(rdm, { model: tensors([...rdmShapes(options.classes ?? 0), ...encoder]) });
  return [mage, rdm];
}

/** Imports the tiny model into a library folder, and returns the bundle's folder. */
export async function tinyBundle(library: string, options: TinyOptions = {}): Promise<string> {
  await mkdir(library, { recursive: true });
  const files = await mkdtemp(join(library, '.tiny-'));
  try {
    const { id } = await importBundle({
      files: await tinyCheckpoints(files, options),
      recipe: tinyRecipe(options),
      attachments: [],
      id: null,
      library,
    });
    return join(library, id);
  } finally {
    await rm(files, { recursive: true, force: true });
  }
}

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];

function named(prefix: string, shapes: Shapes): Shapes {
  return shapes.map(([name, shape]) => [prefix + name, shape]);
}

function linear(name: string, [out, input]: readonly [number, number]): Shapes {
  return [
    [`${name}.weight`, [out, input]],
    [`${name}.bias`, [out]],
  ];
}

function norm(name: string, width: number): Shapes {
  return [
    [`${name}.weight`, [width]],
    [`${name}.bias`, [width]],
  ];
}

/** Pre-norm transformer blocks (spec 2.2). */
function blocks(prefix: string): Shapes {
  const w = TINY.width;
  return Array.from({ length: TINY.depth }, (_, i) => [
    ...norm(`${prefix}.${i}.norm1`, w),
    ...linear(`${prefix}.${i}.attn.qkv`, [3 * w, w]),
    ...linear(`${prefix}.${i}.attn.proj`, [w, w]),
    ...norm(`${prefix}.${i}.norm2`, w),
    ...linear(`${prefix}.${i}.mlp.fc1`, [4 * w, w]),
    ...linear(`${prefix}.${i}.mlp.fc2`, [w, 4 * w]),
  ]).flat();
}

/** Spec 2.4. */
function encoderShapes(): Shapes {
  const { width: w, hidden, representation, patch, picture } = TINY;
  const statistics = (name: string, size: number): Shapes => [
    [`${name}.running_mean`, [size]],
    [`${name}.running_var`, [size]],
    [`${name}.num_batches_tracked`, []],
  ];
  return [
    ['cls_token', [1, 1, w]],
    ['pos_embed', [1, (picture / patch) ** 2 + 1, w]],
    ['patch_embed.proj.weight', [w, 3, patch, patch]],
    ['patch_embed.proj.bias', [w]],
    ...blocks('blocks'),
    ...norm('norm', w),
    ['head.0.weight', [hidden, w]],
    ...norm('head.1', hidden),
    ...statistics('head.1', hidden),
    ['head.3.weight', [hidden, hidden]],
    ...norm('head.4', hidden),
    ...statistics('head.4', hidden),
    ['head.6.weight', [representation, hidden]],
    ...statistics('head.7', representation),
  ];
}

/** Spec 4.2, with the parameters that the file has and nothing reads. */
function mageShapes(): Shapes {
  const { width: w, codes, grid, representation } = TINY;
  const vocabulary = codes + 1001;
  const positions = grid * grid + 1;
  return [
    ['fake_latent', [1, representation]],
    ['cls_token', [1, 1, w]],
    ['pos_embed', [1, positions, w]],
    ['mask_token', [1, 1, w]],
    ['decoder_pos_embed', [1, positions, w]],
    ['decoder_pos_embed_learned', [1, positions, w]],
    ['token_emb.position_ids', [1, positions]],
    ['token_emb.word_embeddings.weight', [vocabulary, w]],
    ['token_emb.position_embeddings.weight', [positions, w]],
    ...norm('token_emb.LayerNorm', w),
    ...linear('latent_prior_proj', [w, representation]),
    ...blocks('blocks'),
    ...norm('norm', w),
    ...linear('decoder_embed', [w, w]),
    ...blocks('decoder_blocks'),
    ...norm('decoder_norm', w),
    ...linear('mlm_layer.fc', [w, w]),
    ...norm('mlm_layer.ln', w),
    ['mlm_layer.bias', [1, 1, vocabulary]],
  ];
}

/** Spec 4.1: two levels, so pictures are twice as wide as the grid. */
function tokenizerShapes(): Shapes {
  const { channels: c, latent, codes } = TINY;
  const block = (name: string): Shapes => [
    ...norm(`${name}.norm1`, c),
    [`${name}.conv1.weight`, [c, c, 3, 3]],
    ...norm(`${name}.norm2`, c),
    [`${name}.conv2.weight`, [c, c, 3, 3]],
  ];
  const middle = (side: string): Shapes => [
    ...block(`${side}.mid.block_1`),
    ...block(`${side}.mid.block_2`),
    ...norm(`${side}.norm_out`, c),
  ];
  return [
    ['encoder.conv_in.weight', [c, 3, 3, 3]],
    ...block('encoder.down.0.block.0'),
    ...block('encoder.down.1.block.0'),
    ...middle('encoder'),
    ['encoder.conv_out.weight', [latent, c, 1, 1]],
    ['encoder.conv_out.bias', [latent]],
    ['decoder.conv_in.weight', [c, latent, 3, 3]],
    ['decoder.conv_in.bias', [c]],
    ...block('decoder.up.0.block.0'),
    ...block('decoder.up.1.block.0'),
    ['decoder.up.1.upsample.conv.weight', [c, c, 3, 3]],
    ['decoder.up.1.upsample.conv.bias', [c]],
    ...middle('decoder'),
    ['decoder.conv_out.weight', [3, c, 3, 3]],
    ['decoder.conv_out.bias', [3]],
    ['quantize.embedding.weight', [codes, latent]],
  ];
}

/** Spec 3.2: live weights, averaged weights under dotless names, and the class table. */
function rdmShapes(classes: number): Shapes {
  const { width: w, representation: d, rdmDepth, context } = TINY;
  const time = d;
  const live: Shapes = [
    ...linear('time_embed.0', [time, w]),
    ...linear('time_embed.2', [time, time]),
    ...linear('input_proj', [w, d]),
    ...Array.from({ length: rdmDepth }, (_, i) => [
      ...norm(`res_blocks.${i}.in_layers.0`, w),
      ...linear(`res_blocks.${i}.in_layers.2`, [w, w]),
      ...linear(`res_blocks.${i}.emb_layers.1`, [w, time]),
      ...norm(`res_blocks.${i}.out_layers.0`, w),
      ...linear(`res_blocks.${i}.out_layers.3`, [w, w]),
      ...(classes > 0 ? linear(`res_blocks.${i}.context_layers.1`, [w, context]) : []),
    ]).flat(),
    ...norm('out.0', w),
    ...linear('out.2', [d, w]),
  ];
  return [
    ...named('model.diffusion_model.', live),
    ['model_ema.decay', []],
    ['model_ema.num_updates', []],
    ...live.map(([name, shape]) => {
      return [`model_ema.diffusion_model${name.replaceAll('.', '')}`, shape] as const;
    }),
    ['cond_stage_model.embedding.weight', [Math.max(1, classes), context]],
  ];
}

function tensors(shapes: Shapes): StateDict {
  return new Map(shapes.map(([name, shape]) => [name, tensor(name, shape)]));
}

function tensor(name: string, shape: readonly number[]): StoredTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (/num_batches_tracked$|position_ids$/.test(name)) {
    const data = BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
    return storedTensor({ name, dtype: 'int64', shape }, new Uint8Array(data.buffer));
  }
  const { mean, spread } = distribution(name, shape);
  const random = generator(name);
  const data = Float32Array.from({ length: count }, () => mean + spread * (2 * random() - 1));
  return storedTensor({ name, dtype: 'float32', shape }, new Uint8Array(data.buffer));
}

/** Scales that keep activations near 1, and logits far enough apart for tokens to differ. */
function distribution(
  name: string,
  shape: readonly number[],
): { readonly mean: number; readonly spread: number } {
  if (name.endsWith('running_var')) return { mean: 1, spread: 0.3 };
  if (name === 'vqgan.decoder.conv_out.bias') return { mean: 0.5, spread: 0.1 };
  if (name.includes('embed') && !name.includes('time_embed')) return { mean: 0, spread: 0.5 };
  if (shape.length === 1 && name.endsWith('weight')) return { mean: 1, spread: 0.2 };
  if (shape.length < 2) return { mean: 0, spread: 0.1 };
  const inputs = shape.slice(1).reduce((product, size) => product * size, 1);
  return { mean: 0, spread: Math.sqrt(3 / inputs) };
}

/** Uniform numbers in [0,1) that depend on the name only (xorshift32 from an FNV-1a hash). */
function generator(name: string): () => number {
  let state = 0x811c9dc5;
  for (const character of name) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  state = state || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
