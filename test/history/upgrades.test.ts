import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listBackups } from '#history/backup';
import { createHistory, type History } from '#history/history';
import { MIGRATIONS } from '#history/migrations';
import { NOON, seedLibrary } from '../helpers/library.ts';
import { newest, openLibrary, refusal, tempFile, tempLibrary } from './helpers.ts';

const CHILD = join(import.meta.dirname, '../helpers/history-child.ts');

/** What each newer format added, taken off again, the newest first. */
const BACK: readonly (readonly [version: number, sql: string])[] = [
  [
    5,
    `ALTER TABLE images DROP COLUMN differing;
    ALTER TABLE masters DROP COLUMN checked_on;
    ALTER TABLE masters DROP COLUMN checked_at`,
  ],
  [4, 'ALTER TABLE images DROP COLUMN software'],
];

/** A closed library of an older format, and what it knew; `change` does what nobody knows of. */
function olderFile(count: number, change: (database: Database) => void = () => undefined) {
  const library = tempLibrary();
  seedLibrary(library.database, count);
  const knew = knows(createHistory(library.database, { now: () => NOON }));
  change(library.database);
  library.close();
  const database = new Sqlite(library.file);
  for (const [version, sql] of BACK) {
    database.exec(sql);
    database.pragma(`user_version = ${version}`);
  }
  // So that there is no room in it but what is used.
  database.exec('VACUUM');
  database.close();
  return { file: library.file, knew };
}

const historyOf = (database: Database | null): History => {
  if (database === null) throw new Error('not open');
  return createHistory(database, { now: () => NOON });
};

/** What a library has to say after an upgrade as before it. */
function knows({ images }: History) {
  const { software } = images.choices();
  const search = (filter: object) => images.search({ filter, sort: newest }).ids;
  return {
    summary: images.summary(),
    all: search({}),
    software,
    found: software.map(({ name }) => search({ software: [name] })),
    first: images.get(1),
  };
}

const schemaOf = (database: Database | null): unknown =>
  database
    ?.prepare(
      "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .all();

describe('a library of an older format', () => {
  test('knows after the upgrade what a new one knows, and has the same tables', () => {
    const { file, knew } = olderFile(60);
    const steps: number[] = [];
    const opened = openLibrary(file, { onMigrate: ({ to }) => void steps.push(to) });
    expect(steps).toEqual([5, 6]);
    const { ids } = historyOf(opened.database).images.search({
      filter: { replays: ['unchecked'] },
      sort: newest,
    });
    expect(ids).toEqual(knew.all);
    expect(knows(historyOf(opened.database))).toEqual(knew);
    expect(knew.software.map(({ name }) => name)).toEqual([
      'rcg-studio 0.10.0',
      'rcg-studio 0.9.0',
    ]);
    expect(schemaOf(opened.database)).toEqual(schemaOf(tempLibrary().database));
    expect(opened.database?.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  test('is brought up to date in memory where it is only looked at', () => {
    const { file, knew } = olderFile(20);
    const before = readFileSync(file);
    const { state, database } = openLibrary(file, { readOnly: true });
    expect(state).toEqual({ kind: 'read-only' });
    expect(knows(historyOf(database))).toEqual(knew);
    expect(readFileSync(file)).toEqual(before);
  });

  test.each([
    ['is cut short', '{"version":1,"softw'],
    ['is empty', ''],
    ['is a list', '["rcg-studio 0.9.0"]'],
    ['names no software', '{"version":1}'],
    ['names none', '{"software":null}'],
    ['names a number', '{"software":7}'],
    ['names a list', '{"software":["a"]}'],
    ['names a book', JSON.stringify({ software: '🎨'.repeat(50_000) })],
    ['names it twice', '{"software":"one","software":"two"}'],
  ])('opens though a recipe %s', (_, recipe) => {
    const { file } = olderFile(20, (database) => {
      database.prepare('UPDATE masters SET recipe = ? WHERE image = 3').run(recipe);
    });
    const { images } = historyOf(openLibrary(file).database);
    const { software } = images.choices();
    const named = software.find(({ name }) => !name.startsWith('rcg-studio'));
    expect(named?.name.length ?? 0).toBeLessThanOrEqual(200);
    expect(software.reduce((sum, { count }) => sum + count, 0)).toBe(images.summary().total);
  });

  test('without masters opens too', () => {
    const { file } = olderFile(5, (database) => database.exec('DELETE FROM masters'));
    const { images } = historyOf(openLibrary(file).database);
    expect(images.choices().software).toEqual([{ name: '', count: images.summary().total }]);
  });

  test('of no picture opens too', () => {
    const file = tempFile();
    const old = openLibrary(file, { migrations: MIGRATIONS.slice(0, 4) });
    if ('close' in old) old.close();
    expect(historyOf(openLibrary(file).database).images.choices().software).toEqual([]);
  });

  test('on a full disk is as it was, and says so', () => {
    const { file, knew } = olderFile(2000);
    const full = MIGRATIONS.with(4, `PRAGMA max_page_count = 1; ${MIGRATIONS[4]}`);
    expect(refusal(() => openLibrary(file, { migrations: full }))).toBe('disk-full');
    const old = new Sqlite(file, { readonly: true });
    onTestFinished(() => void old.close());
    expect(old.pragma('user_version', { simple: true })).toBe(4);
    expect(old.prepare('SELECT * FROM images').get()).not.toHaveProperty('software');
    expect(knows(historyOf(openLibrary(file).database))).toEqual(knew);
  });

  test('killed in the middle of the upgrade is as before it or as after it', async () => {
    const { file, knew } = olderFile(3000);
    for (const delay of [0, 1, 4]) {
      const child = fork(CHILD, ['upgrade', file], { stdio: 'inherit' });
      onTestFinished(() => void child.kill('SIGKILL'));
      await once(child, 'message');
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const { database } = openLibrary(file);
    expect(database?.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(knows(historyOf(database))).toEqual(knew);
    // There is a copy of it from before the first try.
    expect(listBackups(join(dirname(file), 'backups')).length).toBeGreaterThan(0);
  });
});
