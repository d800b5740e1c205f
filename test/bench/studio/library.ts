import { link, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backUp } from '#history/backup';
import { openDatabase } from '#history/database';
import { createHistory, type History } from '#history/history';
import { openImageFiles } from '#pictures/image-files';
import { encodePng } from '#pictures/pictures';
import { openThumbnails, type Pictured } from '#pictures/thumbnails';
import { openSettings } from '#studio/settings';
import { imageOf, representationOf, scramble, seedLibrary } from '../../helpers/library.ts';

/** A word that two pictures of a seeded library have in their notes. */
export const RARE = 'lighthouse';
/** Different files; all others are further names of these, which no reader can tell. */
const FILES = 128;
const EDGE = 256;
/** A file system is asked for this many names at once. */
const AT_ONCE = 256;

/** A library that is open for measuring. */
export interface OpenLibrary {
  readonly history: History;
  close(): void;
}

/** Opens the history of a library folder, as the studio does. */
export function openHistory(folder: string): OpenLibrary {
  const { database, close } = open(folder);
  return { history: createHistory(database, { now: () => Date.now() }), close };
}

function open(folder: string) {
  const now = () => Date.now();
  const opened = openDatabase(join(folder, 'library.db'), { now, appVersion: 'bench' });
  if (opened.state.kind !== 'open' || opened.database === null) {
    throw new Error(`The library opened as ${opened.state.kind}.`);
  }
  return opened;
}

/** Makes a library with pictures, thumbnails and a backup, as one that is in use has. */
export async function buildLibrary(folder: string, count: number): Promise<void> {
  const files = openImageFiles(folder);
  const places = Array.from({ length: count }, (_, i) => placeOf(files, i));
  const { database, close } = open(folder);
  try {
    const history = seedLibrary(database, count, (i) => places[i] ?? {});
    const { images, changes } = history;
    // Nothing is deleted for good while it is measured, and every preview that can be had is.
    openSettings(history).change({ binDays: 3650, previews: 'every', language: 'en' });
    const sort = { by: 'createdAt', descending: true } as const;
    const { ids } = images.search({ filter: {}, sort });
    changes.update({ ids: ids.slice(-2), note: `The ${RARE} of the island` });
    await backUp(database, join(folder, 'backups'), { now: () => Date.now(), keep: 1 });
  } finally {
    close();
  }

  const thumbnails = openThumbnails(files);
  const nameOf = ({ uid, version }: Pictured) =>
    join(folder, 'thumbs', uid.slice(0, 2), `${uid}-${version}.webp`);
  const originals = places.slice(0, FILES);
  for (const [i, place] of originals.entries()) {
    await files.write(place.path, await encodePng(pattern(i), []));
    await thumbnails.get(place, 256);
  }
  await Promise.all(
    [...new Set(places.map(({ path }) => dirname(files.absolute(path))))].map((month) =>
      mkdir(month, { recursive: true }),
    ),
  );
  for (let first = FILES; first < count; first += AT_ONCE) {
    const names = places.slice(first, first + AT_ONCE).flatMap((place, at) => {
      const original = originals[(first + at) % originals.length] ?? place;
      return [
        link(files.absolute(original.path), files.absolute(place.path)),
        link(nameOf(original), nameOf(place)),
      ];
    });
    await Promise.all(names);
  }
}

function placeOf(files: ReturnType<typeof openImageFiles>, i: number): Pictured {
  const { uid, createdAt, version } = imageOf(i);
  return { uid, version, path: files.pathOf(uid, createdAt) };
}

/** A picture of its own for each number, about as hard to compress as a painted one. */
export function pattern(i: number) {
  const values = representationOf(i);
  const data = new Uint8Array(EDGE * EDGE * 3);
  for (let at = 0; at < data.length; at++) {
    const [x, y] = [Math.floor(at / 3) % EDGE, Math.floor(at / 3 / EDGE)];
    const patch = (values[(y >> 4) * 16 + (x >> 4)] ?? 0) * 60;
    data[at] = 128 + patch + 40 * Math.sin((x + y * (1 + (at % 3))) / 9) + (scramble(at) % 12);
  }
  return { width: EDGE, height: EDGE, data };
}
