import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Feeds, Network, Tensor } from '#engine/types';
import { splitBatch } from '#runtime/split-batch';

const AXES = { tokens: 'first', rows: 'rows', noise: 'second', table: 'none' } as const;

function floats(shape: readonly number[], start = 0): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length }, (_, at) => at + start) };
}

function must(tensor: Tensor | undefined): Tensor {
  if (!tensor) throw new Error('missing');
  return tensor;
}

/** A network of which every output row depends on its own picture's inputs alone. */
const sums: Network = async (feeds) => {
  const { tokens, rows, noise } = feeds;
  const batch = must(tokens).shape[0] ?? 0;
  const guided = (must(rows).shape[0] ?? 0) / batch;
  const n = must(noise).shape[0] ?? 0;
  const out = new Float32Array(batch * 2);
  const sum = (tensor: Tensor, at: number, width: number) =>
    [...tensor.data.subarray(at * width, (at + 1) * width)].reduce((a, b) => a + b, 0);
  for (let b = 0; b < batch; b += 1) {
    out[2 * b] = sum(must(tokens), b, 3);
    for (let g = 0; g < guided; g += 1) {
      out[2 * b] = (out[2 * b] ?? 0) + 1000 * (g + 1) * sum(must(rows), g * batch + b, 2);
    }
    for (let i = 0; i < n; i += 1) {
      out[2 * b + 1] = (out[2 * b + 1] ?? 0) + (i + 1) * sum(must(noise), i * batch + b, 2);
    }
  }
  return Promise.resolve({ out: { shape: [batch, 2], data: out } });
};

describe('splitBatch', () => {
  test('gives what the whole batch gives, for any batch, guided or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        async (batch, guided, steps) => {
          const feeds: Feeds = {
            tokens: floats([batch, 3]),
            rows: floats([guided ? 2 * batch : batch, 2], 7),
            noise: floats([steps, batch, 2], 3),
            table: floats([steps]),
          };
          expect(await splitBatch(sums, AXES)(feeds, ['out'])).toEqual(await sums(feeds, ['out']));
        },
      ),
    );
  });

  test('every call sees one picture, with its guided row behind the plain one', async () => {
    const seen: Feeds[] = [];
    const spy: Network = async (feeds, fetches) => {
      seen.push(feeds);
      return sums(feeds, fetches);
    };
    const feeds = {
      tokens: floats([2, 3]),
      rows: floats([4, 2]),
      noise: floats([2, 2, 2]),
      table: floats([5]),
    };
    await splitBatch(spy, AXES)(feeds, ['out']);
    expect(seen).toHaveLength(2);
    expect(seen[1]).toEqual({
      tokens: { shape: [1, 3], data: new Float32Array([3, 4, 5]) },
      rows: { shape: [2, 2], data: new Float32Array([2, 3, 6, 7]) },
      noise: { shape: [2, 1, 2], data: new Float32Array([2, 3, 6, 7]) },
      table: feeds.table,
    });
  });

  test('keeps element types', async () => {
    const echo: Network = async (feeds) =>
      Promise.resolve({ a: must(feeds['tokens']), b: must(feeds['image']) });
    const tokens: Tensor = { shape: [2, 2], data: new Int32Array([1, 2, 3, 4]) };
    const image: Tensor = { shape: [2, 1], data: new Uint8Array([5, 6]) };
    const result = await splitBatch(echo, { tokens: 'first', image: 'first' })({ tokens, image }, [
      'a',
      'b',
    ]);
    expect(result).toEqual({ a: tokens, b: image });
  });

  test.each<readonly [string, Feeds]>([
    ['an input without a known axis', { tokens: floats([2, 3]), other: floats([2]) }],
    ['batches that differ', { tokens: floats([2, 3]), noise: floats([4, 3, 2]) }],
    ['rows that are neither once nor twice', { tokens: floats([2, 3]), rows: floats([3, 2]) }],
    ['no pictures', { tokens: floats([0, 3]) }],
    ['nothing with pictures', { table: floats([3]) }],
    ['no feeds', {}],
    ['a scalar', { tokens: floats([]) }],
  ])('%s is refused', async (_, feeds) => {
    await expect(splitBatch(sums, AXES)(feeds, ['out'])).rejects.toThrow(RangeError);
  });

  test('an output that the network does not give is named', async () => {
    const feeds = { tokens: floats([2, 3]), rows: floats([2, 2]), noise: floats([1, 2, 2]) };
    await expect(splitBatch(sums, AXES)(feeds, ['picture'])).rejects.toThrow('picture');
  });
});
