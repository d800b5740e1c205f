import { pictureSide } from '#bundle/about';
import type { Manifest, NetworkKind } from '#bundle/manifest';
import type { StateDict } from '#checkpoint/types';
import { GraphBuilder } from '#graph/builder';
import type { Model } from '#graph/types';
import { vitEncoder } from './encoder.ts';
import { Layers, opsetsOf, type Target } from './layers.ts';
import { maskIdOf, mageStep } from './mage.ts';
import { rdmSteps } from './rdm.ts';
import { vqganDecoder, vqganEncoder } from './vqgan.ts';

export type { Target } from './layers.ts';

/** The graphs that a bundle can be compiled to. */
export type GraphName = 'encoder' | 'rdm' | 'mage' | 'decoder' | 'tokenizer';

/** Raised when a change here makes other graphs from the same bundle: caches go by it. */
export const BUILDER_VERSION = 2;

/** The network that each graph is made from. */
export const NETWORK_OF: Readonly<Record<GraphName, NetworkKind>> = {
  encoder: 'encoder',
  rdm: 'rdm',
  mage: 'mage',
  decoder: 'vqgan',
  tokenizer: 'vqgan',
};

/** How a graph is to be built. */
export interface GraphOptions {
  readonly target: Target;
  /** Adds intermediate results as outputs, for comparing with the original. */
  readonly probe?: boolean;
  /** Noise that the MAGE step draws codes with: a uniform a token, or Gumbel noise a code. */
  readonly draw?: 'uniform' | 'gumbel';
}

/**
 * Builds one graph of a model. Weights are read later, when the model is written.
 * @param networks sizes of the parts, from the manifest
 * @param weights tensors of the part that the graph is made from
 * @throws RangeError when the bundle lacks the part
 */
export function buildGraph(
  name: GraphName,
  networks: Manifest['networks'],
  weights: StateDict,
  options: GraphOptions,
): Model {
  const builder = new GraphBuilder(name, opsetsOf(options.target));
  const net = new Layers(builder, weights, options.target);
  const probe = options.probe ?? false;
  switch (name) {
    case 'encoder':
      vitEncoder(net, part(networks, 'encoder'), { probe });
      break;
    case 'rdm':
      rdmSteps(net, part(networks, 'rdm'), { tensors: weights, probe });
      break;
    case 'mage':
      mageStep(net, part(networks, 'mage'), { probe, draw: options.draw ?? 'uniform' });
      break;
    case 'decoder':
      vqganDecoder(net, part(networks, 'vqgan'));
      break;
    case 'tokenizer':
      vqganEncoder(net, part(networks, 'vqgan'));
      break;
  }
  return builder.model();
}

function part<K extends NetworkKind>(
  networks: Manifest['networks'],
  kind: K,
): NonNullable<Manifest['networks'][K]> {
  const config = networks[kind];
  if (!config) throw new RangeError(`this model has no ${kind}`);
  return config;
}

/** Sizes that the stages of the pipeline need (see `ModelSizes` of the engine). */
export function sizesOf(manifest: Pick<Manifest, 'networks' | 'unconditionalClass'>): {
  readonly representation: number;
  readonly tokens: number;
  readonly codes: number;
  readonly maskId: number;
  readonly imageSize: number;
  readonly classes: number;
  readonly unconditionalClass: number | null;
} {
  const mage = part(manifest.networks, 'mage');
  return {
    representation: mage.representation,
    tokens: mage.tokens,
    codes: mage.codes,
    maskId: maskIdOf(mage),
    imageSize: pictureSide(part(manifest.networks, 'vqgan')),
    classes: manifest.networks.rdm?.classes ?? 0,
    unconditionalClass: manifest.unconditionalClass,
  };
}
