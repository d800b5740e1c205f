import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import type { ReasonCode } from '#api/reasons';
import type { LibraryState } from '#api/library';
import { wholeBackup } from './backup.ts';
import { errorCode } from './errors.ts';
import { APPLICATION_ID } from './migrations.ts';

const HEADER_SIZE = 100;
const MAGIC = 'SQLite format 3\0';
/** Milliseconds to wait for another program that looks into the database. */
export const BUSY_TIMEOUT = 5000;
/** Where the header says that changes go to a log, which a copy in memory has not. */
const LOG_FLAGS = { at: 18, length: 2, none: 1 };

type StateOf<K extends LibraryState['kind']> = Extract<LibraryState, { readonly kind: K }>;

/** Why a library is not used. Nothing of it has been changed. */
export interface Unusable {
  readonly state: StateOf<'newer' | 'locked' | 'damaged'>;
  readonly database: null;
}

/** A database that is looked at. */
export interface Inspected {
  readonly file: string;
  /** Where its backups are, when not beside it. */
  readonly backups: string | undefined;
  /** The newest format that is known here. */
  readonly latest: number;
  readonly now: () => number;
  /** Only a copy in memory is looked at: nothing is made beside it. */
  readonly detached?: boolean;
  /** A newer format is no reason to stop. */
  readonly acceptNewer?: boolean;
}

/** What the file's first bytes tell, without SQLite. */
export function readHeader(file: string): 'foreign' | { readonly version: number } {
  const bytes = Buffer.alloc(HEADER_SIZE);
  const handle = openSync(file, 'r');
  try {
    const length = readSync(handle, bytes, 0, HEADER_SIZE, 0);
    if (length < HEADER_SIZE || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC)
      return 'foreign';
    return { version: bytes.readInt32BE(60) };
  } finally {
    closeSync(handle);
  }
}

type Damage = Extract<ReasonCode, `record-${string}`>;

/**
 * The state of a library whose database cannot be read; names the newest backup that is whole.
 * `detail` is what SQLite says of it.
 */
export function damaged(
  { file, backups, now }: Inspected,
  code: Damage,
  detail: string | null = null,
): Unusable {
  const latest = wholeBackup(backups ?? join(dirname(file), 'backups'), now());
  const reason = { code, values: { file: basename(file) } };
  const state = { kind: 'damaged', backup: latest?.file ?? null, reason, detail } as const;
  return { state, database: null };
}

/** The state of a library whose database is gone while a whole backup is there; else null. */
export function lost(inspected: Inspected): Unusable | null {
  const found = damaged(inspected, 'record-lost');
  return found.state.kind === 'damaged' && found.state.backup !== null ? found : null;
}

/** The number in a program's name and version; all of it where there is none. */
const numberOf = (version: string): string => /\d+(\.\d+)*\S*$/.exec(version)?.[0] ?? version;

/** The state of a library of a newer format; names the program that made it, where that can be read. */
export function newer(file: string, version: number): Unusable {
  let name = `format ${version}`;
  try {
    const database = openBytes(readFileSync(file));
    try {
      const json = database
        .prepare("SELECT json FROM settings WHERE key = 'app-version'")
        .pluck()
        .get();
      if (typeof json === 'string') name = numberOf(String(JSON.parse(json)));
    } finally {
      database.close();
    }
  } catch {
    // The newer format keeps its name elsewhere.
  }
  return { state: { kind: 'newer', version: name }, database: null };
}

/** A database in memory, for reading: needs no lock, log or other file. */
export function openBytes(bytes: Buffer, { readonly = true } = {}): Database {
  bytes.fill(LOG_FLAGS.none, LOG_FLAGS.at, LOG_FLAGS.at + LOG_FLAGS.length);
  return new Sqlite(bytes, { readonly });
}

/** Everything that can be wrong is looked for on a connection that cannot write. */
export function inspectFirst(inspected: Inspected): Unusable | null {
  try {
    const database = new Sqlite(inspected.file, { readonly: true, timeout: BUSY_TIMEOUT });
    try {
      return inspect(database, inspected);
    } finally {
      database.close();
    }
  } catch (error) {
    const problem = asDamage(error, inspected);
    if (problem !== null) return problem;
    // A start that was killed while it made the file: only a writer can take that back.
    if ((errorCode(error) ?? '').startsWith('SQLITE_READONLY')) return null;
    throw error;
  }
}

/** The state that an error of SQLite means, when it means damage. */
export function asDamage(error: unknown, inspected: Inspected): Unusable | null {
  const code = errorCode(error) ?? '';
  if (code !== 'SQLITE_NOTADB' && !code.startsWith('SQLITE_CORRUPT')) return null;
  const damage = code === 'SQLITE_NOTADB' ? 'record-not-database' : 'record-unsound';
  return damaged(inspected, damage, error instanceof Error ? error.message : code);
}

/** What is wrong with an open database, or null. */
export function inspect(database: Database, inspected: Inspected): Unusable | null {
  const { file, latest, acceptNewer = false } = inspected;
  const version = versionOf(database);
  if (version > latest && !acceptNewer) return newer(file, version);
  const ours = database.pragma('application_id', { simple: true }) === APPLICATION_ID;
  const empty = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
  if (!ours && !(version === 0 && empty)) {
    return damaged(inspected, 'record-foreign');
  }
  const found = String(database.pragma('quick_check(1)', { simple: true }));
  return found === 'ok' ? null : damaged(inspected, 'record-unsound', found);
}

/** The format of a database. */
export const versionOf = (database: Database): number =>
  Number(database.pragma('user_version', { simple: true }));
