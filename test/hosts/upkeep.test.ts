import { readdir, readFile, rename, writeFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { beforeAll, expect, test } from 'vitest';
import { createRouter } from '#studio/router';
import { ended, sample, type StudioClient } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

const DAY = 86_400_000;
let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

async function open(folder: string, now: number) {
  const studio = await testStudio(home, { libraryFolder: folder, now: () => now });
  const client: StudioClient = createRouterClient(createRouter(studio));
  // It waits for what upkeep does at a start.
  await client.library.reindex();
  return { studio, client };
}

/** A library with two pictures, of which one is in the bin. */
async function binned(): Promise<{ folder: string; start: number }> {
  const folder = await libraryFolder();
  const start = Date.now();
  const { studio, client } = await open(folder, start);
  await ended(client, (await client.jobs.create(sample({ count: 2 }))).id);
  await client.images.remove({ ids: [1] });
  await studio.close();
  return { folder, start };
}

/** How many are left in the bin after a start at a time, and its routine. */
async function binAt(folder: string, now: number): Promise<number> {
  const { studio, client } = await open(folder, now);
  const { bin } = await client.images.summary();
  await studio.close();
  return bin;
}

test('the bin is emptied after its days, when the clock goes on as it should', async () => {
  const { folder, start } = await binned();
  for (let day = 2; day <= 30; day += 2) expect(await binAt(folder, start + day * DAY)).toBe(1);
  expect(await binAt(folder, start + 32 * DAY)).toBe(0);
});

test('a clock that runs years ahead empties no bin, until it has gone on for a day', async () => {
  const { folder, start } = await binned();
  const ahead = start + 4000 * DAY;
  expect(await binAt(folder, ahead)).toBe(1);
  expect(await binAt(folder, ahead + DAY / 2)).toBe(1);
  // Put right again: nothing is left of the doubt.
  expect(await binAt(folder, start + DAY)).toBe(1);
  expect(await binAt(folder, ahead + 2 * DAY)).toBe(1);
  expect(await binAt(folder, ahead + 3 * DAY)).toBe(0);
});

test('a backup of a clock that ran ahead does not stop those of every day', async () => {
  const { folder, start } = await binned();
  await binAt(folder, start + 4000 * DAY);
  const count = async () => (await readdir(join(folder, 'backups'))).length;
  const before = await count();
  await binAt(folder, start + 2 * DAY);
  expect(await count()).toBe(before + 1);
});

test('the doctor tells of damaged pictures and of an old backup', async () => {
  const { folder, start } = await binned();
  const { client, studio } = await open(folder, start + 40 * DAY);
  const codes = async (of: StudioClient) => (await of.studio.doctor()).map(({ code }) => code);
  expect(await codes(client)).toContain('write');
  expect(await codes(client)).not.toContain('files-damaged');
  const file = join(folder, (await client.images.get({ id: 2 })).path);
  const bytes = await readFile(file);
  await writeFile(file, bytes.fill(0x5a, bytes.length - 60, bytes.length - 30));
  expect(await codes(client)).toContain('files-damaged');
  await studio.close();
  const backups = join(folder, 'backups');
  for (const name of await readdir(backups)) {
    await rename(
      join(backups, name),
      join(backups, name.replace(/^library-\d{4}/, 'library-2001')),
    );
  }
  const later = await testStudio(home, { libraryFolder: folder, readOnly: true });
  const late: StudioClient = createRouterClient(createRouter(later));
  const changed = async () => (await stat(folder)).mtimeMs;
  const before = await changed();
  expect(await codes(late)).toEqual(expect.arrayContaining(['backup-old', 'no-write']));
  // What is only looked at is not even tried by writing.
  expect(await changed()).toBe(before);
});
