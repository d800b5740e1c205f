import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCheckpoint } from '#checkpoint/open';
import { readFloat32, readTensor } from '#checkpoint/convert';
import { fileSource } from '#worker/files';
import { storedTensor, writeTorchZip } from './torch-stream.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'torch-'));
  path = join(folder, 'model.pth');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const floats = (name: string, shape: readonly number[], values: readonly number[]) =>
  storedTensor({ name, dtype: 'float32', shape }, new Uint8Array(Float32Array.from(values).buffer));

test('what is written is read back', async () => {
  const counter = storedTensor(
    { name: 'count', dtype: 'int64', shape: [] },
    new Uint8Array(BigInt64Array.of(7n).buffer),
  );
  const matrix = floats('matrix', [2, 3], [1, 2, 3, 4, 5, 6]);
  const average = floats('average', [1], [0.5]);
  await writeTorchZip(path, {
    model: new Map([
      ['matrix', matrix],
      ['count', counter],
    ]),
    model_ema: new Map([['average', average]]),
  });
  const source = await fileSource(path);
  try {
    const { format, stateDicts } = await openCheckpoint(source, { crc32 });
    expect(format).toBe('torch-zip');
    const model = stateDicts.get('model');
    expect([...(model?.values() ?? [])].map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ['float32', [2, 3]],
      ['int64', []],
    ]);
    const read = model?.get('matrix');
    expect(read && (await readFloat32(read))).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    const count = model?.get('count');
    expect(count && (await readTensor(count))).toEqual(Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0));
    expect([...(stateDicts.get('model_ema')?.keys() ?? [])]).toEqual(['average']);
  } finally {
    await source.close();
  }
});

test('storages are aligned as PyTorch aligns them', async () => {
  const marker = [3.5, -3.5, 7.25];
  await writeTorchZip(path, { model: new Map([['x', floats('x', [3], marker)]]) });
  const bytes = await readFile(path);
  const at = bytes.indexOf(Buffer.from(Float32Array.from(marker).buffer));
  expect(at % 64).toBe(0);
});

test('an existing file is left alone', async () => {
  await writeTorchZip(path, { model: new Map() });
  const { size } = await stat(path);
  await expect(writeTorchZip(path, {})).rejects.toThrow('EEXIST');
  expect((await stat(path)).size).toBe(size);
});

test('a type without a storage class is refused', async () => {
  const odd = storedTensor({ name: 'odd', dtype: 'int8', shape: [1] }, Uint8Array.of(1));
  await expect(writeTorchZip(path, { model: new Map([['odd', odd]]) })).rejects.toThrow('int8');
});

const python = (() => {
  try {
    return execFileSync('python3', ['-c', 'import zipfile, pickletools']) && true;
  } catch {
    return false;
  }
})();

test.skipIf(!python)('other programs read the archive too', async () => {
  await writeTorchZip(path, { model: new Map([['x', floats('x', [2], [1, 2])]]) });
  const program = [
    'import sys, zipfile, pickletools',
    'archive = zipfile.ZipFile(sys.argv[1])',
    'assert archive.testzip() is None',
    "codes = [code.name for code, _, _ in pickletools.genops(archive.read('archive/data.pkl'))]",
    "print(len(archive.namelist()), codes[0], codes[-1], codes.count('BINPERSID'))",
  ].join('\n');
  const said = execFileSync('python3', ['-c', program, path], { encoding: 'utf8' });
  expect(said.trim()).toBe('3 PROTO STOP 1');
});
