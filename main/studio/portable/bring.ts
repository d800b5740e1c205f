import type { Recipe } from '#api/recipe';
import type { LocalMarks } from '#history/merge';
import type { NewImage } from '#history/types';
import { withTexts } from '../queue/picture-store.ts';
import { completeText, type OurPicture } from '../library/adopt.ts';
import type { Workshop } from '../workshop.ts';
import { marksOf, type PictureLine } from './document.ts';
import { hashOf } from './hash.ts';

// One picture of a document comes into the open library.

type Shop = Pick<Workshop, 'history' | 'files'>;

/** What the lines before a picture's say. */
export interface Vocabulary {
  /** Ids of boards here by name. */
  readonly boards: Map<string, number>;
  /** Titles of models by hash. */
  readonly titles: Map<string, string>;
}

/** Where a picture of a document belongs in this library. */
export interface Place {
  readonly uid: string;
  /** Its row here, when there is one. */
  readonly known: number | null;
}

/**
 * Finds a picture by its uid. One that has this uid here and other tokens is another picture, as is
 * one whose file lies where this one's would: both get a name that follows from what they are, so
 * that it is the same at the next import.
 */
export function placeOf({ history, files }: Shop, line: PictureLine): Place {
  const { images } = history();
  const names = [line.uid, hashOf(`${line.uid} ${line.tokenHash}`).slice(0, 32)];
  for (const uid of names) {
    const known = images.byUid(uid);
    if (known === null) {
      if (!images.hasPath(files.pathOf(uid, line.createdAt))) return { uid, known };
    } else if (images.get(known).recipe.tokenHash === line.tokenHash) {
      return { uid, known };
    }
  }
  // Only somebody who tries can come here; a name by all that is known is still its own.
  const uid = hashOf(JSON.stringify(line)).slice(0, 32);
  return { uid, known: images.byUid(uid) };
}

/** A line's marks in the terms of this library; boards are made as they are needed. */
export function localMarks(
  { history }: Pick<Shop, 'history'>,
  line: PictureLine,
  { boards }: Vocabulary,
): LocalMarks {
  const marks = marksOf(line);
  const ids = marks.boards.map((name) => {
    const id = boards.get(name) ?? history().portable.boardOf(name);
    boards.set(name, id);
    return id;
  });
  return { ...marks, boards: ids };
}

/** Adds a picture that brings its file: the file first, then its row with all its marks at once. */
export async function bringFile(
  { history, files }: Shop,
  line: PictureLine,
  picture: OurPicture & {
    readonly bytes: Uint8Array;
    readonly uid: string;
    readonly words: Vocabulary;
  },
): Promise<number> {
  const { recipe, size, uid, words } = picture;
  const { createdAt } = line;
  const said = completeText(picture, { newId: () => uid, createdAt });
  // A picture says its uid itself, so that a lost record can be made again from it.
  const same = picture.text?.uid === uid && picture.text.createdAt === createdAt;
  const png = same
    ? picture.bytes
    : withTexts(picture.bytes, recipe, { ...said, uid, createdAt, job: null });
  const path = files.pathOf(uid, createdAt);
  await files.checkSpace();
  const { bytes, version } = await files.write(path, png);
  const image = newImage(line, recipe, words);
  try {
    const whole = { ...image, uid, path, bytes, version, size, times: said.times };
    const marks = localMarks({ history }, line, words);
    return history().portable.add({ ...whole, operation: said.operation }, marks).id;
  } catch (error) {
    await files.remove([path]).catch(() => undefined);
    throw error;
  }
}

/** Adds a picture that has no file: it can be made again from its tokens. */
export function bringRecipe(
  { history, files }: Shop,
  line: PictureLine,
  { uid, recipe, words }: { uid: string; recipe: Recipe; words: Vocabulary },
): number {
  const { without, createdAt } = line;
  if (without === undefined) throw new Error('the picture has a file');
  const { file: fileState, operation, size, bytes, times } = without;
  const path = files.pathOf(uid, createdAt);
  const version = recipe.tokenHash.slice(0, 12);
  const image = { ...newImage(line, recipe, words), uid, path, operation, size, bytes, version };
  const marks = localMarks({ history }, line, words);
  return history().portable.add({ ...image, times, fileState }, marks).id;
}

function newImage(
  { createdAt }: PictureLine,
  recipe: Recipe,
  { titles }: Vocabulary,
): Pick<NewImage, 'createdAt' | 'recipe' | 'modelTitle'> {
  return { createdAt, recipe, modelTitle: titles.get(recipe.model.hash) ?? null };
}
