import type { GraphBuilder } from './builder.ts';
import {
  axisOf,
  broadcast,
  concatShape,
  elements,
  matmulShape,
  requireNorm,
  requireReshape,
  requireSameElements,
  requireSameType,
  requireShape,
  requireTiled,
  requireType,
  shown,
  sizeOf,
  sliceSize,
  withAxis,
} from './shapes.ts';
import { GraphError, type Dim, type ElementType, type Value } from './types.ts';

type Constant = Float32Array | Int32Array | BigInt64Array;

/**
 * ONNX operators as functions: each checks the shapes it is given and knows the shape it makes.
 * Named as in the ONNX operator list. Everything here is in opset 17.
 */
export class Ops {
  readonly builder: GraphBuilder;

  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }

  /** A constant; equal ones share a name. */
  constant(values: Constant, shape: readonly number[] = [values.length]): Value {
    const type: ElementType =
      values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'int64';
    if (values.length !== elements(shape)) {
      throw new GraphError(`a constant of ${values.length} numbers is not ${shown(shape)}`);
    }
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const name = `const_${type}_${shape.join('x')}_${digest(bytes)}`;
    return this.builder.weight(name, { type, shape }, () => bytes);
  }

  scalar(value: number): Value {
    return this.constant(Float32Array.of(value), []);
  }

  int(value: number): Value {
    return this.constant(Int32Array.of(value), []);
  }

  int64s(...values: number[]): Value {
    return this.constant(BigInt64Array.from(values, BigInt));
  }

  add = this.#arithmetic('Add');
  sub = this.#arithmetic('Sub');
  mul = this.#arithmetic('Mul');
  div = this.#arithmetic('Div');

  #arithmetic(op: string): (a: Value, b: Value) => Value {
    return (a, b) => {
      requireSameType(op, a, b);
      return this.one(op, [a, b], a.type, broadcast(op, a.shape, b.shape));
    };
  }

  equal(a: Value, b: Value): Value {
    requireSameType('Equal', a, b);
    return this.one('Equal', [a, b], 'bool', broadcast('Equal', a.shape, b.shape));
  }

  lessOrEqual(a: Value, b: Value): Value {
    requireSameType('LessOrEqual', a, b);
    return this.one('LessOrEqual', [a, b], 'bool', broadcast('LessOrEqual', a.shape, b.shape));
  }

  and(a: Value, b: Value): Value {
    requireType('And', ['bool'], a, b);
    return this.one('And', [a, b], 'bool', broadcast('And', a.shape, b.shape));
  }

  where(condition: Value, a: Value, b: Value): Value {
    requireType('Where', ['bool'], condition);
    requireSameType('Where', a, b);
    const shape = broadcast('Where', condition.shape, broadcast('Where', a.shape, b.shape));
    return this.one('Where', [condition, a, b], a.type, shape);
  }

  min(a: Value, b: Value): Value {
    requireSameType('Min', a, b);
    return this.one('Min', [a, b], a.type, broadcast('Min', a.shape, b.shape));
  }

  clip(x: Value, low: number, high: number): Value {
    requireType('Clip', ['float32'], x);
    return this.one('Clip', [x, this.scalar(low), this.scalar(high)], x.type, x.shape);
  }

  /** An elementwise function of one input: Erf, Exp, Log, Sqrt, Sigmoid, Relu, Neg, Cos, Sin. */
  unary(op: string, x: Value): Value {
    requireType(op, ['float32'], x);
    return this.one(op, [x], x.type, x.shape);
  }

  /** x·σ(x) */
  silu(x: Value): Value {
    return this.mul(x, this.unary('Sigmoid', x));
  }

  cast(x: Value, to: 'float32' | 'int32' | 'int64' | 'uint8'): Value {
    const codes = { float32: 1, uint8: 2, int32: 6, int64: 7 } as const;
    return x.type === to ? x : this.one('Cast', [x], to, x.shape, { to: codes[to] });
  }

  matmul(a: Value, b: Value): Value {
    requireSameType('MatMul', a, b);
    return this.one('MatMul', [a, b], a.type, matmulShape(a.shape, b.shape));
  }

  transpose(x: Value, perm: readonly number[]): Value {
    if (x.shape.some((_, axis) => !perm.includes(axis)) || perm.length !== x.shape.length) {
      throw new GraphError(`Transpose of ${shown(x.shape)} by ${shown(perm)}`);
    }
    const shape = perm.map((axis) => x.shape[axisOf(x.shape, axis)] ?? 1);
    return this.one('Transpose', [x], x.type, shape, { perm });
  }

  /** One size may be -1; `shape` says what the result is. A 0 copies the size of that axis. */
  reshape(x: Value, to: readonly number[], shape: readonly Dim[]): Value {
    requireReshape(x.shape, to, shape);
    return this.one('Reshape', [x, this.int64s(...to)], x.type, shape);
  }

  /** Reshape to a shape that is computed in the graph (int64). */
  reshapeTo(x: Value, to: Value, shape: readonly Dim[]): Value {
    requireAxes('Reshape', to, shape);
    requireSameElements('Reshape', x.shape, shape);
    return this.one('Reshape', [x, to], x.type, shape);
  }

  unsqueeze(x: Value, axis: number): Value {
    const at = axisOf([...x.shape, 1], axis);
    const shape = [...x.shape.slice(0, at), 1, ...x.shape.slice(at)];
    return this.one('Unsqueeze', [x, this.int64s(at)], x.type, shape);
  }

  squeeze(x: Value, axis: number): Value {
    const at = axisOf(x.shape, axis);
    if (x.shape[at] !== 1) throw new GraphError(`Squeeze of axis ${axis}: ${x.shape.join(', ')}`);
    return this.one('Squeeze', [x, this.int64s(at)], x.type, x.shape.toSpliced(at, 1));
  }

  concat(parts: readonly Value[], axis: number): Value {
    const shape = concatShape(parts, axis);
    const [first] = parts;
    if (!first) throw new GraphError('Concat of nothing');
    return this.one('Concat', parts, first.type, shape, { axis: axisOf(shape, axis) });
  }

  /** Elements `from` … `to`−1 of an axis. */
  slice(x: Value, axis: number, range: { readonly from: number; readonly to: number }): Value {
    const at = axisOf(x.shape, axis);
    const shape = withAxis(x.shape, at, sliceSize(x.shape[at] ?? 1, range));
    const inputs = [x, this.int64s(range.from), this.int64s(range.to), this.int64s(at)];
    return this.one('Slice', inputs, x.type, shape);
  }

  /** Equal parts along the last axis. */
  split(x: Value, parts: number): readonly Value[] {
    const size = sizeOf(x.shape, -1) / parts;
    if (!Number.isInteger(size)) throw new GraphError(`Split of ${shown(x.shape)} in ${parts}`);
    const shape = withAxis(x.shape, -1, size);
    return this.builder.node({
      op: 'Split',
      inputs: [x, this.int64s(...Array.from({ length: parts }, () => size))],
      attributes: { axis: x.shape.length - 1 },
      outputs: Array.from({ length: parts }, () => ({ type: x.type, shape })),
    });
  }

  gather(x: Value, indices: Value, axis: number): Value {
    requireType('Gather', ['int32', 'int64'], indices);
    const at = axisOf(x.shape, axis);
    const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
    return this.one('Gather', [x, indices], x.type, shape, { axis: at });
  }

  /** x[b…, indices[b…], :] with the leading `batch` axes shared; indices int64 [b…,1]. */
  gatherRows(x: Value, indices: Value, batch: number): Value {
    requireType('GatherND', ['int64'], indices);
    requireShape('GatherND', indices, [...x.shape.slice(0, axisOf(x.shape, batch)), 1]);
    const shape = [...x.shape.slice(0, batch), ...x.shape.slice(batch + 1)];
    return this.one('GatherND', [x, indices], x.type, shape, { batch_dims: batch });
  }

  /** The size of one axis, int64 [1]. */
  shapeRow(x: Value, axis: number): Value {
    const start = axisOf(x.shape, axis);
    return this.one('Shape', [x], 'int64', [1], { start, end: start + 1 });
  }

  /** x repeated `repeats` (int64, one number an axis) times. */
  tile(x: Value, repeats: Value, shape: readonly Dim[]): Value {
    requireAxes('Tile', repeats, shape);
    requireTiled(x.shape, shape);
    return this.one('Tile', [x, repeats], x.type, shape);
  }

  expand(x: Value, to: Value, shape: readonly Dim[]): Value {
    requireAxes('Expand', to, shape);
    if (broadcast('Expand', x.shape, shape).join() !== shape.join()) {
      throw new GraphError(`Expand of ${shown(x.shape)} to ${shown(shape)}`);
    }
    return this.one('Expand', [x, to], x.type, shape);
  }

  /** Sum over the last axis. */
  sum(x: Value, keep: boolean): Value {
    const shape = keep ? withAxis(x.shape, -1, 1) : x.shape.slice(0, axisOf(x.shape, -1));
    const inputs = [x, this.int64s(-1)];
    return this.one('ReduceSum', inputs, x.type, shape, { keepdims: keep ? 1 : 0 });
  }

  /** Mean over the last axis, which stays with size 1. */
  mean(x: Value): Value {
    const attributes = { axes: [-1], keepdims: 1 };
    return this.one('ReduceMean', [x], x.type, withAxis(x.shape, -1, 1), attributes);
  }

  cumsum(x: Value, options: { readonly exclusive: boolean }): Value {
    const axis = this.constant(BigInt64Array.of(BigInt(x.shape.length - 1)), []);
    const attributes = { exclusive: options.exclusive ? 1 : 0 };
    return this.one('CumSum', [x, axis], x.type, x.shape, attributes);
  }

  softmax(x: Value): Value {
    return this.one('Softmax', [x], x.type, x.shape, { axis: x.shape.length - 1 });
  }

  logSoftmax(x: Value): Value {
    return this.one('LogSoftmax', [x], x.type, x.shape, { axis: x.shape.length - 1 });
  }

  argMax(x: Value): Value {
    const attributes = { axis: x.shape.length - 1, keepdims: 0 };
    return this.one('ArgMax', [x], 'int64', x.shape.slice(0, -1), attributes);
  }

  argMin(x: Value): Value {
    const attributes = { axis: x.shape.length - 1, keepdims: 0 };
    return this.one('ArgMin', [x], 'int64', x.shape.slice(0, -1), attributes);
  }

  /** The last axis in ascending order. */
  sortAscending(x: Value): Value {
    return this.#topK(x, sizeOf(x.shape, -1), { largest: 0 });
  }

  /** The k largest of the last axis, the largest first. */
  largest(x: Value, k: number): Value {
    return this.#topK(x, k, { largest: 1 });
  }

  #topK(x: Value, k: number, order: { readonly largest: 0 | 1 }): Value {
    const shape = [...x.shape.slice(0, -1), k];
    const [values] = this.builder.node({
      op: 'TopK',
      inputs: [x, this.int64s(k)],
      attributes: { axis: x.shape.length - 1, ...order, sorted: 1 },
      outputs: [
        { type: x.type, shape },
        { type: 'int64', shape },
      ],
    });
    return only(values);
  }

  layerNormalization(x: Value, norm: { gamma: Value; beta: Value; epsilon: number }): Value {
    requireNorm('LayerNormalization', x, norm.gamma, norm.beta);
    const attributes = { axis: x.shape.length - 1, epsilon: { float: norm.epsilon } };
    const inputs = [x, norm.gamma, norm.beta];
    return this.one('LayerNormalization', inputs, x.type, x.shape, attributes);
  }

  /** One node with one output. */
  // eslint-disable-next-line max-params -- an operator's declaration, in its usual order
  one(
    op: string,
    inputs: readonly (Value | null)[],
    type: ElementType,
    shape: readonly Dim[],
    attributes: Parameters<GraphBuilder['node']>[0]['attributes'] = {},
  ): Value {
    return only(this.builder.node({ op, inputs, attributes, outputs: [{ type, shape }] })[0]);
  }

  /** One node of ONNX Runtime's own operators with one output. */
  microsoft(
    op: string,
    inputs: readonly (Value | null)[],
    shape: readonly Dim[],
    attributes: Parameters<GraphBuilder['node']>[0]['attributes'] = {},
  ): Value {
    const outputs = [{ type: 'float32', shape }] as const;
    return only(this.builder.node({ op, domain: 'com.microsoft', inputs, attributes, outputs })[0]);
  }
}

/** Makes sure that `numbers` holds an int64 for each axis of the shape. */
function requireAxes(op: string, numbers: Value, shape: readonly Dim[]): void {
  requireType(op, ['int64'], numbers);
  requireShape(op, numbers, [shape.length]);
}

function only(value: Value | undefined): Value {
  if (!value) throw new GraphError('a node without outputs');
  return value;
}

/** FNV-1a, 64 bits in two halves: names equal constants alike; the sizes are in the name too. */
function digest(bytes: Uint8Array): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b) ^ (high >>> 13);
  }
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}
