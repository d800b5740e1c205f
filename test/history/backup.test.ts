import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backUp, listBackups, verifyCopy } from '#history/backup';
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
  for (const day of [3, 0, 4, 1, 2]) {
    await backUp(database, folder, { now: () => NOON + day * DAY, keep: 2 });
  }
  expect(listBackups(folder).map(({ at }) => (at - NOON) / DAY)).toEqual([4, 3]);
  expect(readdirSync(folder)).toHaveLength(4);
});

test('one that fails leaves nothing, and the older ones as they were', async () => {
  const { database, close } = tempLibrary();
  const folder = tempFolder();
  const { file } = await backUp(database, folder, { now: () => NOON, keep: 1 });
  // A leftover of a copy that was killed goes with the next try.
  writeFileSync(join(folder, '.library-2026-01-01T00-00-00-000Z.db.tmp'), 'half');
  close();
  await expect(backUp(database, folder, { now: () => NOON + DAY, keep: 1 })).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([file.slice(folder.length + 1)]);
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
