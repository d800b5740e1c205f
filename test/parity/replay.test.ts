import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeTokens } from '#engine/tokens';
import type { Tensor } from '#engine/types';
import { TINY, tinyBundle, tinyCheckpoints } from '../helpers/tiny-model.ts';
import { openGraphs } from './graphs.ts';
import { replayFolder } from './replay.ts';
import { scheduleBuffers } from './schedule-buffers.ts';
import { rows } from './tensors.ts';

const SIDE = TINY.picture;
const TOKENS = TINY.grid ** 2;
const STEPS = 3;
const RUN = { batch: 2, num_iter: STEPS, temp: 4, cfg: 2, rdm_steps: 7, eta: 0.5 };
const CONFIG = {
  encoder: { heads: TINY.heads },
  mage: { heads: TINY.heads, dec_heads: TINY.heads },
  vqgan: { n_embed: TINY.codes },
  derived: { grid: TINY.grid, image_size: SIDE, encoder_input: SIDE },
  decode_runs: [RUN],
};

let root: string;
let folder: string;
let lines: string[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'replay-'));
  folder = join(root, 'fixture');
  lines = [];
  await mkdir(join(folder, 'arrays'), { recursive: true });
  await tinyCheckpoints(join(folder, 'checkpoints'));
  await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function save(name: string, shape: readonly number[], data: Tensor['data']): Promise<void> {
  const descr = { Float32Array: '<f4', Int32Array: '<i4', Uint8Array: '|u1' }[
    data.constructor.name
  ];
  const axes = shape.map((size) => `${size},`).join(' ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${axes}), }\n`;
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  head.writeUInt16LE(text.length, 8);
  const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const path = join(folder, 'arrays', `${name}.npy`);
  await writeFile(path, Buffer.concat([head, Buffer.from(text), body]));
}

async function replay(): Promise<boolean> {
  const scratch = join(root, 'scratch');
  return replayFolder(folder, {
    scratch,
    targets: ['portable'],
    print: (line) => void lines.push(line),
    progress: () => undefined,
  });
}

const failures = () =>
  lines.filter((line) => line.startsWith('  FAIL')).map((line) => line.slice(8));

/** Gumbel-like noise that needs no generator: spread out, and different everywhere. */
function noise(length: number): Float32Array {
  return Float32Array.from(
    { length },
    (_, i) => -Math.log(-Math.log(((i * 0.6180339887) % 1) * 0.98 + 0.01)),
  );
}

/** Runs a decode with the product and records it, as the official code's was recorded. */
async function recordDecode(): Promise<{
  readonly gumbel: Float32Array;
  readonly drawn: Int32Array;
}> {
  const scratch = join(root, 'record');
  const bundle = await tinyBundle(join(root, 'library'));
  const graphs = await openGraphs({
    bundle,
    target: 'portable',
    scratch,
    onProgress: () => undefined,
  });
  const shape = [STEPS, RUN.batch, TOKENS];
  const gumbel = noise(STEPS * RUN.batch * TOKENS * TINY.codes);
  const confidence = noise(STEPS * RUN.batch * TOKENS);
  const representation = noise(RUN.batch * TINY.representation);
  const drawn = new Int32Array(STEPS * RUN.batch * TOKENS);
  const mage = await graphs.network('mage');
  let step = 0;
  const final = await decodeTokens({
    network: async (feeds, fetches) => {
      const outputs = await mage(feeds, [...fetches, 'drawn']);
      drawn.set(outputs['drawn']?.data ?? [], step * RUN.batch * TOKENS);
      step += 1;
      return outputs;
    },
    sizes: graphs.sizes,
    seeds: [0, 1],
    representations: representation,
    decoding: { steps: STEPS, temperature: RUN.temp, guidance: RUN.cfg, schedule: 'linear' },
    noise: {
      categorical: {
        kind: 'gumbel',
        values: (k) => rows({ shape: [...shape, TINY.codes], data: gumbel }, k, k + 1).data,
      },
      confidence: (k) => rows({ shape, data: confidence }, k, k + 1).data,
    },
  });
  await graphs.close();
  await save('decode0_cat_gumbel', [...shape, TINY.codes], gumbel);
  await save('decode0_conf_gumbel', shape, confidence);
  await save('decode0_rep', [RUN.batch, TINY.representation], representation);
  await save('decode0_drawn_ids', shape, drawn);
  await save('decode0_final_ids', [RUN.batch, TOKENS], final);
  return { gumbel, drawn };
}

describe('a replay', () => {
  test('holds where everything agrees', async () => {
    const { betas = new Float32Array() } = scheduleBuffers();
    await save('schedule_betas', [1000], betas);
    await recordDecode();
    const held = await replay();
    expect(failures()).toEqual([]);
    expect(held).toBe(true);
    expect(lines.some((line) => /ok {4}decode0_final_ids .* 0 of 512 differ/.test(line))).toBe(
      true,
    );
    // What was compiled is gone; the caller removes the rest.
    expect(await readdir(join(root, 'scratch'))).toEqual(['library']);
  });

  test('says which draw went another way, and by how much', async () => {
    const { gumbel, drawn } = await recordDecode();
    // Pushes one code of picture 1, position 5, in step 2 far ahead of what was recorded.
    const at = (RUN.batch + 1) * TOKENS + 5;
    const other = ((drawn[at] ?? 0) + 1) % TINY.codes;
    gumbel[at * TINY.codes + other] = 1000;
    await save('decode0_cat_gumbel', [STEPS, RUN.batch, TOKENS, TINY.codes], gumbel);
    expect(await replay()).toBe(false);
    expect(failures()[0]).toMatch(/^decode0_drawn_ids .* differ$/);
    const said = `first differing draw: step 2, picture 1, position 5: ${other} instead of ${drawn[at]}`;
    expect(lines.some((line) => line.includes(said))).toBe(true);
    expect(lines).toContain(`        step 2, picture 1, position 5: ${other}/${drawn[at]}`);
  });

  test.each([
    [
      'a number that is off',
      'schedule_betas',
      [1000],
      Float32Array.from({ length: 1000 }, () => 0.01),
    ],
    [
      'another shape',
      'schedule_betas',
      [1, 1000],
      scheduleBuffers()['betas'] ?? new Float32Array(),
    ],
    ['a null condition of another model', 'mage_fake_latent', [1, 16], new Float32Array(16)],
    ['an array of an unknown name', 'mage_surprise', [1], new Float32Array(1)],
  ])('fails for %s', async (_, name, shape, data) => {
    await save(name, shape, data);
    expect(await replay()).toBe(false);
    expect(failures()).toHaveLength(1);
    expect(failures()[0]).toContain(name);
  });

  test('fails, and stops, for a checkpoint that cannot be imported', async () => {
    await writeFile(join(folder, 'checkpoints', 'mage.pth'), 'not a checkpoint');
    expect(await replay()).toBe(false);
    expect(failures()).toEqual([expect.stringContaining('mage.pth')]);
  });

  test('compares every file with the bundle', async () => {
    expect(await replay()).toBe(true);
    const compared = lines.filter((line) => line.includes('as in the bundle'));
    expect(compared.map((line) => line.slice(8).split(' error')[0]?.trim())).toEqual([
      'mage.pth: mage',
      'mage.pth: encoder',
      'mage.pth: vqgan',
      'rdm.pth: rdm',
      'rdm.pth: encoder',
    ]);
  });
});

describe('the command', () => {
  const program = join(import.meta.dirname, 'main.ts');
  const run = (...folders: string[]) =>
    spawnSync(process.execPath, [program, ...folders], { encoding: 'utf8' });

  test('without a folder: usage, exit code 2', () => {
    const { status, stdout, stderr } = run();
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('usage');
  });

  test('with a folder that is no fixture: exit code 1, and the next is replayed', () => {
    const { status, stdout } = run(join(root, 'nothing'), folder);
    expect(status).toBe(1);
    expect(stdout).toContain(`${join(root, 'nothing')}: FAIL`);
    expect(stdout).toContain(`${folder}, cpu-float32: 0 checks, all hold`);
    expect(stdout).toContain('1 of 2 folders do not hold');
  });

  test('with a folder as seen from where npm was called; of another generator: exit code 1', () => {
    writeFileSync(join(folder, 'config.json'), '{"generator": "adm"}');
    const { status, stdout } = spawnSync(process.execPath, [program, 'fixture'], {
      encoding: 'utf8',
      cwd: tmpdir(),
      env: { ...process.env, INIT_CWD: root },
    });
    expect(status).toBe(1);
    const [line] = stdout.split('\n');
    expect(line).toBe(
      `${folder}: FAIL: fixture was recorded with the pixel generator ADM, which RCG Studio does ` +
        'not run: it draws pictures with MAGE only.',
    );
  });

  test('with a folder that holds: exit code 0', () => {
    const { status, stdout } = run(folder);
    expect(status).toBe(0);
    expect(stdout).toContain('The folder holds.');
  });
});
