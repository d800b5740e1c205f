import { EngineError } from './errors.ts';
import type { Tensor, TensorData } from './types.ts';

type Outputs = Readonly<Record<string, Tensor>>;

/** Makes a tensor; the shape must hold the data's length, which is a bug of ours otherwise. */
export function tensor<D extends TensorData>(shape: readonly number[], data: D): Tensor<D> {
  if (shape.reduce((size, side) => size * side, 1) !== data.length) {
    throw new RangeError(`${data.length} numbers do not fill a tensor [${shape.join(',')}]`);
  }
  return { shape, data };
}

/** The float32 output `name` of a network, of exactly this shape; `bad-output` otherwise. */
export function floats(outputs: Outputs, name: string, shape: readonly number[]): Float32Array {
  const { data } = output(outputs, name, shape);
  if (data instanceof Float32Array) return data;
  throw wrong(name, 'is not float32');
}

/** The float32 output `name`, of exactly this shape and finite throughout; `bad-output` otherwise. */
export function finiteFloats(
  outputs: Outputs,
  name: string,
  shape: readonly number[],
): Float32Array {
  const data = floats(outputs, name, shape);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) throw wrong(name, 'holds numbers that are not finite');
  }
  return data;
}

/** The int32 output `name` of a network, of exactly this shape; `bad-output` otherwise. */
export function ints(outputs: Outputs, name: string, shape: readonly number[]): Int32Array {
  const { data } = output(outputs, name, shape);
  if (data instanceof Int32Array) return data;
  throw wrong(name, 'is not int32');
}

/** The uint8 output `name` of a network, of exactly this shape; `bad-output` otherwise. */
export function bytes(outputs: Outputs, name: string, shape: readonly number[]): Uint8Array {
  const { data } = output(outputs, name, shape);
  if (data instanceof Uint8Array) return data;
  throw wrong(name, 'is not uint8');
}

function output(outputs: Outputs, name: string, shape: readonly number[]): Tensor {
  const found = outputs[name];
  if (found === undefined) throw wrong(name, 'is missing');
  const size = shape.reduce((product, side) => product * side, 1);
  if (found.shape.join() !== shape.join() || found.data.length !== size) {
    throw wrong(name, `has shape [${found.shape.join(',')}] instead of [${shape.join(',')}]`);
  }
  return found;
}

function wrong(name: string, what: string): EngineError {
  return new EngineError(
    'bad-output',
    `A network's output "${name}" ${what}. The model may be damaged; verify it or import it again.`,
  );
}

/**
 * Row `row` of a batch whose rows are `length` long. A view, not a copy.
 */
export function rowOf<D extends Float32Array | Int32Array>(data: D, row: number, length: number): D;
export function rowOf(
  data: Float32Array | Int32Array,
  row: number,
  length: number,
): Float32Array | Int32Array {
  return data.subarray(row * length, (row + 1) * length);
}
