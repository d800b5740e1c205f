import { basename } from 'node:path';
import type { StoredImage } from '#history/types';
import type { Workshop } from '../workshop.ts';
import { isForeign } from './foreign.ts';

/** Pictures that change their state together: a kill leaves at most so many files to be cleared. */
const AT_ONCE = 64;

/** What became of pictures whose pixels were to be given up. */
export interface Dropped {
  readonly dropped: number;
  /** Bytes that are free again. */
  readonly bytes: number;
  /** Left as they were, because their pixels could not be made again here. */
  readonly kept: number;
}

type Shop = Pick<Workshop, 'history' | 'files' | 'thumbnails' | 'events' | 'library' | 'closing'>;

/** Deletes for good those of the pictures that are in the bin; gives how many. */
export async function purgePictures(shop: Shop, ids: readonly number[]): Promise<number> {
  return discard(shop, shop.history().bin.purgeThese(ids));
}

/** Deletes the files of rows that are gone. What a kill leaves of it is deleted at the next start. */
export async function discard(
  { history, files, thumbnails, events }: Omit<Shop, 'library' | 'closing'>,
  { ids, paths }: { readonly ids: readonly number[]; readonly paths: readonly string[] },
): Promise<number> {
  await files.remove(paths);
  history().bin.filesDeleted(paths);
  // A file is called by its picture's uid, as its thumbnail is.
  await thumbnails.remove(paths.map((path) => basename(path, '.png')));
  if (ids.length > 0) events.publish({ kind: 'images', ids: null });
  return ids.length;
}

/**
 * Gives up the PNGs of pictures and keeps the rest: recipe, tokens, thumbnail, marks. Only of those
 * that can be made again here: not of pictures from elsewhere, whose tokens are an approximation,
 * and not where the model's weights are missing. The row says so before the file goes.
 */
export async function dropPixels(shop: Shop, ids: readonly number[]): Promise<Dropped> {
  const { history, files } = shop;
  const able = makersOf(shop);
  let bytes = 0;
  let dropped = 0;
  let kept = 0;
  const rows = history()
    .images.rows(ids)
    .filter((row) => row.file === 'present');
  for (let first = 0; first < rows.length && !shop.closing.aborted; first += AT_ONCE) {
    const going: StoredImage[] = [];
    for (const { id } of rows.slice(first, first + AT_ONCE)) {
      const image = history().images.get(id);
      if (isForeign(image) || !(await able(image))) kept++;
      else going.push(image);
    }
    // Afterwards there is nothing left to make them from. One that cannot be made is not missed.
    for (const image of going) await shop.thumbnails.get(image).catch(() => undefined);
    const paths = history().images.dropFiles(going.map(({ id }) => id));
    await files.remove(paths);
    history().bin.filesDeleted(paths);
    dropped += going.length;
    bytes += going.reduce((sum, image) => sum + image.bytes, 0);
    if (going.length > 0) shop.events.publish({ kind: 'images', ids: going.map(({ id }) => id) });
  }
  return { dropped, bytes, kept };
}

/** Whether the model that made a picture is installed; each model is looked for once. */
function makersOf({ library }: Pick<Shop, 'library'>) {
  const known = new Map<string, Promise<boolean>>();
  return ({ recipe: { model } }: StoredImage): Promise<boolean> => {
    const found =
      known.get(model.hash) ??
      library.findMaker(model).then(
        () => true,
        () => false,
      );
    known.set(model.hash, found);
    return found;
  };
}
