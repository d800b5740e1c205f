import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { StudioError } from '#api/errors';
import { historyError } from './errors.ts';
import { APPLICATION_ID } from './migrations.ts';

/** A verified copy of the database. */
export interface Backup {
  readonly file: string;
  readonly at: number;
}

const DAY = 24 * 60 * 60 * 1000;
/** Beside the newest, the last one of each of so many weeks and months is kept. */
const OLDER = { weeks: 4, months: 4 };

const NAME = /^library-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z\.db$/;
const temporaryName = (name: string): string => `.${name}.tmp`;
const TEMPORARY = /^\.library-.*\.tmp(-journal|-wal|-shm)?$/;

/** `library-2026-11-23T09-30-00-000Z.db`: sorts by date, and is a name on every system. */
function backupName(at: number): string {
  return `library-${new Date(at).toISOString().replace(/[:.]/g, '-')}.db`;
}

/** The backups in a folder, newest first; none when the folder is not there. */
export function listBackups(folder: string): readonly Backup[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .flatMap((name) => {
      const [, day, hour, minute, second, milli] = NAME.exec(name) ?? [];
      const at = Date.parse(`${day}T${hour}:${minute}:${second}.${milli}Z`);
      return Number.isNaN(at) ? [] : [{ file: join(folder, name), at }];
    })
    .sort((a, b) => b.at - a.at);
}

/**
 * The newest backup that is whole; null when there is none. One that is dated later than `now` was
 * made when a clock ran ahead, so it comes after those that are not.
 */
export function wholeBackup(folder: string, now: number): Backup | null {
  const [ahead, past] = parted(listBackups(folder), now);
  return [...past, ...ahead].find(({ file }) => verifyCopy(file) === null) ?? null;
}

/** The newest backup as the clock has it now: one from a clock that ran ahead says nothing. */
export function latestBackup(folder: string, now: number): Backup | null {
  return parted(listBackups(folder), now)[1][0] ?? null;
}

function parted(backups: readonly Backup[], now: number): readonly [Backup[], Backup[]] {
  return [backups.filter(({ at }) => at > now), backups.filter(({ at }) => at <= now)];
}

/**
 * Those that are kept: the newest `keep`, and of older ones the last of each week and month, so that
 * days of backups of a library that lost something leave one from before. Newest first.
 */
export function keptBackups(
  backups: readonly Backup[],
  { now, keep }: { readonly now: number; readonly keep: number },
): readonly Backup[] {
  return parted(backups, now).flatMap((some) => {
    const kept = new Set([
      ...some.slice(0, Math.max(1, keep)),
      ...lastOfEach(some, ({ at }) => Math.floor((at / DAY + 3) / 7)).slice(0, OLDER.weeks),
      ...lastOfEach(some, ({ at }) => new Date(at).toISOString().slice(0, 7)).slice(
        0,
        OLDER.months,
      ),
    ]);
    return some.filter((backup) => kept.has(backup));
  });
}

function lastOfEach(
  backups: readonly Backup[],
  spanOf: (backup: Backup) => number | string,
): readonly Backup[] {
  const spans = backups.map(spanOf);
  return backups.filter((_, i) => spans.indexOf(spans[i] ?? '') === i);
}

/**
 * Copies the open database while it goes on working, verifies the copy, gives it its name, and then
 * deletes those that need not be kept. A copy that fails leaves nothing and no older one is touched.
 * One at a time.
 */
export async function backUp(
  database: Database,
  folder: string,
  { now, keep }: { readonly now: () => number; readonly keep: number },
): Promise<Backup> {
  const at = now();
  const temporary = startCopy(folder, at);
  try {
    await database.backup(temporary);
    return finishCopy(folder, at, keep);
  } catch (error) {
    discard(temporary);
    throw historyError(error);
  }
}

/** The same at once, before a change of the format. */
export function backUpNow(database: Database, folder: string, at: number): Backup {
  const temporary = startCopy(folder, at);
  try {
    database.prepare('VACUUM INTO ?').run(temporary);
    return finishCopy(folder, at, Infinity);
  } catch (error) {
    discard(temporary);
    throw historyError(error);
  }
}

/** Clears what copies that were killed left; only while none is being made. */
export function clearCopies(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      if (TEMPORARY.test(name)) rmSync(join(folder, name), { force: true });
    }
  } catch {
    // No folder, or none that may be written to: then nothing is in the way.
  }
}

function startCopy(folder: string, at: number): string {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    const error = historyError(cause);
    if (error instanceof StudioError) throw error;
    throw new StudioError(
      'file-unavailable',
      `Backups cannot be written to ${folder}. The library itself is safe; change the folder's permissions.`,
      { cause },
    );
  }
  return join(folder, temporaryName(backupName(at)));
}

function finishCopy(folder: string, at: number, keep: number): Backup {
  const name = backupName(at);
  const temporary = join(folder, temporaryName(name));
  const problem = verifyCopy(temporary);
  if (problem !== null) {
    throw new StudioError(
      'file-unavailable',
      `The backup was not written soundly (${problem}) and was thrown away. The library is safe; check the disk.`,
    );
  }
  flush(temporary);
  const file = join(folder, name);
  renameSync(temporary, file);
  flushFolder(folder);
  const all = listBackups(folder);
  const kept = new Set(keptBackups(all, { now: at, keep }));
  for (const old of all) if (!kept.has(old)) rmSync(old.file, { force: true });
  return { file, at };
}

/** What is wrong with a copy of a library, or null. Leaves it a single file. */
export function verifyCopy(file: string): string | null {
  let copy: Database | undefined;
  try {
    copy = new Sqlite(file, { fileMustExist: true });
    copy.pragma('journal_mode = DELETE');
    if (copy.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
      return 'it is not a library of RCG Studio';
    }
    const found = String(copy.pragma('integrity_check(1)', { simple: true }));
    return found === 'ok' ? null : found;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    copy?.close();
  }
}

/** Brings a file's bytes to the disk. */
export function flush(file: string): void {
  const handle = openSync(file, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes the rename itself durable, where the system lets a folder be flushed. */
export function flushFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    fsyncSync(handle);
    closeSync(handle);
  } catch {
    // Windows and some network disks refuse; the file's bytes are safe all the same.
  }
}

function discard(temporary: string): void {
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${temporary}${end}`, { force: true });
}
