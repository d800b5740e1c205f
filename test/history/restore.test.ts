import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { backUp } from '#history/backup';
import { restoreBackup } from '#history/restore';
import { NOON, seedLibrary } from '../helpers/library.ts';
import { openLibrary, refusal, tempLibrary } from './helpers.ts';

const now = () => NOON + 1000;
const KEPT = 'library-damaged-2026-11-23T12-00-01-000Z.db';

/** A library with a backup of 20 pictures, and then damaged, with a log beside it. */
async function damagedLibrary() {
  const library = tempLibrary();
  const { file, database } = library;
  seedLibrary(database, 20);
  const folder = join(dirname(file), 'backups');
  const backup = await backUp(database, folder, { now: () => NOON, keep: 9 });
  library.close();
  const broken = readFileSync(file).fill(0x5a, 8192 * 2, 8192 * 6);
  writeFileSync(file, broken);
  writeFileSync(`${file}-wal`, 'the log of what was damaged');
  return { file, folder, backup: backup.file, broken };
}

const countOf = (file: string): unknown =>
  openLibrary(file).database?.prepare('SELECT count(*) FROM images').pluck().get();

test('the backup takes the place, and the damaged database is kept with its log', async () => {
  const { file, backup, broken } = await damagedLibrary();
  expect(openLibrary(file).state).toMatchObject({ kind: 'damaged', backup });
  const { kept } = restoreBackup(file, backup, { now });
  expect(kept).toBe(join(dirname(file), KEPT));
  expect(readFileSync(kept ?? '')).toEqual(broken);
  expect(readFileSync(`${kept}-wal`, 'utf8')).toBe('the log of what was damaged');
  expect(countOf(file)).toBe(20);
  expect(existsSync(backup)).toBe(true);
});

test('without a backup the place is free for a new library', async () => {
  const { file, backup, broken } = await damagedLibrary();
  const { kept } = restoreBackup(file, null, { now });
  expect(readFileSync(kept ?? '')).toEqual(broken);
  // With a backup beside it, that is a wish of its own.
  expect(openLibrary(file).state).toMatchObject({ kind: 'damaged', backup });
  const made = openLibrary(file, { anew: true });
  expect(made).toMatchObject({ state: { kind: 'open' }, created: true });
});

test.each<[string, (file: string) => void]>([
  ['gone', (file) => rmSync(file)],
  ['empty', (file) => writeFileSync(file, '')],
])(
  'a database that is %s is not replaced by a new one while a backup is there',
  async (_, lose) => {
    const { file, folder, backup } = await damagedLibrary();
    lose(file);
    const before = readdirSync(dirname(file)).sort();
    const reason = { code: 'record-lost', values: { file: 'library.db' } };
    const state = { kind: 'damaged', backup, reason, detail: null };
    expect(openLibrary(file).state).toEqual(state);
    expect(openLibrary(file, { readOnly: true }).state).toEqual(state);
    expect(readdirSync(dirname(file)).sort()).toEqual(before);
    expect(restoreBackup(file, backup, { now })).toEqual({ kept: null });
    expect(countOf(file)).toBe(20);
    expect(readdirSync(folder)).toHaveLength(1);
  },
);

test('a lost database whose backups are damaged too is made anew', async () => {
  const { file, backup } = await damagedLibrary();
  rmSync(file);
  writeFileSync(backup, 'x');
  expect(openLibrary(file)).toMatchObject({ state: { kind: 'open' }, created: true });
});

test('a backup that is damaged is passed over, and refused by name', async () => {
  const { file, folder, backup } = await damagedLibrary();
  const later = join(folder, 'library-2026-11-24T12-00-00-000Z.db');
  writeFileSync(later, readFileSync(backup).fill(0x5a, 8192 * 2, 8192 * 6));
  expect(openLibrary(file).state).toMatchObject({ kind: 'damaged', backup });
  const before = readdirSync(dirname(file)).sort();
  expect(refusal(() => restoreBackup(file, later, { now }))).toBe('library-unavailable');
  expect(readdirSync(dirname(file)).sort()).toEqual(before);
  rmSync(backup);
  expect(openLibrary(file).state).toMatchObject({ kind: 'damaged', backup: null });
});

test('nothing that is there is replaced', async () => {
  const { file, backup, broken } = await damagedLibrary();
  writeFileSync(join(dirname(file), KEPT), 'kept before');
  expect(() => restoreBackup(file, backup, { now })).toThrow();
  expect(readFileSync(join(dirname(file), KEPT), 'utf8')).toBe('kept before');
  expect(readFileSync(file)).toEqual(broken);
  expect(readdirSync(dirname(file)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a library that somebody has open is left alone', async () => {
  const { backup } = await damagedLibrary();
  const library = tempLibrary();
  expect(refusal(() => restoreBackup(library.file, backup, { now }))).toBe('library-unavailable');
});
