import type { Feeds, Network, Tensor, TensorData } from '#engine/types';
import type { Computed } from './compare.ts';
import type { NpyArray } from './npy.ts';

/** A recorded array as a float32 tensor. */
export function floats(array: NpyArray): Tensor<Float32Array> {
  const { shape, data } = array;
  return { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}

/** A recorded array as an int32 tensor. */
export function ints(array: NpyArray): Tensor<Int32Array> {
  const { shape, data } = array;
  return { shape, data: data instanceof Int32Array ? data : Int32Array.from(data) };
}

/** A recorded array of bytes, whatever type it was saved as. */
export function bytes(array: NpyArray): Tensor<Uint8Array> {
  const { shape, data } = array;
  if (data instanceof Uint8Array) return { shape, data };
  const made = Uint8Array.from(data);
  if (made.some((byte, i) => byte !== data[i])) throw new Error('expected an array of bytes');
  return { shape, data: made };
}

/** A tensor of one value throughout. */
export function filled(shape: readonly number[], value: number): Tensor<Float32Array> {
  return { shape, data: new Float32Array(product(shape)).fill(value) };
}

/** Elements of a shape. */
function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Rows `from`…`to`−1 of the first axis, without copying. */
export function rows<D extends TensorData>(tensor: Tensor<D>, from: number, to: number): Tensor<D> {
  const [, ...inner] = tensor.shape;
  const size = product(inner);
  const data = tensor.data.subarray(from * size, to * size) as D;
  return { shape: [to - from, ...inner], data };
}

/** Entries `from`…`to`−1 of the second axis. */
export function columns(tensor: Tensor, from: number, to: number): Tensor<Float32Array> {
  const [outer = 0, width = 0, ...inner] = tensor.shape;
  const size = product(inner);
  const data = new Float32Array(outer * (to - from) * size);
  for (let row = 0; row < outer; row += 1) {
    const start = (row * width + from) * size;
    const end = (row * width + to) * size;
    data.set(tensor.data.subarray(start, end), row * (to - from) * size);
  }
  return { shape: [outer, to - from, ...inner], data };
}

/** Tensors of equal inner shape, one after the other along the first axis. */
export function concatenated(parts: readonly Tensor[]): Tensor<Float32Array> {
  const [first] = parts;
  const length = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { shape: [length, ...(first?.shape.slice(1) ?? [])], data };
}

/** Tensors of equal shape stacked along a new first axis. */
export function stacked(parts: readonly Computed[]): Computed {
  const [first] = parts;
  const data = parts.flatMap((part) => Array.from(part.data));
  return { shape: [parts.length, ...(first?.shape ?? [])], data };
}

/** A named output. @throws Error when the graph did not give it. */
export function output(outputs: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = outputs[name];
  if (!tensor) throw new Error(`the graph has no output ${name}`);
  return tensor;
}

/** The named rows of the first axis, in that order. */
export function picked(tensor: Tensor, indices: ArrayLike<number>): Tensor<Float32Array> {
  const parts = Array.from(indices, (index) => rows(tensor, index, index + 1));
  const { shape, data } = concatenated(parts);
  return { shape: parts.length > 0 ? shape : [0, ...tensor.shape.slice(1)], data };
}

/** One evaluation that went through a recorder. */
export interface Recording {
  readonly feeds: Feeds;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/**
 * The same network, but every evaluation also fetches `extra` outputs and is shown to `onRun`: so
 * the product's own loops run, and what passes inside can be looked at.
 */
export function recorder(
  network: Network,
  extra: readonly string[],
  onRun: (recording: Recording) => void,
): Network {
  return async (feeds, fetches) => {
    const outputs = await network(feeds, [...new Set([...fetches, ...extra])]);
    onRun({ feeds, outputs });
    return outputs;
  };
}
