import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTensor } from '#checkpoint/convert';
import { safetensorsHeader, writeSafetensors } from '#checkpoint/safetensors';
import { DTYPE_BYTES, type DType, type StoredTensor } from '#checkpoint/types';
import { contents, openBytes, refusal } from './opening.ts';

/** A file with that header, as text or as JSON, and so many bytes of data. */
function file(header: unknown, bytes = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, Buffer.alloc(bytes, 1)]));
}

const f32 = (shape: readonly number[], start: number, end: number): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

describe('a safetensors file', () => {
  test('gives its tensors in the order of their bytes, and its metadata', async () => {
    const header = {
      '7': f32([1], 8, 12),
      b: f32([2], 0, 8),
      a: { dtype: 'BF16', shape: [], data_offsets: [12, 14] },
      empty: f32([0, 3], 14, 14),
      __metadata__: { format: 'pt', note: 'ä' },
    };
    const checkpoint = await openBytes(file(header, 14), 'model.safetensors');
    expect(checkpoint).toMatchObject({
      format: 'safetensors',
      metadata: { format: 'pt', note: 'ä' },
    });
    expect([...checkpoint.stateDicts.keys()]).toEqual(['']);
    expect(await contents(checkpoint)).toEqual({
      '/b': 'float32 [2] 0101010101010101',
      '/7': 'float32 [1] 01010101',
      '/a': 'bfloat16 [] 0101',
      '/empty': 'float32 [0,3] ',
    });
  });

  test('of any other model opens too', async () => {
    const header = {
      'model.diffusion_model.input_blocks.0.0.weight': f32([4, 4, 1, 1], 0, 64),
      'first_stage_model.decoder.conv_in.bias': f32([2], 64, 72),
    };
    const { stateDicts } = await openBytes(file(header, 72));
    expect(stateDicts.get('')?.size).toBe(2);
  });

  test('may hold nothing', async () => {
    const { stateDicts } = await openBytes(file('{}'));
    expect(stateDicts.get('')?.size).toBe(0);
  });

  test.each([
    ['no JSON', '{"a":'],
    ['text behind the JSON', '{} x'],
    ['a list as entry', { a: [] }],
    ['null as entry', { a: null }],
    ['no type', { a: { shape: [1], data_offsets: [0, 4] } }],
    ['no shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }],
    ['a negative size', { a: f32([-1], 0, 4) }],
    ['half an element', { a: f32([0.5], 0, 4) }],
    ['a size as text', { a: { ...f32([], 0, 4), shape: ['1'] } }],
    ['no place', { a: { dtype: 'F32', shape: [1] } }],
    ['half a place', { a: { ...f32([1], 0, 4), data_offsets: [0] } }],
    ['a place back to front', { a: f32([1], 4, 0) }],
    ['a length that is not the shape', { a: f32([2], 0, 4) }],
    ['an unknown field', { a: { ...f32([1], 0, 4), strides: [1] } }],
    ['an overlap', { a: f32([1], 0, 4), b: f32([1], 0, 4) }],
    [
      'half an overlap',
      { a: f32([1], 0, 4), b: { dtype: 'I8', shape: [2], data_offsets: [2, 4] } },
    ],
    [
      'a hole',
      {
        a: { dtype: 'I8', shape: [1], data_offsets: [0, 1] },
        b: { dtype: 'I8', shape: [1], data_offsets: [3, 4] },
      },
    ],
    ['a start behind the start', { a: { dtype: 'I8', shape: [2], data_offsets: [2, 4] } }],
    ['bytes of no tensor', { a: { dtype: 'I8', shape: [3], data_offsets: [0, 3] } }],
    ['metadata that is no text', { a: f32([1], 0, 4), __metadata__: { epoch: 3 } }],
    ['metadata that is no object', { a: f32([1], 0, 4), __metadata__: 'x' }],
    [
      'a name twice',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}',
    ],
  ])('with %s is damaged', async (_, header) => {
    await refusal(openBytes(file(header, 4)), 'safetensors-damaged');
  });

  test('with a header that is no UTF-8 is damaged', async () => {
    const bytes = file('{"a":"??"}');
    bytes.set([0xc0, 0x80], 14);
    await refusal(openBytes(bytes), 'safetensors-damaged');
  });

  test('names the tensor whose type it cannot read', async () => {
    const header = { 'fc.weight': { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } };
    const error = await refusal(openBytes(file(header, 4)), 'unsupported-dtype');
    expect(error.message).toContain('fc.weight: holds elements of type F8_E4M3');
  });

  test('that is shorter than its header says is truncated', async () => {
    await refusal(openBytes(file({ a: f32([2], 0, 8) }, 7)), 'truncated');
    await refusal(openBytes(file({ a: f32([2 ** 50], 0, 2 ** 52) }, 8)), 'truncated');
    await refusal(openBytes(file({}).slice(0, 9)), 'truncated');
  });

  test('may not claim too much', async () => {
    const header = file('{}');
    new DataView(header.buffer).setUint32(0, 100_000_001, true);
    await refusal(openBytes(header), 'limit-exceeded');
    await refusal(openBytes(file({ a: f32(Array(9).fill(1), 0, 4) }, 4)), 'limit-exceeded');
    await refusal(openBytes(file(`{"a":[${'[],'.repeat(2_500_000)}[]]}`)), 'limit-exceeded');
    await refusal(
      openBytes(file(`{"a":${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}}`)),
      'safetensors-damaged',
    );
    await refusal(
      openBytes(file(`{${Array.from({ length: 200_001 }, (_, i) => `"${i}":0`).join()}}`)),
      'limit-exceeded',
    );
  });
});

describe('a written safetensors file', () => {
  const dtype = fc.constantFrom(...(Object.keys(DTYPE_BYTES) as DType[]));
  const tensor = fc.record({ dtype, shape: fc.array(fc.nat(4), { maxLength: 4 }) });
  const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');

  test('holds what was written, whatever the names', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name, maxLength: 8 }),
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), {
          noNullPrototype: true,
        }),
        async (entries, metadata) => {
          const tensors = new Map(
            entries.map(([name, info], i) => [name, stored({ name, ...info }, i)]),
          );
          const { size, chunks } = writeSafetensors(tensors, metadata);
          const pieces: Uint8Array[] = [];
          for await (const piece of chunks()) pieces.push(piece);
          const bytes = new Uint8Array(Buffer.concat(pieces));
          expect(bytes.length).toBe(size);
          const read = await openBytes(bytes);
          expect(read.metadata).toEqual(metadata);
          const found = read.stateDicts.get('') ?? new Map<string, StoredTensor>();
          expect(new Set(found.keys())).toEqual(new Set(tensors.keys()));
          for (const [name, wanted] of tensors) {
            const got = found.get(name);
            expect(got).toMatchObject({ dtype: wanted.dtype, shape: wanted.shape });
            if (got) expect(await readTensor(got)).toEqual(await readTensor(wanted));
          }
        },
      ),
    );
  });

  test('starts its tensors where it says', () => {
    const a = { name: 'a', dtype: 'float32', shape: [3] } as const;
    const b = { name: 'b', dtype: 'uint8', shape: [] } as const;
    const { header, offsets, size } = safetensorsHeader([a, b]);
    expect(header.length % 8).toBe(0);
    expect([offsets, size]).toEqual([[header.length, header.length + 12], header.length + 13]);
  });

  test('cannot have a name twice', () => {
    const a = { name: 'a', dtype: 'float32', shape: [3] } as const;
    expect(() => safetensorsHeader([a, a])).toThrow(RangeError);
    expect(() => safetensorsHeader([{ ...a, name: '__metadata__' }])).toThrow(RangeError);
  });

  function stored(info: Omit<StoredTensor, 'chunks'>, seed: number): StoredTensor {
    const elements = info.shape.reduce((product, axis) => product * axis, 1);
    const data = Uint8Array.from(
      { length: elements * DTYPE_BYTES[info.dtype] },
      (_, i) => i + seed,
    );
    return {
      ...info,
      async *chunks() {
        yield data;
      },
    };
  }
});
