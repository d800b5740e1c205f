import type { NetworkKind } from '#bundle/manifest';
import type { DType, ShapeTable, TensorInfo } from '#checkpoint/types';

/** One entry of a network's weight table. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The way in which weights do not make a network. */
export type NetworkErrorCode =
  'missing-key' | 'unknown-key' | 'wrong-shape' | 'wrong-dtype' | 'unknown-size';

/** Weights that do not fit a network; names the network and the key. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly code: NetworkErrorCode;
  readonly network: NetworkKind;
  readonly key: string;

  constructor(code: NetworkErrorCode, where: { network: NetworkKind; key: string }, why: string) {
    super(`${where.network}: ${where.key}: ${why}`);
    this.code = code;
    this.network = where.network;
    this.key = where.key;
  }
}

const FLOATS: ReadonlySet<DType> = new Set(['float16', 'bfloat16', 'float32', 'float64']);

/**
 * Compares every tensor with the weight table, key by key.
 * @throws NetworkError for the first key that is missing, unknown, or of another shape or type.
 */
export function checkWeights(
  network: NetworkKind,
  specs: readonly WeightSpec[],
  table: ShapeTable,
): void {
  const wanted = new Set<string>();
  for (const { name, shape } of specs) {
    wanted.add(name);
    const found = table.get(name);
    if (!found) {
      throw new NetworkError('missing-key', { network, key: name }, 'missing from the file');
    }
    if (!sameShape(found.shape, shape)) {
      const why = `has shape [${found.shape.join(', ')}], expected [${shape.join(', ')}]`;
      throw new NetworkError('wrong-shape', { network, key: name }, why);
    }
    if (!FLOATS.has(found.dtype)) {
      const why = `holds ${found.dtype}, expected floating-point numbers`;
      throw new NetworkError('wrong-dtype', { network, key: name }, why);
    }
  }
  for (const name of table.keys()) {
    if (!wanted.has(name)) {
      throw new NetworkError('unknown-key', { network, key: name }, 'not part of this network');
    }
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * The tensor of that name, for reading sizes off its shape.
 * @throws NetworkError when it is missing or has another number of axes.
 */
export function sizedBy(
  network: NetworkKind,
  table: ShapeTable,
  where: { readonly key: string; readonly axes: number },
): TensorInfo & { readonly shape: readonly [number, number, ...number[]] } {
  const { key, axes } = where;
  const tensor = table.get(key);
  if (!tensor) throw new NetworkError('missing-key', { network, key }, 'missing from the file');
  if (tensor.shape.length !== axes) {
    const why = `has ${tensor.shape.length} axes, expected ${axes}`;
    throw new NetworkError('wrong-shape', { network, key }, why);
  }
  return { ...tensor, shape: tensor.shape as [number, number, ...number[]] };
}

/** How many of `prefix0`, `prefix1`, … stand in the table with `suffix` behind the number. */
export function countBlocks(table: ShapeTable, prefix: string, suffix: string): number {
  let count = 0;
  while (table.has(`${prefix}${count}${suffix}`)) count += 1;
  return count;
}

/**
 * The number of heads, once it is known and possible. Shapes are the same for any number.
 * @param about.recipe what to write in a recipe file, as JSON with N for the number
 * @throws NetworkError `unknown-size`
 */
export function requireHeads(
  heads: number | undefined,
  about: {
    readonly network: NetworkKind;
    readonly key: string;
    readonly width: number;
    readonly what: string;
    readonly recipe: string;
  },
): number {
  const { network, key, width, what, recipe } = about;
  if (heads === undefined) {
    const why =
      `${what} is not a published size, and weights do not tell how many heads its attention has. ` +
      `Write it in a recipe file, ${recipe}, and import with that`;
    throw new NetworkError('unknown-size', { network, key }, why);
  }
  if (heads < 1 || width % heads !== 0) {
    const why = `${heads} heads do not divide width ${width}. Correct it in the recipe file, ${recipe}`;
    throw new NetworkError('unknown-size', { network, key }, why);
  }
  return heads;
}
