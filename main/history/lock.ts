import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import Sqlite from 'better-sqlite3';
import { errorCode } from './errors.ts';

// One studio owns a library. The lock is the operating system's own, held on `<database>.lock`
// through SQLite: it ends with its process, however that ends, so a stale lock cannot exist and no
// two starts can take over the same one. `<database>.owner` only says who holds it; being there
// without the lock, it is a leftover. Nothing else may open `.lock`: on POSIX systems closing any
// handle of a file gives up its process's locks.

/** The lock of a library, held by this process. */
export interface Lock {
  /** The holder before did not close the library: it was killed, or the power went. */
  readonly afterCrash: boolean;
  release(): void;
}

export type LockResult =
  { readonly kind: 'held'; readonly lock: Lock } | { readonly kind: 'taken'; readonly by: string };

/** Locks that are held: one that nobody refers to any more must not end with its handle's memory. */
const held = new Set<Sqlite.Database>();

/** Takes the lock of a database file, without waiting. System and SQLite errors pass through. */
export function takeLock(file: string, now: () => number): LockResult {
  const owner = `${file}.owner`;
  const guard = new Sqlite(`${file}.lock`, { timeout: 0 });
  try {
    guard.pragma('journal_mode = MEMORY');
    guard.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    guard.close();
    if (errorCode(error)?.startsWith('SQLITE_BUSY') !== true) throw error;
    return { kind: 'taken', by: readOwner(owner) ?? 'another program' };
  }
  const afterCrash = readOwner(owner) !== undefined;
  try {
    const who = { pid: process.pid, host: hostname(), since: new Date(now()).toISOString() };
    writeFileSync(owner, `${JSON.stringify(who)}\n`);
  } catch {
    // It only says who we are: on a full disk the lock is held all the same.
  }
  held.add(guard);
  const release = (): void => {
    if (!held.delete(guard)) return;
    try {
      rmSync(owner, { force: true });
    } catch {
      // The next start takes it for the trace of a kill, and compares files and rows.
    }
    guard.close();
  };
  return { kind: 'held', lock: { afterCrash, release } };
}

/** Who holds the lock, in words; undefined when the file is not there. */
function readOwner(owner: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(owner, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    return 'another program';
  }
  try {
    const who: unknown = JSON.parse(text);
    if (typeof who === 'object' && who !== null && 'pid' in who && 'since' in who) {
      const host = 'host' in who && who.host !== hostname() ? ` on ${String(who.host)}` : '';
      return `process ${String(who.pid)}${host}, started ${String(who.since)}`;
    }
  } catch {
    // Half written by a start that was killed: it says nothing more than that it was there.
  }
  return 'another program';
}
