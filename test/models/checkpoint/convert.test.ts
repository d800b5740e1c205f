import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allFinite, float32Of, readFloat32, readTensor, tensorBytes } from '#checkpoint/convert';
import { crc32 } from '#checkpoint/crc32';
import type { DType, StoredTensor } from '#checkpoint/types';
import { decodeLatin1, decodeUtf8 } from '#checkpoint/utf8';
import { refusal } from './opening.ts';

describe('conversion to float32', () => {
  test('is exact for every float16', () => {
    const bits = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const got = float32Of('float16', new Uint8Array(bits.buffer));
    for (let i = 0; i < 0x10000; i++) {
      const sign = i & 0x8000 ? -1 : 1;
      const exponent = (i >> 10) & 31;
      const fraction = i & 1023;
      const scaled =
        exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
      const expected = exponent < 31 ? scaled : fraction === 0 ? Infinity : NaN;
      if (!Object.is(got[i], sign * expected)) throw new Error(`${i}: ${got[i]}, not ${expected}`);
    }
  });

  test('is exact for every bfloat16', () => {
    const bits = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const got = float32Of('bfloat16', new Uint8Array(bits.buffer));
    const upper = new Uint16Array(got.buffer).filter((_, i) => i % 2 === 1);
    expect(Buffer.from(upper.buffer).equals(Buffer.from(bits.buffer))).toBe(true);
    expect([got[0x3f80], got[0xc040], got[0x7f80]]).toEqual([1, -3, Infinity]);
  });

  test.each([
    ['float32', Float32Array.of(1.5, -2)],
    ['float64', Float64Array.of(1.5, -2)],
    ['int8', Int8Array.of(3, -2)],
    ['uint8', Uint8Array.of(3, 254)],
    ['bool', Uint8Array.of(0, 1)],
    ['int16', Int16Array.of(3, -300)],
    ['int32', Int32Array.of(3, -70000)],
    ['int64', BigInt64Array.of(3n, -70000n)],
  ] as const)('takes %s, also from odd places in memory', (dtype, numbers) => {
    const bytes = new Uint8Array(numbers.buffer);
    const odd = new Uint8Array(bytes.length + 1);
    odd.set(bytes, 1);
    const expected = [...numbers].map(Number);
    expect([...float32Of(dtype, bytes)]).toEqual(expected);
    expect([...float32Of(dtype, odd.subarray(1))]).toEqual(expected);
  });
});

describe('reading a whole tensor', () => {
  const tensor = (...lengths: readonly number[]): StoredTensor => ({
    name: 'weight',
    dtype: 'float16',
    shape: [2, 3],
    async *chunks() {
      for (const length of lengths)
        yield new Uint8Array(new Uint16Array(length).fill(0x3c00).buffer);
    },
  });

  test('joins its pieces', async () => {
    expect(tensorBytes(tensor())).toBe(12);
    expect((await readTensor(tensor(4, 2))).length).toBe(12);
    expect([...(await readFloat32(tensor(4, 2)))]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('does not take too few or too many', async () => {
    for (const read of [readTensor, readFloat32]) {
      await expect(read(tensor(4))).rejects.toThrow(RangeError);
      await expect(read(tensor(4, 4))).rejects.toThrow(RangeError);
    }
  });

  test('does not set aside endless memory', async () => {
    const huge = { ...tensor(), shape: [2 ** 20, 2 ** 20] };
    await refusal(readTensor(huge), 'limit-exceeded');
    await refusal(readFloat32(huge), 'limit-exceeded');
  });
});

describe('CRC-32', () => {
  test('is that of zlib, from any place, in any pieces', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.nat(20), fc.nat(200), (all, start, split) => {
        const part = all.subarray(start);
        expect(crc32(part, 0)).toBe(zlibCrc32(part));
        expect(crc32(part.subarray(split), crc32(part.subarray(0, split), 0))).toBe(
          zlibCrc32(part),
        );
      }),
    );
  });
});

describe('finite numbers', () => {
  const float64 = (value: number) => [new Uint8Array(Float64Array.of(value).buffer)] as const;
  const bits32 = (value: number) => [new Uint8Array(Uint32Array.of(value).buffer)] as const;
  const bits16 = (value: number) => [new Uint8Array(Uint16Array.of(value).buffer)] as const;
  test.each<[string, DType, readonly [Uint8Array<ArrayBuffer>], boolean]>([
    ['0', 'float32', bits32(0), true],
    ['the largest', 'float32', bits32(0x7f7fffff), true],
    ['the smallest', 'float32', bits32(0xff7fffff), true],
    ['a subnormal', 'float32', bits32(0x807fffff), true],
    ['infinity', 'float32', bits32(0x7f800000), false],
    ['minus infinity', 'float32', bits32(0xff800000), false],
    ['NaN', 'float32', bits32(0x7fc00001), false],
    ['the largest', 'float16', bits16(0x7bff), true],
    ['a negative one', 'float16', bits16(0xfbff), true],
    ['infinity', 'float16', bits16(0x7c00), false],
    ['NaN', 'float16', bits16(0xfe01), false],
    ['the largest', 'bfloat16', bits16(0x7f7f), true],
    ['a negative one', 'bfloat16', bits16(0xff7f), true],
    ['infinity', 'bfloat16', bits16(0xff80), false],
    ['NaN', 'bfloat16', bits16(0x7fff), false],
    ['the largest that float32 has', 'float64', float64(3.4028234663852886e38), true],
    ['one that rounds to it', 'float64', float64(3.4028235677973364e38), true],
    ['one that does not', 'float64', float64(3.4028235677973366e38), false],
    ['infinity', 'float64', float64(-Infinity), false],
    ['NaN', 'float64', float64(Number.NaN), false],
    ['bits that would be NaN', 'int32', bits32(0x7fffffff), true],
  ])('%s of %s', (_, dtype, [element], finite) => {
    const zeros = Buffer.alloc(element.length);
    for (const before of [0, 1, 2, 7]) {
      for (const after of [0, 1, 6]) {
        const filler = (count: number) => Array<Uint8Array>(count).fill(zeros);
        const joined = Buffer.concat([...filler(before), element, ...filler(after)]);
        expect(allFinite(dtype, new Uint8Array(joined))).toBe(finite);
        // In memory that starts anywhere, as parts of a file do.
        const odd = new Uint8Array(joined.length + 1);
        odd.set(joined, 1);
        expect(allFinite(dtype, odd.subarray(1))).toBe(finite);
      }
    }
  });
});

describe('UTF-8', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const expected = (bytes: Uint8Array): string | undefined => {
    try {
      return strict.decode(bytes);
    } catch {
      return undefined;
    }
  };

  test('is read as TextDecoder reads it', () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 100 })
      .map((s) => new TextEncoder().encode(s));
    const lead = fc.constantFrom(0xc0, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xf8, 0xff);
    const tail = fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0);
    const broken = fc
      .tuple(lead, fc.array(tail, { maxLength: 4 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest));
    fc.assert(
      fc.property(fc.oneof(text, broken, fc.uint8Array({ maxLength: 8 })), (bytes) => {
        expect(decodeUtf8(bytes)).toBe(expected(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  test('of any length', () => {
    const long = 'aé漢😀'.repeat(5000);
    expect(decodeUtf8(new TextEncoder().encode(long))).toBe(long);
    expect(decodeLatin1(Uint8Array.from({ length: 9000 }, (_, i) => i))).toHaveLength(9000);
  });
});
