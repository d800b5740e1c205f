import { pictureSide } from '#bundle/about';
import type {
  EncoderConfig,
  MageConfig,
  Manifest,
  NetworkKind,
  RdmConfig,
  VqganConfig,
} from '#bundle/manifest';
import type { BundleNetwork } from '#bundle/writer';
import { printable } from '#checkpoint/errors';
import type { StateDict, StoredTensor } from '#checkpoint/types';
import { encoderConfig, encoderWeights } from '#networks/encoder';
import type { EncoderHints } from '#networks/encoder';
import { mageConfig, mageWeights } from '#networks/mage';
import type { MageHints } from '#networks/mage';
import { checkWeights, NetworkError } from '#networks/network';
import type { WeightSpec } from '#networks/network';
import { rdmConfig, rdmWeights } from '#networks/rdm';
import { vqganConfig, vqganWeights } from '#networks/vqgan';
import { ImportError } from './errors.ts';
import type { RecipeFile } from './recipe.ts';
import type { FoundPart } from './recognise.ts';

/** Tokens along a side of every grid that the engine knows (spec 4.1). */
const GRID = 16;

/** The networks of a model, sized. */
export interface Configured {
  readonly networks: Manifest['networks'];
  readonly parts: readonly BundleNetwork[];
}

/**
 * Reads the sizes of every part off its shapes, with the recipe's word for what shapes cannot tell,
 * and checks its weights key by key.
 * @throws ImportError 'wrong-weights', naming file and key
 */
export function configure(
  chosen: ReadonlyMap<NetworkKind, FoundPart>,
  recipe: RecipeFile,
): Configured {
  const networks: Manifest['networks'] = {};
  const parts: BundleNetwork[] = [];
  const add = <C extends BundleNetwork['config']>(kind: NetworkKind, describe: Describe<C>) => {
    const part = chosen.get(kind);
    if (!part) return undefined;
    return naming(part, () => {
      const config = describe.config(part);
      const weights = ordered(part, describe.weights(config));
      parts.push({ kind, config, weights, source: part.file });
      return config;
    });
  };

  const vqgan = add<VqganConfig>('vqgan', {
    config: (part) => vqganConfig(part.weights),
    weights: vqganWeights,
  });
  const mage = add<MageConfig>('mage', {
    config: (part) => mageConfig(part.weights, mageHints(recipe)),
    weights: mageWeights,
  });
  const rdm = add<RdmConfig>('rdm', {
    config: (part) => rdmConfig(part.weights),
    weights: rdmWeights,
  });
  const encoder = add<EncoderConfig>('encoder', {
    config: (part) => encoderConfig(part.weights, encoderHints(part, { recipe, vqgan })),
    weights: encoderWeights,
  });
  if (encoder) networks.encoder = encoder;
  if (rdm) networks.rdm = rdm;
  if (mage) networks.mage = mage;
  if (vqgan) networks.vqgan = vqgan;
  return { networks, parts };
}

interface Describe<C> {
  readonly config: (part: FoundPart) => C;
  readonly weights: (config: C) => readonly WeightSpec[];
}

function mageHints({ mage }: RecipeFile): MageHints {
  return {
    ...(mage?.heads === undefined ? {} : { heads: mage.heads }),
    ...(mage?.dec_heads === undefined ? {} : { decoderHeads: mage.dec_heads }),
  };
}

function encoderHints(
  part: FoundPart,
  facts: { readonly recipe: RecipeFile; readonly vqgan: VqganConfig | undefined },
): EncoderHints {
  const { heads, kind: stated } = facts.recipe.encoder ?? {};
  // DINO and iBOT have the same keys, so the recipe may tell them apart.
  const kind = part.encoder === 'dino' && stated === 'ibot' ? 'ibot' : (part.encoder ?? 'mocov3');
  return {
    kind,
    ...(heads === undefined ? {} : { heads }),
    ...(facts.vqgan === undefined ? {} : { sourceSize: pictureSide(facts.vqgan) }),
  };
}

/** The weights in the order of the table, after a check of every name, shape and type. */
function ordered(part: FoundPart, specs: readonly WeightSpec[]): StateDict {
  checkWeights(part.kind, specs, part.weights);
  const weights = new Map<string, StoredTensor>();
  for (const { name } of specs) {
    const tensor = part.weights.get(name);
    if (tensor) weights.set(name, tensor);
  }
  return weights;
}

/** Turns a NetworkError into one that names the file and the key as the file has it. */
function naming<T>(part: FoundPart, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const key = part.keyOf.get(error.key) ?? error.key;
    const message = error.message.replace(`: ${error.key}: `, () => `: ${printable(key)}: `);
    throw new ImportError(
      'wrong-weights',
      { file: part.file, key },
      `${message}. Nothing was changed.`,
    );
  }
}

/**
 * Makes sure that the parts speak of the same representations, codes and grid.
 * @throws ImportError 'size-mismatch'
 */
export function checkTogether({ networks, parts }: Configured): void {
  const { encoder, rdm, mage, vqgan } = networks;
  const fileOf = (kind: NetworkKind) => parts.find((part) => part.kind === kind)?.source ?? '';
  const require = (kind: NetworkKind, what: string, sizes: readonly [number, number]): void => {
    const [size, expected] = sizes;
    if (size === expected) return;
    throw new ImportError(
      'size-mismatch',
      { file: fileOf(kind), key: kind },
      `its ${kind} has ${size} ${what}, the MAGE in ${fileOf('mage')} ${expected}: these files do ` +
        'not belong together. Nothing was changed.',
    );
  };
  if (!mage) return;
  const numbers = 'numbers in a representation';
  if (encoder) require('encoder', numbers, [encoder.representation, mage.representation]);
  if (rdm) require('rdm', numbers, [rdm.representation, mage.representation]);
  if (vqgan) require('vqgan', 'codes', [vqgan.codes, mage.codes]);
  if (mage.tokens !== GRID * GRID) {
    throw new ImportError(
      'size-mismatch',
      { file: fileOf('mage'), key: 'mage' },
      `its MAGE draws ${mage.tokens} tokens; RCG Studio makes grids of ${GRID}×${GRID} only. ` +
        'Nothing was changed.',
    );
  }
}
