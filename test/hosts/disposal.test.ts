import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLibrary } from '#studio/models/installed';
import type { OpenStudioOptions } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { tinyBundle } from '../helpers/tiny-model.ts';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

async function open(folder: string, options: Partial<OpenStudioOptions> = {}) {
  const studio = await testStudio(home, { libraryFolder: folder, ...options });
  const client: StudioClient = createRouterClient(createRouter(studio));
  return { studio, client, folder };
}

/** A studio with three pictures, and their files. */
async function filled() {
  const opened = await open(await libraryFolder());
  const { id } = await opened.client.jobs.create(sample({ count: 3, seed: 60 }));
  const { images: ids } = await ended(opened.client, id);
  const details = await Promise.all(ids.map((image) => opened.client.images.get({ id: image })));
  const files = details.map(({ path }) => join(opened.folder, path));
  return { ...opened, ids, files };
}

const isThere = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  );

describe('deleting for good', () => {
  test('takes chosen pictures of the bin, their files and thumbnails, and no others', async () => {
    const { client, studio, folder, ids, files } = await filled();
    const [first = 0, second = 0, third = 0] = ids;
    await studio.assets.get(`/images/${first}/thumb`);
    await client.images.remove({ ids: [first, second] });
    expect(await client.images.purge({ ids: [first, third, 999] })).toEqual({ removed: 1 });
    expect(await Promise.all(files.map(isThere))).toEqual([false, true, true]);
    const thumbs = await readdir(join(folder, 'thumbs'), { recursive: true });
    expect(thumbs.filter((name) => name.endsWith('.webp'))).toEqual([]);
    await fails(client.images.get({ id: first }), 'not-found');
    // Undo brings back what is left.
    await client.studio.undo();
    const rows = await client.images.rows({ ids: [...ids] });
    expect(rows.map((row) => [row.id, row.deletedAt])).toEqual([
      [second, null],
      [third, null],
    ]);
    expect(await client.images.purge({ ids: [second] })).toEqual({ removed: 0 });
    await fails(client.images.purge({ ids: [] }), 'invalid-request');
  });
});

describe('dropping pixels', () => {
  test('keeps the thumbnail that there is, also when another size is chosen later', async () => {
    const { client, studio, folder, ids } = await filled();
    const [first = 0, second = 0] = ids;
    const thumbs = async () =>
      (await readdir(join(folder, 'thumbs'), { recursive: true })).filter((name) =>
        name.endsWith('.webp'),
      );
    const get = (id: number, kind: string) => studio.assets.get(`/images/${id}/${kind}`);
    await get(first, 'thumb');
    await client.images.dropPixels({ ids: [first] });
    await client.studio.configure({ thumbnailEdge: 512 });
    for (const kind of ['thumb', 'thumb-512']) expect((await get(first, kind))?.type).toBeDefined();
    expect(await thumbs()).toEqual([expect.not.stringContaining('-512')]);

    // A page that does not know the setting yet makes nothing to and fro.
    const one = await get(second, 'thumb');
    const two = await get(second, 'thumb-512');
    expect(one?.etag).toBe(two?.etag);
    expect((await thumbs()).filter((name) => name.endsWith('-512.webp'))).toHaveLength(1);
    expect(await thumbs()).toHaveLength(2);
    await client.studio.configure({ thumbnailEdge: 256 });
    expect((await get(second, 'thumb'))?.etag).not.toBe(one?.etag);
    expect((await thumbs()).filter((name) => name.endsWith('-512.webp'))).toEqual([]);
    for (const kind of ['thumb-256', 'thumb-1024', 'thumb-', 'thumb-512/x']) {
      expect(await get(second, kind)).toBeNull();
    }
  });

  test('frees the file and keeps the rest; rebuilding gives the same pixels', async () => {
    const { client, studio, ids, files } = await filled();
    const [id = 0] = ids;
    const [file = ''] = files;
    const before = await sharp(await readFile(file))
      .raw()
      .toBuffer();
    const { bytes } = await client.images.get({ id });
    await client.images.update({ ids: [id], rating: 4 });
    expect(await client.images.dropPixels({ ids: [id] })).toEqual({
      dropped: 1,
      bytes,
      kept: 0,
      gone: 0,
    });
    expect(await isThere(file)).toBe(false);
    const dropped = await client.images.get({ id });
    expect(dropped).toMatchObject({ file: 'dropped', rating: 4 });
    expect((await studio.assets.get(`/images/${id}/thumb`))?.type).toBe('image/webp');
    expect(await studio.assets.get(`/images/${id}/full`)).toBeNull();
    // Looking for what was given up is no loss to be noted.
    expect((await client.images.get({ id })).file).toBe('dropped');
    expect(await client.images.dropPixels({ ids: [id] })).toEqual({
      dropped: 0,
      bytes: 0,
      kept: 0,
      gone: 0,
    });
    expect(await client.images.replay({ id })).toMatchObject({ differing: 0 });
    expect((await client.images.rebuild({ id })).file).toBe('present');
    expect(
      await sharp(await readFile(file))
        .raw()
        .toBuffer(),
    ).toEqual(before);
  });

  test('spares pictures from elsewhere: their tokens are an approximation', async () => {
    const { client, studio, folder } = await filled();
    const pixels = { width: 40, height: 40, channels: 3, background: '#a03' } as const;
    const png = await sharp({ create: pixels }).png().toBuffer();
    const files = [new File([Uint8Array.from(png)], 'red.png', { type: 'image/png' })];
    const [foreign = 0] = (await client.images.import({ files })).ids;
    expect(await client.images.dropPixels({ ids: [foreign] })).toMatchObject({ kept: 1 });
    expect((await client.images.get({ id: foreign })).file).toBe('present');
    // Nor are they made again over the picture itself, unless it is lost.
    const file = join(folder, (await client.images.get({ id: foreign })).path);
    const original = await readFile(file);
    await fails(client.images.rebuild({ id: foreign }), 'invalid-request', 'id');
    expect(await readFile(file)).toEqual(original);
    expect((await studio.assets.get(`/images/${foreign}/full`))?.type).toBe('image/png');
    await rm(file);
    expect((await client.images.rebuild({ id: foreign })).file).toBe('present');
  });

  test.each([
    ['no model', false],
    ['other weights under its name', true],
  ])('spares pictures that could not be made again: %s', async (_, others) => {
    const { studio, folder, ids, files } = await filled();
    await studio.close();
    const models = join(await libraryFolder(), 'models');
    if (others) await tinyBundle(models, { classes: 2 });
    const { client } = await open(folder, { models: openLibrary(models, []) });
    expect((await client.models.list()).map(({ id }) => id)).toEqual(others ? ['tiny'] : []);
    expect(await client.images.dropPixels({ ids: [...ids] })).toEqual({
      dropped: 0,
      bytes: 0,
      kept: 3,
      gone: 0,
    });
    expect(await Promise.all(files.map(isThere))).toEqual([true, true, true]);
    const rows = await client.images.rows({ ids: [...ids] });
    expect(rows.map((row) => row.file)).toEqual(['present', 'present', 'present']);
  });

  test('drops the others when pictures are deleted for good meanwhile', async () => {
    const { studio, folder, ids, files } = await filled();
    await studio.close();
    const [first = 0, second = 0, third = 0] = ids;
    const models = openLibrary(home.models, []);
    const { client } = await open(folder, {
      models: {
        ...models,
        // The first was looked up and chosen already, the third was not.
        findMaker: async (maker) => {
          await client.images.remove({ ids: [first, third] });
          await client.images.purge({ ids: [first, third] });
          return models.findMaker(maker);
        },
      },
    });
    const { bytes } = await client.images.get({ id: second });
    expect(await client.images.dropPixels({ ids: [...ids, ...ids, 999] })).toEqual({
      dropped: 1,
      bytes,
      kept: 0,
      gone: 3,
    });
    expect(await Promise.all(files.map(isThere))).toEqual([false, false, false]);
    const rows = await client.images.rows({ ids: [...ids] });
    expect(rows.map((row) => [row.id, row.file])).toEqual([[second, 'dropped']]);
    expect(await client.images.dropPixels({ ids: [first] })).toMatchObject({ dropped: 0, gone: 1 });
  });

  test('a kill after the row and before the file is made good at the next start', async () => {
    const { studio, folder, ids, files } = await filled();
    const [id = 0, other = 0] = ids;
    const [file = '', second = ''] = files;
    studio.shop.history().images.dropFiles([id, other]);
    await studio.close();
    expect(await isThere(file)).toBe(true);
    const again = await open(folder);
    await again.studio.ready;
    expect(await Promise.all([file, second].map(isThere))).toEqual([false, false]);
    const rows = await again.client.images.rows({ ids: [id, other] });
    expect(rows.map((row) => row.file)).toEqual(['dropped', 'dropped']);
  });

  test('a recipe alone makes the picture again; a broken one is refused by name', async () => {
    const { client, ids, files } = await filled();
    const { recipe } = await client.images.get({ id: ids[0] ?? 0 });
    const json = (text: string) => new File([text], 'recipe.json', { type: 'application/json' });
    const wrong = { ...recipe, model: { id: 'other', hash: '0'.repeat(64) } };
    const taken = await client.images.import({
      files: [json(JSON.stringify(recipe)), json('{'), json(JSON.stringify(wrong)), json('[]')],
    });
    expect(taken.refused.map((one) => one.name)).toEqual(Array(3).fill('recipe.json'));
    const [id = 0] = taken.ids;
    const again = await client.images.get({ id });
    expect(again.recipe).toEqual(recipe);
    expect(await client.images.replay({ id })).toMatchObject({ differing: 0 });
    const pixels = async (file: string) =>
      sharp(await readFile(file))
        .raw()
        .toBuffer();
    const copy = files[0]?.replace(/images.*/, again.path) ?? '';
    expect(await pixels(copy)).toEqual(await pixels(files[0] ?? ''));
  });

  test('a file that was made again is not deleted for an old wish', async () => {
    const { studio, client, folder, ids, files } = await filled();
    const [id = 0] = ids;
    const [file = ''] = files;
    studio.shop.history().images.dropFiles([id]);
    await writeFile(file, 'half');
    await client.images.rebuild({ id });
    await studio.close();
    const again = await open(folder);
    await again.studio.ready;
    expect(await isThere(file)).toBe(true);
    expect((await again.client.images.get({ id })).file).toBe('present');
  });
});
