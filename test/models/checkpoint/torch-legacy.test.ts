import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '#checkpoint/open';
import { memorySource } from '#checkpoint/source';
import { namespace, torchLegacy, type TorchValue } from '../../helpers/torch-file.ts';
import { countingSource, floats, openBytes, refusal, six, tensor } from './opening.ts';

describe('a file of the layout before PyTorch 1.6', () => {
  test('gives its dictionaries, tensors and plain values', async () => {
    const half = Uint16Array.of(0x3c00, 0x4000);
    const file = torchLegacy({
      epoch: 300,
      arch: 'vit_base',
      state_dict: new Map<TorchValue, TorchValue>([
        ['module.weight', tensor()],
        ['module.half', { dtype: 'float16', shape: [2], data: half }],
        ['module.steps', { dtype: 'int64', shape: [], data: BigInt64Array.of(9n) }],
        ['module.turned', tensor({ shape: [3, 2], strides: [1, 3] })],
      ]),
      args: namespace({ lr: 0.1 }),
    });
    const checkpoint = await openBytes(file, 'vit-b.pth.tar');
    expect(checkpoint).toMatchObject({
      name: 'vit-b.pth.tar',
      format: 'torch-legacy',
      metadata: { epoch: 300, arch: 'vit_base' },
    });
    const dict = checkpoint.stateDicts.get('state_dict') ?? new Map();
    expect([...dict.values()].map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ['float32', [2, 3]],
      ['float16', [2]],
      ['int64', []],
      ['float32', [3, 2]],
    ]);
    expect(await floats(checkpoint, 'state_dict', 'module.weight')).toEqual([...six]);
    expect(await floats(checkpoint, 'state_dict', 'module.turned')).toEqual([0, 3, 1, 4, 2, 5]);
  });

  test('shares storages, and knows parts of them', async () => {
    const shared = { data: six, storage: '94021', dtype: 'float32' } as const;
    const part = { offset: 2, elements: 3 };
    const file = torchLegacy({
      model: {
        whole: { ...shared, shape: [6] },
        part: { ...shared, shape: [2], offset: 1, part },
      },
    });
    expect(await floats(await openBytes(file), 'model', 'part')).toEqual([3, 4]);
  });

  test('may have an object tree of any length', async () => {
    const names = Array.from({ length: 8000 }, (_, i) => `a rather long name of a layer, ${i}`);
    const model = Object.fromEntries(names.map((name) => [name, tensor({ storage: 'one' })]));
    const { stateDicts } = await openBytes(torchLegacy({ model }));
    expect(stateDicts.get('model')?.size).toBe(8000);
  });

  test('is opened without reading its tensors', async () => {
    const data = new Float32Array(2 ** 22);
    const file = torchLegacy({ model: { large: tensor({ shape: [2 ** 22], data }) } });
    const source = countingSource(memorySource('model.pth', file));
    await openCheckpoint(source);
    // Four pickles, each read with the quarter MiB around it.
    expect(source.bytesRead).toBeLessThan(1.1 * 2 ** 20);
  });

  test('may not be of the other byte order, or another protocol', async () => {
    const root = { model: { weight: tensor() } };
    await refusal(openBytes(torchLegacy(root, { littleEndian: false })), 'big-endian');
    await refusal(openBytes(torchLegacy(root, { protocol: 1002 })), 'legacy-damaged');
  });

  test('must list each of its storages once', async () => {
    const root = { model: { weight: tensor(), bias: tensor() } };
    for (const keys of [['0', '0'], ['0', '2'], [0, 1], 'no list'] as const) {
      await refusal(openBytes(torchLegacy(root, { keys: keys as never })), 'legacy-damaged');
    }
    const error = await refusal(openBytes(torchLegacy(root, { keys: ['0'] })), 'storage-missing');
    expect(error.key).toBe('bias');
  });

  test('must have storages as long as its tensors say', async () => {
    const file = torchLegacy({ model: { weight: tensor() } });
    const count = file.length - six.byteLength - 8;
    for (const [value, code] of [
      [7n, 'storage-size'],
      [-1n, 'storage-size'],
      [2n ** 62n, 'storage-size'],
    ] as const) {
      const changed = file.slice();
      new DataView(changed.buffer).setBigInt64(count, value, true);
      const error = await refusal(openBytes(changed), code);
      expect(error.key).toBe('storage 0');
    }
  });

  test('must keep parts inside their storage', async () => {
    const part = { offset: 4, elements: 3 };
    const file = torchLegacy({ model: { part: tensor({ shape: [3], part }) } });
    const error = await refusal(openBytes(file), 'tensor-out-of-bounds');
    expect(error.key).toBe('part');
  });
});
