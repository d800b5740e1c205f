import { aboutNetwork } from '#bundle/about';
import type { About } from '#bundle/about';
import { manifestSchema } from '#bundle/manifest';
import type { NetworkKind } from '#bundle/manifest';
import type { BundleContent } from '#bundle/writer';
import { readTensor, tensorBytes } from '#checkpoint/convert';
import { printable } from '#checkpoint/errors';
import type { Checkpoint, ShapeTable } from '#checkpoint/types';
import { checkTogether, configure } from './configure.ts';
import type { Configured } from './configure.ts';
import { ImportError } from './errors.ts';
import { licencesOf } from './licences.ts';
import { presetOf, previewOf } from './presets.ts';
import { checkRecipe, parseRecipe, textOf, withSettings } from './recipe.ts';
import type { RecipeFile } from './recipe.ts';
import { recognise } from './recognise.ts';
import type { FoundPart } from './recognise.ts';

/** What the importer is told beyond the checkpoints. */
export interface ImportOptions {
  /** A recipe file's parsed JSON, or null. */
  readonly recipe: unknown;
  /** Text of the model card, which may name a licence. */
  readonly card?: string;
  /** The id to use; null makes one. */
  readonly id?: string | null;
}

/** A bundle yet to be written, and what to tell before writing it. */
export interface ImportPlan extends BundleContent {
  /** What was found, with its sizes. */
  readonly parts: readonly {
    readonly kind: NetworkKind;
    readonly from: string;
    readonly about: About;
  }[];
  /** What was not found, though most models have it. */
  readonly missing: readonly { readonly kind: 'encoder' | 'rdm' }[];
  readonly warnings: readonly ImportWarning[];
}

/** Something to know before the import: a code, and the values that fill its sentence in. */
export interface ImportWarning {
  readonly code:
    /** A file whose part another one brings: the same, or one of its own. */
    | 'not-needed'
    | 'not-needed-other'
    /** An RDM that was trained with another encoder or tokenizer. */
    | 'trained-apart'
    /** An encoder whose projection head this MAGE was trained without. */
    | 'head-unused'
    /** Nobody has recommended settings for this size. */
    | 'no-settings';
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Works out the bundle that some checkpoint files make. Reads directories and a few small tensors,
 * writes nothing.
 * @throws ImportError when they make none.
 */
export async function planImport(
  checkpoints: readonly Checkpoint[],
  options: ImportOptions,
): Promise<ImportPlan> {
  const recipe = parseRecipe(options.recipe);
  const found: FoundPart[] = [];
  for (const checkpoint of checkpoints) found.push(...(await recognise(checkpoint)).parts);
  const { chosen, warnings } = await choose(found);
  const configured = configure(chosen, recipe);
  checkTogether(configured);
  checkRecipe(recipe, configured.networks);
  return describe({ chosen, configured, warnings, recipe, options });
}

/** One part of each kind: MAGE's own passengers first, since they were trained with it. */
async function choose(
  found: readonly FoundPart[],
): Promise<{ chosen: ReadonlyMap<NetworkKind, FoundPart>; warnings: readonly ImportWarning[] }> {
  const chosen = new Map<NetworkKind, FoundPart>();
  const warnings: ImportWarning[] = [];
  for (const kind of ['mage', 'vqgan', 'rdm', 'encoder'] as const) {
    const parts = found.filter((part) => part.kind === kind).sort((a, b) => rank(a) - rank(b));
    const [best, ...others] = parts;
    if (!best) continue;
    chosen.set(kind, best);
    for (const other of others) warnings.push(...(await compare(best, other)));
  }
  if (!chosen.has('mage')) {
    const what = found.map((part) => part.kind).join(', ');
    throw new ImportError(
      'missing-part',
      { key: 'mage' },
      `${what === '' ? 'No file was given' : `These files hold only ${what}`}. A model needs a MAGE ` +
        'checkpoint, which draws the pictures: add it and import again. Nothing was changed.',
    );
  }
  if (!chosen.has('vqgan')) {
    throw new ImportError(
      'missing-part',
      { key: 'vqgan' },
      'The MAGE file holds no tokenizer (vqgan), without which no picture can be made. Add the ' +
        'tokenizer file and import again. Nothing was changed.',
    );
  }
  return { chosen, warnings };
}

const rank = ({ within }: FoundPart): number => (within === 'mage' ? 0 : within === null ? 1 : 2);

const NAMES: Readonly<Record<NetworkKind, string>> = {
  encoder: 'encoder',
  rdm: 'RDM',
  mage: 'MAGE',
  vqgan: 'tokenizer',
};

/** What to say of a second file that holds the same part. */
async function compare(best: FoundPart, other: FoundPart): Promise<readonly ImportWarning[]> {
  const name = NAMES[best.kind];
  if (best.within === null && other.within === null) {
    throw new ImportError(
      'conflict',
      { file: other.file },
      `holds a second ${name} beside the one in ${best.file}. Import one model at a time: leave one ` +
        'of them out. Nothing was changed.',
    );
  }
  const key = firstDifference(best.weights, other.weights);
  if (key !== null) {
    throw new ImportError(
      'conflict',
      { file: other.file, key: other.keyOf.get(key) ?? key },
      `its ${name} is of another size than the one in ${best.file} (they differ in ${printable(key)}), so these ` +
        'files do not belong together. Nothing was changed.',
    );
  }
  const same = await sameSample(best, other);
  const values = { file: other.file, other: best.file, part: best.kind };
  if (other.within === null) {
    return [{ code: same ? 'not-needed' : 'not-needed-other', values }];
  }
  return same ? [] : [{ code: 'trained-apart', values }];
}

/** First name whose shape differs or that only one of the tables has; null if they agree. */
function firstDifference(a: ShapeTable, b: ShapeTable): string | null {
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    if (a.get(name)?.shape.join() !== b.get(name)?.shape.join()) return name;
  }
  return null;
}

/** Weights that training changes, small enough to compare whole; each network has one or two. */
const SAMPLES = ['norm.bias', 'head.7.running_mean', 'decoder.norm_out.bias'];

/** The longest of them, at any size of encoder, is far below this. */
const MAX_SAMPLE_BYTES = 2 ** 20;

/** Whether the samples that both parts have are the same, byte for byte. */
async function sameSample(a: FoundPart, b: FoundPart): Promise<boolean> {
  for (const name of SAMPLES) {
    const [left, right] = [a.weights.get(name), b.weights.get(name)];
    if (!left || !right || left.dtype !== right.dtype) continue;
    // Nothing has been checked yet: what claims to be longer is refused later.
    if (tensorBytes(left) > MAX_SAMPLE_BYTES) continue;
    const [x, y] = [await readTensor(left), await readTensor(right)];
    if (x.length !== y.length || x.some((byte, i) => byte !== y[i])) return false;
  }
  return true;
}

/** The bundle of what was chosen, with the settings and licences that go with it. */
function describe(facts: {
  readonly chosen: ReadonlyMap<NetworkKind, FoundPart>;
  readonly configured: Configured;
  readonly warnings: readonly ImportWarning[];
  readonly recipe: RecipeFile;
  readonly options: ImportOptions;
}): ImportPlan {
  const { chosen, configured, recipe, options } = facts;
  const { networks } = configured;
  if (!networks.mage) throw new Error('a plan needs a MAGE');
  const preset = presetOf(networks.mage, networks.rdm);
  const recommended = withSettings(preset.recommended, recipe.defaults);
  const unsure = !preset.known && recipe.defaults === undefined;
  const warnings: readonly ImportWarning[] = [
    ...facts.warnings,
    ...(configured.unusedHead === null
      ? []
      : [{ code: 'head-unused', values: configured.unusedHead } as const]),
    ...(unsure ? [{ code: 'no-settings', values: {} } as const] : []),
  ];
  const parts = configured.parts.flatMap(({ kind, source: from }) => {
    const about = aboutNetwork(networks, kind);
    return about === null ? [] : [{ kind, from, about }];
  });
  const missing = (['encoder', 'rdm'] as const)
    .filter((kind) => !chosen.has(kind))
    .map((kind) => ({ kind }));
  return {
    id: idOf(options.id ?? null, recipe.name, preset.id),
    title: recipe.title === undefined ? preset.title : textOf(recipe.title),
    networks: configured.parts,
    unconditionalClass: networks.rdm?.classes ? (recipe.rdm?.unconditional_class ?? null) : null,
    classes: networks.rdm?.classes ? (recipe.rdm?.classes ?? []).map(textOf) : [],
    recommended,
    preview: withSettings(previewOf(recommended), recipe.preview),
    licences: licencesOf({
      card: options.card,
      // A MAGE or RDM without its encoder was still trained with one: MoCo v3's, unless said otherwise.
      mocoEncoder: (networks.encoder?.kind ?? recipe.encoder?.kind ?? 'mocov3') === 'mocov3',
    }),
    parts,
    missing,
    warnings,
  };
}

/** The id asked for, or the recipe's name made into one, or the preset's. */
function idOf(asked: string | null, name: string | undefined, preset: string): string {
  const valid = (id: string) => manifestSchema.shape.id.safeParse(id).success;
  if (asked !== null) {
    if (valid(asked)) return asked;
    throw new ImportError(
      'id',
      { key: 'id' },
      `"${asked}" cannot be the id of a model: use up to 64 small letters, digits, dots and dashes, ` +
        'beginning with a letter or digit.',
    );
  }
  const made = (name ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 64);
  return valid(made) ? made : preset;
}
