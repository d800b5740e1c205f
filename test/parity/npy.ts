import { readFile } from 'node:fs/promises';

/** An array read from a .npy file, row-major. Wide integers become 32-bit ones; all of ours fit. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: NpyData;
}
type NpyData = Float32Array | Float64Array | Int32Array | Uint8Array;

const MAGIC = '\x93NUMPY';

/**
 * Reads a .npy file of real numbers, in either order of axes and of bytes.
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
  const shape = shapeText.split(',').flatMap((size) => (size.trim() ? [Number(size)] : []));
  const count = shape.reduce((product, size) => product * size, 1);
  // A copy, so that typed arrays are aligned whatever the header's length.
  const body = new Uint8Array(bytes.subarray(start + length)).buffer;
  const data = elements(descr, count, body);
  return { shape, data: order === 'True' ? rowMajor(data, shape) : data };
}

function elements(descr: string, count: number, body: ArrayBuffer): NpyData {
  const width = Number(descr.slice(2));
  if (body.byteLength !== count * width) {
    throw new Error(`${count} elements of ${descr} do not fit its ${body.byteLength} bytes`);
  }
  if (descr.startsWith('>')) swapBytes(body, width);
  switch (descr.slice(1)) {
    case 'f2':
      return Float32Array.from(new Float16Array(body));
    case 'f4':
      return new Float32Array(body);
    case 'f8':
      return new Float64Array(body);
    case 'i1':
      return Int32Array.from(new Int8Array(body));
    case 'i2':
      return Int32Array.from(new Int16Array(body));
    case 'i4':
      return new Int32Array(body);
    case 'i8':
      return Int32Array.from(new BigInt64Array(body), toInt32);
    case 'u1':
    case 'b1':
      return new Uint8Array(body);
    case 'u2':
      return Int32Array.from(new Uint16Array(body));
    case 'u4':
      return Int32Array.from(new Uint32Array(body), toInt32);
    case 'u8':
      return Int32Array.from(new BigUint64Array(body), toInt32);
    default:
      throw new Error(`element type ${descr} is not supported`);
  }
}

/** Turns every element of `width` bytes around, in place. */
function swapBytes(body: ArrayBuffer, width: number): void {
  const bytes = Buffer.from(body);
  if (width === 2) bytes.swap16();
  if (width === 4) bytes.swap32();
  if (width === 8) bytes.swap64();
}

function toInt32(value: bigint | number): number {
  const number = Number(value);
  if ((number | 0) !== number) throw new Error(`${value} exceeds 32 bits`);
  return number;
}

/** Column-major elements (Fortran order: the first axis runs fastest) in row-major order. */
function rowMajor(data: NpyData, shape: readonly number[]): NpyData {
  if (shape.length < 2) return data;
  const made = data.slice();
  const strides = shape.map((_, axis) =>
    shape.slice(0, axis).reduce((product, size) => product * size, 1),
  );
  const at = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < made.length; to += 1) {
    made[to] = data[from] ?? NaN;
    // One step on, as an odometer counts: the last axis first.
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const stride = strides[axis] ?? 0;
      const index = (at[axis] ?? 0) + 1;
      const wraps = index === shape[axis];
      from += wraps ? stride * (1 - index) : stride;
      at[axis] = wraps ? 0 : index;
      if (!wraps) break;
    }
  }
  return made;
}
