import { mkdir, readdir, realpath, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText, type Reason, type ReasonCode } from '#api/reasons';
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
  /** The copy becomes the library next: from now on nothing is cancelled. */
  readonly onTurn: () => void;
  /** The copy is the library now, and the old one is still there. */
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
    move.onTurn();
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
  if (!isAbsolute(to)) throw refused('move-no-whole-path', { folder: to });
  const parent = await realpath(dirname(to)).catch(() => null);
  if (parent === null) {
    throw refused('move-no-parent', { folder: dirname(to) });
  }
  const [old, place] = [
    await realpath(from),
    await realpath(to).catch(() => join(parent, basename(to))),
  ];
  if (place === old) throw refused('move-same', {});
  if (isInside(place, old)) throw refused('move-inside', { folder: to });
  for (const own of [move.home.cache, move.home.models]) {
    const folder = await realpath(own).catch(() => own);
    if (place === folder || isInside(place, folder)) {
      throw refused('move-own-folder', { folder: own });
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
  if (!found.isDirectory()) throw refused('move-to-file', { folder: to });
  if (await holdsLibrary(to)) {
    throw refused('move-other-library', { folder: to });
  }
  const [first] = await readdir(to).catch((error: unknown) => {
    throw withField(fileError(error, 'read', to));
  });
  if (first !== undefined) {
    throw refused('move-not-empty', { folder: to, first });
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
  const values = { needed: mega(needed), free: mega(free), folder: move.to };
  const reason: Reason = { code: 'move-no-space', values };
  throw new StudioError('disk-full', reasonText(reason), { field: 'folder', reason });
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function refused(code: ReasonCode, values: Reason['values']): StudioError {
  const reason = { code, values };
  return new StudioError('invalid-request', reasonText(reason), { field: 'folder', reason });
}

function withField(error: unknown): unknown {
  if (!(error instanceof StudioError)) return error;
  const { code, message, reason } = error;
  return new StudioError(code, message, { cause: error, field: 'folder', reason });
}

function unsound(problem: string): StudioError {
  const reason: Reason = { code: 'move-unsound', values: { problem } };
  return new StudioError('file-unavailable', reasonText(reason), { reason });
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'The library was not moved; it is where it was.');
}
