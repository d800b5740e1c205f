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

  test('half precision is widened', () => {
    const body = Float16Array.of(1.5, -65504, Infinity, 2 ** -24).buffer;
    expect(parseNpy(npy(header('<f2', '4,'), body)).data).toEqual(
      Float32Array.of(1.5, -65504, Infinity, 2 ** -24),
    );
  });

  test.each([
    ['|i1', Int8Array.of(-128, 127), [-128, 127]],
    ['<i2', Int16Array.of(-32768, 32767), [-32768, 32767]],
    ['<u2', Uint16Array.of(0, 65535), [0, 65535]],
    ['<u4', Uint32Array.of(0, 2 ** 31 - 1), [0, 2 ** 31 - 1]],
    ['<i8', BigInt64Array.of(7n, -8n), [7, -8]],
    ['<u8', BigUint64Array.of(7n, 8n), [7, 8]],
  ])('integers of other widths become 32-bit ones: %s', (descr, { buffer }, values) => {
    expect(parseNpy(npy(header(descr, '2, 1'), buffer))).toEqual({
      shape: [2, 1],
      data: Int32Array.from(values),
    });
  });

  test.each([
    ['>f2', '3e00 c000', Float32Array.of(1.5, -2)],
    ['>f4', '3fc00000 c0000000', Float32Array.of(1.5, -2)],
    ['>f8', '3ff8000000000000 c000000000000000', Float64Array.of(1.5, -2)],
    ['>i2', '0102 fffe', Int32Array.of(0x102, -2)],
    ['>u2', '0102 fffe', Int32Array.of(0x102, 0xfffe)],
    ['>i4', '01020304 fffffffe', Int32Array.of(0x1020304, -2)],
    ['>i8', '0000000001020304 fffffffffffffffe', Int32Array.of(0x1020304, -2)],
    ['>u8', '0000000001020304 0000000000000002', Int32Array.of(0x1020304, 2)],
  ])('the highest byte first: %s', (descr, hex, data) => {
    const { buffer } = Uint8Array.from(Buffer.from(hex.replace(' ', ''), 'hex'));
    expect(parseNpy(npy(header(descr, '2,'), buffer)).data).toEqual(data);
  });

  test('Fortran order: the first axis runs fastest in the file', () => {
    const body = Int32Array.of(1, 4, 2, 5, 3, 6).buffer;
    expect(parseNpy(npy(header('<i4', '2, 3', 'True'), body))).toEqual({
      shape: [2, 3],
      data: Int32Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  test('Fortran order of any shape', () => {
    const sizes = fc.array(fc.nat(4), { minLength: 0, maxLength: 4 });
    fc.assert(
      fc.property(sizes, (shape) => {
        const count = shape.reduce((product, size) => product * size, 1);
        const body = new Int32Array(count);
        for (let i = 0; i < count; i += 1) {
          // Where element i of the row-major array stands when its axes run the other way.
          let rest = i;
          const at = shape.toReversed().map((size) => {
            const index = rest % size;
            rest = Math.floor(rest / size);
            return index;
          });
          const place = at.reduce(
            (sum, index, axis) => sum * (shape.at(-1 - axis) ?? 1) + index,
            0,
          );
          body[place] = i;
        }
        const text = header('<i4', shape.map((size) => `${size},`).join(' '), 'True');
        expect([...parseNpy(npy(text, body.buffer)).data]).toEqual(
          Array.from({ length: count }, (_, i) => i),
        );
      }),
    );
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
    ['complex numbers', npy(header('<c8', '1,'), new ArrayBuffer(8)), '<c8 is not supported'],
    ['a short body', npy(header('<f4', '2,'), new ArrayBuffer(4)), 'do not fit its 4 bytes'],
    ['a long body', npy(header('<f4', '1,'), new ArrayBuffer(8)), 'do not fit its 8 bytes'],
    ['a header without a shape', npy("{'descr': '<f4'}", new ArrayBuffer(0)), 'understood'],
    [
      'integers of 64 bits',
      npy(header('<i8', '1,'), BigInt64Array.of(2n ** 40n).buffer),
      '32 bits',
    ],
    ['unsigned integers', npy(header('<u4', '1,'), Uint32Array.of(2 ** 31).buffer), '32 bits'],
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
