import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StudioError } from '#api/errors';
import { fileError, makeFolder, readWhole, syncFolder, systemCode, writeAtomic } from './files.ts';
import { isWholePng } from './png.ts';

/** Largest picture file that the library takes. */
export const MAX_IMAGE_BYTES = 100 * 2 ** 20;
/** A picture is not begun when less is free: room for it, the database's log and a little more. */
const MIN_FREE_BYTES = 32 * 2 ** 20;
const IMAGES = 'images';
const QUARANTINE = 'quarantine';
/** What a picture of the library is called, relative to the library's folder. */
export const IMAGE_PATH = /^images\/\d{4}-\d{2}\/[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.png$/;
/** Folders inside `images` that a scan looks into, each inside the other. */
const MAX_DEPTH = 8;
/** What `writeAtomic` calls files that are not finished. */
const UNFINISHED = /^\..*\.tmp$/;

/**
 * What a look at a picture's file finds. `unread`: the system did not let us read it, and it may be
 * whole.
 */
export type Found = 'whole' | 'damaged' | 'gone' | 'unread';

/** A file on the disk, whole. */
export interface SavedFile {
  readonly bytes: number;
  /** Changes with the content. */
  readonly version: string;
}

/** The picture files of a library's folder. Paths are relative to it, with `/`. */
export interface ImageFiles {
  readonly folder: string;
  /** `images/<yyyy-mm>/<uid>.png`; the month is of UTC, so that it never depends on the place. */
  pathOf(uid: string, createdAt: number): string;
  /** Refuses, as `file-unavailable`, what is no picture's place. */
  absolute(path: string): string;
  /** Writes whole or not at all; the file is on the disk when this resolves. */
  write(path: string, png: Uint8Array): Promise<SavedFile>;
  /** A StudioError `file-unavailable` when it is not there, too large or not to be read. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads it to its end. */
  check(path: string): Promise<Found>;
  /** Deletes; what is not there any more is fine. */
  remove(paths: readonly string[]): Promise<void>;
  /** Refuses, as `disk-full`, to begin what may not fit. */
  checkSpace(): Promise<void>;
  /** Bytes that this account may still write to the library's disk. */
  freeBytes(): Promise<number>;
  /**
   * Every file under `images`, wherever a person put it, and those that a kill left unfinished. Links
   * to folders are followed only where months are, as of a year on another disk.
   */
  scan(): Promise<{ readonly paths: readonly string[]; readonly unfinished: readonly string[] }>;
  /** Reads what a scan found. */
  readFound(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Moves what a scan found to its place; false when something is there, and nothing was moved. */
  settle(found: string, path: string): Promise<boolean>;
  /** Moves a file that nobody can make sense of out of the way; gives its new place. */
  quarantine(path: string, name: string): Promise<string>;
}

/**
 * The files of a library's folder, which need not be there yet.
 * @param minFreeBytes below this `checkSpace` refuses
 */
export function openImageFiles(folder: string, minFreeBytes = MIN_FREE_BYTES): ImageFiles {
  const made = new Set<string>();
  const absolute = (path: string): string => {
    // A row may come from a database that something else wrote: it must not lead out of the folder.
    if (!IMAGE_PATH.test(path)) {
      throw new StudioError('file-unavailable', `${path} is not a place for a picture.`);
    }
    return join(folder, path);
  };
  const freeBytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  };

  return {
    folder,
    absolute,
    freeBytes,
    pathOf: (uid, createdAt) =>
      `${IMAGES}/${new Date(createdAt).toISOString().slice(0, 7)}/${uid}.png`,
    async write(path, png) {
      const file = absolute(path);
      const parent = dirname(file);
      if (!made.has(parent)) {
        await makeFolder(parent);
        // The folder's own name has to last too.
        await syncFolder(dirname(parent));
        await syncFolder(folder);
        made.add(parent);
      }
      try {
        await writeAtomic(file, png);
      } catch (error) {
        // Someone may have moved the folder away: the next write makes it again.
        made.delete(parent);
        throw error;
      }
      return savedFile(png);
    },
    read: (path) => readWhole(absolute(path), MAX_IMAGE_BYTES),
    async check(path) {
      try {
        const bytes = await readWhole(absolute(path), MAX_IMAGE_BYTES);
        return isWholePng(bytes) ? 'whole' : 'damaged';
      } catch (error) {
        const code = systemCode(error instanceof StudioError ? error.cause : error);
        return code === undefined || code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : 'unread';
      }
    },
    async remove(paths) {
      for (const path of paths) {
        if (!IMAGE_PATH.test(path)) continue;
        await rm(absolute(path), { force: true }).catch((error: unknown) => {
          throw fileError(error, 'delete', path);
        });
      }
    },
    async checkSpace() {
      const free = await freeBytes().catch(() => Infinity);
      if (free >= minFreeBytes) return;
      throw new StudioError(
        'disk-full',
        `The disk with the library is full: ${Math.floor(free / 1e6)} MB are free. The queue is paused and nothing was cut short; free some space, then resume.`,
      );
    },
    async scan() {
      const paths: string[] = [];
      const unfinished: string[] = [];
      const look = async (inside: string, depth: number): Promise<void> => {
        for (const entry of await entries(join(folder, inside))) {
          const path = `${inside}/${entry.name}`;
          const month = depth === 0 && entry.isSymbolicLink();
          if (entry.isDirectory() || (month && (await isFolder(join(folder, path))))) {
            if (depth < MAX_DEPTH) await look(path, depth + 1);
          } else if (UNFINISHED.test(entry.name)) unfinished.push(join(folder, path));
          else paths.push(path);
        }
      };
      await look(IMAGES, 0);
      return { paths, unfinished };
    },
    readFound: (path) => readWhole(join(folder, path), MAX_IMAGE_BYTES),
    async settle(found, path) {
      const from = join(folder, found);
      const to = absolute(path);
      await makeFolder(dirname(to));
      // Nobody else writes here: the library is ours alone.
      if (await lstat(to).catch(() => null)) return false;
      try {
        await rename(from, to);
      } catch (error) {
        throw fileError(error, 'move', from);
      }
      await syncFolder(dirname(to));
      await syncFolder(dirname(from));
      return true;
    },
    async quarantine(path, name) {
      const to = join(folder, QUARANTINE, name);
      try {
        await mkdir(join(folder, QUARANTINE), { recursive: true });
        await rename(join(folder, path), to);
      } catch (error) {
        throw fileError(error, 'move', path);
      }
      return to;
    },
  };
}

/** What the library notes of these bytes. */
export function savedFile(png: Uint8Array): SavedFile {
  const version = createHash('sha256').update(png).digest('hex').slice(0, 12);
  return { bytes: png.length, version };
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** What is in a folder, in the order of names; nothing when there is no such folder. */
async function entries(folder: string): Promise<readonly Dirent[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw fileError(error, 'read', folder);
  }
}

/** When a file was last written, in milliseconds since 1970. */
export async function fileTime(file: string): Promise<number> {
  const { mtimeMs } = await stat(file);
  return Math.max(0, Math.floor(mtimeMs));
}
