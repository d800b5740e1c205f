import { StudioError } from '#api/errors';
import { createKernel, MAX_PAGES, PAGE, ROW_ALIGNMENT, type Kernel } from './dot.ts';

/** A picture's representation, and whether it can be found: it is not in the bin. */
export interface Point {
  readonly id: number;
  readonly live: boolean;
  /** f32 [D] */
  readonly values: Float32Array;
}
export interface Neighbour {
  readonly id: number;
  readonly cosine: number;
}

/** Rows of one pass: their products stay in the processor's cache. */
const BLOCK = 4096;
const FLOAT = 4;

/** Nearest pictures by cosine, among those of the same number of dimensions, kept in memory. */
export interface Similar {
  /** The nearest to a picture, without itself, best first; equal ones by id. */
  nearest(id: number, limit: number): readonly Neighbour[];
  /** The first question reads all representations; these keep what was read up to date. */
  add(id: number, values: () => Float32Array): void;
  setLive(ids: readonly number[], live: boolean): void;
  remove(ids: readonly number[]): void;
}

/** @param load gives all pictures, in the bin or not. */
export function createSimilar(load: () => Iterable<Point>): Similar {
  let matrices: Map<number, Matrix> | undefined;
  const loaded = (): Map<number, Matrix> => {
    if (matrices !== undefined) return matrices;
    const all = new Map<number, Matrix>();
    for (const point of load()) matrixOf(all, point.values.length).add(point);
    matrices = all;
    return all;
  };
  return {
    nearest(id, limit) {
      for (const matrix of loaded().values()) {
        const row = matrix.rowOf(id);
        if (row !== undefined) return matrix.nearest(row, limit);
      }
      throw new StudioError('not-found', `Picture ${id} is not in the library any more.`);
    },
    add(id, read) {
      if (matrices === undefined) return;
      const values = read();
      matrixOf(matrices, values.length).add({ id, live: true, values });
    },
    setLive(ids, live) {
      for (const matrix of matrices?.values() ?? []) {
        for (const id of ids) matrix.setLive(id, live);
      }
    },
    remove(ids) {
      for (const matrix of matrices?.values() ?? []) for (const id of ids) matrix.remove(id);
    },
  };
}

function matrixOf(matrices: Map<number, Matrix>, dimensions: number): Matrix {
  const known = matrices.get(dimensions);
  if (known !== undefined) return known;
  const matrix = createMatrix(dimensions);
  matrices.set(dimensions, matrix);
  return matrix;
}

type Matrix = ReturnType<typeof createMatrix>;

/** Unit rows in the kernel's memory: [vector | products of a block | row 0 | row 1 | …]. */
function createMatrix(dimensions: number) {
  const stride = Math.ceil(Math.max(1, dimensions * FLOAT) / ROW_ALIGNMENT) * ROW_ALIGNMENT;
  const products = stride;
  const start = products + BLOCK * FLOAT;
  const kernel = createKernel(Math.ceil((start + stride) / PAGE));
  const ids: number[] = [];
  const live: boolean[] = [];
  const rows = new Map<number, number>();
  const at = (row: number): number => start + row * stride;

  return {
    rowOf: (id: number): number | undefined => rows.get(id),

    add({ id, live: isLive, values }: Point): void {
      const row = rows.get(id) ?? ids.length;
      makeRoom(kernel, at(row + 1));
      const target = new Float32Array(kernel.memory.buffer, at(row), dimensions);
      let squares = 0;
      for (const value of values) squares += value * value;
      // A vector without a direction is near to nothing.
      const scale = squares > 0 && Number.isFinite(squares) ? 1 / Math.sqrt(squares) : 0;
      for (let i = 0; i < dimensions; i++) target[i] = scale === 0 ? 0 : (values[i] ?? 0) * scale;
      ids[row] = id;
      live[row] = isLive;
      rows.set(id, row);
    },

    setLive(id: number, isLive: boolean): void {
      const row = rows.get(id);
      if (row !== undefined) live[row] = isLive;
    },

    /** The last row moves into the gap. */
    remove(id: number): void {
      const row = rows.get(id);
      const last = ids.length - 1;
      const moved = ids[last];
      if (row === undefined || moved === undefined) return;
      new Uint8Array(kernel.memory.buffer).copyWithin(at(row), at(last), at(last + 1));
      ids[row] = moved;
      live[row] = live[last] === true;
      rows.set(moved, row);
      rows.delete(id);
      ids.pop();
      live.pop();
    },

    nearest(row: number, limit: number): readonly Neighbour[] {
      new Uint8Array(kernel.memory.buffer).copyWithin(0, at(row), at(row + 1));
      const best: Neighbour[] = [];
      let threshold = -Infinity;
      const cosines = new Float32Array(kernel.memory.buffer, products, BLOCK);
      for (let first = 0; first < ids.length; first += BLOCK) {
        const count = Math.min(BLOCK, ids.length - first);
        kernel.dot({ vector: 0, rows: at(first), count, stride, out: products });
        for (let i = 0; i < count; i++) {
          const cosine = cosines[i] ?? 0;
          if (cosine < threshold || first + i === row || live[first + i] !== true) continue;
          insertSorted(best, { id: ids[first + i] ?? 0, cosine }, limit);
          if (best.length === limit) threshold = best[limit - 1]?.cosine ?? threshold;
        }
      }
      return best.map(({ id, cosine }) => ({ id, cosine: Math.max(-1, Math.min(1, cosine)) }));
    },
  };
}

/** Grows by half, so that adding one by one copies little. */
function makeRoom({ memory }: Kernel, bytes: number): void {
  const have = memory.buffer.byteLength / PAGE;
  const need = Math.ceil(bytes / PAGE);
  if (need <= have) return;
  try {
    memory.grow(Math.max(need - have, Math.min(Math.ceil(have / 2), MAX_PAGES - have)));
  } catch (cause) {
    throw new StudioError(
      'out-of-memory',
      'There is not enough memory to compare all pictures. Nothing was changed.',
      { cause },
    );
  }
}

/** Keeps `list` in order and at most `limit` long. */
function insertSorted(list: Neighbour[], one: Neighbour, limit: number): void {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle];
    const before =
      other !== undefined &&
      (other.cosine > one.cosine || (other.cosine === one.cosine && other.id < one.id));
    if (before) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, one);
  if (list.length > limit) list.pop();
}
