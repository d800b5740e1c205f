import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StudioError } from '#api/errors';
import type { LibraryExported } from '#api/library';
import type { PortablePicture, Snapshot } from '#history/snapshot';
import { fileError, makeFolder, syncFolder, writeAtomic } from '#pictures/files';
import { throwIfCancelled, writeHashed } from '#worker/hashing';
import { readOurs } from '../library/adopt.ts';
import { checkFits, checkPlace, makeNewFolder } from '../library/new-folder.ts';
import type { Workshop } from '../workshop.ts';
import {
  DOCUMENT,
  documentBytes,
  documentHeader,
  pictureLineOf,
  settingsLines,
  type DocumentLine,
  type PictureLine,
} from './document.ts';
import { formatManifest, MANIFEST } from './manifest.ts';

/** What stays free on the disk. */
const MARGIN = 64 * 2 ** 20;
/** Of a picture's line, with some to spare. */
const LINE_BYTES = 500;
/** Files that are copied at once: most of the time goes into waiting for the disk. */
const AT_ONCE = 8;

/** How a library's way to another computer is watched and stopped. */
export interface TransferOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  /** Bytes free on the disk that is written to; for tests. */
  readonly freeBytes?: number;
}

type Shop = Pick<
  Workshop,
  'history' | 'files' | 'home' | 'newId' | 'now' | 'settings' | 'software'
>;

/**
 * Writes the whole library into a new folder, as it is now: pictures, and a document of everything
 * that they do not hold. Models stay here. What fails or is cancelled leaves nothing behind.
 */
export async function exportLibrary(
  shop: Shop,
  to: string,
  options: TransferOptions,
): Promise<LibraryExported> {
  const { home, files } = shop;
  const place = { work: 'transfer', home, from: files.folder, to } as const;
  await checkPlace(place);
  const snapshot = shop.history().portable.snapshot();
  try {
    const made = await makeNewFolder(place);
    try {
      const { pictures, bytes } = snapshot.totals();
      const needed = bytes + pictures * LINE_BYTES + MARGIN;
      await checkFits(place, needed, options.freeBytes);
      return await write(shop, { snapshot, pictures, to }, options);
    } catch (error) {
      for (const path of [MANIFEST, DOCUMENT, 'images']) {
        await rm(join(to, path), { recursive: true, force: true }).catch(() => undefined);
      }
      if (made) await rmdir(to).catch(() => undefined);
      throw options.signal.aborted ? cancelled() : error;
    }
  } finally {
    snapshot.close();
  }
}

async function write(
  shop: Shop,
  {
    snapshot,
    pictures,
    to,
  }: { readonly snapshot: Snapshot; readonly pictures: number; readonly to: string },
  { signal, onProgress }: TransferOptions,
): Promise<LibraryExported> {
  const at = shop.now();
  const { software } = shop;
  const folders = new Set<string>();
  let done = 0;
  let copied = 0;
  let bytes = 0;

  const lineOf = async (picture: PortablePicture): Promise<PictureLine> => {
    throwIfCancelled(signal);
    const png = await wholePng(shop, picture);
    if (png === null) return pictureLineOf(picture, { without: withoutFile(snapshot, picture) });
    const path = join(to, picture.path);
    if (!folders.has(dirname(path))) await makeFolder(dirname(path));
    folders.add(dirname(path));
    const file = await writeHashed(path, one(png), { signal }).catch((error: unknown) => {
      throw fileError(error, 'write', path);
    });
    copied++;
    bytes += file.size;
    return pictureLineOf(picture, { file });
  };
  async function* lines(): AsyncGenerator<readonly DocumentLine[]> {
    yield settingsLines(shop.settings.get());
    yield snapshot.models.map((model) => ({ kind: 'model' as const, ...model }));
    yield snapshot.boards.map((name) => ({ kind: 'board' as const, name }));
    yield snapshot.searches.map((search) => ({ kind: 'search' as const, ...search }));
    for (const some of snapshot.read('all')) {
      for (let first = 0; first < some.length; first += AT_ONCE) {
        onProgress(done, pictures);
        const few = some.slice(first, first + AT_ONCE);
        // All of them end before anything is cleared away.
        const settled = await Promise.allSettled(few.map(lineOf));
        yield settled.map((result) => {
          if (result.status === 'rejected') throw result.reason;
          return result.value;
        });
        done += few.length;
      }
    }
  }

  const path = join(to, DOCUMENT);
  const header = documentHeader({ stamp: shop.newId(), software, at });
  const document = await writeHashed(path, documentBytes(header, lines()), { signal }).catch(
    (error: unknown) => {
      throw fileError(error, 'write', path);
    },
  );
  for (const folder of [...folders, join(to, 'images')]) await syncFolder(folder);
  const { boards, searches } = snapshot;
  const counts = {
    pictures: done,
    files: copied,
    boards: boards.length,
    searches: searches.length,
  };
  const about = { software, at, counts, bytes, document: { path: DOCUMENT, ...document } } as const;
  throwIfCancelled(signal);
  await writeAtomic(join(to, MANIFEST), formatManifest(about));
  onProgress(done, pictures);
  return { folder: to, pictures: done, withoutFile: done - copied, bytes };
}

/** The file of a picture, when it is whole and the picture's own. */
async function wholePng({ files }: Shop, picture: PortablePicture): Promise<Uint8Array | null> {
  if (picture.file !== 'present') return null;
  try {
    const bytes = await files.read(picture.path);
    const ours = readOurs(bytes, picture.path);
    return ours?.recipe.tokenHash === picture.tokenHash ? bytes : null;
  } catch {
    // Gone, damaged, or not to be read: its recipe goes along, and it can be made again from that.
    return null;
  }
}

/** What the file of a picture would say, for one that has none. */
export function withoutFile(
  snapshot: Pick<Snapshot, 'recipe'>,
  { id, file, operation, size, bytes, times }: PortablePicture,
): NonNullable<PictureLine['without']> {
  const state = file === 'dropped' ? 'dropped' : 'missing';
  return { file: state, recipe: snapshot.recipe(id), operation, size, bytes, times };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'The library was not exported, and nothing is left of it.');
}
