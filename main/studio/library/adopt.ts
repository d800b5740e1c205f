import { join } from 'node:path';
import { StudioError } from '#api/errors';
import type { Recipe } from '#api/recipe';
import type { Operation } from '#api/images';
import type { StoredImage } from '#history/types';
import {
  LIBRARY_KEYWORD,
  LIBRARY_TEXT_VERSION,
  operationOf,
  parseLibraryText,
} from '#pictures/library-text';
import type { LibraryText } from '#pictures/library-text';
import { isPng, pngWidth, readText, RECIPE_KEYWORD } from '#pictures/png';
import { parseRecipe } from '#pictures/recipe';
import { fileTime, savedFile } from '#pictures/image-files';
import type { Workshop } from '../workshop.ts';

/** A PNG of ours, read. */
export interface OurPicture {
  readonly recipe: Recipe;
  /** What it was to the library that it came from; null when it does not say. */
  readonly text: LibraryText | null;
  /** Edge in pixels. */
  readonly size: number;
}

/**
 * The recipe of a PNG of ours; null for any other picture. One whose recipe is broken, hostile or of
 * a newer version is a StudioError `picture-unreadable`.
 */
export function readOurs(bytes: Uint8Array, name: string): OurPicture | null {
  if (!isPng(bytes)) return null;
  const recipeText = readText(bytes, RECIPE_KEYWORD, name);
  if (recipeText === null) return null;
  const recipe = parseRecipe(recipeText, name);
  const libraryText = readText(bytes, LIBRARY_KEYWORD, name);
  const text = libraryText === null ? null : parseLibraryText(libraryText, name);
  return { recipe, text, size: pngWidth(bytes, name) };
}

/** What a picture of ours says of itself, with a new name when it says nothing. */
export function completeText(
  { recipe, text }: OurPicture,
  { newId, createdAt }: { readonly newId: () => string; readonly createdAt: number },
): LibraryText {
  if (text !== null) return text;
  return {
    version: LIBRARY_TEXT_VERSION,
    uid: newId(),
    createdAt,
    operation: operationOf(recipe.source.kind),
    parents: [],
    times: { representation: 0, tokens: 0, pixels: 0 },
    job: null,
  };
}

/** A PNG of ours in the library's folder. */
export interface OurFile extends OurPicture {
  /** Where it was found. */
  readonly found: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The row that a picture says it is; null when there is none. A name alone is not believed: with
 * other tokens it is another picture.
 */
export function rowOf(
  { history }: Pick<Workshop, 'history'>,
  { text, recipe }: OurPicture,
): StoredImage | null {
  const id = text === null ? null : history().images.byUid(text.uid);
  if (id === null) return null;
  const row = history().images.get(id);
  return row.recipe.tokenHash === recipe.tokenHash ? row : null;
}

/** The same picture under a new name, where its own belongs to another one. */
export function underOwnName(
  { history, newId }: Pick<Workshop, 'history' | 'newId'>,
  text: LibraryText,
): LibraryText {
  return history().images.byUid(text.uid) === null ? text : { ...text, uid: newId() };
}

type Adopter = Pick<Workshop, 'history' | 'files' | 'newId'>;

/** Gives a file its row and its place; `copy` when its picture has a row with a file of its own. */
export async function adoptFile(
  shop: Adopter,
  ours: OurFile,
  titleOf: (hash: string) => string | null,
): Promise<'adopted' | 'copy'> {
  const { history, files } = shop;
  const { found, recipe, size } = ours;
  const { bytes, version } = savedFile(ours.bytes);
  const row = rowOf(shop, ours);
  if (row !== null) {
    // Its row was written while we looked.
    if (row.path === found) return 'adopted';
    if (row.file === 'present' || !(await place(files, found, row.path))) return 'copy';
    history().images.setFile(row.id, { state: 'present', path: row.path, bytes, version });
    return 'adopted';
  }
  const createdAt = await fileTime(join(files.folder, found)).catch(() => 0);
  const text = underOwnName(shop, completeText(ours, { newId: shop.newId, createdAt }));
  const path = files.pathOf(text.uid, text.createdAt);
  if (!(await place(files, found, path))) return 'copy';
  const job = knownJob(shop, { text, recipe });
  history().images.insert({
    uid: text.uid,
    path,
    createdAt: text.createdAt,
    recipe,
    modelTitle: titleOf(recipe.model.hash),
    operation: text.operation,
    size,
    bytes,
    version,
    times: text.times,
    ...(job === null ? {} : { job: { id: job.id, index: job.index } }),
    parents: knownParents(shop, text).map(({ id, operation }) => ({ id, operation })),
  });
  return 'adopted';
}

const place = (files: Adopter['files'], found: string, path: string): Promise<boolean> =>
  found === path ? Promise.resolve(true) : files.settle(found, path);

/** The parents that are in this library. */
export function knownParents(
  { history }: Pick<Workshop, 'history'>,
  text: LibraryText,
): readonly { readonly id: number; readonly uid: string; readonly operation: Operation }[] {
  return text.parents.flatMap(({ uid, operation }) => {
    const id = history().images.byUid(uid);
    return id === null ? [] : [{ id, uid, operation }];
  });
}

/**
 * The place in a job of this library that a picture says it has, when it can be true: the job is
 * there, has no such picture yet, and would have made this very seed.
 */
function knownJob(
  { history }: Pick<Workshop, 'history'>,
  { text, recipe }: { readonly text: LibraryText; readonly recipe: Recipe },
): LibraryText['job'] {
  const claimed = text.job;
  if (claimed === null) return null;
  try {
    const job = history().jobs.get(claimed.id);
    const fits =
      job.createdAt === claimed.createdAt &&
      claimed.index < job.total &&
      !job.doneIndexes.includes(claimed.index) &&
      job.settings.seed + claimed.index === recipe.seed;
    return fits ? claimed : null;
  } catch (error) {
    if (error instanceof StudioError && error.code === 'not-found') return null;
    throw error;
  }
}
