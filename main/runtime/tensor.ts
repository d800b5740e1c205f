import { Tensor as OrtTensor, type InferenceSession } from 'onnxruntime-node';
import type { Feeds, Tensor, TensorData } from '#engine/types';

/** What was fed into a graph does not fit it. A bug of the caller; names graph and input. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly graph: string;
  readonly input: string;

  constructor(where: { readonly graph: string; readonly input: string }, why: string) {
    super(`graph ${where.graph}: ${where.input} ${why}`);
    this.graph = where.graph;
    this.input = where.input;
  }
}

/**
 * Checks names, element types and shapes against what a graph declares, and wraps the arrays
 * without copying.
 * @throws FeedError for the first thing that does not fit.
 */
export function toRuntime(
  graph: string,
  inputs: readonly InferenceSession.ValueMetadata[],
  feeds: Feeds,
): Record<string, OrtTensor> {
  const named = new Map<string, number>();
  const tensors: Record<string, OrtTensor> = {};
  for (const input of inputs) {
    const where = { graph, input: input.name };
    const fed = feeds[input.name];
    if (!fed) throw new FeedError(where, 'is missing from the feeds');
    if (input.isTensor) checkFeed(where, input, { fed, named });
    tensors[input.name] = wrap(fed);
  }
  for (const name of Object.keys(feeds)) {
    if (!(name in tensors)) {
      const known = inputs.map((input) => input.name).join(', ');
      throw new FeedError({ graph, input: name }, `is not an input; the inputs are ${known}`);
    }
  }
  return tensors;
}

/**
 * Checks that a graph computes what is asked for.
 * @throws FeedError naming the output that it does not have.
 */
export function checkFetches(
  graph: string,
  outputs: readonly string[],
  fetches: readonly string[],
): void {
  for (const name of fetches) {
    if (!outputs.includes(name)) {
      const why = `is not an output; the outputs are ${outputs.join(', ')}`;
      throw new FeedError({ graph, input: name }, why);
    }
  }
}

/** A runtime's result as plain data. */
export function fromRuntime(graph: string, name: string, value: unknown): Tensor {
  if (value instanceof OrtTensor) {
    const { data, dims } = value;
    if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array) {
      return { shape: [...dims], data };
    }
  }
  throw new FeedError({ graph, input: name }, 'is not a float32, int32 or uint8 tensor');
}

function checkFeed(
  where: { readonly graph: string; readonly input: string },
  input: InferenceSession.TensorValueMetadata,
  context: { readonly fed: Tensor; readonly named: Map<string, number> },
): void {
  const { fed, named } = context;
  const type = typeOf(fed.data);
  if (type !== input.type) throw new FeedError(where, `is ${type}, expected ${input.type}`);
  const shape = `[${fed.shape.join(', ')}]`;
  if (fed.shape.length !== input.shape.length) {
    throw new FeedError(where, `has shape ${shape}, expected [${input.shape.join(', ')}]`);
  }
  for (const [axis, size] of fed.shape.entries()) {
    const wanted = input.shape[axis] ?? '';
    // A named size is free, but the same wherever its name stands.
    const fixed = typeof wanted === 'number' ? wanted : named.get(wanted);
    if (fixed !== undefined && fixed !== size) {
      const why = `has shape ${shape}, expected [${input.shape.join(', ')}] with ${wanted} = ${fixed}`;
      throw new FeedError(where, why);
    }
    if (typeof wanted === 'string' && wanted !== '') named.set(wanted, size);
  }
  const elements = fed.shape.reduce((product, size) => product * size, 1);
  if (fed.data.length !== elements) {
    throw new FeedError(where, `has ${fed.data.length} elements, but its shape is ${shape}`);
  }
}

function typeOf(data: TensorData): 'float32' | 'int32' | 'uint8' {
  if (data instanceof Float32Array) return 'float32';
  return data instanceof Int32Array ? 'int32' : 'uint8';
}

function wrap({ data, shape }: Tensor): OrtTensor {
  if (data instanceof Float32Array) return new OrtTensor('float32', data, shape);
  if (data instanceof Int32Array) return new OrtTensor('int32', data, shape);
  return new OrtTensor('uint8', data, shape);
}
