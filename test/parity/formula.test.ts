import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkProbe, formulaSchema, formulaTensors, mix, readFormula } from './formula.ts';

const FORMULA = formulaSchema.parse({
  net: {
    salt: 4,
    prefix_in_mage_file: 'inside.',
    keys: {
      // Values recorded from the original generator.
      fake_latent: {
        dtype: 'float32',
        shape: [1, 256],
        index: 0,
        kind: 'uniform',
        mean: 0,
        amp: 0.5,
      },
      decay: { dtype: 'float32', shape: [], index: 1, kind: 'constant', value: 0.75 },
      updates: { dtype: 'int32', shape: [], index: 2, kind: 'constant', value: 3 },
      positions: { dtype: 'int64', shape: [1, 4], index: 3, kind: 'as_is' },
      large: { dtype: 'float32', shape: [1025, 1024], index: 4, kind: 'uniform', mean: 1, amp: 2 },
    },
  },
});
const PROBE = {
  net: {
    fake_latent: {
      first: [-0.32946130633354187, -0.3433091342449188, 0.22077342867851257, -0.45832011103630066],
      sum: -6.501739178784192,
    },
  },
};

async function bytesOf(name: string): Promise<Buffer[]> {
  const tensor = formulaTensors(FORMULA, 'net').get(name);
  const chunks: Buffer[] = [];
  for await (const chunk of tensor?.chunks() ?? []) chunks.push(Buffer.from(chunk));
  return chunks;
}

test('the mixing function works modulo 2^32', () => {
  expect(mix(0)).toBe(0);
  expect(mix(2 ** 32 + 5)).toBe(mix(5));
  expect(mix(-1)).toBe(mix(2 ** 32 - 1));
});

describe('the generator', () => {
  test('gives the recorded values', async () => {
    expect(await checkProbe(FORMULA, PROBE)).toEqual([]);
  });

  test('is found out when it does not', async () => {
    const [first = 0, ...rest] = PROBE.net.fake_latent.first;
    const wrongStart = {
      net: { fake_latent: { ...PROBE.net.fake_latent, first: [-first, ...rest] } },
    };
    expect(await checkProbe(FORMULA, wrongStart)).toHaveLength(1);
    const wrongSum = { net: { fake_latent: { ...PROBE.net.fake_latent, sum: -6.4 } } };
    expect(await checkProbe(FORMULA, wrongSum)).toHaveLength(1);
    const unknown = { net: { nothing: { first: [], sum: 0 } } };
    expect(await checkProbe(FORMULA, unknown)).toEqual(['net: nothing: not in weights.json']);
  });

  test('fills constants and tables', async () => {
    expect((await bytesOf('decay'))[0]?.readFloatLE()).toBe(0.75);
    expect((await bytesOf('updates'))[0]?.readInt32LE()).toBe(3);
    const [table] = await bytesOf('positions');
    expect(table && [0, 1, 2, 3].map((i) => table.readBigInt64LE(8 * i))).toEqual([0n, 1n, 2n, 3n]);
  });

  test('makes large tensors in pieces that join', async () => {
    const chunks = await bytesOf('large');
    expect(chunks.length).toBeGreaterThan(1);
    expect(Buffer.concat(chunks)).toHaveLength(1025 * 1024 * 4);
    const values = chunks.flatMap((chunk) => [chunk.readFloatLE(0), chunk.readFloatLE(4)]);
    expect(new Set(values).size).toBe(values.length);
    expect(values.every((value) => value >= -1 && value < 3)).toBe(true);
  });

  test('puts a prefix before every name', () => {
    expect([...formulaTensors(FORMULA, 'net', 'inside.').keys()][0]).toBe('inside.fake_latent');
  });

  test('knows no other group', () => {
    expect(() => formulaTensors(FORMULA, 'vae')).toThrow('no group vae');
  });
});

describe('in a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'formula-'));
    await put('weights.json', FORMULA);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });
  const put = (name: string, value: unknown) =>
    writeFile(join(folder, name), JSON.stringify(value));

  test('needs no probe', async () => {
    expect(await readFormula(folder)).toEqual(FORMULA);
  });
  test('has to agree with the probe that is there', async () => {
    await put('probe.json', PROBE);
    expect(await readFormula(folder)).toEqual(FORMULA);
    await put('probe.json', { net: { fake_latent: { ...PROBE.net.fake_latent, sum: 6.5 } } });
    await expect(readFormula(folder)).rejects.toThrow('generator is wrong: net: fake_latent: sums');
  });
  test('is not read past a damaged probe', async () => {
    await writeFile(join(folder, 'probe.json'), '{"net":');
    await expect(readFormula(folder)).rejects.toThrow('probe.json');
  });
});

test.each([
  ['a type that it cannot make', { dtype: 'float16', shape: [1], index: 0, kind: 'uniform' }],
  ['a kind that it does not know', { dtype: 'float32', shape: [1], index: 0, kind: 'normal' }],
  ['a negative size', { dtype: 'float32', shape: [-1], index: 0, kind: 'uniform' }],
])('refuses %s', (_, key) => {
  expect(formulaSchema.safeParse({ net: { salt: 1, keys: { key } } }).success).toBe(false);
});
