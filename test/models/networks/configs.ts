import type { Manifest } from '#bundle/manifest';
import type { StateDict } from '#checkpoint/types';
import { encoderWeights } from '#networks/encoder';
import { buildGraph, NETWORK_OF, type GraphName, type GraphOptions } from '#networks/graphs';
import { mageWeights } from '#networks/mage';
import { rdmWeights } from '#networks/rdm';
import { vqganWeights } from '#networks/vqgan';
import { randomWeights } from '../../helpers/random-weights.ts';

/** A whole RCG at sizes that run in a blink, with sizes that differ wherever they may. */
export const NETWORKS = {
  encoder: {
    kind: 'mocov3',
    sourceSize: 40,
    imageSize: 32,
    patchSize: 16,
    width: 24,
    depth: 2,
    heads: 3,
    mlpWidth: 64,
    head: 'mocov3',
    headWidth: 20,
    representation: 12,
  },
  rdm: {
    representation: 12,
    width: 32,
    bottleneck: 24,
    timeEmbedding: 16,
    depth: 2,
    context: 8,
    classes: 5,
  },
  mage: {
    representation: 12,
    codes: 60,
    tokens: 256,
    vocabulary: 1061,
    width: 32,
    depth: 2,
    heads: 2,
    mlpWidth: 48,
    decoderWidth: 24,
    decoderDepth: 1,
    decoderHeads: 3,
    decoderMlpWidth: 40,
  },
  vqgan: { channels: 32, multipliers: [1, 2], blocks: 1, latent: 8, codes: 60 },
} as const satisfies Mutable<Manifest['networks']>;

type Mutable<T> = {
  readonly [K in keyof T]: T[K] extends (infer U)[] ? readonly U[] : Mutable<T[K]>;
};

/** Random weights of every part. */
const WEIGHTS: Readonly<Record<keyof typeof NETWORKS, StateDict>> = {
  encoder: randomWeights(encoderWeights(NETWORKS.encoder), 1),
  rdm: randomWeights(rdmWeights(NETWORKS.rdm), 2),
  mage: randomWeights(mageWeights(NETWORKS.mage), 3),
  vqgan: randomWeights(vqganWeights({ ...NETWORKS.vqgan, multipliers: [1, 2] }), 4),
};

/** One of the graphs of that RCG. */
export function graphOf(name: GraphName, options: GraphOptions) {
  const networks = { ...NETWORKS, vqgan: { ...NETWORKS.vqgan, multipliers: [1, 2] } };
  return buildGraph(name, networks, WEIGHTS[NETWORK_OF[name]], options);
}
