import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readTensor } from '#checkpoint/convert';
import { torchZip } from '../../helpers/torch-file.ts';
import { zipFile, type ZipPart } from '../../helpers/zip-file.ts';
import { openBytes, refusal } from './opening.ts';

const root = {
  model: {
    weight: { dtype: 'float32', shape: [64], data: Float32Array.from({ length: 64 }, (_, i) => i) },
    bias: { dtype: 'float32', shape: [4], data: Float32Array.of(1, 2, 3, 4) },
  },
} as const;
const WEIGHT = 'archive/data/0';

/** The file with one entry changed. */
function changed(name: string, change: (part: ZipPart) => Partial<ZipPart>): Uint8Array {
  return torchZip(root, {
    change: (parts) =>
      parts.map((part) => (part.name === name ? { ...part, ...change(part) } : part)),
  });
}

describe('a zip archive', () => {
  test('may not hold compressed entries, so it cannot be a bomb', async () => {
    const bomb = changed(WEIGHT, () => ({
      data: deflateRawSync(new Uint8Array(2 ** 24)),
      method: 8,
      unpackedSize: 2 ** 24,
    }));
    const error = await refusal(openBytes(bomb), 'zip-compressed');
    expect(error.key).toBe(WEIGHT);
  });

  test('may not claim two lengths for what is not compressed', async () => {
    const bomb = changed(WEIGHT, () => ({ unpackedSize: 2 ** 31 }));
    await refusal(openBytes(bomb), 'zip-damaged');
  });

  test('may not hold encrypted entries', async () => {
    await refusal(openBytes(changed(WEIGHT, () => ({ flags: 1 }))), 'zip-encrypted');
  });

  test('may not name an entry twice', async () => {
    const twice = torchZip(root, { change: (parts) => [...parts, ...parts.slice(1, 2)] });
    const error = await refusal(openBytes(twice), 'zip-duplicate-entry');
    expect(error.key).toBe(WEIGHT);
  });

  test('may not hold entries that overlap', async () => {
    for (const change of [{ offset: 0 }, { size: 4096 }, { size: 2 ** 31 }]) {
      const open = openBytes(changed(WEIGHT, () => change));
      const error = await refusal(open, 'zip-overlapping-entries');
      expect(error.message).toMatch(/\. The file is damaged or lies about itself; get it again$/);
    }
  });

  test('may not let the content of one entry begin in another', async () => {
    // The directory is right, but the local header claims padding that reaches over the next entry.
    const file = torchZip(root, { alignment: 1 });
    const at = Buffer.from(file.buffer).indexOf(WEIGHT) - 2;
    new DataView(file.buffer).setUint16(at, 200, true);
    const { stateDicts } = await openBytes(file);
    const weight = stateDicts.get('model')?.get('weight');
    if (!weight) throw new Error('missing');
    const error = await refusal(readTensor(weight), 'zip-overlapping-entries');
    expect(error.key).toBe(WEIGHT);
  });

  test('must have the same names at its end and at its entries', async () => {
    for (const change of [{ localName: 'archive/data/9' }, { offset: 7 }]) {
      const file = changed('archive/data.pkl', () => change);
      await refusal(openBytes(file), 'zip-damaged');
    }
  });

  test.each([
    [10 ** 9, true],
    [200_001, true],
    [2 ** 52, true],
  ])('may not claim %i entries', async (claimedEntries, wide) => {
    await refusal(openBytes(torchZip(root, { claimedEntries, wide })), 'limit-exceeded');
  });

  test('must hold as many entries as it claims', async () => {
    for (const claimedEntries of [0, 1, 3, 5, 60_000]) {
      const error = openBytes(torchZip(root, { claimedEntries }));
      await refusal(error, 'zip-damaged');
    }
  });

  test('may not have endless names', async () => {
    const parts = [{ name: 'x'.repeat(2000), data: new Uint8Array(1) }];
    await refusal(openBytes(zipFile(parts)), 'limit-exceeded');
  });

  test('must hold the storages that its tensors name, at their length', async () => {
    const gone = torchZip(root, { change: (parts) => parts.filter(({ name }) => name !== WEIGHT) });
    const missing = await refusal(openBytes(gone), 'storage-missing');
    expect(missing.key).toBe('weight');
    for (const length of [0, 255, 257, 4096]) {
      const file = changed(WEIGHT, () => ({ data: new Uint8Array(length) }));
      const error = await refusal(openBytes(file), 'storage-size');
      expect(error.message).toContain(`${length}`);
    }
  });

  test('must hold what its checksums say', async () => {
    const tree = changed('archive/data.pkl', ({ data }) => ({ data, crc: 1 }));
    expect((await refusal(openBytes(tree), 'checksum-mismatch')).key).toBe('data.pkl');
    const { stateDicts } = await openBytes(changed(WEIGHT, () => ({ crc: 1 })));
    const [weight, bias] = [...(stateDicts.get('model')?.values() ?? [])];
    if (!weight || !bias) throw new Error('missing');
    const error = await refusal(readTensor(weight), 'checksum-mismatch');
    expect(error).toMatchObject({ file: 'model.pth', key: 'data/0' });
    await refusal(readTensor(weight), 'checksum-mismatch');
    expect((await readTensor(bias)).length).toBe(16);
  });

  test('must hold what its checksums say, also where a tensor is a part or out of order', async () => {
    const data = Float32Array.from({ length: 16 }, (_, i) => i);
    const shared = { data, storage: '0', dtype: 'float32' } as const;
    const file = torchZip(
      {
        part: { ...shared, shape: [2], offset: 3 },
        turned: { ...shared, shape: [4, 4], strides: [1, 4] },
        column: { ...shared, shape: [4], strides: [4] },
      },
      { change: (parts) => parts.map((p) => (p.name === WEIGHT ? { ...p, crc: 5 } : p)) },
    );
    for (const tensor of (await openBytes(file)).stateDicts.get('')?.values() ?? []) {
      await refusal(readTensor(tensor), 'checksum-mismatch');
    }
  });
});
