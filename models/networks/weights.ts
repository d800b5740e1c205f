import { readFloat32 } from '#checkpoint/convert';
import type { StateDict, StoredTensor } from '#checkpoint/types';
import { elements } from '#graph/shapes';
import type { Ops } from '#graph/ops';
import type { Value } from '#graph/types';

/**
 * A network's tensors as weights of a graph, all float32 there unless said otherwise. A tensor is
 * read when the model is written, one at a time, so a large model never stands in memory whole.
 */
export class Weights {
  readonly #ops: Ops;
  readonly #tensors: StateDict;

  constructor(ops: Ops, tensors: StateDict) {
    this.#ops = ops;
    this.#tensors = tensors;
  }

  /** The tensor as it is, in another shape if one is given. */
  tensor(name: string, shape?: readonly number[]): Value {
    const stored = this.#stored(name);
    const as = shape ?? stored.shape;
    const label = `${name}:${as.join('x')}`;
    return this.#derived(label, as, async () => readFloat32(stored));
  }

  /** A Linear's weight [out,in] as [in,out], which is how MatMul takes it. */
  transposed(name: string): Value {
    const stored = this.#stored(name);
    const [out = 1, input = 1] = stored.shape;
    return this.#derived(`${name}:T`, [input, out], async () =>
      transpose(await readFloat32(stored), out, input),
    );
  }

  /** Rows `from` … `to`−1 of a matrix. */
  rows(name: string, from: number, to: number): Value {
    const stored = this.#stored(name);
    const width = elements(stored.shape.slice(1));
    return this.#derived(`${name}:${from}-${to}`, [to - from, width], async () =>
      (await readFloat32(stored)).slice(from * width, to * width),
    );
  }

  /** The first `rows` rows of a matrix, transposed to [in,rows]. */
  transposedRows(name: string, rows: number): Value {
    const stored = this.#stored(name);
    const width = elements(stored.shape.slice(1));
    return this.#derived(`${name}:${rows}:T`, [width, rows], async () =>
      transpose((await readFloat32(stored)).subarray(0, rows * width), rows, width),
    );
  }

  /**
   * Several Linear layers over the same input as one: [in, Σout], and the sum of the biases of each
   * group, concatenated to [Σout].
   */
  stacked(
    layers: readonly string[],
    biases: readonly (readonly string[])[],
  ): readonly [Value, Value] {
    const weights = layers.map((layer) => this.#stored(`${layer}.weight`));
    const input = weights[0]?.shape[1] ?? 1;
    const out = weights.reduce((sum, weight) => sum + (weight.shape[0] ?? 1), 0);
    const label = `${layers[0] ?? ''}…${layers.length}`.replace('…', '_to_');
    const matrix = this.#derived(`${label}:T`, [input, out], async () => {
      const rows = new Float32Array(out * input);
      let at = 0;
      for (const weight of weights) {
        const values = await readFloat32(weight);
        rows.set(values, at);
        at += values.length;
      }
      return transpose(rows, out, input);
    });
    const bias = this.#derived(`${label}:bias`, [out], async () => {
      const sums = new Float32Array(out);
      let at = 0;
      for (const group of biases) {
        let length = 0;
        for (const name of group) {
          const values = await readFloat32(this.#stored(name));
          length = values.length;
          values.forEach((value, index) => (sums[at + index] = (sums[at + index] ?? 0) + value));
        }
        at += length;
      }
      return sums;
    });
    return [matrix, bias];
  }

  /**
   * A Linear's weight [out,in] as int8 [in,out] with one scale a column: symmetric, the largest
   * magnitude of a column becomes 127.
   */
  quantized(name: string): { readonly matrix: Value; readonly scales: Value } {
    const stored = this.#stored(name);
    const [out = 1, input = 1] = stored.shape;
    const matrix = this.#ops.builder.weight(
      `${name}:int8`,
      { type: 'int8', shape: [input, out] },
      async () => {
        const values = await readFloat32(stored);
        const scales = columnScales(values, out, input);
        const quantized = new Int8Array(input * out);
        for (let row = 0; row < out; row += 1) {
          const scale = scales[row] ?? 1;
          for (let column = 0; column < input; column += 1) {
            quantized[column * out + row] = Math.round((values[row * input + column] ?? 0) / scale);
          }
        }
        return new Uint8Array(quantized.buffer);
      },
    );
    const scales = this.#derived(`${name}:scales`, [out], async () =>
      columnScales(await readFloat32(stored), out, input),
    );
    return { matrix, scales };
  }

  /** A weight computed from others, float32. */
  computed(
    label: string,
    from: { readonly tensors: readonly string[]; readonly shape: readonly number[] },
    compute: (...tensors: Float32Array[]) => Float32Array,
  ): Value {
    return this.#derived(label, from.shape, async () => {
      const read: Float32Array[] = [];
      for (const name of from.tensors) read.push(await readFloat32(this.#stored(name)));
      return compute(...read);
    });
  }

  #derived(label: string, shape: readonly number[], produce: () => Promise<Float32Array>): Value {
    return this.#ops.builder.weight(label, { type: 'float32', shape }, async () => {
      const values = await produce();
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    });
  }

  #stored(name: string): StoredTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new RangeError(`the weight table names ${name}, the bundle lacks it`);
    return tensor;
  }
}

/** [rows,columns] → [columns,rows], in tiles that stay in the cache. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  const tile = 32;
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(top + tile, rows);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(left + tile, columns);
      for (let row = top; row < bottom; row += 1) {
        for (let column = left; column < right; column += 1) {
          result[column * rows + row] = values[row * columns + column] ?? 0;
        }
      }
    }
  }
  return result;
}

function columnScales(values: Float32Array, out: number, input: number): Float32Array {
  const scales = new Float32Array(out);
  for (let row = 0; row < out; row += 1) {
    let largest = 0;
    for (let column = 0; column < input; column += 1) {
      largest = Math.max(largest, Math.abs(values[row * input + column] ?? 0));
    }
    scales[row] = largest > 0 ? largest / 127 : 1;
  }
  return scales;
}
