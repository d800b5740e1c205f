import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { StudioError } from '#api/errors';
import type { LibraryState } from '#api/library';
import { backUpNow, clearCopies } from './backup.ts';
import { errorCode, historyError } from './errors.ts';
import {
  BUSY_TIMEOUT,
  damaged,
  inspectFirst,
  lost,
  newer,
  readHeader,
  versionOf,
  type Inspected,
  type Unusable,
} from './inspect.ts';
import { takeLock, type Lock } from './lock.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';
import { openForReading } from './read-only.ts';

export interface OpenOptions {
  readonly now: () => number;
  /** Kept in the database, so that an older studio can name the one that it needs. */
  readonly appVersion: string;
  /** Opens for looking only. */
  readonly readOnly?: boolean;
  /** With `readOnly`: also a library of a newer format, when all that is known here is in it. */
  readonly acceptNewer?: boolean;
  /** Makes a new database where there is none, even beside backups of an old one. */
  readonly anew?: boolean;
  /** With `readOnly`: looks at a copy in memory, so that nothing is made beside the file. */
  readonly detached?: boolean;
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
  | Unusable;

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
  const { readOnly = false, acceptNewer = false, migrations: format = MIGRATIONS } = options;
  const { now, anew = false } = options;
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const inspected: Inspected = {
    file,
    backups: options.backups,
    latest: format.length,
    now,
    detached: options.detached === true,
    acceptNewer: readOnly && acceptNewer,
  };
  // A new one would be filled from the pictures, without all that only the old one knew.
  const gone = size === 0 && !anew ? lost(inspected) : null;
  if (gone !== null) return gone;
  // The file's own bytes first: a database that is not ours to touch is not even opened.
  const header = size === 0 ? null : readHeader(file);
  if (header === 'foreign') return damaged(inspected, 'record-not-database');
  if (header !== null && header.version > format.length && inspected.acceptNewer !== true) {
    return newer(file, header.version);
  }
  if (readOnly || (size > 0 && !isWritable(file))) return openReadOnly(inspected, format);

  mkdirSync(dirname(file), { recursive: true });
  const locked = takeLock(file, now);
  if (locked.kind === 'taken') return { state: { kind: 'locked', by: locked.by }, database: null };
  try {
    const problem = size === 0 ? null : inspectFirst(inspected);
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

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    accessSync(dirname(file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function openReadOnly(inspected: Inspected, format: readonly string[]): Opened {
  const opened = openForReading(inspected, format);
  if (opened.database === null) return opened;
  const { database } = opened;
  database.pragma(`cache_size = -${CACHE_KIB}`);
  return { state: { kind: 'read-only' }, database, close: () => void database.close() };
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
    const backups = options.backups ?? join(dirname(file), 'backups');
    clearCopies(backups);
    migrate(database, format, { ...options, backups });
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
