import { StudioError } from '#api/errors';
import type { Recipe } from '#api/recipe';
import type { Operation } from '#api/types';
import {
  LIBRARY_KEYWORD,
  LIBRARY_TEXT_VERSION,
  operationOf,
  parseLibraryText,
} from '#pictures/library-text';
import type { LibraryText } from '#pictures/library-text';
import { isPng, pngWidth, readText, RECIPE_KEYWORD } from '#pictures/png';
import { parseRecipe } from '#pictures/recipe';
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
export function knownJob(
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
