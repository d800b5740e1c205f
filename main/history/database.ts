import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { StudioError } from '#api/errors';
import type { LibraryState } from '#api/types';
import { backUpNow, listBackups } from './backup.ts';
import { errorCode, historyError } from './errors.ts';
import { takeLock, type Lock } from './lock.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';

export interface OpenOptions {
  readonly now: () => number;
  /** Kept in the database, so that an older studio can name the one that it needs. */
  readonly appVersion: string;
  /** Opens for looking only. */
  readonly readOnly?: boolean;
  /** Where the copy before a change of the format goes; `backups` beside the file by default. */
  readonly backups?: string;
  /** Called before each change of the format. */
  readonly onMigrate?: (step: { readonly from: number; readonly to: number }) => void;
  /** For tests: the format's versions. */
  readonly migrations?: readonly string[];
}

type StateOf<K extends LibraryState['kind']> = Extract<LibraryState, { readonly kind: K }>;

/** A library that can be used, or why not. Nothing of the latter kind has been changed. */
export type Opened =
  | {
      readonly state: StateOf<'open'>;
      readonly database: Database;
      /** There was no database before. */
      readonly created: boolean;
      /** The last holder was killed: files and rows may have to be compared. */
      readonly afterCrash: boolean;
      close(): void;
    }
  | { readonly state: StateOf<'read-only'>; readonly database: Database; close(): void }
  | { readonly state: StateOf<'newer' | 'locked' | 'damaged'>; readonly database: null };

const HEADER_SIZE = 100;
const MAGIC = 'SQLite format 3\0';
/** Milliseconds to wait for another program that looks into the database. */
const BUSY_TIMEOUT = 5000;
/** Larger than SQLite's own, so that four pictures' masters fill a page instead of two halves. */
const PAGE_SIZE = 8192;
const CACHE_KIB = 65536;

/**
 * Opens the library's database, making or upgrading it as needed. A state that a person has to
 * deal with is a result; a disk or folder that fails is a StudioError.
 */
export function openDatabase(file: string, options: OpenOptions): Opened {
  try {
    return open(file, options);
  } catch (cause) {
    const error = historyError(cause);
    const ofSystem = /^E[A-Z]+$/.test(errorCode(cause) ?? '');
    if (error instanceof StudioError || !ofSystem) throw error;
    throw new StudioError(
      'file-unavailable',
      `The library ${file} cannot be opened. Check that its folder exists and may be written to.`,
      { cause },
    );
  }
}

function open(file: string, options: OpenOptions): Opened {
  const format = options.migrations ?? MIGRATIONS;
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  // The file's own bytes first: a database that is not ours to touch is not even opened.
  const header = size === 0 ? null : readHeader(file);
  if (header === 'foreign') return damaged(file, options, 'the file is not a database');
  if (header !== null && header.version > format.length) return newer(file, header.version);
  if (options.readOnly === true || (size > 0 && !isWritable(file)))
    return openReadOnly(file, options);

  mkdirSync(dirname(file), { recursive: true });
  const locked = takeLock(file, options.now);
  if (locked.kind === 'taken') return { state: { kind: 'locked', by: locked.by }, database: null };
  try {
    const problem = size === 0 ? null : inspectFirst(file, options, format.length);
    if (problem !== null) {
      locked.lock.release();
      return problem;
    }
    return openWritable(file, options, { lock: locked.lock, created: size === 0, format });
  } catch (error) {
    locked.lock.release();
    throw error;
  }
}

function readHeader(file: string): 'foreign' | { readonly version: number } {
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

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    accessSync(dirname(file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function damaged(file: string, options: OpenOptions, detail: string): Opened {
  const [latest] = listBackups(backupFolder(file, options));
  return { state: { kind: 'damaged', backup: latest?.file ?? null, detail }, database: null };
}

const backupFolder = (file: string, options: OpenOptions): string =>
  options.backups ?? join(dirname(file), 'backups');

function newer(file: string, version: number): Opened {
  let name = `format ${version}`;
  try {
    const database = openInMemory(file);
    try {
      const json = database
        .prepare("SELECT json FROM settings WHERE key = 'app-version'")
        .pluck()
        .get();
      if (typeof json === 'string') name = String(JSON.parse(json));
    } finally {
      database.close();
    }
  } catch {
    // The newer format keeps its name elsewhere.
  }
  return { state: { kind: 'newer', version: name }, database: null };
}

/** Where the header says that changes go to a log, which a copy in memory has not. */
const LOG_FLAGS = { at: 18, length: 2, none: 1 };

/** The file's content in memory: needs no lock, log or other file beside it. */
function openInMemory(file: string): Database {
  const bytes = readFileSync(file);
  bytes.fill(LOG_FLAGS.none, LOG_FLAGS.at, LOG_FLAGS.at + LOG_FLAGS.length);
  return new Sqlite(bytes, { readonly: true });
}

/** Everything that can be wrong is looked for on a connection that cannot write. */
function inspectFirst(file: string, options: OpenOptions, latest: number): Opened | null {
  try {
    const database = new Sqlite(file, { readonly: true, timeout: BUSY_TIMEOUT });
    try {
      return inspect(database, { file, options, latest });
    } finally {
      database.close();
    }
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
      return damaged(file, options, error instanceof Error ? error.message : code);
    }
    // A start that was killed while it made the file: only a writer can take that back.
    if (code.startsWith('SQLITE_READONLY')) return null;
    throw error;
  }
}

interface Inspected {
  readonly file: string;
  readonly options: OpenOptions;
  readonly latest: number;
}

function inspect(database: Database, { file, options, latest }: Inspected): Opened | null {
  const version = versionOf(database);
  if (version > latest) return newer(file, version);
  const ours = database.pragma('application_id', { simple: true }) === APPLICATION_ID;
  const empty = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
  if (!ours && !(version === 0 && empty)) {
    return damaged(file, options, 'the file is the database of another program');
  }
  const found = String(database.pragma('quick_check(1)', { simple: true }));
  return found === 'ok' ? null : damaged(file, options, found);
}

const versionOf = (database: Database): number =>
  Number(database.pragma('user_version', { simple: true }));

function openReadOnly(file: string, options: OpenOptions): Opened {
  const format = options.migrations ?? MIGRATIONS;
  const database = openForReading(file);
  const problem = readProblem(database, { file, options, latest: format.length });
  if (problem !== null) {
    database.close();
    return problem;
  }
  database.pragma(`cache_size = -${CACHE_KIB}`);
  return { state: { kind: 'read-only' }, database, close: () => void database.close() };
}

function readProblem(database: Database, inspected: Inspected): Opened | null {
  const { file, options, latest } = inspected;
  try {
    const problem = inspect(database, inspected);
    if (problem !== null || versionOf(database) === latest) return problem;
    return damaged(file, options, 'the file is of an older format, and is read-only');
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (!code.startsWith('SQLITE_CORRUPT') && code !== 'SQLITE_NOTADB') throw error;
    return damaged(file, options, error instanceof Error ? error.message : code);
  }
}

function openForReading(file: string): Database {
  const database = new Sqlite(file, { readonly: true, timeout: BUSY_TIMEOUT, fileMustExist: true });
  try {
    versionOf(database);
    return database;
  } catch (error) {
    database.close();
    const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const code = errorCode(error) ?? '';
    // A read-only folder has no place for the log's index. Without a log, none is needed.
    if (log > 0 || !(code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY'))) {
      throw error;
    }
    return openInMemory(file);
  }
}

interface Held {
  readonly lock: Lock;
  readonly created: boolean;
  readonly format: readonly string[];
}

function openWritable(file: string, options: OpenOptions, { lock, created, format }: Held): Opened {
  const database = new Sqlite(file, { timeout: BUSY_TIMEOUT });
  try {
    if (created) database.pragma(`page_size = ${PAGE_SIZE}`);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma(`cache_size = -${CACHE_KIB}`);
    database.pragma('temp_store = MEMORY');
    migrate(database, format, { ...options, backups: backupFolder(file, options) });
    noteVersion(database, options.appVersion);
  } catch (error) {
    database.close();
    throw error;
  }
  const close = (): void => {
    if (!database.open) return;
    try {
      // Keeps the planner's statistics fresh; a full disk must not keep the library open.
      database.pragma('optimize');
    } catch {
      // They are a help, not data.
    }
    database.close();
    lock.release();
  };
  const { afterCrash } = lock;
  return { state: { kind: 'open' }, database, created, afterCrash, close };
}

/** Brings the format up to date, each step as one transaction, after a verified copy. */
function migrate(
  database: Database,
  format: readonly string[],
  options: OpenOptions & { readonly backups: string },
): void {
  const start = versionOf(database);
  if (start === format.length) return;
  if (start > 0) backUpNow(database, options.backups, options.now());
  format.slice(start).forEach((sql, i) => {
    const [from, to] = [start + i, start + i + 1];
    options.onMigrate?.({ from, to });
    database
      .transaction(() => {
        database.exec(sql);
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${to}`);
      })
      .exclusive();
  });
}

function noteVersion(database: Database, appVersion: string): void {
  const json = JSON.stringify(appVersion);
  const known = database
    .prepare("SELECT json FROM settings WHERE key = 'app-version'")
    .pluck()
    .get();
  if (known === json) return;
  database
    .prepare(
      "INSERT INTO settings (key, json) VALUES ('app-version', ?) ON CONFLICT DO UPDATE SET json = excluded.json",
    )
    .run(json);
}
