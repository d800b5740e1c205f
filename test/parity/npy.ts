import { readFile } from 'node:fs/promises';

/** An array read from a .npy file. 64-bit integers become 32-bit ones; all of ours fit. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

const MAGIC = '\x93NUMPY';

/**
 * Reads a .npy file: C order, little-endian, of the few types that fixtures have.
 * @throws Error naming the file and what is wrong with it.
 */
export async function readNpy(path: string): Promise<NpyArray> {
  try {
    return parseNpy(await readFile(path));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path}: ${why}`, { cause });
  }
}

/** The array in the bytes of a .npy file, version 1, 2 or 3. */
export function parseNpy(bytes: Buffer): NpyArray {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== MAGIC) {
    throw new Error('not a .npy file');
  }
  const version = bytes[6];
  const wide = version === 2 || version === 3;
  if (version !== 1 && !wide) throw new Error(`.npy version ${version} is not known`);
  const start = wide ? 12 : 10;
  const length = wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  if (start + length > bytes.length) throw new Error('the header ends beyond the file');
  const header = bytes.toString('latin1', start, start + length);
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || shapeText === undefined) {
    throw new Error(`the header cannot be understood: ${header.trim()}`);
  }
  if (order === 'True') throw new Error('Fortran order is not supported');
  const shape = shapeText.split(',').flatMap((size) => (size.trim() ? [Number(size)] : []));
  const count = shape.reduce((product, size) => product * size, 1);
  // A copy, so that typed arrays are aligned whatever the header's length.
  const body = new Uint8Array(bytes.subarray(start + length)).buffer;
  return { shape, data: elements(descr, count, body) };
}

function elements(descr: string, count: number, body: ArrayBuffer): NpyArray['data'] {
  const width = Number(descr.slice(2));
  if (body.byteLength !== count * width) {
    throw new Error(`${count} elements of ${descr} do not fit its ${body.byteLength} bytes`);
  }
  switch (descr) {
    case '<f4':
      return new Float32Array(body);
    case '<f8':
      return new Float64Array(body);
    case '<i4':
      return new Int32Array(body);
    case '<i8':
      return Int32Array.from(new BigInt64Array(body), toInt32);
    case '|u1':
    case '|b1':
      return new Uint8Array(body);
    default:
      throw new Error(`element type ${descr} is not supported`);
  }
}

function toInt32(value: bigint): number {
  if (BigInt.asIntN(32, value) !== value) throw new Error(`${value} exceeds 32 bits`);
  return Number(value);
}
