import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseNpy, readNpy } from './npy.ts';

/** A .npy file with this header and body. */
function npy(header: string, body: ArrayBufferLike, version = 1): Buffer {
  const wide = version > 1;
  const text = Buffer.from(header, 'latin1');
  const head = Buffer.alloc(wide ? 12 : 10);
  head.write('\x93NUMPY', 'latin1');
  head.writeUInt8(version, 6);
  if (wide) head.writeUInt32LE(text.length, 8);
  else head.writeUInt16LE(text.length, 8);
  return Buffer.concat([head, text, Buffer.from(body)]);
}

function header(descr: string, shape: string, order = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`;
}

describe('arrays that can be read', () => {
  test.each([
    ['<f4', Float32Array.of(1.5, -2, Infinity)],
    ['<f8', Float64Array.of(0.1, 0.2, -0)],
    ['<i4', Int32Array.of(-1, 0, 2 ** 31 - 1)],
    ['|u1', Uint8Array.of(0, 128, 255)],
  ])('%s', (descr, data) => {
    expect(parseNpy(npy(header(descr, '3,'), data.buffer))).toEqual({ shape: [3], data });
  });

  test('64-bit integers become 32-bit ones', () => {
    const body = BigInt64Array.of(7n, -8n).buffer;
    expect(parseNpy(npy(header('<i8', '2, 1'), body))).toEqual({
      shape: [2, 1],
      data: Int32Array.of(7, -8),
    });
  });

  test('booleans are bytes', () => {
    expect(parseNpy(npy(header('|b1', '2,'), Uint8Array.of(0, 1).buffer)).data).toEqual(
      Uint8Array.of(0, 1),
    );
  });

  test('no axes: one number', () => {
    expect(parseNpy(npy(header('<f8', ''), Float64Array.of(3).buffer))).toEqual({
      shape: [],
      data: Float64Array.of(3),
    });
  });

  test('an axis of length 0', () => {
    expect(parseNpy(npy(header('<f4', '0, 4'), new ArrayBuffer(0)))).toEqual({
      shape: [0, 4],
      data: new Float32Array(0),
    });
  });

  test.each([2, 3])('version %i, with a long header', (version) => {
    const padded = header('<f4', '1,').padEnd(70_000);
    expect(parseNpy(npy(padded, Float32Array.of(9).buffer, version)).data[0]).toBe(9);
  });

  test('a body at any offset', () => {
    fc.assert(
      fc.property(fc.nat(64), fc.array(fc.float({ noNaN: true })), (padding, values) => {
        const data = Float32Array.from(values);
        const text = header('<f4', `${values.length},`) + ' '.repeat(padding);
        expect(parseNpy(npy(text, data.buffer)).data).toEqual(data);
      }),
    );
  });
});

describe('arrays that cannot', () => {
  test.each([
    ['something else', Buffer.from('PK\x03\x04 a zip file, this'), 'not a .npy file'],
    ['an empty file', Buffer.alloc(0), 'not a .npy file'],
    ['a version of the future', npy(header('<f4', '0,'), new ArrayBuffer(0), 9), 'version 9'],
    ['Fortran order', npy(header('<f4', '1,', 'True'), new ArrayBuffer(4)), 'Fortran order'],
    ['big-endian numbers', npy(header('>f4', '1,'), new ArrayBuffer(4)), '>f4 is not supported'],
    ['complex numbers', npy(header('<c8', '1,'), new ArrayBuffer(8)), '<c8 is not supported'],
    ['a short body', npy(header('<f4', '2,'), new ArrayBuffer(4)), 'do not fit its 4 bytes'],
    ['a long body', npy(header('<f4', '1,'), new ArrayBuffer(8)), 'do not fit its 8 bytes'],
    ['a header without a shape', npy("{'descr': '<f4'}", new ArrayBuffer(0)), 'understood'],
    [
      'integers of 64 bits',
      npy(header('<i8', '1,'), BigInt64Array.of(2n ** 40n).buffer),
      '32 bits',
    ],
    [
      'a header beyond the end',
      npy(header('<f4', '1,'), new ArrayBuffer(4)).subarray(0, 40),
      'beyond',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => parseNpy(bytes)).toThrow(message);
  });

  describe('on disk', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'npy-'));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
    });

    test('the message names the file', async () => {
      const path = join(folder, 'broken.npy');
      await writeFile(path, 'no array');
      await expect(readNpy(path)).rejects.toThrow('broken.npy: not a .npy file');
      await expect(readNpy(join(folder, 'none.npy'))).rejects.toThrow('none.npy');
    });
  });
});
