import type { EncoderConfig, MageConfig, RdmConfig, VqganConfig } from '#bundle/manifest';
import { DTYPE_BYTES } from '#checkpoint/types';
import type { Checkpoint, DType, StateDict, StoredTensor } from '#checkpoint/types';
import { encoderWeights } from '#networks/encoder';
import { mageWeights } from '#networks/mage';
import type { WeightSpec } from '#networks/network';
import { rdmWeights } from '#networks/rdm';
import { vqganWeights } from '#networks/vqgan';
import { rcgSchedule } from '#importer/schedule';

/** A tiny model of every part, sized so that no two sizes agree by chance. */
export const ENCODER: EncoderConfig = {
  kind: 'mocov3',
  sourceSize: 32,
  imageSize: 32,
  patchSize: 8,
  width: 24,
  depth: 15,
  heads: 3,
  mlpWidth: 40,
  head: 'mocov3',
  headWidth: 20,
  representation: 16,
};
export const RDM: RdmConfig = {
  representation: 16,
  width: 14,
  bottleneck: 10,
  timeEmbedding: 6,
  depth: 12,
  context: 0,
  classes: 0,
};
export const CLASS_RDM: RdmConfig = { ...RDM, context: 5, classes: 7 };
export const MAGE: MageConfig = {
  representation: 16,
  codes: 9,
  tokens: 256,
  vocabulary: 1010,
  width: 12,
  depth: 2,
  heads: 3,
  mlpWidth: 18,
  decoderWidth: 8,
  decoderDepth: 1,
  decoderHeads: 2,
  decoderMlpWidth: 22,
};
export const VQGAN: VqganConfig = {
  channels: 32,
  multipliers: [1, 2],
  blocks: 1,
  latent: 11,
  codes: 9,
};
/** What shapes cannot tell of them. */
export const HEADS = { encoder: { heads: 3 }, mage: { heads: 3, dec_heads: 2 } };

/** A tensor whose bytes follow from its key and `salt`; floats come out finite. */
export function tensor(
  name: string,
  shape: readonly number[],
  options: { readonly dtype?: DType; readonly salt?: number } = {},
): StoredTensor {
  const dtype = options.dtype ?? 'float32';
  const bytes = new Uint8Array(shape.reduce((all, size) => all * size, 1) * DTYPE_BYTES[dtype]);
  let state = options.salt ?? 1;
  for (const letter of name) state = (Math.imul(state, 31) + letter.charCodeAt(0)) >>> 0;
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = (state + i * 7) & 0x3f;
  return holding({ name, dtype, shape }, bytes);
}

/** A tensor of given bytes. */
export function holding(
  info: Pick<StoredTensor, 'name' | 'dtype' | 'shape'>,
  bytes: Uint8Array<ArrayBuffer>,
): StoredTensor {
  return {
    ...info,
    async *chunks() {
      if (bytes.length > 0) yield bytes.slice();
    },
  };
}

export function dict(...groups: readonly (readonly StoredTensor[])[]): StateDict {
  return new Map(groups.flat().map((entry) => [entry.name, entry]));
}

/** Tensors of a weight table, their names changed by `rename`. */
export function tensors(
  specs: readonly WeightSpec[],
  options: { readonly rename?: (name: string) => string; readonly salt?: number } = {},
): readonly StoredTensor[] {
  const { rename = (name) => name, ...rest } = options;
  return specs.map(({ name, shape }) => tensor(rename(name), shape, rest));
}

const prefixed = (prefix: string) => (name: string) => prefix + name;

/** Encoder tensors with the counters that PyTorch keeps beside batch norms. */
function encoderTensors(prefix: string, config = ENCODER): readonly StoredTensor[] {
  const counters = [1, 4, 7].map((layer) =>
    tensor(`${prefix}head.${layer}.num_batches_tracked`, [], { dtype: 'int64' }),
  );
  return [...tensors(encoderWeights(config), { rename: prefixed(prefix) }), ...counters];
}

export function mageFile(config = MAGE): StateDict {
  return dict(
    tensors(mageWeights(config)),
    [
      tensor('cls_token', [1, 1, config.width]),
      tensor('mask_token', [1, 1, config.decoderWidth]),
      tensor('token_emb.position_ids', [1, 257], { dtype: 'int64' }),
      tensor('patch_embed.proj.weight', [config.width, 3, 16, 16]),
      tensor('decoder_pred.bias', [768]),
    ],
    encoderTensors('pretrained_encoder.'),
    tensors(vqganWeights(VQGAN), { rename: prefixed('vqgan.') }),
  );
}

/** A float32 tensor of these numbers. */
export function floats(name: string, values: readonly number[] | Float64Array): StoredTensor {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return holding({ name, dtype: 'float32', shape: [values.length] }, bytes);
}

/** Name under which an RDM file keeps the average of a parameter. */
const emaName = (name: string) => `model_ema.diffusion_model${name.replaceAll('.', '')}`;

export function rdmFile(config = RDM): StateDict {
  const { betas, alphasBar } = rcgSchedule();
  const own = rdmWeights(config).filter(({ name }) => name !== 'class_embedding.weight');
  return dict(
    [floats('betas', betas), floats('alphas_cumprod', alphasBar)],
    tensors(own, { rename: prefixed('model.diffusion_model.'), salt: 2 }),
    [tensor('model_ema.decay', []), tensor('model_ema.num_updates', [], { dtype: 'int32' })],
    tensors(own, { rename: emaName }),
    encoderTensors('pretrained_encoder.'),
    [
      tensor('cond_stage_model.embedding.weight', [
        Math.max(1, config.classes),
        Math.max(4, config.context),
      ]),
    ],
  );
}

export function vqganFile(): StateDict {
  return dict(tensors(vqganWeights(VQGAN)));
}

export function mocoFile(prefix = 'module.'): StateDict {
  return dict(
    encoderTensors(`${prefix}base_encoder.`),
    encoderTensors(`${prefix}momentum_encoder.`),
    [tensor(`${prefix}predictor.0.weight`, [20, 16])],
  );
}

export function checkpoint(
  name: string,
  sections: Readonly<Record<string, StateDict>>,
): Checkpoint {
  return {
    name,
    format: 'torch-zip',
    stateDicts: new Map(Object.entries(sections)),
    metadata: {},
  };
}

/** The same section without some keys, and with others. */
export function changed(
  section: StateDict,
  change: { readonly without?: RegExp; readonly plus?: readonly StoredTensor[] },
): StateDict {
  const kept = [...section.values()].filter(({ name }) => !change.without?.test(name));
  return dict(kept, change.plus ?? []);
}
