import { CheckpointError } from './errors.ts';
import { MAX_WHOLE_TENSOR_BYTES } from './limits.ts';
import { countElements } from './strided.ts';
import { DTYPE_BYTES, type DType, type StoredTensor, type TensorInfo } from './types.ts';

/** Bytes that the elements of a tensor take. */
export function tensorBytes({ dtype, shape }: TensorInfo): number {
  return countElements(shape) * DTYPE_BYTES[dtype];
}

/**
 * All bytes of a tensor: row-major, little-endian.
 * @throws CheckpointError when the tensor is above 4 GiB, or its file is damaged.
 */
export async function readTensor(tensor: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(wholeBytes(tensor));
  let at = 0;
  for await (const piece of tensor.chunks()) {
    all.set(piece, at);
    at += piece.length;
  }
  requireAll(tensor, at, all.length);
  return all;
}

/** All elements of a tensor as float32. Throws as `readTensor` does. */
export async function readFloat32(tensor: StoredTensor): Promise<Float32Array<ArrayBuffer>> {
  const all = new Float32Array(wholeBytes(tensor) / DTYPE_BYTES[tensor.dtype]);
  let at = 0;
  for await (const piece of tensor.chunks()) {
    const numbers = float32Of(tensor.dtype, piece);
    all.set(numbers, at);
    at += numbers.length;
  }
  requireAll(tensor, at, all.length);
  return all;
}

function wholeBytes(tensor: StoredTensor): number {
  const bytes = tensorBytes(tensor);
  if (bytes <= MAX_WHOLE_TENSOR_BYTES) return bytes;
  const why = `takes ${bytes} bytes; the limit in one piece is ${MAX_WHOLE_TENSOR_BYTES}`;
  throw new CheckpointError('limit-exceeded', { file: tensor.name }, why);
}

function requireAll(tensor: StoredTensor, got: number, wanted: number): void {
  if (got !== wanted) throw new RangeError(`${tensor.name}: got ${got} of ${wanted} elements`);
}

/**
 * Little-endian elements as float32: exact from the 16-bit forms, rounded from wider ones. The
 * result may share the memory of `bytes` when they are float32 already.
 */
export function float32Of(dtype: DType, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const width = DTYPE_BYTES[dtype];
  // A view of wider numbers must start at a multiple of their width.
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  const length = bytes.length / width;
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float16':
      return float32OfHalf(new Uint16Array(buffer, byteOffset, length));
    case 'bfloat16':
      return float32OfBrain(new Uint16Array(buffer, byteOffset, length));
    case 'float64':
      return new Float32Array(new Float64Array(buffer, byteOffset, length));
    case 'bool':
    case 'uint8':
      return new Float32Array(new Uint8Array(buffer, byteOffset, length));
    case 'int8':
      return new Float32Array(new Int8Array(buffer, byteOffset, length));
    case 'int16':
      return new Float32Array(new Int16Array(buffer, byteOffset, length));
    case 'int32':
      return new Float32Array(new Int32Array(buffer, byteOffset, length));
    case 'int64':
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
  }
}

/**
 * Finds elements whose exponent is all ones, which means infinite or NaN, 32 bits at a time: added to
 * a full exponent, its lowest bit carries into the sign.
 */
const NOT_FINITE = {
  float32: { exponent: 0x7f800000, lowest: 0x00800000, sign: 0x80000000 },
  float16: { exponent: 0x7c007c00, lowest: 0x04000400, sign: 0x80008000 },
  bfloat16: { exponent: 0x7f807f80, lowest: 0x00800080, sign: 0x80008000 },
} as const;
/** A float64 from here on becomes infinite as a float32. */
const MAX_FLOAT32 = (2 - 2 ** -24) * 2 ** 127;

/** Whether all elements are finite, and stay so as float32. Whole numbers are. */
export function allFinite(dtype: DType, bytes: Uint8Array<ArrayBuffer>): boolean {
  const width = DTYPE_BYTES[dtype];
  if (dtype === 'float64') {
    const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
    const numbers = new Float64Array(buffer, byteOffset, bytes.length / width);
    let finite = true;
    for (let i = 0; i < numbers.length; i++) {
      finite = finite && Math.abs(numbers[i] as number) < MAX_FLOAT32;
    }
    return finite;
  }
  if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'bfloat16') return true;
  const { exponent, lowest, sign } = NOT_FINITE[dtype];
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const words = new Int32Array(buffer, byteOffset, bytes.length >> 2);
  let seen = 0;
  for (let i = 0; i < words.length; i++) seen |= ((words[i] as number) & exponent) + lowest;
  // Half a word may be left of an odd number of 16-bit elements.
  const rest = bytes.length & 2 ? new Uint16Array(buffer, byteOffset + words.byteLength, 1)[0] : 0;
  seen |= ((rest ?? 0) & exponent) + lowest;
  return (seen & sign) === 0;
}

/** The upper half of a float32 is a bfloat16. */
function float32OfBrain(brain: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(brain.length);
  for (let i = 0; i < brain.length; i++) bits[i] = (brain[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

/** Bits of the float32 for each of the 65,536 halves (256 KiB), made when first needed. */
let halves: Uint32Array | undefined;

function float32OfHalf(half: Uint16Array): Float32Array<ArrayBuffer> {
  const table = (halves ??= Uint32Array.from({ length: 0x10000 }, (_, bits) => singleBits(bits)));
  const bits = new Uint32Array(half.length);
  for (let i = 0; i < half.length; i++) bits[i] = table[half[i] as number] as number;
  return new Float32Array(bits.buffer);
}

/** IEEE 754: sign 1, exponent 5 (bias 15), fraction 10 → sign 1, exponent 8 (bias 127), fraction 23. */
function singleBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: move the highest set bit of the fraction to the implied place.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
