import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLibrary, shippedModels } from '#studio/models/installed';
import { failure, temporaryFolder, tinyManifest, writeBundle } from './helpers.ts';

async function setUp() {
  const root = await temporaryFolder();
  const folder = join(root, 'models');
  const shipped = await writeBundle(join(root, 'install'), tinyManifest({ id: 'starter' }));
  const own = await writeBundle(folder, tinyManifest({ hash: 'b'.repeat(64) }));
  return { root, folder, shipped, own, library: openLibrary(folder, [shipped]) };
}

describe('the library', () => {
  test('lists shipped and imported models', async () => {
    const { library, shipped, own } = await setUp();
    expect(await library.list()).toMatchObject([
      { id: 'starter', folder: shipped, shipped: true, state: 'ready' },
      { id: 'tiny', folder: own, shipped: false, state: 'ready' },
    ]);
  });

  test('is empty, not an error, where nothing was ever made', async () => {
    const none = openLibrary(join(await temporaryFolder(), 'never', 'made'), []);
    expect(await none.list()).toEqual([]);
    expect((await failure(() => none.find('x'))).message).toMatch(/none is installed.*import/s);
  });

  test('finds by id, and lists what there is when it cannot', async () => {
    const { library } = await setUp();
    expect((await library.find('tiny')).manifest.title.en).toBe('Tiny');
    for (const id of ['tinny', '', '..', '../models/tiny', 'TINY', '.hidden']) {
      expect(await failure(() => library.find(id))).toMatchObject({
        code: 'model-not-found',
        field: 'model',
        message: expect.stringMatching(/starter, tiny/) as string,
      });
    }
  });

  test('finds the weights that a recipe names, whatever they are called', async () => {
    const { library } = await setUp();
    expect((await library.findMaker({ id: 'tiny', hash: 'b'.repeat(64) })).id).toBe('tiny');
    expect((await library.findMaker({ id: 'renamed', hash: 'b'.repeat(64) })).id).toBe('tiny');
    const other = { id: 'tiny', hash: 'c'.repeat(64) };
    expect((await failure(() => library.findMaker(other))).message).toMatch(/other weights/);
    const gone = { id: 'gone', hash: 'c'.repeat(64) };
    // Nothing that was asked for is wrong, but the picture is.
    expect(await failure(() => library.findMaker(gone))).toMatchObject({
      field: undefined,
      message: expect.stringMatching(/not installed/) as string,
    });
  });

  const damages: [string, (folder: string) => Promise<unknown>][] = [
    ['not JSON', (folder) => writeFile(join(folder, 'manifest.json'), 'hello')],
    ['empty', (folder) => writeFile(join(folder, 'manifest.json'), '')],
    ['an array', (folder) => writeFile(join(folder, 'manifest.json'), '[]')],
    ['gone', (folder) => rename(join(folder, 'manifest.json'), join(folder, 'x.json'))],
    [
      'a folder',
      async (folder) => {
        await rename(join(folder, 'manifest.json'), join(folder, 'x.json'));
        await mkdir(join(folder, 'manifest.json'));
      },
    ],
    [
      'of a newer version',
      (folder) =>
        writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...tinyManifest(), version: 2 })),
    ],
    [
      'of another id',
      (folder) =>
        writeFile(join(folder, 'manifest.json'), JSON.stringify(tinyManifest({ id: 'other' }))),
    ],
  ];
  test.each(damages)(
    'a manifest that is %s: listed as damaged, refused, removable',
    async (_, damage) => {
      const { library, own, folder } = await setUp();
      await damage(own);
      const [starter, tiny] = await library.list();
      expect(starter?.state).toBe('ready');
      expect(tiny).toMatchObject({ id: 'tiny', state: 'damaged' });
      expect((await failure(() => library.find('tiny'))).code).toBe('bundle-damaged');
      await library.remove('tiny');
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('removes imported models only, and sweeps up after an interrupted removal', async () => {
    const { library, folder } = await setUp();
    await mkdir(join(folder, '.removed-0123'));
    expect(await failure(() => library.remove('starter'))).toMatchObject({
      code: 'invalid-request',
      field: 'model',
    });
    await library.remove('tiny');
    expect(await readdir(folder)).toEqual([]);
    expect((await failure(() => library.remove('tiny'))).code).toBe('model-not-found');
  });

  test('what is hidden or no folder is no model', async () => {
    const { library, folder } = await setUp();
    await mkdir(join(folder, '.import-half'));
    await writeFile(join(folder, 'notes.txt'), '');
    expect((await library.list()).map((entry) => entry.id)).toEqual(['starter', 'tiny']);
  });

  test('a new id must be free and well formed', async () => {
    const { library } = await setUp();
    await library.checkNewId('fresh-1.0');
    for (const id of ['starter', 'tiny', '', 'Upper', '../x', 'a/b', '.x', 'x'.repeat(65)]) {
      expect(await failure(() => library.checkNewId(id))).toMatchObject({ field: 'id' });
    }
  });

  test('the program ships a starter', () => {
    expect(shippedModels()).toEqual([expect.stringMatching(/[\\/]models[\\/]starter$/)]);
  });
});
