import { mkdir, readdir, realpath, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { StudioError } from '#api/errors';
import { verifyCopy } from '#history/backup';
import { takeLock } from '#history/lock';
import { fileError, makeFolder } from '#pictures/files';
import type { Home } from '../home.ts';
import { clearCopy, copyLibrary, type LibraryCopy } from './copy.ts';
import { DATABASE, holdsLibrary, ifFilled, readPlace, writePlace } from './place.ts';
import { unavailable } from './state.ts';

/** What stays free on the new disk. */
const MARGIN = 64 * 2 ** 20;

/** A move of the library to another folder. */
export interface Move {
  readonly home: Home;
  readonly from: string;
  /** Absolute. */
  readonly to: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number, file: string) => void;
  /** Closes the library. Nearly all is copied then; what changed since follows. */
  readonly close: () => Promise<void>;
  /** The copy is the library now, and the old one is still there. Not to be cancelled any more. */
  readonly moved: () => Promise<void>;
  /** Bytes free on the disk of a folder; for tests. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

export interface Moved {
  readonly folder: string;
  /** The old folder, when something is left in it. */
  readonly left: string | null;
}

/**
 * Moves a library: copies it, verifies every byte, and then writes down its new place, at once.
 * Until then the old library is untouched and is the library; from then on the copy is. Whatever
 * fails or is cancelled before leaves the old one, and nothing of the copy.
 */
export async function moveLibrary(move: Move): Promise<Moved> {
  const { home, from, to, signal } = move;
  const known = await readPlace(home);
  const made = await prepare(move, known.unfinished);
  const copy = copyLibrary(from, to, { signal, onProgress: move.onProgress });
  let release: (() => void) | undefined;
  try {
    await checkSpace(move, copy);
    await writePlace(home, { ...known, unfinished: to });
    await copy.pass(false);
    await move.close();
    const locked = takeLock(join(from, DATABASE), move.now);
    if (locked.kind === 'taken') throw unavailable({ kind: 'locked', by: locked.by });
    release = locked.lock.release;
    await copy.pass(true);
    const problem = verifyCopy(join(to, DATABASE));
    if (problem !== null) throw unsound(problem);
    signal.throwIfAborted();
    await writePlace(home, { folder: to, left: from, unfinished: null });
  } catch (error) {
    release?.();
    await clearCopy(from, to).catch(() => undefined);
    if (made) await rmdir(to).catch(() => undefined);
    await writePlace(home, { ...known, unfinished: await ifFilled(to) }).catch(() => undefined);
    throw signal.aborted ? cancelled() : error;
  }
  try {
    await move.moved();
    await copy.removeSource();
  } catch {
    // The copy is the library: what cannot be removed stays, and is named.
  } finally {
    release();
  }
  await rm(join(from, `${DATABASE}.lock`), { force: true }).catch(() => undefined);
  await rmdir(from).catch(() => undefined);
  const left = await ifFilled(from);
  // It says so already, unless the old folder is empty now.
  await writePlace(home, { folder: to, left, unfinished: null }).catch(() => undefined);
  return { folder: to, left };
}

/** Checks the new folder and makes it; whether it was not there before. */
async function prepare(move: Move, unfinished: string | null): Promise<boolean> {
  const { from, to } = move;
  if (!isAbsolute(to)) throw refused(`${to} is not a whole path; name the folder from its root`);
  const parent = await realpath(dirname(to)).catch(() => null);
  if (parent === null) {
    throw refused(`${dirname(to)} is not there; connect its drive, or make that folder first`);
  }
  const [old, place] = [
    await realpath(from),
    await realpath(to).catch(() => join(parent, basename(to))),
  ];
  if (place === old) throw refused('that is where the library is');
  if (isInside(place, old)) throw refused(`${to} is inside the library; choose another folder`);
  for (const own of [move.home.cache, move.home.models]) {
    const folder = await realpath(own).catch(() => own);
    if (place === folder || isInside(place, folder)) {
      throw refused(`${own} is for other things of RCG Studio; choose another folder`);
    }
  }
  if (unfinished !== null) await clearUnfinished(from, unfinished);
  const found = await stat(to).catch(() => null);
  if (found === null) {
    await mkdir(to).catch((error: unknown) => {
      throw withField(fileError(error, 'make', to));
    });
    return true;
  }
  if (!found.isDirectory()) throw refused(`${to} is a file; name a folder`);
  if (await holdsLibrary(to)) {
    throw refused(
      `there is a library in ${to} already, which is left alone; choose another folder`,
    );
  }
  const [first] = await readdir(to).catch((error: unknown) => {
    throw withField(fileError(error, 'read', to));
  });
  if (first !== undefined) {
    throw refused(`${to} is not empty: it holds ${first}; name a new folder in it`);
  }
  await makeFolder(to, 'folder');
  return false;
}

/** The half copy of a move that was killed goes; one with a record is whole, and is not ours to judge. */
async function clearUnfinished(from: string, unfinished: string): Promise<void> {
  const record = await stat(join(unfinished, DATABASE)).catch(() => undefined);
  if (record === undefined) await clearCopy(from, unfinished).catch(() => undefined);
}

async function checkSpace(move: Move, copy: LibraryCopy): Promise<void> {
  const needed = (await copy.size()) + MARGIN;
  const free = await (move.freeBytes ?? freeBytes)(move.to);
  if (free >= needed) return;
  const mega = (bytes: number): number => Math.ceil(bytes / 1e6);
  throw new StudioError(
    'disk-full',
    `The library needs ${mega(needed)} MB, and ${mega(free)} MB are free in ${move.to}. Nothing was moved; free some space, or choose another disk.`,
    { field: 'folder' },
  );
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function refused(why: string): StudioError {
  return new StudioError('invalid-request', `The library was not moved: ${why}.`, {
    field: 'folder',
  });
}

function withField(error: unknown): unknown {
  if (!(error instanceof StudioError)) return error;
  return new StudioError(error.code, error.message, { cause: error, field: 'folder' });
}

function unsound(problem: string): StudioError {
  return new StudioError(
    'file-unavailable',
    `The copy of the library's record is not sound (${problem}) and was thrown away. The library is where it was; check both disks.`,
  );
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'The library was not moved; it is where it was.');
}
