import {
  access,
  chmod,
  mkdir,
  readFile,
  readdir,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import { HASH, WIDTH, countingCache, temporaryFolder, tinyGraph } from './tiny.ts';

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Every file below a folder, for comparing. */
async function tree(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

const HOME = path.join(HASH, 'cpu-float32-v3');
const WHOLE = ['decoder.bin', 'decoder.onnx', 'sizes.json'].map((name) =>
  path.join(HOME, 'decoder', name),
);

describe('a whole cache', () => {
  test('compiles once, then finds', async () => {
    const root = await temporaryFolder();
    const { cache, compiled } = countingCache(root);
    const first = await cache.find('decoder');
    const second = await cache.find('decoder');
    expect([first.built, second.built, compiled]).toEqual([true, false, ['decoder']]);
    expect(second.path).toBe(first.path);
    expect(await tree(root)).toEqual(WHOLE);
  });

  test('weights lie where the model says', async () => {
    const root = await temporaryFolder();
    const { path: model } = await countingCache(root).cache.find('decoder');
    const bytes = await readFile(path.join(path.dirname(model), 'decoder.bin'));
    expect(bytes.byteLength).toBe(WIDTH * 4);
    expect(bytes.readInt32LE(4 * 77)).toBe(77);
  });

  test('deleting it is safe', async () => {
    const root = await temporaryFolder();
    const { cache, compiled } = countingCache(root);
    await cache.find('decoder');
    await rm(root, { recursive: true });
    expect((await cache.find('decoder')).built).toBe(true);
    expect(compiled).toHaveLength(2);
  });

  test('many at once, in two caches on one folder, leave one whole entry', async () => {
    const root = await temporaryFolder();
    const caches = [countingCache(root), countingCache(root)];
    const found = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => caches[at % 2]?.cache.find('decoder')),
    );
    expect(new Set(found.map((each) => each?.path)).size).toBe(1);
    expect(await tree(root)).toEqual(WHOLE);
  });
});

describe('a damaged cache', () => {
  test.each([
    [
      'a weight file cut short',
      async (entry: string) => truncate(path.join(entry, 'decoder.bin'), 100),
    ],
    ['a model cut short', async (entry: string) => truncate(path.join(entry, 'decoder.onnx'), 1)],
    [
      'a model that grew',
      async (entry: string) => writeFile(path.join(entry, 'decoder.onnx'), 'x', { flag: 'a' }),
    ],
    ['a missing weight file', async (entry: string) => rm(path.join(entry, 'decoder.bin'))],
    ['missing sizes', async (entry: string) => rm(path.join(entry, 'sizes.json'))],
    [
      'sizes that are no JSON',
      async (entry: string) => writeFile(path.join(entry, 'sizes.json'), '{'),
    ],
    [
      'sizes that are null',
      async (entry: string) => writeFile(path.join(entry, 'sizes.json'), 'null'),
    ],
    [
      'an empty entry',
      async (entry: string) => {
        await rm(entry, { recursive: true });
        await mkdir(entry);
      },
    ],
    [
      'a file in the place of the entry',
      async (entry: string) => {
        await rm(entry, { recursive: true });
        await writeFile(entry, '');
      },
    ],
  ])('%s is made again', async (_, damage) => {
    const root = await temporaryFolder();
    const { cache, compiled } = countingCache(root);
    const { path: model } = await cache.find('decoder');
    const before = await readFile(model);
    await damage(path.dirname(model));
    expect((await cache.find('decoder')).built).toBe(true);
    expect(await readFile(model)).toEqual(before);
    expect(compiled).toHaveLength(2);
    expect(await tree(root)).toEqual(WHOLE);
  });

  test('rebuild replaces a whole entry', async () => {
    const root = await temporaryFolder();
    const { cache, compiled } = countingCache(root);
    await cache.find('decoder');
    expect((await cache.rebuild('decoder')).built).toBe(true);
    expect(compiled).toHaveLength(2);
    expect(await tree(root)).toEqual(WHOLE);
  });
});

describe('what does not work', () => {
  test('a failing compilation leaves nothing behind', async () => {
    const root = await temporaryFolder();
    const { cache } = countingCache(root, {
      compile: async (_, weightsFile, write) => {
        const encoded = await tinyGraph(weightsFile);
        const weights = encoded.weights.map((blob) => ({
          ...blob,
          produce: async () => Promise.reject(new Error('unreadable weight')),
        }));
        await write({ ...encoded, weights });
      },
    });
    await expect(cache.find('decoder')).rejects.toThrow('unreadable weight');
    expect(await readdir(path.join(root, HOME))).toEqual([]);
  });

  test('a full disk says so, and leaves nothing behind', async () => {
    const root = await temporaryFolder();
    const { cache } = countingCache(root, {
      compile: async () => {
        const full = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
        await Promise.reject(full);
      },
    });
    const failure = await cache.find('decoder').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StudioError);
    expect(failure).toMatchObject({ code: 'disk-full' });
    expect(await readdir(path.join(root, HOME))).toEqual([]);
  });

  test('a cache folder that is a file is named', async () => {
    const folder = await temporaryFolder();
    const root = path.join(folder, 'cache');
    await writeFile(root, 'not a folder');
    await expect(countingCache(root).cache.find('decoder')).rejects.toMatchObject({
      code: 'file-unavailable',
      message: expect.stringContaining(root) as string,
    });
  });

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written is named', async () => {
    const root = await temporaryFolder();
    await chmod(root, 0o500);
    await expect(countingCache(root).cache.find('decoder')).rejects.toMatchObject({
      code: 'file-unavailable',
    });
  });
});

describe('tidying up', () => {
  test('what older builders made goes, newer ones and other bundles stay', async () => {
    const root = await temporaryFolder();
    const old = [`${HASH}/cpu-float32-v2/mage/x`, `${HASH}/portable-v1/mage/x`];
    const kept = [
      `${HASH}/cpu-int8-v3/mage/x`,
      `${HASH}/portable-v4/mage/x`,
      `${'b'.repeat(64)}/portable-v1/x`,
    ];
    for (const file of [...old, ...kept]) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
      await writeFile(path.join(root, file), '');
    }
    await countingCache(root).cache.find('decoder');
    const there = async (files: readonly string[]) =>
      Promise.all(files.map(async (file) => exists(path.join(root, file))));
    expect(await there(old)).toEqual([false, false]);
    expect(await there(kept)).toEqual([true, true, true]);
  });

  test('compilations that ended long ago go, those under way stay', async () => {
    const root = await temporaryFolder();
    const abandoned = path.join(root, HOME, '.mage-abandoned');
    const running = path.join(root, HOME, '.mage-running');
    await mkdir(abandoned, { recursive: true });
    await mkdir(running);
    const yesterday = new Date(Date.now() - 24 * 3600 * 1000);
    await utimes(abandoned, yesterday, yesterday);
    await countingCache(root).cache.find('decoder');
    expect([await exists(abandoned), await exists(running)]).toEqual([false, true]);
  });
});
