import { copyFileSync, constants, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StudioError } from '#api/errors';
import { flush, flushFolder, verifyCopy } from './backup.ts';
import { historyError } from './errors.ts';
import { takeLock } from './lock.ts';

/** What became of a damaged database. */
export interface Restored {
  /** Where the damaged one is kept; null when there was none left. */
  readonly kept: string | null;
}

/**
 * Puts a backup in the place of a damaged or lost database, which is kept beside it under a name with the
 * date; without a backup the place is left empty, for a new one. Killed at any moment, the damaged
 * database is still there, or the backup is in its place.
 */
export function restoreBackup(
  file: string,
  backup: string | null,
  { now }: { readonly now: () => number },
): Restored {
  const locked = takeLock(file, now);
  if (locked.kind === 'taken') {
    throw new StudioError(
      'library-unavailable',
      `The library is in use by ${locked.by}. Nothing was changed; close the other RCG Studio first.`,
    );
  }
  const temporary = `${file}.restored.tmp`;
  try {
    if (backup !== null) copyVerified(backup, temporary);
    const date = new Date(now()).toISOString().replace(/[:.]/g, '-');
    const there = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
    const kept = join(dirname(file), `library-damaged-${date}.db`);
    if (there) keep(file, kept);
    else keepLog(file, kept);
    if (backup === null) rmSync(file, { force: true });
    else renameSync(temporary, file);
    flushFolder(dirname(file));
    return { kept: there ? kept : null };
  } catch (error) {
    throw historyError(error);
  } finally {
    rmSync(temporary, { force: true });
    locked.lock.release();
  }
}

function copyVerified(backup: string, to: string): void {
  rmSync(to, { force: true });
  copyFileSync(backup, to, constants.COPYFILE_EXCL);
  flush(to);
  const problem = verifyCopy(to);
  if (problem === null) return;
  throw new StudioError(
    'library-unavailable',
    `The backup ${backup} is damaged too (${problem}). Nothing was changed and the pictures are safe; look for another backup.`,
  );
}

/** Gives a database a second name, and its log that name too. Nothing that is there is replaced. */
function keep(file: string, kept: string): void {
  try {
    linkSync(file, kept);
  } catch {
    // Some disks know no second names.
    copyFileSync(file, kept, constants.COPYFILE_EXCL);
  }
  keepLog(file, kept);
}

/** The log goes before the backup comes: SQLite would work it into whatever bears the name. */
function keepLog(file: string, kept: string): void {
  if (statSync(`${file}-wal`, { throwIfNoEntry: false })) renameSync(`${file}-wal`, `${kept}-wal`);
  rmSync(`${file}-shm`, { recursive: true, force: true });
}
