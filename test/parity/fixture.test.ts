import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tinyCheckpoints } from '../helpers/tiny-model.ts';
import { openFixture } from './fixture.ts';

const RUN = { batch: 1, num_iter: 3, temp: 6, cfg: 0, rdm_steps: 25, eta: 1 };
const CONFIG = {
  encoder: { heads: 3 },
  mage: { heads: 3, dec_heads: 4 },
  vqgan: { n_embed: 64 },
  derived: { grid: 16, image_size: 256, encoder_input: 224 },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixture-'));
  await mkdir(join(folder, 'arrays'));
  await mkdir(join(folder, 'checkpoints'));
  await configure(CONFIG);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const configure = (config: object) => put('config.json', JSON.stringify(config));
const put = (name: string, content: string | Buffer) => writeFile(join(folder, name), content);
const checkpoints = async () => {
  const { checkpoints: found } = await openFixture(folder);
  return found.map((path) => path.slice(join(folder, 'checkpoints').length + 1));
};

describe('checkpoints', () => {
  test('by their names, whatever they hold: a damaged one must not go unnoticed', async () => {
    const names = ['a.pth', 'b.PT', 'c.ckpt', 'd.pth.tar', 'e.safetensors'];
    for (const name of names) await put(`checkpoints/${name}`, 'damaged');
    expect(await checkpoints()).toEqual(names);
  });

  test('by their content, whatever their names', async () => {
    await tinyCheckpoints(join(folder, 'checkpoints'));
    for (const [file, name] of [
      ['mage.pth', 'generator'],
      ['rdm.pth', 'diffusion.bin'],
    ] as const) {
      const path = join(folder, 'checkpoints', file);
      await symlink(path, join(folder, 'checkpoints', name));
    }
    expect(await checkpoints()).toEqual(['diffusion.bin', 'generator', 'mage.pth', 'rdm.pth']);
  });

  test('in folders within', async () => {
    await mkdir(join(folder, 'checkpoints', 'encoders', 'mocov3'), { recursive: true });
    await put('checkpoints/mage.pth', '');
    await put('checkpoints/encoders/mocov3/vitb.pth.tar', '');
    expect(await checkpoints()).toEqual(['encoders/mocov3/vitb.pth.tar', 'mage.pth']);
  });

  test.each([
    ['README.md', 'what these are'],
    ['SHA256SUMS', '0123  mage.pth'],
    ['LICENSE', ''],
    ['preview.png', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['thumbs.db', Buffer.from('d0cf11e0a1b11ae1', 'hex')],
    ['.DS_Store', Buffer.from('0000000142756431', 'hex')],
    ['._mage.pth', Buffer.from('0005160700020000', 'hex')],
  ])('%s is none', async (name, content) => {
    await put('checkpoints/mage.pth', '');
    await put(`checkpoints/${name}`, content);
    expect(await checkpoints()).toEqual(['mage.pth']);
  });

  test('beside a README alone, weights come from the formula', async () => {
    await put('checkpoints/README.md', 'see weights.json');
    await put('weights.json', '{}');
    expect(await openFixture(folder)).toMatchObject({ checkpoints: [], formula: true });
  });
});

test('arrays are .npy files that are not hidden', async () => {
  await put('checkpoints/mage.pth', '');
  for (const name of ['enc_rep.npy', '._enc_rep.npy', '.npy', 'README.md']) {
    await put(`arrays/${name}`, '');
  }
  const { names, has } = await openFixture(folder);
  expect(names).toEqual(['enc_rep']);
  expect(has('._enc_rep')).toBe(false);
});

describe('config.json', () => {
  beforeEach(() => put('checkpoints/mage.pth', ''));
  const runs = async () => (await openFixture(folder)).config.decode_runs;

  test('decoding runs as recorded come first', async () => {
    await configure({ ...CONFIG, decode: 'anything', decode_runs: [{ ...RUN, seed: 7 }] });
    expect(await runs()).toEqual([RUN]);
  });
  test('then as they were asked for', async () => {
    await configure({ ...CONFIG, decode: [RUN, { ...RUN, cfg: 6 }] });
    expect(await runs()).toEqual([RUN, { ...RUN, cfg: 6 }]);
  });
  test('or there are none', async () => {
    expect(await runs()).toEqual([]);
  });
  test('a run without its steps is named', async () => {
    await configure({ ...CONFIG, decode: [{ ...RUN, num_iter: undefined }] });
    await expect(runs()).rejects.toThrow('decode_runs.0.num_iter');
  });

  test('holds numbers that only Python writes', async () => {
    const text = JSON.stringify({ ...CONFIG, gap: 'GAP', decode_runs: [RUN] });
    for (const word of ['Infinity', '-Infinity', 'NaN']) {
      await put('config.json', text.replace('"GAP"', word));
      expect(await runs()).toEqual([RUN]);
    }
  });

  test('another pixel generator is named in one sentence', async () => {
    await configure({ generator: 'dit', width: 48 });
    await expect(openFixture(folder)).rejects.toThrow(
      /was recorded with the pixel generator DIT, which RCG Studio does not run: [^.]*\.$/,
    );
    await configure({ ...CONFIG, generator: 'mage' });
    expect(await runs()).toEqual([]);
  });
});
