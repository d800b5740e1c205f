import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { beforeEach, expect, test } from 'vitest';
import { openLibrary } from '#studio/models/installed';
import type { OpenStudioOptions } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { tinyBundle } from '../helpers/tiny-model.ts';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

const shared = testHome();
let home: TestHome;
let folder: string;
/** Each test has models of its own, one of which may be removed. */
beforeEach(async () => {
  const root = await libraryFolder();
  folder = await libraryFolder();
  home = { root, models: join(root, 'models'), cache: (await shared).cache };
  await tinyBundle(home.models, {});
  await tinyBundle(home.models, { name: 'other' });
});

async function open(options: Partial<OpenStudioOptions> = {}) {
  const studio = await testStudio(home, {
    libraryFolder: folder,
    models: openLibrary(home.models, []),
    ...options,
  });
  const client: StudioClient = createRouterClient(createRouter(studio));
  await studio.ready;
  return { studio, client };
}

const modelsOf = async (client: StudioClient) => (await client.models.list()).map(({ id }) => id);

async function starred(client: StudioClient): Promise<readonly boolean[]> {
  return (await client.images.rows({ ids: [1] })).map((row) => row.starred);
}

async function withPicture() {
  const opened = await open();
  await ended(opened.client, (await opened.client.jobs.create(sample({}))).id);
  await opened.client.images.update({ ids: [1], starred: true });
  return opened;
}

test('a library that may only be looked at refuses, and the model stays', async () => {
  await (await open()).studio.close();
  const { client } = await open({ readOnly: true });
  await fails(client.models.remove({ id: 'other' }), 'library-unavailable');
  expect(await modelsOf(client)).toEqual(['other', 'tiny']);
});

test('a library that is damaged refuses, and the model stays', async () => {
  await writeFile(join(folder, 'library.db'), 'not a database '.repeat(100));
  const { client } = await open();
  await fails(client.models.remove({ id: 'other' }), 'library-unavailable');
  expect(await modelsOf(client)).toEqual(['other', 'tiny']);
});

test('a model that cannot be moved stays, and leaves no step of undo', async () => {
  const now = Date.now();
  const { client } = await open({ now: () => now });
  await mkdir(join(home.models, `.undo-${now}-other`, 'in the way'), { recursive: true });
  await fails(client.models.remove({ id: 'other' }), 'file-unavailable');
  expect(await modelsOf(client)).toEqual(['other', 'tiny']);
  expect((await client.studio.undoState()).undo).toBeNull();
});

test('a hidden model that no record knows of can be brought back after a start', async () => {
  await rename(join(home.models, 'other'), join(home.models, `.undo-${Date.now()}-other`));
  const first = await open();
  // It waits for what upkeep does at a start.
  await first.client.library.reindex();
  expect((await first.client.studio.undoState()).undo).toMatchObject({ kind: 'model' });
  await first.client.studio.undo();
  expect(await modelsOf(first.client)).toEqual(['other', 'tiny']);
  await first.studio.close();
  const second = await open();
  await second.client.library.reindex();
  expect((await second.client.studio.undoState()).undo).toBeNull();
});

test('a removal that is over for good is no step of undo any more', async () => {
  const { studio, client } = await withPicture();
  await client.models.remove({ id: 'other' });
  await studio.models.purge(Infinity);
  expect((await client.studio.undoState()).undo).toMatchObject({ kind: 'star' });
  expect((await readdir(home.models)).toSorted()).toEqual(['tiny']);
  await client.studio.undo();
  expect(await starred(client)).toEqual([false]);
});

test.each(['gone', 'installed again'])(
  'a removed model that is %s does not stand before earlier steps',
  async (what) => {
    const { client } = await withPicture();
    await client.models.remove({ id: 'other' });
    const hidden = (await readdir(home.models)).find((name) => name.startsWith('.undo-')) ?? '';
    if (what === 'gone') await rm(join(home.models, hidden), { recursive: true });
    else await tinyBundle(home.models, { name: 'other' });
    await fails(client.studio.undo(), 'not-found');
    expect((await client.studio.undoState()).undo).toMatchObject({ kind: 'star' });
    await client.studio.undo();
    expect(await starred(client)).toEqual([false]);
  },
);

test('two windows that undo at once take one step each', async () => {
  const { client } = await withPicture();
  await client.models.remove({ id: 'other' });
  await Promise.all([client.studio.undo(), client.studio.undo()]);
  expect(await modelsOf(client)).toEqual(['other', 'tiny']);
  expect(await starred(client)).toEqual([false]);
  await Promise.all([client.studio.redo(), client.studio.redo()]);
  expect(await modelsOf(client)).toEqual(['tiny']);
  expect(await starred(client)).toEqual([true]);
});
