import { pictureSide } from '#bundle/about';
import { manifestSchema } from '#bundle/manifest';
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
import type { ShapeTable, StateDict, StoredTensor } from '#checkpoint/types';
import { encoderConfig, encoderWeights } from '#networks/encoder';
import type { EncoderHints } from '#networks/encoder';
import { mageConfig, mageWeights } from '#networks/mage';
import type { MageHints } from '#networks/mage';
import { checkWeights, NetworkError } from '#networks/network';
import type { WeightSpec } from '#networks/network';
import { rdmConfig, rdmWeights } from '#networks/rdm';
import { vqganConfig, vqganWeights } from '#networks/vqgan';
import { ImportError } from './errors.ts';
import { onlyFinite } from './finite.ts';
import type { RecipeFile } from './recipe.ts';
import type { FoundPart } from './recognise.ts';

/** Tokens along a side of every grid that the engine knows (spec 4.1). */
const GRID = 16;

/** The networks of a model, sized. */
export interface Configured {
  readonly networks: Manifest['networks'];
  readonly parts: readonly BundleNetwork[];
  /** Where the encoder has a projection head that is left aside: its file, and how its keys begin. */
  readonly unusedHead: { readonly file: string; readonly key: string } | null;
}

/**
 * Reads the sizes of every part off its shapes, with the recipe's word for what shapes cannot tell,
 * and checks its weights key by key.
 * @throws ImportError 'wrong-weights' or 'unknown-size', naming file and key
 */
export function configure(
  chosen: ReadonlyMap<NetworkKind, FoundPart>,
  recipe: RecipeFile,
): Configured {
  const networks: Manifest['networks'] = {};
  const parts: BundleNetwork[] = [];
  const add = <C extends BundleNetwork['config']>(kind: NetworkKind, describe: Describe<C>) => {
    const found = chosen.get(kind);
    if (!found) return undefined;
    const part = describe.part?.(found) ?? found;
    return naming(part, () => {
      const config = describe.config(part);
      requirePossible(kind, config);
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
  let unusedHead: Configured['unusedHead'] = null;
  const encoder = add<EncoderConfig>('encoder', {
    part: (part) => {
      if (!mage || !drawsFeatures(mage, part.weights)) return part;
      unusedHead = { file: part.file, key: headPrefix(part) };
      return withoutHead(part);
    },
    config: (part) => encoderConfig(part.weights, encoderHints(part, { recipe, vqgan })),
    weights: encoderWeights,
  });
  if (encoder) networks.encoder = encoder;
  if (rdm) networks.rdm = rdm;
  if (mage) networks.mage = mage;
  if (vqgan) networks.vqgan = vqgan;
  return { networks, parts, unusedHead };
}

interface Describe<C> {
  /** The part as it is to be used. */
  readonly part?: (found: FoundPart) => FoundPart;
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
  const { heads } = facts.recipe.encoder ?? {};
  return {
    kind: encoderKind(part, facts.recipe),
    ...(heads === undefined ? {} : { heads }),
    ...(facts.vqgan === undefined ? {} : { sourceSize: pictureSide(facts.vqgan) }),
  };
}

/** Makes sure that a manifest can hold the sizes: a tensor without elements gives sizes of 0. */
function requirePossible(network: NetworkKind, config: unknown): void {
  const parsed = manifestSchema.shape.networks.shape[network].safeParse(config);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  const key = issue?.path.join('.') ?? '';
  throw new NetworkError('wrong-shape', { network, key }, issue?.message ?? 'is impossible');
}

/** How the encoder was trained: as its head tells, or else the recipe, or else the kind of file. */
function encoderKind({ encoder }: FoundPart, recipe: RecipeFile): EncoderConfig['kind'] {
  const stated = recipe.encoder?.kind;
  // DINO and iBOT have the same keys, so the recipe may tell them apart.
  const open = encoder?.head !== true || (encoder.kind === 'dino' && stated === 'ibot');
  const kind = (open ? stated : undefined) ?? encoder?.kind;
  if (kind) return kind;
  const why =
    'nothing in the file tells how this encoder was trained, which decides its heads and its ' +
    'licence. Write it in a recipe file, {"encoder": {"kind": "dino"}} (or mocov3, ibot, deit), ' +
    'and import with that';
  throw new NetworkError('unknown-size', { network: 'encoder', key: 'kind' }, why);
}

const HEAD = 'head.';

/**
 * Whether a MAGE takes the class token's feature itself, as one trained without the projection flag
 * does (spec 2.5). Its file holds the encoder's head all the same.
 */
function drawsFeatures(mage: MageConfig, encoder: ShapeTable): boolean {
  const width = encoder.get('norm.weight')?.shape[0];
  const last = encoder.get('head.6.weight') ?? encoder.get('head.mlp.4.weight');
  return last !== undefined && mage.representation === width && last.shape[0] !== width;
}

/** How the keys of the head begin in the file. */
function headPrefix({ keyOf }: FoundPart): string {
  const [name = HEAD, key = HEAD] = [...keyOf].find(([own]) => own.startsWith(HEAD)) ?? [];
  return key.slice(0, key.length - name.length) + HEAD;
}

function withoutHead(part: FoundPart): FoundPart {
  return {
    ...part,
    weights: new Map([...part.weights].filter(([name]) => !name.startsWith(HEAD))),
  };
}

/** The weights in the order of the table, after a check of every name, shape and type; values are checked as they are read. */
function ordered(part: FoundPart, specs: readonly WeightSpec[]): StateDict {
  checkWeights(part.kind, specs, part.weights);
  const weights = new Map<string, StoredTensor>();
  for (const { name } of specs) {
    const tensor = part.weights.get(name);
    const place = { file: part.file, key: part.keyOf.get(name) ?? name };
    if (tensor) weights.set(name, onlyFinite(tensor, place));
  }
  return weights;
}

/** Turns a NetworkError into one that names the file and the key as the file has it. */
function naming<T>(part: FoundPart, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    if (error.code === 'unknown-size') {
      const why = `${error.message}. Nothing was changed.`;
      throw new ImportError('unknown-size', { file: part.file, key: recipeField(error) }, why);
    }
    const key = part.keyOf.get(error.key) ?? error.key;
    const message = error.message.replace(`: ${error.key}: `, () => `: ${printable(key)}: `);
    throw new ImportError(
      'wrong-weights',
      { file: part.file, key },
      `${message}. Nothing was changed.`,
    );
  }
}

const recipeField = ({ network, key }: NetworkError): string => `${network}.${key}`;

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
