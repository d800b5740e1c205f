import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import { planImport } from '#studio/models/imports';
import { buildStarter } from '#studio/models/starter';
import { failure, fakeEngine, temporaryFolder, tinyManifest, writeBundle } from './helpers.ts';

const { signal } = new AbortController();

describe('the files of an import', () => {
  test('are sorted into checkpoints, recipe, card and statistics', async () => {
    const folder = await temporaryFolder();
    const recipe = join(folder, 'sizes.JSON');
    await writeFile(recipe, '{"name":"x"}');
    const at = (name: string) => join(folder, name);
    const files = [at('mage.pth'), recipe, at('CARD.md'), at('vit.safetensors')];
    expect(await planImport({ files, statistics: at('stats.safetensors') }, '/library')).toEqual({
      files: [at('mage.pth'), at('vit.safetensors')],
      recipe: { name: 'x' },
      attachments: [
        { name: 'CARD.md', path: at('CARD.md') },
        { name: 'statistics.safetensors', path: at('stats.safetensors') },
      ],
      id: null,
      library: '/library',
    });
  });

  test.each([
    ['no checkpoint', { files: ['a.json'] }, 'files'],
    ['two recipes', { files: ['a.pth', 'a.json'], recipe: 'b.json' }, 'recipe'],
    ['two cards', { files: ['a.pth', 'CARD.md'], card: 'x/CARD.md' }, 'card'],
  ])('%s: refused', async (_, named, field) => {
    expect(await failure(() => planImport(named, '/library'))).toMatchObject({ field });
  });

  test('a recipe that cannot be read is named', async () => {
    const recipe = join(await temporaryFolder(), 'r.json');
    expect((await failure(() => planImport({ files: ['a'], recipe }, '/l'))).code).toBe(
      'file-unavailable',
    );
    await writeFile(recipe, '{');
    expect(await failure(() => planImport({ files: ['a'], recipe }, '/l'))).toMatchObject({
      field: 'recipe',
    });
  });
});

describe('rebuilding the shipped bundle', () => {
  async function setUp() {
    const root = await temporaryFolder();
    const from = join(root, 'from');
    await mkdir(from);
    await writeFile(join(from, 'recipe.json'), '{}');
    const old = tinyManifest({ id: 'starter', networks: {}, files: [] });
    const gone = { path: 'gone.safetensors', size: 1, sha256: 'e'.repeat(64) };
    const bundle = await writeBundle(join(root, 'models'), { ...old, files: [gone] });
    await writeFile(join(bundle, 'gone.safetensors'), 'x');
    await writeFile(join(bundle, 'LICENSE'), 'by hand');
    await mkdir(join(bundle, 'training'));
    return { root, from, bundle };
  }

  test('replaces what an import writes and keeps what was written by hand', async () => {
    const { root, from, bundle } = await setUp();
    const engine = fakeEngine({
      import: async ({ library, id }) => {
        const fresh = tinyManifest({ id: id ?? '', hash: '9'.repeat(64) });
        await writeFile(join(await writeBundle(library, fresh), 'rdm.safetensors'), 'new');
        return { id: id ?? '', hash: fresh.hash };
      },
    });
    const options = { signal, onProgress: () => undefined };
    expect(await buildStarter(engine, { from, bundle }, options)).toEqual({
      id: 'starter',
      hash: '9'.repeat(64),
    });
    expect((await readdir(bundle)).sort()).toEqual(
      ['LICENSE', 'manifest.json', 'rdm.safetensors', 'training'].sort(),
    );
    expect(await readFile(join(bundle, 'manifest.json'), 'utf8')).toContain('9'.repeat(64));
    expect(await readdir(join(root, 'models'))).toEqual(['starter']);
  });

  test('an import that fails leaves everything as it was', async () => {
    const { root, from, bundle } = await setUp();
    const before = await readdir(bundle);
    const engine = fakeEngine({
      import: () => Promise.reject(new StudioError('checkpoint-unreadable', 'Bad.')),
    });
    const options = { signal, onProgress: () => undefined };
    expect((await failure(() => buildStarter(engine, { from, bundle }, options))).code).toBe(
      'checkpoint-unreadable',
    );
    expect(await readdir(bundle)).toEqual(before);
    expect(await readdir(join(root, 'models'))).toEqual(['starter']);
  });
});
