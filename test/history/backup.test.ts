import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  backUp,
  keptBackups,
  latestBackup,
  listBackups,
  verifyCopy,
  wholeBackup,
} from '#history/backup';
import { imageOf, NOON, seedLibrary } from '../helpers/library.ts';
import { openLibrary, tempFolder, tempLibrary } from './helpers.ts';

const DAY = 86_400_000;

test('is a whole library that can be opened, made while the library goes on', async () => {
  const { database } = tempLibrary();
  const history = seedLibrary(database, 500);
  const folder = join(tempFolder(), 'deep', 'backups');
  const copying = backUp(database, folder, { now: () => NOON, keep: 3 });
  for (let i = 500; i < 520; i++) history.images.insert(imageOf(i));
  const { file, at } = await copying;
  expect({ file, at }).toEqual({
    file: join(folder, 'library-2026-11-23T12-00-00-000Z.db'),
    at: NOON,
  });
  expect(readdirSync(folder)).toHaveLength(1);
  expect(verifyCopy(file)).toBeNull();
  const opened = openLibrary(file);
  expect(opened.state.kind).toBe('open');
  const count = opened.database?.prepare('SELECT count(*) FROM images').pluck().get();
  expect(count).toBeGreaterThanOrEqual(500);
});

test('the newest are kept, and files of other names are left alone', async () => {
  const { database } = tempLibrary();
  const folder = tempFolder();
  for (const name of ['mine.db', 'library-yesterday.db']) writeFileSync(join(folder, name), 'x');
  for (const day of [0, 1, 2, 3, 4]) {
    await backUp(database, folder, { now: () => NOON + day * DAY, keep: 2 });
  }
  expect(listBackups(folder).map(({ at }) => (at - NOON) / DAY)).toEqual([4, 3]);
  expect(readdirSync(folder)).toHaveLength(4);
});

test('one that fails leaves nothing, and the older ones as they were', async () => {
  const { database, close } = tempLibrary();
  const folder = tempFolder();
  const { file } = await backUp(database, folder, { now: () => NOON, keep: 1 });
  close();
  await expect(backUp(database, folder, { now: () => NOON + DAY, keep: 1 })).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([file.slice(folder.length + 1)]);
});

test('what a copy that was killed left goes when the library is opened, not under another copy', async () => {
  const { database, file, close } = tempLibrary();
  const folder = join(dirname(file), 'backups');
  await backUp(database, folder, { now: () => NOON, keep: 1 });
  const half = '.library-2026-01-01T00-00-00-000Z.db.tmp';
  writeFileSync(join(folder, half), 'half');
  await backUp(database, folder, { now: () => NOON + DAY, keep: 1 });
  expect(readdirSync(folder)).toContain(half);
  close();
  openLibrary(file);
  expect(readdirSync(folder)).not.toContain(half);
});

test('of older ones, the last of each of some weeks and months are kept', () => {
  const days = Array.from({ length: 200 }, (_, i) => ({ file: `${i}`, at: NOON - i * DAY }));
  const kept = keptBackups(days, { now: NOON, keep: 3 }).map(({ at }) =>
    new Date(at).toISOString().slice(0, 10),
  );
  expect(kept).toEqual([
    ...['2026-11-23', '2026-11-22', '2026-11-21'],
    ...['2026-11-15', '2026-11-08', '2026-10-31', '2026-09-30', '2026-08-31'],
  ]);
});

test('a month of backups leaves one from before it, day by day', () => {
  let there: readonly { readonly file: string; readonly at: number }[] = [];
  for (let day = 0; day < 90; day++) {
    const at = NOON + day * DAY;
    there = keptBackups([{ file: `${day}`, at }, ...there], { now: at, keep: 2 });
  }
  const oldest = there.at(-1)?.at ?? NOON;
  expect(NOON + 89 * DAY - oldest).toBeGreaterThan(60 * DAY);
  expect(there.length).toBeLessThanOrEqual(2 + 4 + 4);
});

test('one of a clock that ran ahead neither counts as the latest nor pushes others out', async () => {
  const { database } = tempLibrary();
  const folder = tempFolder();
  const YEARS = 1000 * DAY;
  for (const at of [NOON + YEARS, NOON + YEARS + 1, NOON, NOON + DAY]) {
    await backUp(database, folder, { now: () => at, keep: 1 });
  }
  const latest = latestBackup(folder, NOON + 2 * DAY);
  expect(latest?.at).toBe(NOON + DAY);
  expect(wholeBackup(folder, NOON + 2 * DAY)).toEqual(latest);
  expect(listBackups(folder).map(({ at }) => at)).toEqual([NOON + YEARS + 1, NOON + DAY]);
  expect(latestBackup(folder, NOON - DAY)).toBeNull();
  expect(wholeBackup(folder, NOON - DAY)?.at).toBe(NOON + YEARS + 1);
});

test('a folder that cannot be made is an error in words', async () => {
  const { database } = tempLibrary();
  const blocked = join(tempFolder(), 'file');
  writeFileSync(blocked, '');
  const failing = backUp(database, join(blocked, 'backups'), { now: () => NOON, keep: 1 });
  await expect(failing).rejects.toMatchObject({ code: 'file-unavailable' });
  expect(listBackups(blocked)).toEqual([]);
  expect(listBackups(join(blocked, 'none'))).toEqual([]);
});

test('a copy with a fault in it is found out', async () => {
  const { database } = tempLibrary();
  seedLibrary(database, 100);
  const folder = tempFolder();
  const { file } = await backUp(database, folder, { now: () => NOON, keep: 1 });
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 8192 * 4, 8192 * 5);
  writeFileSync(file, bytes);
  expect(verifyCopy(file)).toMatch(/./);
  writeFileSync(file, 'text');
  expect(verifyCopy(file)).toMatch(/./);
  expect(verifyCopy(join(folder, 'none.db'))).toMatch(/./);
});
