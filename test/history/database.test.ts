import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listBackups } from '#history/backup';
import { createHistory } from '#history/history';
import { MIGRATIONS } from '#history/migrations';
import { imageOf, NOON, seedLibrary } from '../helpers/library.ts';
import { newest, openLibrary, refusal, tempFile, tempFolder, tempLibrary } from './helpers.ts';

const CHILD = join(import.meta.dirname, '../helpers/history-child.ts');

async function startChild(task: 'lock' | 'write' | 'forget', file: string): Promise<ChildProcess> {
  const child = fork(CHILD, [task, file], { stdio: 'inherit', execArgv: ['--expose-gc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await once(child, 'message')).toEqual([{ kind: 'open' }, undefined]);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A closed library with a few pictures. */
function filledFile(count = 50): string {
  const library = tempLibrary();
  seedLibrary(library.database, count);
  library.close();
  return library.file;
}

/** Every byte beside the lock's own files. */
const bytesOf = (file: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dirname(file))
      .filter((name) => !/\.(lock|owner)$|-shm$|-wal$|^backups$/.test(name))
      .map((name) => [name, readFileSync(join(dirname(file), name)).toString('base64')]),
  );

describe('opening', () => {
  test('makes a library that keeps its word about safety', () => {
    const { database, file } = tempLibrary();
    const pragma = (name: string) => database.pragma(name, { simple: true });
    expect({
      journal: pragma('journal_mode'),
      synchronous: pragma('synchronous'),
      foreignKeys: pragma('foreign_keys'),
      version: pragma('user_version'),
    }).toEqual({ journal: 'wal', synchronous: 2, foreignKeys: 1, version: MIGRATIONS.length });
    expect(existsSync(file)).toBe(true);
  });

  test('says whether there was a library, and keeps what is in it', () => {
    const file = filledFile(3);
    const opened = openLibrary(file);
    expect(opened).toMatchObject({ state: { kind: 'open' }, created: false, afterCrash: false });
    if (opened.database === null) throw new Error('closed');
    const { total, bin } = createHistory(opened.database, { now: () => NOON }).images.summary();
    expect(total + bin).toBe(3);
  });

  test('closing leaves one file and no lock, and may be asked for twice', () => {
    const library = tempLibrary();
    library.close();
    library.close();
    expect(readdirSync(dirname(library.file)).sort()).toEqual(['library.db', 'library.db.lock']);
  });

  test('a folder that cannot be made is an error in words', () => {
    const blocked = join(tempFolder(), 'file');
    writeFileSync(blocked, '');
    expect(refusal(() => openLibrary(join(blocked, 'library.db')))).toBe('file-unavailable');
    expect(refusal(() => openLibrary(tempFolder()))).toBe('file-unavailable');
  });
});

describe('a library that cannot be used is not touched', () => {
  const NOT = 'record-not-database';
  const UNSOUND = 'record-unsound';
  test.each<[string, string, (file: string) => void]>([
    ['text', NOT, (file) => writeFileSync(file, 'not a database '.repeat(1000))],
    ['a few bytes', NOT, (file) => writeFileSync(file, 'SQLite')],
    ['another magic', NOT, (file) => overwrite(file, 0, Buffer.from('SQLite format 4'))],
    ['half of it', UNSOUND, (file) => truncateSync(file, readFileSync(file).length / 2)],
    ['a page of noise', UNSOUND, (file) => overwrite(file, 8192 * 3, Buffer.alloc(8192, 0xa7))],
    ['a page of zeros', UNSOUND, (file) => overwrite(file, 8192, Buffer.alloc(8192))],
    ['a wrong header', NOT, (file) => overwrite(file, 20, Buffer.alloc(36, 0xff))],
  ])('damaged: %s', (_, code, damage) => {
    const file = filledFile();
    damage(file);
    const before = bytesOf(file);
    const { state, database } = openLibrary(file);
    const reason = { code, values: { file: basename(file) } };
    expect(state).toMatchObject({ kind: 'damaged', backup: null, reason });
    expect(database).toBeNull();
    expect(bytesOf(file)).toEqual(before);
  });

  test('damaged: the newest backup is named', async () => {
    const library = tempLibrary();
    const { backUp } = await import('#history/backup');
    const folder = join(dirname(library.file), 'backups');
    const { file } = await backUp(library.database, folder, { now: () => NOON, keep: 3 });
    library.close();
    writeFileSync(library.file, 'x'.repeat(200));
    expect(openLibrary(library.file).state).toMatchObject({ kind: 'damaged', backup: file });
  });

  test("another program's database", () => {
    const file = tempFile();
    const other = new Sqlite(file);
    other.exec('CREATE TABLE accounts (id INTEGER)');
    other.close();
    const before = bytesOf(file);
    const reason = { code: 'record-foreign', values: { file: basename(file) } };
    expect(openLibrary(file).state).toMatchObject({ kind: 'damaged', reason, detail: null });
    expect(bytesOf(file)).toEqual(before);
  });

  test('newer than the app: its version is named', () => {
    const file = tempFile();
    openLibrary(file, {
      appVersion: '9.2.0',
      migrations: [...MIGRATIONS, 'CREATE TABLE later (x)'],
    });
    // As it is closed, and as a crash leaves it: with everything in the log.
    const crashed = tempFile();
    for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, `${crashed}${end}`);
    const before = bytesOf(crashed);
    expect(openLibrary(crashed).state).toMatchObject({ kind: 'newer' });
    expect(bytesOf(crashed)).toEqual(before);
  });

  test.each([
    ['9.2.0', '9.2.0'],
    ['rcg-studio 9.2.0-rc.1', '9.2.0-rc.1'],
    ['some other program', 'some other program'],
  ])('newer than the app, closed, made by %s', (appVersion, version) => {
    const file = tempFile();
    const later = openLibrary(file, {
      appVersion,
      migrations: [...MIGRATIONS, 'CREATE TABLE later (x)'],
    });
    if ('close' in later) later.close();
    const before = bytesOf(file);
    expect(openLibrary(file).state).toEqual({ kind: 'newer', version });
    expect(openLibrary(file, { readOnly: true }).state).toMatchObject({ kind: 'newer' });
    expect(bytesOf(file)).toEqual(before);
  });
});

describe('read-only', () => {
  test('can be searched and not changed', () => {
    const file = filledFile(5);
    const before = bytesOf(file);
    const opened = openLibrary(file, { readOnly: true });
    if (opened.state.kind !== 'read-only' || opened.database === null) throw new Error('not open');
    const { images, changes } = createHistory(opened.database, { now: () => NOON });
    expect(images.search({ filter: {}, sort: newest }).ids.length).toBeGreaterThan(3);
    expect(refusal(() => changes.remove([1, 2, 3]))).toBe('library-unavailable');
    expect(refusal(() => images.insert(imageOf(99)))).toBe('library-unavailable');
    opened.close();
    expect(bytesOf(file)).toEqual(before);
  });

  test.skipIf(process.getuid?.() === 0)('a folder without permission', () => {
    const file = filledFile(5);
    chmodSync(dirname(file), 0o555);
    onTestFinished(() => chmodSync(dirname(file), 0o755));
    expect(openLibrary(file).state).toEqual({ kind: 'read-only' });
  });

  test('a file that is not there is an error', () => {
    expect(refusal(() => openLibrary(tempFile(), { readOnly: true }))).toBe('file-unavailable');
  });
});

describe('the lock', () => {
  test('one studio owns a library, also within a process', async () => {
    const file = tempFile();
    const child = await startChild('lock', file);
    expect(openLibrary(file)).toEqual({
      state: { kind: 'locked', by: expect.stringContaining(`process ${child.pid}`) as string },
      database: null,
    });
    await kill(child);
    expect(openLibrary(file)).toMatchObject({ state: { kind: 'open' }, afterCrash: true });
    expect(openLibrary(file).state).toMatchObject({ kind: 'locked' });
  });

  test('is held for as long as its process lives, also when nobody remembers the library', async () => {
    const file = tempFile();
    const child = await startChild('forget', file);
    await once(child, 'message');
    expect(openLibrary(file).state).toMatchObject({ kind: 'locked' });
    await kill(child);
    expect(openLibrary(file).state).toMatchObject({ kind: 'open' });
  });

  test.each(['', '{"pid":', '{"pid":1,"host":"elsewhere","since":"2020-01-01"}', '[]'])(
    'an owner file that is left over (%j) stops nobody',
    (text) => {
      const file = tempFile();
      writeFileSync(`${file}.owner`, text);
      expect(openLibrary(file)).toMatchObject({ state: { kind: 'open' }, afterCrash: true });
    },
  );
});

describe('upgrading', () => {
  const later = [
    ...MIGRATIONS,
    'CREATE TABLE later (x INTEGER) STRICT; INSERT INTO later VALUES (1)',
  ];
  const bad = [...later, 'CREATE TABLE more (y); SELECT * FROM nothing'];

  test('keeps the data, after a copy that is verified', () => {
    const file = filledFile(4);
    const steps: unknown[] = [];
    const opened = openLibrary(file, {
      migrations: later,
      onMigrate: (step) => void steps.push(step),
    });
    expect(steps).toEqual([{ from: MIGRATIONS.length, to: later.length }]);
    if (opened.database === null) throw new Error('closed');
    expect(opened.database.prepare('SELECT count(*) FROM images').pluck().get()).toBe(4);
    expect(opened.database.prepare('SELECT x FROM later').pluck().all()).toEqual([1]);
    const [copy] = listBackups(join(dirname(file), 'backups'));
    const old = new Sqlite(copy?.file, { readonly: true });
    onTestFinished(() => void old.close());
    expect(old.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    expect(old.prepare('SELECT count(*) FROM images').pluck().get()).toBe(4);
  });

  test('a step that fails is taken back whole, and the library still opens', () => {
    const file = filledFile(4);
    expect(() => openLibrary(file, { migrations: bad })).toThrow(/nothing/);
    const opened = openLibrary(file, { migrations: later });
    expect(opened.state.kind).toBe('open');
    expect(
      opened.database?.prepare("SELECT name FROM sqlite_schema WHERE name = 'more'").get(),
    ).toBeUndefined();
  });

  test('a full disk in the middle is said so, and the library is as it was', () => {
    const file = filledFile(4);
    const huge = 'CREATE TABLE huge AS SELECT zeroblob(1e6) AS x';
    const full = [...MIGRATIONS, `PRAGMA max_page_count = 1; ${huge}`];
    expect(refusal(() => openLibrary(file, { migrations: full }))).toBe('disk-full');
    const opened = openLibrary(file);
    expect(opened.state.kind).toBe('open');
    expect(opened.database?.prepare('SELECT count(*) FROM images').pluck().get()).toBe(4);
    expect(listBackups(join(dirname(file), 'backups'))).toHaveLength(1);
  });

  test('a copy that cannot be written stops it before it begins', () => {
    const file = filledFile(2);
    writeFileSync(join(dirname(file), 'backups'), 'a file where the folder should be');
    const before = bytesOf(file);
    expect(refusal(() => openLibrary(file, { migrations: later }))).toBe('file-unavailable');
    expect(bytesOf(file)).toEqual(before);
    expect(openLibrary(file).state.kind).toBe('open');
  });

  test('a start that made an empty file is no obstacle', () => {
    const file = tempFile();
    writeFileSync(file, '');
    expect(openLibrary(file)).toMatchObject({ state: { kind: 'open' }, created: true });
  });
});

describe('faults at work', () => {
  test('a full disk is said so, and nothing is half done', () => {
    const { database, history } = tempLibrary();
    const pages = Number(database.pragma('page_count', { simple: true }));
    database.pragma(`max_page_count = ${pages + 4}`);
    let made = 0;
    const fill = () => {
      for (; made < 1000; made++) history.images.insert(imageOf(made));
    };
    expect(refusal(fill)).toBe('disk-full');
    expect(history.images.summary().total).toBe(made);
    expect(history.images.search({ filter: {}, sort: newest }).ids).toHaveLength(made);
    database.pragma('max_page_count = 100000');
    expect(history.images.insert(imageOf(made)).inserted).toBe(true);
  });

  test('kill -9 in the middle of writing loses nothing that was told', async () => {
    const file = tempFile();
    for (let round = 0; round < 4; round++) {
      const child = await startChild('write', file);
      let told = -1;
      child.on('message', (i) => (told = Number(i)));
      await new Promise((resolve) => setTimeout(resolve, 150 + 70 * round));
      await kill(child);
      const opened = openLibrary(file);
      if (opened.state.kind !== 'open' || !('close' in opened)) throw new Error(opened.state.kind);
      const { images } = createHistory(opened.database, { now: () => NOON });
      const { total, unrated, tags } = images.summary();
      expect(opened.database.pragma('integrity_check', { simple: true })).toBe('ok');
      expect(opened.database.pragma('foreign_key_check')).toEqual([]);
      expect(total).toBeGreaterThan(told);
      // The picture that was being written may lack its rating, never half of it.
      expect(unrated).toBeLessThanOrEqual(round + 1);
      expect(tags.map(({ count }) => count)).toEqual([total - unrated]);
      opened.close();
    }
  });
});

function overwrite(file: string, at: number, bytes: Buffer): void {
  const all = readFileSync(file);
  bytes.copy(all, at);
  writeFileSync(file, all);
}
