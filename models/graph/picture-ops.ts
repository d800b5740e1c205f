import type { Ops } from './ops.ts';
import { requireSameType, requireShape, shown, sizeOf, windowSide } from './shapes.ts';
import { GraphError, type Attribute, type Value } from './types.ts';

// Operators over pictures, [batch, channels, height, width].

/** NCHW convolution; `weight` [out,in,k,k]. Padding is the same on all sides. */
export function convolution(
  ops: Ops,
  x: Value,
  weight: Value,
  options: { readonly bias?: Value; readonly pad?: number; readonly stride?: number },
): Value {
  const { bias, pad = 0, stride = 1 } = options;
  const [batch = 1, channels, height, width] = x.shape;
  const [out = 1, input, kernel] = weight.shape;
  requireSameType('Conv', x, weight, ...(bias ? [bias] : []));
  if (x.shape.length !== 4 || typeof kernel !== 'number' || channels !== input) {
    throw new GraphError(`Conv of ${shown(x.shape)} with weights ${shown(weight.shape)}`);
  }
  requireShape('Conv', weight, [out, input ?? 1, kernel, kernel]);
  if (bias) requireShape('Conv', bias, [out]);
  const window = { kernel, pad, stride };
  const shape = [batch, out, ...[height, width].map((side) => windowSide('Conv', side, window))];
  return ops.one('Conv', bias ? [x, weight, bias] : [x, weight], x.type, shape, {
    kernel_shape: [kernel, kernel],
    pads: [pad, pad, pad, pad],
    strides: [stride, stride],
  });
}

/** Means of 2×2 pixels of NCHW. */
export function averagePool(ops: Ops, x: Value): Value {
  const [batch = 1, channels = 1, ...sides] = x.shape;
  if (sides.length !== 2) throw new GraphError(`AveragePool of ${shown(x.shape)}`);
  const window = { kernel: 2, pad: 0, stride: 2 };
  const smaller = sides.map((side) => windowSide('AveragePool', side, window));
  const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
  return ops.one('AveragePool', [x], x.type, [batch, channels, ...smaller], attributes);
}

/** NCHW to another size; `attributes` say how pixels are found. */
export function resize(
  ops: Ops,
  x: Value,
  side: { readonly height: number; readonly width: number },
  attributes: Readonly<Record<string, Attribute>>,
): Value {
  if (x.shape.length !== 4) throw new GraphError(`Resize of ${shown(x.shape)}`);
  const { height, width } = side;
  const scales = [1, 1, height / sizeOf(x.shape, 2), width / sizeOf(x.shape, 3)];
  const shape = [...x.shape.slice(0, 2), height, width];
  const factors = ops.constant(Float32Array.from(scales));
  return ops.one('Resize', [x, null, factors], x.type, shape, attributes);
}

/** Each row of [batch, groups, …] to mean 0 and variance 1. */
export function instanceNormalization(ops: Ops, x: Value, epsilon: number): Value {
  const groups = sizeOf(x.shape, 1);
  const ones = ops.constant(new Float32Array(groups).fill(1));
  const zeros = ops.constant(new Float32Array(groups));
  const attributes = { epsilon: { float: epsilon } };
  return ops.one('InstanceNormalization', [x, ones, zeros], x.type, x.shape, attributes);
}
