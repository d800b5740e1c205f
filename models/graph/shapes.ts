import { GraphError, type Dim } from './types.ts';

/**
 * The shape of an elementwise operation (NumPy broadcasting).
 * @throws GraphError when two sizes differ and neither is 1.
 */
export function broadcast(op: string, a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new GraphError(`${op}: [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
  });
}

/**
 * The shape of a matrix product over the last two axes, the others broadcast.
 * @throws GraphError when the inner sizes differ.
 */
export function matmulShape(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const inner = a.at(-1);
  const rows = a.at(-2);
  const columns = b.at(-1);
  if (a.length < 2 || b.length < 2 || inner !== b.at(-2) || !rows || !columns) {
    throw new GraphError(`MatMul: [${a.join(', ')}] times [${b.join(', ')}]`);
  }
  return [...broadcast('MatMul', a.slice(0, -2), b.slice(0, -2)), rows, columns];
}

/** The axis as a non-negative number. */
export function axisOf(shape: readonly Dim[], axis: number): number {
  const positive = axis < 0 ? axis + shape.length : axis;
  if (positive < 0 || positive >= shape.length) {
    throw new GraphError(`axis ${axis} of a shape with ${shape.length} axes`);
  }
  return positive;
}

/** The size along an axis, which must be known. */
export function sizeOf(shape: readonly Dim[], axis: number): number {
  const size = shape[axisOf(shape, axis)];
  if (typeof size !== 'number') throw new GraphError(`axis ${axis} has no fixed size: ${size}`);
  return size;
}

/** The shape with one axis replaced. */
export function withAxis(shape: readonly Dim[], axis: number, size: Dim): readonly Dim[] {
  const at = axisOf(shape, axis);
  return shape.map((old, index) => (index === at ? size : old));
}

/** Number of elements of a shape that is fully known. */
export function elements(shape: readonly Dim[]): number {
  return shape.reduce<number>((product, _, axis) => product * sizeOf(shape, axis), 1);
}
