import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import Sqlite from 'better-sqlite3';
import { beforeAll, expect, test } from 'vitest';
import type { OpenStudioOptions } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

async function open(folder: string, options: Partial<OpenStudioOptions> = {}) {
  const studio = await testStudio(home, { libraryFolder: folder, ...options });
  await studio.ready;
  const client: StudioClient = createRouterClient(createRouter(studio));
  return { studio, client };
}

/** A library with two pictures. */
async function filled() {
  const folder = await libraryFolder();
  const opened = await open(folder);
  const job = await opened.client.jobs.create(sample({ count: 2, seed: 60 }));
  const { images } = await ended(opened.client, job.id);
  return { ...opened, folder, ids: images };
}

const sort = { by: 'createdAt', descending: true } as const;
const matching = async (client: StudioClient) =>
  (await client.images.search({ filter: { replays: ['match'] }, sort })).ids;

test('the newest answer takes the place of the one before, also over a restart', async () => {
  const { studio, client, folder, ids } = await filled();
  const [id = 0] = ids;
  const first = await client.images.replay({ id });
  await studio.close();
  // As if this computer had drawn three tokens in another way when it made the picture.
  const record = new Sqlite(join(folder, 'library.db'));
  const tokens = record
    .prepare<[number], Buffer>('SELECT tokens FROM masters WHERE image = ?')
    .pluck()
    .get(id);
  if (tokens === undefined) throw new Error('no tokens');
  for (const at of [0, 20, 510]) tokens.writeUInt16LE(tokens.readUInt16LE(at) ^ 1, at);
  record.prepare('UPDATE masters SET tokens = ? WHERE image = ?').run(tokens, id);
  record.close();

  const again = await open(folder);
  const { replay } = await again.client.images.get({ id });
  expect(replay).toEqual({ differing: 0, target: first.target, checkedAt: first.checkedAt });
  expect(await matching(again.client)).toEqual([id]);
  const second = await again.client.images.replay({ id });
  expect(second).toMatchObject({ differing: 3, tokens: 256 });
  const now = await again.client.images.get({ id });
  expect(now.replay).toMatchObject({ differing: 3, checkedAt: second.checkedAt });
  expect(await matching(again.client)).toEqual([]);
  // What was seen is no step that could be taken back.
  expect(await again.client.studio.undoState()).toEqual({ undo: null, redo: null });
});

test('a picture that is deleted for good while it runs still gets its answer', async () => {
  const { client, ids } = await filled();
  const [id = 0, other = 0] = ids;
  const running = client.images.replay({ id });
  await client.images.remove({ ids: [id] });
  await client.images.emptyBin();
  expect(await running).toMatchObject({ differing: 0 });
  await fails(client.images.get({ id }), 'not-found');
  expect(await matching(client)).toEqual([]);
  expect((await client.images.get({ id: other })).replay).toBeNull();
});

test('a run that fails says nothing of what was seen before', async () => {
  const { client, studio, ids, folder } = await filled();
  const [id = 0] = ids;
  await client.images.replay({ id });
  const { replay } = await client.images.get({ id });
  await studio.close();
  const record = new Sqlite(join(folder, 'library.db'));
  record
    .prepare("UPDATE masters SET recipe = json_set(recipe, '$.model.hash', ?) WHERE image = ?")
    .run('c'.repeat(64), id);
  record.close();
  const again = await open(folder);
  await fails(again.client.images.replay({ id }), 'model-not-found');
  expect((await again.client.images.get({ id })).replay).toEqual(replay);
});

test('a lost record costs the answers, and a run tells them again', async () => {
  const { client, studio, ids, folder } = await filled();
  for (const id of ids) await client.images.replay({ id });
  expect(await matching(client)).toHaveLength(2);
  await studio.close();
  for (const name of ['library.db', 'backups']) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
  const again = await open(folder);
  const { ids: found } = await again.client.images.search({ filter: {}, sort });
  expect(found).toHaveLength(2);
  expect(await matching(again.client)).toEqual([]);
  const [id = 0] = found;
  expect(await again.client.images.replay({ id })).toMatchObject({ differing: 0 });
  expect(await matching(again.client)).toEqual([id]);
});
