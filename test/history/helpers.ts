import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { openDatabase, type Opened, type OpenOptions } from '#history/database';
import { createHistory, type History } from '#history/history';
import { NOON } from '../helpers/library.ts';

/** A folder that is gone after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rcg-history-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const tempFile = (): string => join(tempFolder(), 'library.db');

/** Opens a library as a start of the studio does; it is closed after the test. */
export function openLibrary(file: string, options: Partial<OpenOptions> = {}): Opened {
  const opened = openDatabase(file, { now: () => NOON, appVersion: '0.1.0', ...options });
  if ('close' in opened) onTestFinished(() => opened.close());
  return opened;
}

export interface TestLibrary {
  readonly file: string;
  readonly database: Database;
  readonly history: History;
  /** Moves the clock on. */
  later(milliseconds: number): void;
  close(): void;
}

/** A library of its own, with a clock that stands still. */
export function tempLibrary(file = tempFile()): TestLibrary {
  let now = NOON;
  const opened = openLibrary(file);
  if (opened.state.kind !== 'open' || !('close' in opened)) {
    throw new Error(`the library is ${opened.state.kind}`);
  }
  const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
  return {
    file,
    database: opened.database,
    history: createHistory(opened.database, { now: () => now, dayOf }),
    later: (milliseconds) => {
      now += milliseconds;
    },
    close: () => opened.close(),
  };
}

/** The StudioError that `work` throws, as its code and field. */
export function refusal(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'field' in error) {
      return error.field === undefined
        ? error.code
        : `${String(error.code)}: ${String(error.field)}`;
    }
    throw error;
  }
  return 'no error';
}

export const newest = { by: 'createdAt', descending: true } as const;
