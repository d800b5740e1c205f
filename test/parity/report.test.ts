import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeLeftovers } from './catalogue.ts';
import { close, ids } from './compare.ts';
import { openFixture } from './fixture.ts';
import { Report } from './report.ts';

const CONFIG = {
  encoder: { heads: 3 },
  mage: { heads: 3, dec_heads: 4 },
  vqgan: { n_embed: 64 },
  derived: { grid: 16, image_size: 256, encoder_input: 224 },
};

let folder: string;
let lines: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixture-'));
  lines = [];
  await mkdir(join(folder, 'arrays'));
  await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG));
  await writeFile(join(folder, 'weights.json'), '{}');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function addArray(name: string, values: readonly number[]): Promise<void> {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length},), }\n`;
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  head.writeUInt16LE(text.length, 8);
  const body = Buffer.from(Float32Array.from(values).buffer);
  await writeFile(
    join(folder, 'arrays', `${name}.npy`),
    Buffer.concat([head, Buffer.from(text), body]),
  );
}

async function open(): Promise<Report> {
  const print = (line: string) => void lines.push(line);
  return new Report(await openFixture(folder), { print, progress: () => undefined });
}

describe('a report', () => {
  test('says for every array how it compares', async () => {
    await addArray('enc_rep', [1, 2]);
    const report = await open();
    const got = { shape: [2], data: [1, 2.5] };
    expect(await report.check('enc_rep', close(1), () => got)).toBe(true);
    expect(await report.recheck('again', 'enc_rep', close(0.1), () => got)).toBe(false);
    expect(report).toMatchObject({ checks: 2, failures: 1 });
    expect(lines[0]).toMatch(/^ {2}ok {4}enc_rep +error 5\.00e-1 +≤ 1e\+0$/);
    expect(lines[1]).toMatch(/^ {2}FAIL {2}again +error 5\.00e-1 +≤ 1e-1$/);
  });

  test('says below an array which ids differ', async () => {
    await addArray('enc_rep', [1, 2]);
    const report = await open();
    await report.check('enc_rep', ids, () => ({ shape: [2], data: [1, 3] }));
    expect(lines.slice(1)).toEqual([
      '        ids that differ, as computed/recorded:',
      '        position 1: 3/2',
    ]);
  });

  test('passes over arrays that are absent', async () => {
    const report = await open();
    const never = () => Promise.reject(new Error('not to be computed'));
    expect(await report.check('enc_rep', close(1), never)).toBe(true);
    expect(report.checks).toBe(0);
  });

  test('fails for an array that nothing compared', async () => {
    await addArray('enc_image_u8', [1]);
    await addArray('enc_rep', [1]);
    const report = await open();
    await report.input('enc_image_u8');
    report.finish(new Set());
    expect(lines).toEqual(['  FAIL  enc_rep: nothing was compared with it']);
    expect(report.failures).toBe(1);
  });

  test('fails for an array of an unknown name', async () => {
    await addArray('dec_surprise', [1]);
    const report = await open();
    report.finish(new Set());
    expect(lines).toEqual(['  FAIL  dec_surprise: not an array that this program knows']);
  });

  test('lists what is unused, with the reason', async () => {
    await addArray('rdm_context', [1]);
    await addArray('enc_feature', [1]);
    const report = await open();
    report.skip('rdm_context', 'of no use');
    report.skip('rdm_context', 'said twice');
    report.skip('absent', 'of no use');
    report.finish(new Set());
    expect(lines.map((line) => line.replace(/ +/g, ' ').trim())).toEqual([
      '-- rdm_context unused: of no use',
      '-- enc_feature unused: cannot be replayed without enc_image_u8',
    ]);
    expect(report.failures).toBe(0);
  });

  test('takes what another report used as used', async () => {
    await addArray('schedule_betas', [1]);
    const report = await open();
    report.finish(new Set(['schedule_betas']));
    expect(lines).toEqual([]);
  });
});

describe('leftovers', () => {
  const judge = (names: readonly string[], used: readonly string[] = []) =>
    judgeLeftovers(names, new Set(used)).map(({ name, excused }) => `${name} ${excused}`);

  test('outputs whose inputs are there have no excuse', () => {
    expect(judge(['ddim3_steps_eta', 'ddim3_t'], ['ddim3_steps_eta'])).toEqual(['ddim3_t false']);
    expect(judge(['schedule_anything'])).toEqual(['schedule_anything false']);
  });
  test('the inputs have to be of the same run', () => {
    expect(judge(['ddim0_steps_eta', 'ddim1_t'], ['ddim0_steps_eta'])).toEqual(['ddim1_t true']);
  });
  test('what live weights gave says nothing without what their average gave', () => {
    const names = ['rdm_x', 'rdm_t', 'rdm_x0_live_weights'];
    expect(judge(names, ['rdm_x', 'rdm_t'])).toEqual(['rdm_x0_live_weights true']);
    expect(judge([...names, 'rdm_x0'], ['rdm_x', 'rdm_t', 'rdm_x0'])).toEqual([
      'rdm_x0_live_weights false',
    ]);
  });
  test('inputs that nothing can be replayed from are excused', () => {
    expect(judge(['vq_dec_ids', 'decode12_cat_gumbel'])).toEqual([
      'vq_dec_ids true',
      'decode12_cat_gumbel true',
    ]);
  });
});

describe('a folder that is no fixture', () => {
  test('without weights', async () => {
    await rm(join(folder, 'weights.json'));
    await expect(openFixture(folder)).rejects.toThrow('neither checkpoints/ nor weights.json');
  });
  test('without head counts', async () => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, mage: {} }));
    await expect(openFixture(folder)).rejects.toThrow('heads');
  });
  test('without arrays', async () => {
    await rm(join(folder, 'arrays'), { recursive: true });
    await expect(openFixture(folder)).rejects.toThrow('arrays');
  });
});
