import type { EncoderConfig, NetworkKind } from '#bundle/manifest';
import { printable } from '#checkpoint/errors';
import type { Checkpoint, StateDict, StoredTensor } from '#checkpoint/types';
import { EMA_PREFIX, restoreDots, withoutUnitAxes } from './ema.ts';
import { ImportError } from './errors.ts';
import { LAYOUTS, MISSPELT, UNUSED } from './layouts.ts';
import type { Keys, Layout } from './layouts.ts';
import { checkSchedule } from './schedule.ts';

/** Root keys under which weights are looked for, best first; `''` is a bare dictionary. */
const SECTIONS = ['model', 'state_dict', 'teacher', ''] as const;
/** DistributedDataParallel puts this before every key. */
const PARALLEL = 'module.';
/** The table of class embeddings in an RDM file, and its name in a bundle. */
const CLASS_TABLE = 'cond_stage_model.embedding.weight';
const CLASS_EMBEDDING = 'class_embedding.weight';

/** How an encoder was trained: it decides its licence, and the heads of a ViT-S. */
interface EncoderTraining {
  /** Null where nothing in the file tells. */
  readonly kind: EncoderConfig['kind'] | null;
  /** Whether it has a projection head, which is surer than the kind of file. */
  readonly head: boolean;
}

/** A network found in a file. */
export interface FoundPart {
  readonly kind: NetworkKind;
  /** Name of the file. */
  readonly file: string;
  /** The network in whose file it travels along; null for a file's own network. */
  readonly within: 'mage' | 'rdm' | null;
  /** Weights by canonical name. */
  readonly weights: StateDict;
  /** Key in the file, by canonical name: what errors show. */
  readonly keyOf: ReadonlyMap<string, string>;
  /** How an encoder was trained, and what tells so; null for the other networks. */
  readonly encoder: EncoderTraining | null;
}

/** What a file holds. */
export interface Recognised {
  readonly file: string;
  /** Kind of file, in words. */
  readonly layout: string;
  readonly parts: readonly FoundPart[];
  /** Keys that were left aside, with the reason. */
  readonly ignored: ReadonlyMap<string, string>;
}

/**
 * Finds the networks of a file by its keys, never by its name. Every key of the recognised section
 * is either used or left aside for a stated reason.
 * @throws ImportError when the file is not ours, not supported, or holds an unknown key.
 */
export async function recognise(checkpoint: Checkpoint): Promise<Recognised> {
  const file = checkpoint.name;
  const { section, layout } = findLayout(checkpoint);
  if (layout.refuse !== undefined) throw new ImportError('unsupported', { file }, layout.refuse);
  const sorted = sortKeys(section, layout, file);
  if (layout.name === 'RDM') {
    requireEma(sorted.found, file);
    await checkSchedule(section, file);
  }
  const parts = [...sorted.found.values()].map(({ kind, within, entries }) =>
    toPart({ kind, within, entries, file, layout }),
  );
  return { file, layout: layout.name, parts, ignored: sorted.ignored };
}

function findLayout(checkpoint: Checkpoint): { section: StateDict; layout: Layout } {
  const file = checkpoint.name;
  for (const name of SECTIONS) {
    const stored = checkpoint.stateDicts.get(name);
    if (!stored || stored.size === 0) continue;
    const section = withoutParallel(stored);
    const names = [...section.keys()];
    const keys: Keys = {
      section: name,
      has: (key) => section.has(key),
      any: (prefix) => names.some((key) => key.startsWith(prefix)),
    };
    const layout = LAYOUTS.find((candidate) => candidate.matches(keys));
    if (layout) return { section, layout };
  }
  const all = [...checkpoint.stateDicts].filter(([, section]) => section.size > 0);
  const [first] = all;
  if (!first) {
    throw new ImportError(
      'no-weights',
      { file },
      'holds no weights (perhaps only the state of an optimizer). Choose the file with the model. ' +
        'Nothing was changed.',
    );
  }
  const [key] = first[1].keys();
  throw new ImportError(
    'unknown-file',
    key === undefined ? { file } : { file, key },
    `holds ${first[1].size} tensors${first[0] === '' ? '' : ` under "${printable(first[0])}"`}, the first named ` +
      `"${printable(key ?? '')}", and is of no kind that RCG Studio knows. It reads RDM and MAGE checkpoints of RCG, ` +
      'encoders (MoCo v3, DINO, iBOT, DeiT) and the tokenizer of MAGE. Nothing was changed.',
  );
}

/** The section without `module.`, where every key has it. MoCo's own `module.base_encoder.` too. */
function withoutParallel(section: StateDict): StateDict {
  for (const key of section.keys()) if (!key.startsWith(PARALLEL)) return section;
  return new Map([...section].map(([key, tensor]) => [key.slice(PARALLEL.length), tensor]));
}

type Entries = Map<string, { readonly key: string; readonly tensor: StoredTensor }>;
interface Found {
  readonly kind: NetworkKind;
  readonly within: FoundPart['within'];
  readonly entries: Entries;
}

/** Gives every key to a network, or to the list of ignored ones. */
function sortKeys(
  section: StateDict,
  layout: Layout,
  file: string,
): { found: Map<NetworkKind, Found>; ignored: Map<string, string> } {
  const found = new Map<NetworkKind, Found>();
  const ignored = new Map<string, string>();
  const dotless = new Set(
    [...section.keys()]
      .filter((key) => layout.name === 'RDM' && key.startsWith(EMA_PREFIX))
      .map((key) => key.slice(EMA_PREFIX.length)),
  );
  const restored = restoreDots(dotless);
  const classConditional = [...restored.values()].some((name) => name.includes('context_layers'));

  const add = (target: Omit<Found, 'entries'>, name: string, tensor: StoredTensor): void => {
    const key = tensor.name;
    const part = found.get(target.kind) ?? { ...target, entries: new Map() };
    found.set(target.kind, part);
    const twin = part.entries.get(name);
    if (twin) {
      const message = `${printable(twin.key)} and ${printable(key)} are both ${printable(name)}. Nothing was changed.`;
      throw new ImportError('duplicate-key', { file, key }, message);
    }
    part.entries.set(name, { key, tensor });
  };

  for (const [key, tensor] of section) {
    const rule = layout.ignored.find(({ pattern }) => pattern.test(key));
    if (rule) {
      ignored.set(tensor.name, rule.why);
      continue;
    }
    if (layout.name === 'RDM' && key === CLASS_TABLE) {
      if (classConditional) add({ kind: 'rdm', within: null }, CLASS_EMBEDDING, tensor);
      else ignored.set(tensor.name, 'class table of an unconditional RDM');
      continue;
    }
    const route = layout.routes.find(({ prefix }) => key.startsWith(prefix));
    if (!route) throw unknownKey(file, tensor.name, layout.name);
    const rest = route.keep ? key : key.slice(route.prefix.length);
    const name = route.prefix === EMA_PREFIX ? restored.get(rest) : repaired(rest);
    if (name === undefined) throw unknownKey(file, tensor.name, layout.name);
    const unused = UNUSED[route.kind].find(({ pattern }) => pattern.test(name));
    if (unused) ignored.set(tensor.name, unused.why);
    else add(route, name, tensor);
  }
  return { found, ignored };
}

function unknownKey(file: string, key: string, layout: string): ImportError {
  return new ImportError(
    'unknown-key',
    { file, key },
    `"${printable(key)}" is not part of a ${layout} file as RCG Studio knows it, so the file may be of another ` +
      'version. Nothing was changed.',
  );
}

/** The name without the misspellings of the released ViT-L encoder. */
function repaired(name: string): string {
  for (const [wrong, right] of MISSPELT) {
    if (name.startsWith(wrong)) return right + name.slice(wrong.length);
  }
  return name;
}

function requireEma(found: ReadonlyMap<NetworkKind, Found>, file: string): void {
  if (found.get('rdm')) return;
  throw new ImportError(
    'no-ema',
    { file, key: EMA_PREFIX },
    'holds an RDM without its EMA weights (model_ema.diffusion_model…), and only those sample well. ' +
      'Choose a checkpoint that was saved with them. Nothing was changed.',
  );
}

function toPart(found: Found & { readonly file: string; readonly layout: Layout }): FoundPart {
  const { kind, within, entries, file, layout } = found;
  const weights = new Map<string, StoredTensor>();
  const keyOf = new Map<string, string>();
  for (const [name, { key, tensor }] of entries) {
    const shape =
      kind === 'rdm' && name !== CLASS_EMBEDDING
        ? withoutUnitAxes(name, tensor.shape)
        : tensor.shape;
    weights.set(name, { name, dtype: tensor.dtype, shape, chunks: () => tensor.chunks() });
    keyOf.set(name, key);
  }
  const encoder = kind === 'encoder' ? trainingOf(weights, layout) : null;
  return { kind, file, within, weights, keyOf, encoder };
}

/** By the head (spec 2.3, 2.5; DINO's and iBOT's look alike), or else by the kind of file. */
function trainingOf(weights: StateDict, layout: Layout): EncoderTraining {
  if (weights.has('head.mlp.0.weight')) return { kind: 'dino', head: true };
  if (weights.has('head.0.weight')) return { kind: 'mocov3', head: true };
  return { kind: layout.encoder ?? null, head: false };
}
