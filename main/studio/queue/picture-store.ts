import type { Recipe } from '#api/recipe';
import type { Operation } from '#api/images';
import {
  formatLibraryText,
  LIBRARY_KEYWORD,
  LIBRARY_TEXT_VERSION,
  type LibraryText,
} from '#pictures/library-text';
import { encodePng } from '#pictures/pictures';
import { insertTexts, type Text } from '#pictures/png';
import { recipeTexts } from '#pictures/recipe';
import type { Pictured } from '#pictures/thumbnails';
import type { StageTimes, RgbImage } from '#worker/protocol';
import type { Workshop } from '../workshop.ts';

/** A picture that is to be kept. */
export interface NewPicture {
  readonly recipe: Recipe;
  readonly modelTitle: string | null;
  readonly operation: Operation;
  readonly parents: readonly {
    readonly id: number;
    readonly uid: string;
    readonly operation: Operation;
  }[];
  readonly times: StageTimes;
  /** The job that made it, and its place there. */
  readonly job: { readonly id: number; readonly index: number; readonly createdAt: number } | null;
}

/** A picture that was kept. */
export interface Kept extends Pictured {
  readonly id: number;
  /** The pictures that are another now, for who tells windows of them: its own, and its parents. */
  readonly changed: readonly number[];
}

type Keeper = Pick<Workshop, 'files' | 'history' | 'newId' | 'now'>;

/**
 * Keeps a picture for good: file first, then the row, which also notes it in its job. A file whose
 * row cannot be made is taken away again; one that a kill leaves behind is found at the next start.
 */
export async function savePicture(
  keeper: Keeper,
  image: RgbImage,
  picture: NewPicture,
): Promise<Kept> {
  const text = libraryText(keeper, picture);
  const png = await encodePng(image, pictureTexts(picture.recipe, text));
  return keepPng(keeper, png, { ...picture, text, size: image.width });
}

/** Keeps the bytes of a PNG that carries its texts already. */
export async function keepPng(
  { files, history }: Keeper,
  png: Uint8Array,
  picture: NewPicture & { readonly text: LibraryText; readonly size: number },
): Promise<Kept> {
  const { text, recipe, modelTitle, operation, parents, times, job, size } = picture;
  await files.checkSpace();
  const path = files.pathOf(text.uid, text.createdAt);
  const { bytes, version } = await files.write(path, png);
  try {
    const { id } = history().images.insert({
      uid: text.uid,
      path,
      createdAt: text.createdAt,
      recipe,
      modelTitle,
      operation,
      size,
      bytes,
      version,
      times,
      ...(job === null ? {} : { job: { id: job.id, index: job.index } }),
      parents: parents.map((parent) => ({ id: parent.id, operation: parent.operation })),
    });
    const changed = [id, ...parents.map((parent) => parent.id)];
    return { id, uid: text.uid, path, version, changed };
  } catch (error) {
    await files.remove([path]).catch(() => undefined);
    throw error;
  }
}

/** What a new picture says of itself. */
function libraryText(
  { newId, now }: Pick<Workshop, 'newId' | 'now'>,
  { operation, parents, times, job }: Omit<NewPicture, 'recipe' | 'modelTitle'>,
): LibraryText {
  return {
    version: LIBRARY_TEXT_VERSION,
    uid: newId(),
    createdAt: now(),
    operation,
    parents: parents.map((parent) => ({ uid: parent.uid, operation: parent.operation })),
    times,
    job,
  };
}

/** The texts of a picture of the library. */
export function pictureTexts(recipe: Recipe, text: LibraryText): readonly Text[] {
  return [...recipeTexts(recipe), { keyword: LIBRARY_KEYWORD, text: formatLibraryText(text) }];
}

/** A PNG of ours with what it is to this library. */
export function withTexts(png: Uint8Array, recipe: Recipe, text: LibraryText): Uint8Array {
  return insertTexts(png, pictureTexts(recipe, text));
}
