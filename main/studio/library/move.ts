import { rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText, type Reason } from '#api/reasons';
import { verifyCopy } from '#history/backup';
import { takeLock } from '#history/lock';
import type { Home } from '../home.ts';
import { clearCopy, copyLibrary, RECORD_COPY } from './copy.ts';
import { checkFits, checkPlace, makeNewFolder } from './new-folder.ts';
import { DATABASE, ifFilled, readPlace, writePlace } from './place.ts';
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
  const place = { work: 'move', home, from, to } as const;
  await checkPlace(place);
  if (known.unfinished !== null) await clearUnfinished(from, known.unfinished);
  const made = await makeNewFolder(place);
  const copy = copyLibrary(from, to, { signal, onProgress: move.onProgress });
  let release: (() => void) | undefined;
  try {
    await checkFits(place, (await copy.size()) + MARGIN, await move.freeBytes?.(to));
    await writePlace(home, { ...known, unfinished: to });
    await copy.pass(false);
    await move.close();
    const locked = takeLock(join(from, DATABASE), move.now);
    if (locked.kind === 'taken') throw unavailable({ kind: 'locked', by: locked.by });
    release = locked.lock.release;
    await copy.pass(true);
    const problem = verifyCopy(join(to, RECORD_COPY));
    if (problem !== null) throw unsound(problem);
    signal.throwIfAborted();
    move.onTurn();
    await copy.turn();
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

/** The half copy of a move that was killed goes; one with a record is whole, and is not ours to judge. */
async function clearUnfinished(from: string, unfinished: string): Promise<void> {
  const record = await stat(join(unfinished, DATABASE)).catch(() => undefined);
  if (record === undefined) await clearCopy(from, unfinished).catch(() => undefined);
}

function unsound(problem: string): StudioError {
  const reason: Reason = { code: 'move-unsound', values: { problem } };
  return new StudioError('file-unavailable', reasonText(reason), { reason });
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'The library was not moved; it is where it was.');
}
