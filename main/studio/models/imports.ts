import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText, type Reason } from '#api/reasons';
import { fileError, readWhole } from '#pictures/files';
import { clearUnfinished } from '#worker/files';
import type { ImportRequest, Methods } from '#worker/protocol';
import type { Engine } from '../studio.ts';

/** A recipe names sizes and classes; ImageNet's thousand names take 60 kB. */
const MAX_RECIPE_BYTES = 1 << 24;

/** Names under which a bundle keeps what is copied into it as it is. */
const CARD = 'CARD.md';
const STATISTICS = 'statistics.safetensors';
/** What a folder of a model is searched for; checkpoints are known by content only once opened. */
const OF_A_MODEL = /^(CARD\.md|recipe\.json|[^.].*\.(pth|pt|ckpt|bin|tar|safetensors))$/;

/** Files to import, as a person names them. */
export interface ImportFiles {
  readonly files: readonly string[];
  readonly recipe?: string | undefined;
  readonly card?: string | undefined;
  readonly statistics?: string | undefined;
  readonly id?: string | undefined;
}

/**
 * Sorts named files, and those of named folders, into checkpoints, recipe (`*.json`) and attachments (`CARD.md`,
 * `statistics.safetensors`), and reads the recipe. Checkpoints are told by content, by the importer.
 */
export async function planImport(request: ImportFiles, library: string): Promise<ImportRequest> {
  const inside = await Promise.all(request.files.map(filesOf));
  const named = { ...request, files: inside.flat() };
  const isRecipe = (file: string) => file.toLowerCase().endsWith('.json');
  const recipes = [...named.files.filter(isRecipe), ...list(named.recipe)];
  const cards = [...named.files.filter((file) => basename(file) === CARD), ...list(named.card)];
  const statistics = [
    ...named.files.filter((file) => basename(file) === STATISTICS),
    ...list(named.statistics),
  ];
  const others = new Set([...recipes, ...cards, ...statistics]);
  const files = named.files.filter((file) => !others.has(file));
  if (files.length === 0) {
    const reason: Reason = { code: 'import-no-checkpoint', values: {} };
    throw new StudioError('invalid-request', reasonText(reason), { field: 'files', reason });
  }
  const recipe = atMostOne('recipe', recipes);
  const attachments = [
    { name: CARD, path: atMostOne('card', cards) },
    { name: STATISTICS, path: atMostOne('statistics', statistics) },
  ];
  return {
    files: files.map((file) => resolve(file)),
    recipe: recipe === undefined ? null : await readRecipe(recipe),
    attachments: attachments.flatMap(({ name, path }) =>
      path === undefined ? [] : [{ name, path: resolve(path) }],
    ),
    id: named.id ?? null,
    library,
  };
}

/** How an import reports and is stopped. */
interface ImportOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: Methods['import']['event']) => void;
}

/** Imports; gigabytes that an engine left that died in the middle go at once. */
export async function importFiles(
  engine: Engine,
  request: ImportRequest,
  options: ImportOptions,
): Promise<Methods['import']['result']> {
  try {
    return await engine.call('import', request, options);
  } catch (error) {
    if (error instanceof StudioError && error.code === 'engine-crashed') {
      await clearUnfinished(request.library).catch(() => undefined);
    }
    throw error;
  }
}

/** The files of a model in a folder, by name; of anything else, itself. */
async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null);
  // What is not there is refused by whoever opens it, with its name.
  if (found?.isDirectory() !== true) return [path];
  const names = await readdir(path).catch((error: unknown) => {
    throw fileError(error, 'read', path);
  });
  return names
    .filter((name) => OF_A_MODEL.test(name))
    .toSorted()
    .map((name) => join(path, name));
}

async function readRecipe(path: string): Promise<unknown> {
  const bytes = await readWhole(path, MAX_RECIPE_BYTES);
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return json;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StudioError('invalid-request', `${path} is not a recipe file: ${why}.`, {
      cause,
      field: 'recipe',
      reason: { code: 'import-not-a-recipe', values: { file: path } },
    });
  }
}

function list(file: string | undefined): readonly string[] {
  return file === undefined ? [] : [file];
}

function atMostOne(field: string, files: readonly string[]): string | undefined {
  if (new Set(files).size <= 1) return files[0];
  throw new StudioError(
    'invalid-request',
    `Only one file can be the ${field}, but there are ${files.length}: ${files.join(', ')}.`,
    { field, reason: { code: 'import-only-one', values: { files: files.join(', ') } } },
  );
}
