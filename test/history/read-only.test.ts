import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { createHistory } from '#history/history';
import { MIGRATIONS } from '#history/migrations';
import { imageOf, NOON, seedLibrary } from '../helpers/library.ts';
import { newest, openLibrary, refusal, tempFile, tempLibrary } from './helpers.ts';

const LATER = [...MIGRATIONS, 'CREATE TABLE later (x); ALTER TABLE images ADD COLUMN more TEXT'];
const look = { readOnly: true, acceptNewer: true } as const;

/** A closed library with a few pictures. */
function filledFile(count = 3): string {
  const library = tempLibrary();
  seedLibrary(library.database, count);
  library.close();
  return library.file;
}

/** As a kill leaves it: most of it in the log, and no way to make the log's index. */
function unindexedFile(count: number): string {
  const library = tempLibrary();
  for (let i = 0; i < count; i++) library.history.images.insert(imageOf(i));
  const file = tempFile();
  for (const end of ['', '-wal']) copyFileSync(`${library.file}${end}`, `${file}${end}`);
  // As good as a folder without permission, and holds for every user.
  mkdirSync(`${file}-shm`);
  return file;
}

/** What the files hold. What SQLite needs for reading beside an open log holds nothing. */
function files(file: string): Record<string, string> {
  const entries = readdirSync(dirname(file), { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.lock$|-shm$/.test(entry.name))
    .map(({ name }) => [name, readFileSync(join(dirname(file), name))] as const)
    .filter(([, bytes]) => bytes.length > 0)
    .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]);
  return Object.fromEntries(entries) as Record<string, string>;
}

const historyOf = (database: Database | null) => {
  if (database === null) throw new Error('not open');
  return createHistory(database, { now: () => NOON });
};
const idsOf = (database: Database | null) =>
  historyOf(database).images.search({ filter: {}, sort: newest }).ids;

describe('looking at a library without changing it', () => {
  test('the log of a kill counts, also where nothing can be made beside it', () => {
    const file = unindexedFile(5);
    const before = files(file);
    const opened = openLibrary(file, { readOnly: true });
    expect(opened.state).toEqual({ kind: 'read-only' });
    expect(idsOf(opened.database)).toHaveLength(5);
    expect(refusal(() => historyOf(opened.database).images.insert(imageOf(9)))).toBe(
      'library-unavailable',
    );
    const verdict = { differing: 0, target: 'cpu-int8', checkedAt: NOON } as const;
    expect(refusal(() => historyOf(opened.database).images.setReplay(1, verdict))).toBe(
      'library-unavailable',
    );
    expect(files(file)).toEqual(before);
  });

  test('an older format is brought up to date in memory alone', () => {
    const file = filledFile();
    const before = files(file);
    const opened = openLibrary(file, { readOnly: true, migrations: LATER });
    expect(opened.state).toEqual({ kind: 'read-only' });
    expect(opened.database?.prepare('SELECT count(*) FROM later').pluck().get()).toBe(0);
    expect(idsOf(opened.database).length).toBeGreaterThan(1);
    expect(refusal(() => historyOf(opened.database).changes.remove([1]))).toBe(
      'library-unavailable',
    );
    expect(files(file)).toEqual(before);
    expect(openLibrary(file).state.kind).toBe('open');
  });

  test('an older format in the log of a kill', () => {
    const opened = openLibrary(unindexedFile(4), { readOnly: true, migrations: LATER });
    expect(opened.state).toEqual({ kind: 'read-only' });
    expect(idsOf(opened.database)).toHaveLength(4);
  });

  test('a newer format is opened when asked for, and has all that is known here', () => {
    const file = filledFile();
    const later = openLibrary(file, { migrations: LATER, appVersion: '9.0.0' });
    if ('close' in later) later.close();
    const before = files(file);
    expect(openLibrary(file, { readOnly: true }).state).toEqual({
      kind: 'newer',
      version: '9.0.0',
    });
    expect(openLibrary(file, { acceptNewer: true }).state.kind).toBe('newer');
    const opened = openLibrary(file, look);
    expect(opened.state).toEqual({ kind: 'read-only' });
    expect(idsOf(opened.database).length).toBeGreaterThan(1);
    expect(refusal(() => historyOf(opened.database).changes.remove([1]))).toBe(
      'library-unavailable',
    );
    expect(files(file)).toEqual(before);
  });

  test.each(['ALTER TABLE masters DROP COLUMN time_pixels', 'DROP TABLE searches'])(
    'a newer format that lacks something stays closed: %s',
    (sql) => {
      const file = filledFile();
      const later = openLibrary(file, { migrations: [...MIGRATIONS, sql], appVersion: '9.0.0' });
      if ('close' in later) later.close();
      expect(openLibrary(file, look).state).toEqual({ kind: 'newer', version: '9.0.0' });
    },
  );

  test.each([
    ['a page of noise', (bytes: Buffer) => bytes.fill(0xa7, 8192 * 3, 8192 * 4)],
    ['a wrong header', (bytes: Buffer) => bytes.fill(0xff, 20, 56)],
    ['half of it', (bytes: Buffer) => bytes.fill(0, bytes.length / 2)],
  ])('damage is damage here too: %s', (_, damage) => {
    const file = filledFile(50);
    const bytes = readFileSync(file);
    damage(bytes);
    writeFileSync(file, bytes);
    expect(openLibrary(file, look).state).toMatchObject({ kind: 'damaged', backup: null });
    expect(readFileSync(file)).toEqual(bytes);
  });
});
