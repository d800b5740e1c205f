import { describe, expect, test } from 'vitest';
import { readTensor } from '#checkpoint/convert';
import { openCheckpoint } from '#checkpoint/open';
import { memorySource } from '#checkpoint/source';
import type { ByteSource } from '#checkpoint/types';
import { namespace, torchZip, torchZipOf } from '../../helpers/torch-file.ts';
import { contents, countingSource, floats, openBytes, refusal, six, tensor } from './opening.ts';

describe('a file of the zip layout', () => {
  test('gives its dictionaries, tensors and plain values in the order of the file', async () => {
    const file = torchZip({
      model: new Map([
        ['z.weight', tensor()],
        ['a.bias', tensor({ shape: [6] })],
      ]),
      model_ema: null,
      optimizer: { state: new Map([[0, { exp_avg: tensor() }]]), param_groups: [{ lr: 1e-4 }] },
      epoch: 199,
      lr: 0.125,
      arch: 'vit_base',
      big: 2n ** 60n,
      args: namespace({ batch_size: 64, output_dir: './out', nested: [1, 'two', null] }),
    });
    const checkpoint = await openBytes(file);
    expect(checkpoint.name).toBe('model.pth');
    expect(checkpoint.format).toBe('torch-zip');
    expect([...checkpoint.stateDicts].map(([key, dict]) => [key, ...dict.keys()])).toEqual([
      ['model', 'z.weight', 'a.bias'],
    ]);
    expect(checkpoint.metadata).toEqual({
      model_ema: null,
      epoch: 199,
      lr: 0.125,
      arch: 'vit_base',
      big: String(2n ** 60n),
    });
    expect(await floats(checkpoint, 'model', 'z.weight')).toEqual([...six]);
  });

  test('may be a bare dictionary, or have one beside loose tensors', async () => {
    const bare = await openBytes(torchZip(new Map([['weight', tensor()]])));
    expect([...bare.stateDicts.keys()]).toEqual(['']);
    const both = await openBytes(torchZip({ loose: tensor(), model: { weight: tensor() } }));
    expect([...both.stateDicts].map(([key, dict]) => [key, ...dict.keys()])).toEqual([
      ['', 'loose'],
      ['model', 'weight'],
    ]);
  });

  test('skips what is no tensor among tensors', async () => {
    const file = torchZip({ model: { weight: tensor(), steps: 3, name: 'x', list: [tensor()] } });
    const { stateDicts } = await openBytes(file);
    expect([...(stateDicts.get('model') ?? new Map()).keys()]).toEqual(['weight']);
  });

  test('holds every element type', async () => {
    const data = Uint8Array.from({ length: 16 }, (_, i) => i * 15);
    const widths = {
      float64: 2,
      int64: 2,
      float32: 4,
      int32: 4,
      float16: 8,
      bfloat16: 8,
      int16: 8,
      int8: 16,
      uint8: 16,
      bool: 16,
    } as const;
    const dtypes = Object.keys(widths) as (keyof typeof widths)[];
    const model = Object.fromEntries(
      dtypes.map((dtype) => [dtype, { dtype, shape: [widths[dtype]], data }]),
    );
    const hex = Buffer.from(data).toString('hex');
    expect(await contents(await openBytes(torchZip({ model })))).toEqual(
      Object.fromEntries(
        dtypes.map((dtype) => [`model/${dtype}`, `${dtype} [${widths[dtype]}] ${hex}`]),
      ),
    );
  });

  test('holds tensors without axes and without elements, and parameters', async () => {
    const model = {
      step: { dtype: 'int64', shape: [], data: BigInt64Array.of(7n) },
      none: { dtype: 'float32', shape: [0, 4], data: new Uint8Array(0) },
      weight: tensor({ parameter: true }),
    } as const;
    const found = await contents(await openBytes(torchZip({ model })));
    expect(found['model/step']).toBe('int64 [] 0700000000000000');
    expect(found['model/none']).toBe('float32 [0,4] ');
    expect(found['model/weight']).toContain('float32 [2,3] ');
  });

  test.each([
    ['transposed', tensor({ shape: [3, 2], strides: [1, 3] }), [0, 3, 1, 4, 2, 5]],
    ['a column', tensor({ shape: [2], strides: [3], offset: 1 }), [1, 4]],
    ['repeated', tensor({ shape: [2, 3], strides: [0, 1], offset: 3 }), [3, 4, 5, 3, 4, 5]],
    ['one value everywhere', tensor({ shape: [2, 2], strides: [0, 0], offset: 4 }), [4, 4, 4, 4]],
    [
      'overlapping windows',
      tensor({ shape: [4, 3], strides: [1, 1] }),
      [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5],
    ],
    ['an odd stride on an axis of one', tensor({ shape: [1, 6], strides: [99, 1] }), [...six]],
    ['a part from an offset', tensor({ shape: [3], offset: 2 }), [2, 3, 4]],
  ])('reads a view of its storage: %s', async (_, view, expected) => {
    const checkpoint = await openBytes(torchZip({ model: { view } }));
    expect(await floats(checkpoint, 'model', 'view')).toEqual(expected);
  });

  test('reads permuted tensors of every width, longer than one piece', async () => {
    // 1,100,000 elements: more than a piece of 4 MiB in float32 and wider.
    const [rows, columns] = [1100, 1000];
    for (const [dtype, make] of [
      ['uint8', Uint8Array],
      ['float16', Uint16Array],
      ['float32', Uint32Array],
      ['float64', Float64Array],
    ] as const) {
      const data = new make(rows * columns);
      for (let i = 0; i < data.length; i++) data[i] = (i * 2654435761) % 251;
      const view = { dtype, shape: [columns, rows], strides: [1, columns], data };
      const found = (await openBytes(torchZip({ model: { view } }))).stateDicts.get('model');
      const stored = found?.get('view');
      if (!stored) throw new Error('missing');
      const got = new make((await readTensor(stored)).buffer);
      const wrong = got.findIndex(
        (value, i) => value !== data[(i % rows) * columns + Math.floor(i / rows)],
      );
      expect([dtype, wrong]).toEqual([dtype, -1]);
    }
  });

  test('keeps bits that look like not-a-number', async () => {
    const data = BigInt64Array.of(-1n, 1n, -2n, 2n);
    const view = { dtype: 'int64', shape: [2, 2], strides: [1, 2], data } as const;
    const { stateDicts } = await openBytes(torchZip({ model: { view } }));
    const stored = stateDicts.get('model')?.get('view');
    if (!stored) throw new Error('missing');
    const got = new BigInt64Array((await readTensor(stored)).buffer);
    expect([...got]).toEqual([-1n, -2n, 1n, 2n]);
  });

  test('shares a storage between tensors', async () => {
    const shared = { data: six, storage: 'all', dtype: 'float32' } as const;
    const file = torchZip({
      model: {
        first: { ...shared, shape: [2] },
        rest: { ...shared, shape: [4], offset: 2 },
        all: { ...shared, shape: [3, 2] },
      },
    });
    const checkpoint = await openBytes(file);
    expect(await floats(checkpoint, 'model', 'rest')).toEqual([2, 3, 4, 5]);
    expect(await floats(checkpoint, 'model', 'first')).toEqual([0, 1]);
    expect(await floats(checkpoint, 'model', 'all')).toEqual([...six]);
  });

  test.each([
    ['64-bit records', { wide: true }],
    ['a comment', { comment: 'PK\x05\x06 made by hand '.repeat(9) }],
    ['64-bit records and a comment', { wide: true, comment: 'x' }],
    ['its byte order said', { byteOrder: 'little' }],
    ['another folder', { root: 'some name/deep/' }],
    ['no folder', { root: '' }],
    ['no padding', { alignment: 1 }],
  ])('may be written with %s', async (_, options) => {
    const checkpoint = await openBytes(torchZip({ model: { weight: tensor() } }, options));
    expect(await floats(checkpoint, 'model', 'weight')).toEqual([...six]);
  });

  test('is refused when it was saved with the high byte first', async () => {
    const file = torchZip({ model: { weight: tensor() } }, { byteOrder: 'big' });
    await refusal(openBytes(file), 'big-endian');
  });

  test('is refused when it holds no tensor', async () => {
    await refusal(openBytes(torchZip({ epoch: 3 })), 'no-tensors');
    await refusal(openBytes(torchZip([1, 2])), 'no-tensors');
  });
});

describe('reading by ranges', () => {
  const mib = 2 ** 20;
  const large = {
    dtype: 'float32',
    shape: [3 * mib],
    data: Float32Array.from({ length: 3 * mib }, (_, i) => i),
  } as const;

  test('opens without reading tensors, and reads one without the others', async () => {
    const file = torchZip({ model: { large, small: tensor() } });
    const source = countingSource(memorySource('model.pth', file));
    const checkpoint = await openCheckpoint(source);
    expect(source.bytesRead).toBeLessThan(100_000);
    await floats(checkpoint, 'model', 'small');
    expect(source.bytesRead).toBeLessThan(100_000);
  });

  test('gives pieces of a MiB', async () => {
    const { stateDicts } = await openBytes(torchZip({ model: { large } }));
    const lengths: number[] = [];
    const stored = stateDicts.get('model')?.get('large');
    for await (const piece of stored?.chunks() ?? []) lengths.push(piece.length);
    expect(lengths).toEqual(Array.from({ length: 12 }, () => mib));
  });

  test('can stop in the middle and start again', async () => {
    const { stateDicts } = await openBytes(torchZip({ model: { large } }));
    const stored = stateDicts.get('model')?.get('large');
    if (!stored) throw new Error('missing');
    for await (const piece of stored.chunks()) {
      expect(piece.length).toBe(mib);
      break;
    }
    expect((await readTensor(stored)).length).toBe(12 * mib);
  });

  test('uses the checksum function it is given', async () => {
    const source = memorySource('model.pth', torchZip({ model: { weight: tensor() } }));
    await refusal(openCheckpoint(source, { crc32: () => 1 }), 'checksum-mismatch');
  });

  test('reaches tensors beyond 4 GiB', async () => {
    const { source, last } = hugeFile();
    const counting = countingSource(source);
    const checkpoint = await openCheckpoint(counting);
    expect(checkpoint.stateDicts.get('model')?.get('huge')?.shape).toEqual([1_500_000_000]);
    expect(await floats(checkpoint, 'model', 'last')).toEqual([...last]);
    expect(counting.bytesRead).toBeLessThan(200_000);
  });
});

/** A file of 6 GB, of which all but the ends is zero and nowhere in memory. */
function hugeFile(): { source: ByteSource; last: Float32Array } {
  const last = Float32Array.of(3, 1, 4);
  const hole = 6_000_000_000;
  // Saved small first; the empty first storage is then drawn out to its real length.
  const pickle = hugePickle();
  const small = torchZipOf(
    pickle,
    [
      ['0', new Uint8Array(0)],
      ['1', new Uint8Array(last.buffer)],
    ],
    { wide: true },
  );
  const directory = new DataView(small.buffer);
  const bytes = Buffer.from(small.buffer);
  const first = bytes.indexOf('archive/data/0') + 'archive/data/0'.length;
  const cut = first + directory.getUint16(first - 'archive/data/0'.length - 2, true);
  // Moves what the directory says of everything behind the cut.
  for (let at = bytes.indexOf('PK\x01\x02'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4)) {
    const extra = at + 46 + directory.getUint16(at + 28, true) + 4;
    const offset = Number(directory.getBigUint64(extra + 16, true));
    if (offset >= cut) directory.setBigUint64(extra + 16, BigInt(offset + hole), true);
    if (bytes.toString('latin1', at + 46, extra - 4).endsWith('data/0')) {
      directory.setBigUint64(extra, BigInt(hole), true);
      directory.setBigUint64(extra + 8, BigInt(hole), true);
    }
  }
  for (const [magic, field] of [
    ['PK\x06\x06', 48],
    ['PK\x06\x07', 8],
  ] as const) {
    const at = bytes.indexOf(magic) + field;
    directory.setBigUint64(at, directory.getBigUint64(at, true) + BigInt(hole), true);
  }
  const source: ByteSource = {
    name: 'huge.pth',
    size: small.length + hole,
    async read(offset, length) {
      const read = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        const at = offset + i;
        read[i] = at < cut ? (small[at] ?? 0) : at < cut + hole ? 0 : (small[at - hole] ?? 0);
      }
      return read;
    },
  };
  return { source, last };
}

/** { model: { huge: 1.5e9 elements of storage 0, last: 3 of storage 1 } } */
function hugePickle(): Uint8Array {
  const text = (value: string): string => `X${u32(value.length)}${value}`;
  const saved = (key: string, count: number): string =>
    `ctorch._utils\n_rebuild_tensor_v2\n((${text('storage')}ctorch\nFloatStorage\n${text(key)}` +
    `${text('cpu')}J${u32(count)}tQK\x00J${u32(count)}\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR`;
  const dict = `}(${text('huge')}${saved('0', 1_500_000_000)}${text('last')}${saved('1', 3)}u`;
  return Buffer.from(`\x80\x02}${text('model')}${dict}s.`, 'latin1');
}

function u32(value: number): string {
  return String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
}
