import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolders } from '#runtime/folders';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rcg-folders-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('makes what is missing, and says whether anything was', async () => {
  const deep = join(folder, 'a', 'b', 'c');
  expect(await makeFolders(deep)).toBe(true);
  expect((await stat(deep)).isDirectory()).toBe(true);
  expect(await makeFolders(deep)).toBe(false);
});

test('a file in the way is an error', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(makeFolders(join(folder, 'file', 'x'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.skipIf(!existsSync('/proc/self'))(
  'a place where nothing can be made is an error, soon',
  async () => {
    await expect(makeFolders('/proc/nowhere/at/all')).rejects.toMatchObject({ code: 'ENOENT' });
  },
);
