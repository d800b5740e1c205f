import type { Manifest } from '#bundle/manifest';
import type { StateDict, StoredTensor } from '#checkpoint/types';
import { encoderWeights } from '#networks/encoder';
import { mageWeights } from '#networks/mage';
import type { WeightSpec } from '#networks/network';
import { rdmWeights } from '#networks/rdm';
import { vqganWeights } from '#networks/vqgan';

/** The smallest networks that make pictures: 16×16 tokens of 2 pixels, nothing trained. */
export const TINY = {
  encoder: {
    kind: 'mocov3',
    sourceSize: 32,
    imageSize: 32,
    patchSize: 16,
    width: 32,
    depth: 1,
    heads: 2,
    mlpWidth: 64,
    head: 'mocov3',
    headWidth: 48,
    representation: 16,
  },
  rdm: {
    representation: 16,
    width: 64,
    bottleneck: 64,
    timeEmbedding: 16,
    depth: 2,
    context: 8,
    classes: 3,
  },
  mage: {
    representation: 16,
    codes: 64,
    tokens: 256,
    vocabulary: 64 + 1001,
    width: 32,
    depth: 1,
    heads: 2,
    mlpWidth: 128,
    decoderWidth: 32,
    decoderDepth: 1,
    decoderHeads: 2,
    decoderMlpWidth: 128,
  },
  vqgan: { channels: 32, multipliers: [1, 1], blocks: 1, latent: 8, codes: 64 },
} satisfies Manifest['networks'];

/** Numbers that look like weights, the same for the same seed. */
function syntheticWeights(specs: readonly WeightSpec[], seed: number): StateDict {
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
  const tensor = ({ name, shape }: WeightSpec): StoredTensor => {
    const length = shape.reduce((product, size) => product * size, 1);
    const inputs = shape.length > 1 ? length / (shape[0] ?? 1) : 1;
    const isScale = shape.length === 1 && /weight|running_var/.test(name);
    const values = Float32Array.from({ length }, () =>
      isScale ? 1 + 0.2 * next() : (shape.length > 1 ? 1.7 / Math.sqrt(inputs) : 0.1) * next(),
    );
    return {
      name,
      dtype: 'float32',
      shape,
      async *chunks() {
        yield await Promise.resolve(new Uint8Array(values.buffer.slice(0)));
      },
    };
  };
  return new Map(specs.map((spec) => [spec.name, tensor(spec)]));
}

/** Weights for every network of a configuration. */
export function syntheticNetworks(networks: Manifest['networks']): {
  readonly [K in keyof Manifest['networks']]?: StateDict;
} {
  const { encoder, rdm, mage, vqgan } = networks;
  return {
    ...(encoder && { encoder: syntheticWeights(encoderWeights(encoder), 11) }),
    ...(rdm && { rdm: syntheticWeights(rdmWeights(rdm), 12) }),
    ...(mage && { mage: syntheticWeights(mageWeights(mage), 13) }),
    ...(vqgan && { vqgan: syntheticWeights(vqganWeights(vqgan), 14) }),
  };
}
