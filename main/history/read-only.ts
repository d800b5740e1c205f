import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { errorCode } from './errors.ts';
import {
  asDamage,
  BUSY_TIMEOUT,
  inspect,
  newer,
  openBytes,
  versionOf,
  type Inspected,
  type Unusable,
} from './inspect.ts';

// Opening for looking only. Nothing beside the database is made or changed: what a look needs (a
// log's index, a newer format) is made in memory, from a copy.

/**
 * Opens a database for reading, whatever lies beside it: a log that was never written back, in a
 * folder where nothing can be made; an older format, which is brought up to date in memory; and,
 * where that is accepted, a newer one that still has all that is known here.
 */
export function openForReading(
  inspected: Inspected,
  format: readonly string[],
): { readonly database: Database } | Unusable {
  try {
    const database = openFile(inspected.file, inspected.detached === true);
    try {
      const problem = inspect(database, inspected);
      if (problem !== null) throw new Stop(problem);
      const version = versionOf(database);
      if (version > inspected.latest && !hasAll(database, format)) {
        throw new Stop(newer(inspected.file, version));
      }
      if (version >= inspected.latest) return { database };
      const current = upgraded(database, format);
      database.close();
      return { database: current };
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof Stop) return error.problem;
    const problem = asDamage(error, inspected);
    if (problem !== null) return problem;
    throw error;
  }
}

/** A reason to stop on the way, with the database still to be closed. */
class Stop extends Error {
  readonly problem: Unusable;
  constructor(problem: Unusable) {
    super(problem.state.kind);
    this.problem = problem;
  }
}

function openFile(file: string, detached: boolean): Database {
  if (detached) return openCopy(file);
  const database = new Sqlite(file, { readonly: true, timeout: BUSY_TIMEOUT, fileMustExist: true });
  try {
    versionOf(database);
    return database;
  } catch (error) {
    database.close();
    const code = errorCode(error) ?? '';
    // A read-only folder has no place for the log's index.
    if (!code.startsWith('SQLITE_CANTOPEN') && !code.startsWith('SQLITE_READONLY')) throw error;
    return openCopy(file);
  }
}

function openCopy(file: string): Database {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  return openBytes(log === 0 ? readFileSync(file) : withLog(file));
}

/** The content of a database with the changes of its log, worked in elsewhere. */
function withLog(file: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'rcg-studio-look-'));
  try {
    const copy = join(folder, 'library.db');
    for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, `${copy}${end}`);
    const database = new Sqlite(copy);
    try {
      database.pragma('journal_mode = DELETE');
    } finally {
      database.close();
    }
    return readFileSync(copy);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A copy in memory, in the format that is known here. */
function upgraded(database: Database, format: readonly string[]): Database {
  const copy = openBytes(database.serialize(), { readonly: false });
  try {
    for (const sql of format.slice(versionOf(copy))) copy.exec(sql);
    copy.pragma(`user_version = ${format.length}`);
    return openBytes(copy.serialize());
  } finally {
    copy.close();
  }
}

/** Whether a database has every table and column of a format. */
function hasAll(database: Database, format: readonly string[]): boolean {
  const known = new Sqlite(':memory:');
  try {
    for (const sql of format) known.exec(sql);
    const there = new Set(columnsOf(database));
    return columnsOf(known).every((column) => there.has(column));
  } finally {
    known.close();
  }
}

function columnsOf(database: Database): readonly string[] {
  return database
    .prepare<[], string>(
      `SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
      WHERE t.type = 'table'`,
    )
    .pluck()
    .all();
}
