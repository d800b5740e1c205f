import { StudioError } from '#api/errors';

const MAGIC = '\x93NUMPY';
/** A header of ours takes 118 bytes; a longer one than this is not a plain array's. */
const MAX_HEADER_BYTES = 1 << 16;
const MAX_DIMENSIONS = 8;
/** An .npy that we read whole: a quarter million representations. */
export const MAX_NPY_BYTES = 1 << 28;

/** Representations lie within about ±10; far above this, networks overflow and draw nonsense. */
const MAX_MAGNITUDE = 1e6;
/** What to do about a file that does not hold what it says. */
const AGAIN = 'write the file again with numpy.save';

/** How each supported element type is read. All are little-endian, the only kind written today. */
const TYPES: Readonly<
  Record<string, { bytes: number; get: (view: DataView, at: number) => number }>
> = {
  '<f4': { bytes: 4, get: (view, at) => view.getFloat32(at, true) },
  '<f8': { bytes: 8, get: (view, at) => view.getFloat64(at, true) },
  '<u2': { bytes: 2, get: (view, at) => view.getUint16(at, true) },
  '<i2': { bytes: 2, get: (view, at) => view.getInt16(at, true) },
  '<i4': { bytes: 4, get: (view, at) => view.getInt32(at, true) },
  '<i8': { bytes: 8, get: (view, at) => Number(view.getBigInt64(at, true)) },
};

/** An array from an .npy file; integers above 2^53 lose digits, which no use here minds. */
export interface NpyArray {
  /** NumPy's name of the element type, such as `<f4`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float64Array;
}

/** Whether the bytes begin as an .npy file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === MAGIC;
}

/** Reads an .npy file, format 1 to 3; `name` is for messages. Whatever is wrong is `invalid-request`. */
export function parseNpy(bytes: Uint8Array, name: string): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isNpy(bytes) || bytes.length < 12) throw wrong(name, `it is not an .npy file; ${AGAIN}`);
  const version = view.getUint8(6);
  if (version < 1 || version > 3)
    throw wrong(name, `its format version is ${version}, and 1 to 3 are read; ${AGAIN}`);
  const start = version === 1 ? 10 : 12;
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > MAX_HEADER_BYTES || start + headerBytes > bytes.length) {
    throw wrong(name, `its header is cut short or far too long; ${AGAIN}`);
  }
  const body = start + headerBytes;
  const header = Buffer.from(bytes.subarray(start, body)).toString('latin1');
  const { type, shape } = parseHeader(header, name);
  const element = TYPES[type];
  if (element === undefined) {
    throw wrong(
      name,
      `its numbers are of type ${type}; save them as one of ${Object.keys(TYPES).join(', ')}`,
    );
  }
  const count = shape.reduce((product, side) => product * side, 1);
  if (count * element.bytes !== bytes.length - body) {
    throw wrong(
      name,
      `its shape [${shape.join(', ')}] needs ${count * element.bytes} bytes, ${bytes.length - body} are there; ${AGAIN}`,
    );
  }
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = element.get(view, body + i * element.bytes);
  return { type, shape, data };
}

/** The header is a Python dictionary; only the one form that NumPy writes is read. */
function parseHeader(header: string, name: string): { type: string; shape: readonly number[] } {
  const entries = /^\{(.*)\}\s*$/s.exec(header)?.[1] ?? '';
  const type = /'descr': *'([^'\\]{1,16})'/.exec(entries)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(entries)?.[1];
  const sides = /'shape': *\(([\d, ]*)\)/.exec(entries)?.[1];
  if (type === undefined || order === undefined || sides === undefined) {
    throw wrong(name, `its header is not that of a plain array; ${AGAIN}`);
  }
  const shape = sides
    .split(',')
    .map((side) => side.trim())
    .filter((side) => side !== '')
    .map(Number);
  if (shape.length > MAX_DIMENSIONS || !shape.every(Number.isSafeInteger)) {
    throw wrong(name, `its shape is out of all bounds; ${AGAIN}`);
  }
  if (order === 'True' && shape.length > 1) {
    throw wrong(name, 'it is in Fortran order; save it with numpy.ascontiguousarray');
  }
  return { type, shape };
}

/** An .npy file (format 1, float32, row-major) of an array. */
export function writeNpy(shape: readonly number[], data: Float32Array): Uint8Array {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sides}), }`;
  // NumPy pads so that the numbers begin at a multiple of 64 bytes.
  const padded = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const head = Buffer.alloc(10);
  head.write(MAGIC, 'latin1');
  head.set([1, 0], 6);
  head.writeUInt16LE(padded - 10, 8);
  const body = Buffer.alloc(data.length * 4);
  data.forEach((value, i) => body.writeFloatLE(value, i * 4));
  const text = Buffer.from(`${dictionary.padEnd(padded - 11)}\n`, 'latin1');
  return new Uint8Array(Buffer.concat([head, text, body]));
}

/** Representations, one a row, of a [D] or [B,D] array; finite, D as the model wants it. */
export function representationsOf(array: NpyArray, length: number, name: string): Float32Array[] {
  if (!array.type.startsWith('<f')) {
    throw wrong(
      name,
      `its numbers are whole (${array.type}); representations are float32: save them with astype('float32')`,
    );
  }
  return rowsOf(array, length, { name, what: 'a representation' }).map((row) => {
    const values = Float32Array.from(row);
    if (!values.every(Number.isFinite)) {
      throw wrong(
        name,
        'it holds a NaN or an infinity, which no representation does; mend the array',
      );
    }
    const large = values.find((value) => Math.abs(value) > MAX_MAGNITUDE);
    if (large !== undefined) {
      throw wrong(
        name,
        `it holds ${large}; a representation's numbers are from -${MAX_MAGNITUDE} to ${MAX_MAGNITUDE}`,
      );
    }
    return values;
  });
}

/** Token grids, one a row, of a [N], [B,N] or [B,16,16] array of whole numbers 0…codes−1. */
export function tokensOf(
  array: NpyArray,
  sizes: { readonly tokens: number; readonly codes: number },
  name: string,
): Int32Array[] {
  const side = Math.sqrt(sizes.tokens);
  const square = array.shape.at(-1) === side && array.shape.at(-2) === side;
  const flat = square ? { ...array, shape: [...array.shape.slice(0, -2), sizes.tokens] } : array;
  return rowsOf(flat, sizes.tokens, { name, what: 'a token grid' }).map((row) => {
    const bad = row.find((id) => !Number.isInteger(id) || id < 0 || id >= sizes.codes);
    if (bad !== undefined) {
      throw wrong(name, `it holds ${bad}; a token is a whole number from 0 to ${sizes.codes - 1}`);
    }
    return Int32Array.from(row);
  });
}

function rowsOf(
  array: NpyArray,
  length: number,
  { name, what }: { readonly name: string; readonly what: string },
): Float64Array[] {
  const fits = array.shape.length >= 1 && array.shape.length <= 2 && array.shape.at(-1) === length;
  const rows = array.shape.length === 2 ? (array.shape[0] ?? 0) : 1;
  if (!fits || rows < 1) {
    throw wrong(
      name,
      `its shape is [${array.shape.join(', ')}]; ${what} of this model has ${length} numbers: [${length}] or [rows, ${length}]`,
    );
  }
  return Array.from({ length: rows }, (_, i) => array.data.subarray(i * length, (i + 1) * length));
}

function wrong(name: string, why: string): StudioError {
  return new StudioError('invalid-request', `${name} cannot be used: ${why}.`);
}
