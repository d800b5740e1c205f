import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isNpy, parseNpy, representationsOf, tokensOf, writeNpy } from '#pictures/npy';
import { failure } from '../studio/helpers.ts';

/** An .npy file with any header text and body. */
function npy(header: string, body: Uint8Array = new Uint8Array(), version = 1): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(text.length, 8);
  else head.writeUInt32LE(text.length, 8);
  return Buffer.concat([head, text, body]);
}

const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe('.npy', () => {
  test('arrays that we write come back', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1, maxLength: 40 }), (data) => {
        const flat = writeNpy([data.length], data);
        expect(isNpy(flat)).toBe(true);
        expect(parseNpy(flat, 'a')).toEqual({
          type: '<f4',
          shape: [data.length],
          data: Float64Array.from(data),
        });
        expect(parseNpy(writeNpy([1, data.length], data), 'a').shape).toEqual([1, data.length]);
      }),
    );
  });

  test('what we write begins its numbers at a multiple of 64, as NumPy does', () => {
    const bytes = writeNpy([3, 2], new Float32Array(6));
    expect((bytes.length - 24) % 64).toBe(0);
    expect(Buffer.from(bytes.subarray(10, 70)).toString()).toContain("'shape': (3, 2), }");
  });

  test.each([1, 2, 3])('format %d is read', (version) => {
    const body = new Uint8Array(Float64Array.from([1.5, -2]).buffer);
    expect(parseNpy(npy(header('<f8', '(2,)'), body, version), 'a').data).toEqual(
      Float64Array.from([1.5, -2]),
    );
  });

  test.each([
    ['<u2', new Uint8Array(Uint16Array.from([7, 65535]).buffer), [7, 65535]],
    ['<i2', new Uint8Array(Int16Array.from([7, -1]).buffer), [7, -1]],
    ['<i4', new Uint8Array(Int32Array.from([7, -1]).buffer), [7, -1]],
    ['<i8', new Uint8Array(BigInt64Array.from([7n, -1n]).buffer), [7, -1]],
  ])('type %s is read', (type, body, expected) => {
    expect([...parseNpy(npy(header(type, '(2,)'), body), 'a').data]).toEqual(expected);
  });

  const four = new Uint8Array(16);
  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(), /not an \.npy/],
    ['text', Buffer.from('1.0 2.0 3.0 4.0'), /not an \.npy/],
    ['a future version', npy(header('<f4', '(4,)'), four, 9), /version is 9/],
    ['cut in the header', npy(header('<f4', '(4,)')).subarray(0, 30), /header/],
    ['a header of 4 GB', npy('', four, 2).fill(255, 8, 12), /far too long/],
    ['cut in the body', npy(header('<f4', '(4,)'), four.subarray(0, 9)), /needs 16 bytes, 9/],
    ['too long', npy(header('<f4', '(3,)'), four), /needs 12 bytes, 16/],
    ['a huge shape', npy(header('<f4', '(999999999999, 999999999999)'), four), /needs/],
    ['a side beyond all numbers', npy(header('<f4', '(99999999999999999999,)'), four), /bounds/],
    ['a negative side', npy(header('<f4', '(-4,)'), four), /plain array/],
    ['nine dimensions', npy(header('<f4', '(1,1,1,1,1,1,1,1,4)'), four), /bounds/],
    ['big-endian', npy(header('>f4', '(4,)'), four), /type >f4; save them as/],
    ['Python objects', npy(header('|O', '(4,)'), four), /type \|O/],
    [
      'a record type',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", four),
      /plain array/,
    ],
    ['code for a header', npy('__import__("os").system("ls")', four), /plain array/],
    ['Fortran order', npy(header('<f4', '(2, 2)', 'True'), four), /Fortran/],
  ])('%s is refused', async (_, bytes, message) => {
    expect(await failure(() => parseNpy(bytes, 'x.npy'))).toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('representations', () => {
  const array = (shape: number[], data: number[], type = '<f4') => ({
    type,
    shape,
    data: Float64Array.from(data),
  });

  test('[D] is one, [B,D] are several', () => {
    expect(representationsOf(array([2], [1, 2]), 2, 'a')).toEqual([Float32Array.of(1, 2)]);
    expect(representationsOf(array([2, 2], [1, 2, 3, 4]), 2, 'a')).toEqual([
      Float32Array.of(1, 2),
      Float32Array.of(3, 4),
    ]);
  });

  test.each([
    ['another length', array([3], [1, 2, 3])],
    ['three axes', array([1, 1, 2], [1, 2])],
    ['no axis', array([], [1])],
    ['no rows', array([0, 2], [])],
    ['NaN', array([2], [1, NaN])],
    ['beyond float32', array([2], [1, 1e300], '<f8')],
    ['more than networks bear', array([2], [1, -2e6])],
    ['whole numbers', array([2], [1, 2], '<i4')],
  ])('%s: refused', async (_, bad) => {
    expect((await failure(() => representationsOf(bad, 2, 'a.npy'))).code).toBe('invalid-request');
  });

  test('token grids: flat, in rows, or square', () => {
    const sizes = { tokens: 4, codes: 8 };
    const ids = [0, 1, 2, 7];
    const grid = Int32Array.from(ids);
    expect(tokensOf(array([4], ids, '<i4'), sizes, 'a')).toEqual([grid]);
    expect(tokensOf(array([2, 2], ids, '<i4'), sizes, 'a')).toEqual([grid]);
    expect(tokensOf(array([2, 4], [...ids, ...ids], '<i8'), sizes, 'a')).toEqual([grid, grid]);
    expect(tokensOf(array([1, 2, 2], ids, '<i8'), sizes, 'a')).toEqual([grid]);
  });

  test.each([[[0, 1, 2, 8]], [[0, -1, 2, 3]], [[0, 0.5, 2, 3]], [[0, NaN, 2, 3]]])(
    'tokens %j are refused',
    async (ids) => {
      const bad = array([4], ids, '<f8');
      expect(await failure(() => tokensOf(bad, { tokens: 4, codes: 8 }, 'a.npy'))).toMatchObject({
        message: expect.stringMatching(/0 to 7/) as string,
      });
    },
  );
});
