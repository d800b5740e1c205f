import { basename, resolve } from 'node:path';
import { StudioError } from '#api/errors';
import type { ImportRequest } from '#worker/protocol';
import { readWhole } from './files.ts';

/** A recipe names sizes and classes; ImageNet's thousand names take 60 kB. */
const MAX_RECIPE_BYTES = 1 << 24;

/** Names under which a bundle keeps what is copied into it as it is. */
const CARD = 'CARD.md';
const STATISTICS = 'statistics.safetensors';

/** Files to import, as a person names them. */
export interface ImportFiles {
  readonly files: readonly string[];
  readonly recipe?: string | undefined;
  readonly card?: string | undefined;
  readonly statistics?: string | undefined;
  readonly id?: string | undefined;
}

/**
 * Sorts named files into checkpoints, recipe (`*.json`) and attachments (`CARD.md`,
 * `statistics.safetensors`), and reads the recipe. Checkpoints are told by content, by the importer.
 */
export async function planImport(named: ImportFiles, library: string): Promise<ImportRequest> {
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
    throw new StudioError('invalid-request', 'No checkpoint is named; give the files to import.', {
      field: 'files',
    });
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
    { field },
  );
}
