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
  /** Not in the library any more: deleted for good before their turn came. */
  readonly gone: number;
}

type Shop = Pick<
  Workshop,
  'history' | 'files' | 'thumbnails' | 'settings' | 'events' | 'library' | 'closing'
>;

/** Deletes for good those of the pictures that are in the bin; gives how many. */
export async function purgePictures(shop: Shop, ids: readonly number[]): Promise<number> {
  return discard(shop, shop.history().bin.purgeThese(ids));
}

/** Deletes the files of rows that are gone. What a kill leaves of it is deleted at the next start. */
export async function discard(
  { history, files, thumbnails, events }: Omit<Shop, 'library' | 'closing' | 'settings'>,
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
  const { found, gone } = still(shop, ids);
  const rows = found.filter((row) => row.file === 'present').map(({ id }) => id);
  const able = makersOf(shop);
  let all: Dropped = { dropped: 0, bytes: 0, kept: 0, gone };
  for (let first = 0; first < rows.length && !shop.closing.aborted; first += AT_ONCE) {
    const some = await dropSome(shop, rows.slice(first, first + AT_ONCE), able);
    all = {
      dropped: all.dropped + some.dropped,
      bytes: all.bytes + some.bytes,
      kept: all.kept + some.kept,
      gone: all.gone + some.gone,
    };
  }
  return all;
}

async function dropSome(
  shop: Shop,
  ids: readonly number[],
  able: ReturnType<typeof makersOf>,
): Promise<Dropped> {
  const { history, files } = shop;
  const going: StoredImage[] = [];
  let kept = 0;
  let gone = 0;
  for (const id of ids) {
    // Each one takes its time, and others are deleted meanwhile.
    if (still(shop, [id]).gone > 0) {
      gone++;
      continue;
    }
    const image = history().images.get(id);
    if (isForeign(image) || !(await able(image))) kept++;
    else going.push(image);
  }
  // Afterwards there is nothing left to make them from. One that cannot be made is not missed.
  const { thumbnailEdge } = shop.settings.get();
  for (const image of going) {
    await shop.thumbnails.get(image, thumbnailEdge).catch(() => undefined);
  }
  const chosen = going.map(({ id }) => id);
  gone += still(shop, chosen).gone;
  const paths = history().images.dropFiles(chosen);
  await files.remove(paths);
  history().bin.filesDeleted(paths);
  const given = going.filter(({ path }) => paths.includes(path));
  if (given.length > 0) shop.events.publish({ kind: 'images', ids: given.map(({ id }) => id) });
  const bytes = given.reduce((sum, image) => sum + image.bytes, 0);
  return { dropped: given.length, bytes, kept, gone };
}

/** The rows of those pictures that are in the library now, each once, and how many are not. */
function still({ history }: Pick<Shop, 'history'>, ids: readonly number[]) {
  const asked = [...new Set(ids)];
  const found = history().images.rows(asked);
  return { found, gone: asked.length - found.length };
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
