import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCheckpoint } from '#checkpoint/open';
import type { StateDict } from '#checkpoint/types';
import { fileSource } from '#worker/files';
import { importBundle } from '#worker/importing';
import { TINY, tinyCheckpoints, tinyRecipe } from '../helpers/tiny-model.ts';
import { storedTensor, writeTorchZip } from '../helpers/torch-stream.ts';
import { compareFiles } from './checkpoints.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'checkpoints-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

/** The tiny mage.pth with some tensors replaced by ones, as another file; its path. */
async function changedMage(shapes: Readonly<Record<string, readonly number[]>>): Promise<string> {
  const [mage = ''] = await tinyCheckpoints(join(root, 'tiny'));
  const source = await fileSource(mage);
  const path = join(root, 'changed.pth');
  try {
    const { stateDicts } = await openCheckpoint(source);
    const model: StateDict = new Map([
      ...(stateDicts.get('model') ?? []),
      ...Object.entries(shapes).map(([name, shape]) => {
        const count = shape.reduce((product, size) => product * size, 1);
        const bytes = new Uint8Array(new Float32Array(count).fill(1).buffer);
        return [name, storedTensor({ name, dtype: 'float32', shape }, bytes)] as const;
      }),
    ]);
    await writeTorchZip(path, { model });
  } finally {
    await source.close();
  }
  return path;
}

async function bundleOf(...files: readonly string[]): Promise<string> {
  const library = join(root, 'library');
  const recipe = tinyRecipe();
  const { id } = await importBundle({ files, recipe, attachments: [], id: null, library });
  return join(library, id);
}

describe('files and the bundle made of them', () => {
  test('agree but for a head that this MAGE was trained without', async () => {
    const mage = await changedMage({
      fake_latent: [1, TINY.width],
      'latent_prior_proj.weight': [TINY.width, TINY.width],
    });
    const found = await compareFiles([mage], await bundleOf(mage));
    expect(found.map(({ what, error, headUnused }) => [what, error, headUnused])).toEqual([
      ['changed.pth: mage', 0, false],
      ['changed.pth: encoder', 0, true],
      ['changed.pth: vqgan', 0, false],
    ]);
  });

  test('disagree by the largest difference of a weight, or in shape', async () => {
    const bundle = await bundleOf(...(await tinyCheckpoints(join(root, 'own'))));
    const other = await changedMage({
      'norm.bias': [TINY.width],
      'pretrained_encoder.norm.bias': [TINY.width + 1],
    });
    const [mage, encoder, vqgan] = await compareFiles([other], bundle);
    expect(mage?.error).toBeGreaterThan(0);
    expect(encoder).toMatchObject({ error: NaN, headUnused: false });
    expect(vqgan?.error).toBe(0);
  });
});
