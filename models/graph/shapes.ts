import { GraphError, type Dim, type ElementType, type Value } from './types.ts';

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

/** A shape for messages. */
export function shown(shape: readonly Dim[]): string {
  return `[${shape.join(', ')}]`;
}

/**
 * Makes sure that values are of one of the types.
 * @throws GraphError
 */
export function requireType(
  op: string,
  types: readonly ElementType[],
  ...values: readonly Value[]
): void {
  for (const { name, type } of values) {
    if (!types.includes(type)) throw new GraphError(`${op} of ${name}, which is ${type}`);
  }
}

/**
 * Makes sure that values are all of one type.
 * @throws GraphError
 */
export function requireSameType(op: string, first: Value, ...others: readonly Value[]): void {
  const other = others.find(({ type }) => type !== first.type);
  if (other) throw new GraphError(`${op} of ${first.type} and ${other.type}`);
}

/**
 * Makes sure that a value has exactly this shape.
 * @throws GraphError
 */
export function requireShape(op: string, value: Value, shape: readonly Dim[]): void {
  if (value.shape.length === shape.length && value.shape.every((size, i) => size === shape[i])) {
    return;
  }
  throw new GraphError(`${op}: ${value.name} is ${shown(value.shape)}, expected ${shown(shape)}`);
}

/**
 * The shape of parts behind one another along an axis.
 * @throws GraphError when they differ in any other.
 */
export function concatShape(parts: readonly Value[], axis: number): readonly Dim[] {
  const [first, ...others] = parts;
  if (!first) throw new GraphError('Concat of nothing');
  requireSameType('Concat', first, ...others);
  for (const part of others) {
    const sizes = part.shape.length === first.shape.length && withAxis(part.shape, axis, '');
    const expected = withAxis(first.shape, axis, '');
    if (sizes === false || sizes.join() !== expected.join()) {
      throw new GraphError(`Concat: ${shown(first.shape)} and ${shown(part.shape)}, axis ${axis}`);
    }
  }
  const sizes = parts.map((part) => part.shape[axisOf(part.shape, axis)] ?? 1);
  const total = sizes.every((size) => typeof size === 'number')
    ? sizes.reduce((sum, size) => sum + size, 0)
    : sizes.join('+');
  return withAxis(first.shape, axis, total);
}

/**
 * Makes sure that a reshape keeps the elements, as far as the sizes are known: where both shapes
 * have the same named sizes, the products of the others must agree.
 * @throws GraphError
 */
export function requireSameElements(op: string, from: readonly Dim[], to: readonly Dim[]): void {
  const names = (shape: readonly Dim[]) => shape.filter((size) => typeof size === 'string').sort();
  const known = (shape: readonly Dim[]) =>
    elements(shape.filter((size) => typeof size === 'number'));
  if (names(from).join() !== names(to).join() || known(from) === known(to)) return;
  throw new GraphError(`${op} of ${shown(from)} to ${shown(to)}`);
}

/**
 * Makes sure that a literal reshape gives the shape that is claimed: a 0 copies a size, one -1 may
 * stand for what is left.
 * @throws GraphError
 */
export function requireReshape(
  from: readonly Dim[],
  to: readonly number[],
  shape: readonly Dim[],
): void {
  const fits = to.every((size, axis) => {
    if (size === -1) return true;
    return size === 0 ? shape[axis] === from[axis] : shape[axis] === size;
  });
  if (!fits || to.length !== shape.length || to.filter((size) => size === -1).length > 1) {
    throw new GraphError(`Reshape of ${shown(from)} by ${shown(to)} is not ${shown(shape)}`);
  }
  requireSameElements('Reshape', from, shape);
}

/**
 * Size of the part of an axis from `from` to before `to`.
 * @throws GraphError when that leaves the axis or is nothing.
 */
export function sliceSize(
  size: Dim,
  range: { readonly from: number; readonly to: number },
): number {
  const { from, to } = range;
  const whole = Number.isInteger(from) && Number.isInteger(to);
  if (!whole || from < 0 || to <= from || (typeof size === 'number' && to > size)) {
    throw new GraphError(`Slice from ${from} to ${to} of an axis of ${size}`);
  }
  return to - from;
}

/**
 * Makes sure that each known size of `to` is a multiple of the one it repeats.
 * @throws GraphError
 */
export function requireTiled(from: readonly Dim[], to: readonly Dim[]): void {
  const fits = to.every((size, axis) => {
    const one = from[axis];
    return typeof size !== 'number' || typeof one !== 'number' || size % one === 0;
  });
  if (from.length !== to.length || !fits) {
    throw new GraphError(`Tile of ${shown(from)} to ${shown(to)}`);
  }
}

/**
 * Side of what a window that moves over a picture gives.
 * @throws GraphError when the side is not known, or smaller than the window.
 */
export function windowSide(
  op: string,
  side: Dim | undefined,
  window: { readonly kernel: number; readonly pad: number; readonly stride: number },
): number {
  const { kernel, pad, stride } = window;
  const result = Math.floor((Number(side) + 2 * pad - kernel) / stride) + 1;
  if (typeof side === 'number' && result >= 1) return result;
  throw new GraphError(`${op}: a window of ${kernel} over ${side ?? 'nothing'}`);
}

/**
 * Makes sure that scale and shift are as long as the last axis.
 * @throws GraphError
 */
export function requireNorm(op: string, x: Value, ...parts: readonly Value[]): void {
  requireType(op, ['float32'], x, ...parts);
  for (const part of parts) requireShape(op, part, [sizeOf(x.shape, -1)]);
}
