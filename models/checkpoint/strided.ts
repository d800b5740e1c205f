import { CheckpointError, type Where } from './errors.ts';
import {
  CHUNK_BYTES,
  MAX_AXES,
  MAX_ELEMENTS,
  MAX_EXPANDED_BYTES,
  MAX_GATHER_WASTE_BYTES,
} from './limits.ts';
import type { Storage } from './storage.ts';
import { DTYPE_BYTES, type DType, type StoredTensor } from './types.ts';

/** A tensor as a view of a storage. Offset and strides count elements. */
export interface View {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The bytes that a view may use. */
export interface Window {
  readonly storage: Storage;
  /** First byte of the storage that belongs to the view's storage, and how many do. */
  readonly start: number;
  readonly size: number;
}

/**
 * A tensor that reads its elements through a view.
 * @throws CheckpointError when the view does not fit its storage, or passes a limit.
 */
export function viewTensor(where: Where, view: View, window: Window): StoredTensor {
  const { dtype, shape } = view;
  const width = DTYPE_BYTES[dtype];
  const wrong = (why: string): CheckpointError =>
    new CheckpointError('tensor-out-of-bounds', where, why);
  const tooLarge = (why: string): CheckpointError =>
    new CheckpointError('limit-exceeded', where, why);

  if (shape.length > MAX_AXES) {
    throw tooLarge(`has ${shape.length} axes; the limit is ${MAX_AXES}`);
  }
  if (view.strides.length !== shape.length) {
    throw wrong(`has ${shape.length} axes but ${view.strides.length} strides`);
  }
  if (![view.offset, ...shape, ...view.strides].every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw wrong('has a size, stride or offset that is no whole number from 0 up');
  }
  const elements = countElements(shape);
  if (elements > MAX_ELEMENTS) {
    throw tooLarge(`claims ${elements} elements; the limit is ${MAX_ELEMENTS}`);
  }
  let span = elements === 0 ? 0 : 1;
  if (elements > 0) {
    for (const [axis, size] of shape.entries()) span += (size - 1) * (view.strides[axis] ?? 0);
    // Sums above 2^53 are rounded, but stay above any length of a file.
    if ((view.offset + span) * width > window.size) {
      const shown = `shape [${shape.join(', ')}] at element ${view.offset} needs`;
      const why = `${shown} ${(view.offset + span) * width} bytes of a storage that has ${window.size}`;
      throw wrong(why);
    }
  }
  const range = { offset: window.start + view.offset * width, length: span * width };
  const info = { name: where.key, dtype, shape };
  if (elements === 0) return { ...info, chunks: nothing };
  if (isContiguous(view)) return { ...info, chunks: () => window.storage.stream(range) };

  const size = elements * width;
  if (range.length - size > MAX_GATHER_WASTE_BYTES || size - range.length > MAX_EXPANDED_BYTES) {
    throw tooLarge(
      `takes ${size} bytes but is a view of ${range.length}, and they may differ by ` +
        `${MAX_EXPANDED_BYTES} at most`,
    );
  }
  return {
    ...info,
    chunks: async function* () {
      yield* gather(await window.storage.read(range), view);
    },
  };
}

/** Product of the sizes; 1 for a 0-d tensor. Above 2^53 it is rounded, never too small. */
export function countElements(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}

/** Strides of a tensor whose elements lie in row-major order. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const size of shape.toReversed()) {
    strides.push(stride);
    stride *= size;
  }
  return strides.reverse();
}

function isContiguous({ shape, strides }: View): boolean {
  const expected = rowMajorStrides(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === expected[axis]);
}

async function* nothing(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // No elements, no pieces.
}

/** The elements of a view in row-major order; `span` starts at its first element. */
function* gather(span: Uint8Array<ArrayBuffer>, view: View): Generator<Uint8Array<ArrayBuffer>> {
  const width = DTYPE_BYTES[view.dtype];
  const source = elementsOf(width, span.byteOffset % width === 0 ? span : new Uint8Array(span));
  const axes = mergeAxes(view);
  const total = countElements(view.shape);
  const step = CHUNK_BYTES / width;
  for (let from = 0; from < total; from += step) {
    const piece = new Uint8Array(Math.min(step, total - from) * width);
    copyStrided(source, elementsOf(width, piece), { axes, from });
    yield piece;
  }
}

interface Axis {
  readonly size: number;
  readonly stride: number;
}

/** The axes without those of size 1, neighbours that advance evenly taken together. */
function mergeAxes({ shape, strides }: View): readonly Axis[] {
  const merged: Axis[] = [];
  for (const [axis, size] of shape.entries()) {
    const stride = strides[axis] ?? 0;
    const before = merged.at(-1);
    if (size === 1) continue;
    if (before && before.stride === stride * size) {
      merged[merged.length - 1] = { size: before.size * size, stride };
    } else {
      merged.push({ size, stride });
    }
  }
  return merged;
}

/** Elements as numbers of their width. Integers only: a float could lose the payload of a NaN. */
function elementsOf(width: number, bytes: Uint8Array<ArrayBuffer>): Elements<number | bigint> {
  const { buffer, byteOffset, length } = bytes;
  if (width === 1) return bytes;
  if (width === 2) return new Uint16Array(buffer, byteOffset, length / 2);
  if (width === 4) return new Uint32Array(buffer, byteOffset, length / 4);
  return new BigUint64Array(buffer, byteOffset, length / 8);
}

interface Elements<T> {
  [index: number]: T;
  readonly length: number;
}

/** Fills `target` with the elements from row-major position `from` on. */
function copyStrided<T>(
  source: Elements<T>,
  target: Elements<T>,
  { axes, from }: { readonly axes: readonly Axis[]; readonly from: number },
): void {
  const index = new Array<number>(axes.length).fill(0);
  let rest = from;
  let at = 0;
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { size, stride } = axes[axis] as Axis;
    index[axis] = rest % size;
    at += (rest % size) * stride;
    rest = Math.floor(rest / size);
  }
  const last = axes.length - 1;
  const { size, stride } = axes[last] ?? { size: 1, stride: 0 };
  for (let to = 0; to < target.length;) {
    const row = Math.min(size - (index[last] ?? 0), target.length - to);
    for (const end = to + row; to < end; to++, at += stride) target[to] = source[at] as T;
    // The row is done: back to its start, and one on along the nearest axis that has room.
    at -= size * stride;
    index[last] = 0;
    for (let axis = last - 1; axis >= 0; axis--) {
      const outer = axes[axis] as Axis;
      index[axis] = (index[axis] as number) + 1;
      at += outer.stride;
      if ((index[axis] as number) < outer.size) break;
      index[axis] = 0;
      at -= outer.size * outer.stride;
    }
  }
}
