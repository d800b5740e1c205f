import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectCheckpoint, loadManifest, previewImport, verifyBundle } from '#worker/importing';
import { TINY, tinyBundle, tinyCheckpoints, tinyRecipe } from './tiny-model.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiny-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('the tiny model', () => {
  test('is imported whole', async () => {
    const bundle = await tinyBundle(folder);
    expect(bundle).toBe(join(folder, 'tiny'));
    expect(await readdir(folder)).toEqual(['tiny']);
    expect(await verifyBundle(bundle)).toEqual([]);
    const { networks, recommended } = await loadManifest(bundle);
    expect(networks).toMatchObject({
      encoder: { kind: 'mocov3', heads: 2, imageSize: 32, sourceSize: 32, representation: 16 },
      rdm: { representation: 16, width: 32, depth: 2, classes: 0 },
      mage: { codes: 64, tokens: 256, vocabulary: 64 + 1001, heads: 2, decoderHeads: 2 },
      vqgan: { channels: 32, multipliers: [1, 1], blocks: 1, codes: 64 },
    });
    expect(recommended).toMatchObject({ steps: 4, rdmSteps: 10 });
  });

  test('can have classes, and another name', async () => {
    const bundle = await tinyBundle(folder, { classes: 3, name: 'labelled' });
    expect(bundle).toBe(join(folder, 'labelled'));
    const { networks } = await loadManifest(bundle);
    expect(networks.rdm).toMatchObject({ classes: 3, context: TINY.context });
  });

  test('lacks nothing that a model has', async () => {
    const files = await tinyCheckpoints(folder, { classes: 2 });
    const recipe = tinyRecipe({ name: 'Some Name' });
    const request = { files, recipe, attachments: [], id: null, library: folder };
    expect(await previewImport(request)).toMatchObject({
      id: 'some-name',
      missing: [],
      warnings: [],
    });
  });

  test('is the same every time', async () => {
    const first = await loadManifest(await tinyBundle(join(folder, 'one')));
    const second = await loadManifest(await tinyBundle(join(folder, 'two')));
    expect(second.hash).toBe(first.hash);
  });

  test('comes as files of the official layout', async () => {
    const [mage = '', rdm = ''] = await tinyCheckpoints(folder);
    const kinds = async (file: string) => {
      const { format, parts } = await inspectCheckpoint(file);
      return [format, ...parts.map((part) => part.kind).sort()];
    };
    expect(await kinds(mage)).toEqual(['torch-zip', 'encoder', 'mage', 'vqgan']);
    expect(await kinds(rdm)).toEqual(['torch-zip', 'encoder', 'rdm']);
  });
});
