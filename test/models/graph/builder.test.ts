import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '#graph/builder';
import { encodeModel } from '#graph/onnx';
import { loop } from '#graph/loop';
import { Ops } from '#graph/ops';
import { averagePool, convolution } from '#graph/picture-ops';
import { GraphError } from '#graph/types';
import { runModel } from '../../helpers/graphs.ts';

function ops(): Ops {
  return new Ops(new GraphBuilder('test', { '': 17 }));
}

describe('a graph that cannot be is refused while it is built', () => {
  test.each([
    ['sizes that do not broadcast', (o: Ops) => o.add(zeros(o, [2, 3]), zeros(o, [4]))],
    ['types that differ', (o: Ops) => o.add(zeros(o, [1]), o.int(1))],
    ['inner sizes of a product', (o: Ops) => o.matmul(zeros(o, [2, 3]), zeros(o, [2, 3]))],
    ['a product of vectors', (o: Ops) => o.matmul(zeros(o, [3]), zeros(o, [3]))],
    ['an axis that is not there', (o: Ops) => o.slice(zeros(o, [2]), 1, { from: 0, to: 1 })],
    ['squeezing a real axis', (o: Ops) => o.squeeze(zeros(o, [2, 3]), 0)],
    ['splitting an unknown size', (o: Ops) => o.split(o.builder.input('x', 'float32', ['n']), 2)],
    [
      'channels of a convolution',
      (o: Ops) => convolution(o, zeros(o, [1, 3, 8, 8]), zeros(o, [4, 2, 3, 3]), {}),
    ],
    [
      'the bias of a convolution',
      (o: Ops) =>
        convolution(o, zeros(o, [1, 2, 8, 8]), zeros(o, [4, 2, 3, 3]), { bias: zeros(o, [2]) }),
    ],
    [
      'a picture smaller than its window',
      (o: Ops) => convolution(o, zeros(o, [1, 2, 2, 8]), zeros(o, [4, 2, 3, 3]), {}),
    ],
    ['a pool over one pixel', (o: Ops) => averagePool(o, zeros(o, [1, 2, 1, 1]))],
    ['joining other sizes', (o: Ops) => o.concat([zeros(o, [2, 3]), zeros(o, [2, 4])], 0)],
    ['joining other ranks', (o: Ops) => o.concat([zeros(o, [2, 3]), zeros(o, [2])], 0)],
    ['joining other types', (o: Ops) => o.concat([o.int64s(1), zeros(o, [1])], 0)],
    [
      'joining unknown sizes of two names',
      (o: Ops) =>
        o.concat(
          ['a', 'b'].map((name) => o.builder.input(name, 'float32', [name, 2])),
          1,
        ),
    ],
    ['a reshape to fewer elements', (o: Ops) => o.reshape(zeros(o, [2, 6]), [0, 5], [2, 5])],
    ['a reshape to what is not said', (o: Ops) => o.reshape(zeros(o, [2, 6]), [3, 4], [4, 3])],
    ['a reshape that copies another size', (o: Ops) => o.reshape(zeros(o, [2, 6]), [0, 4], [3, 4])],
    [
      'a reshape that loses elements beside an unknown size',
      (o: Ops) => o.reshape(o.builder.input('x', 'float32', ['n', 6]), [0, 2, 2], ['n', 2, 2]),
    ],
    [
      'a computed reshape of other elements',
      (o: Ops) => o.reshapeTo(zeros(o, [2, 6]), o.int64s(3, 5), [3, 5]),
    ],
    [
      'a computed reshape of too few numbers',
      (o: Ops) => o.reshapeTo(zeros(o, [2, 6]), o.int64s(12), [3, 4]),
    ],
    ['a slice behind the end', (o: Ops) => o.slice(zeros(o, [4]), 0, { from: 2, to: 5 })],
    ['a slice from before the start', (o: Ops) => o.slice(zeros(o, [4]), 0, { from: -1, to: 2 })],
    ['a slice of nothing', (o: Ops) => o.slice(zeros(o, [4]), 0, { from: 2, to: 2 })],
    ['unequal parts', (o: Ops) => o.split(zeros(o, [2, 7]), 3)],
    ['an axis transposed twice', (o: Ops) => o.transpose(zeros(o, [2, 3]), [0, 0])],
    ['an axis left out', (o: Ops) => o.transpose(zeros(o, [2, 3]), [1])],
    [
      'a scale of another length',
      (o: Ops) => {
        const norm = { gamma: zeros(o, [4]), beta: zeros(o, [3]), epsilon: 1e-6 };
        return o.layerNormalization(zeros(o, [2, 3]), norm);
      },
    ],
    [
      'a shift of another length',
      (o: Ops) => {
        const norm = { gamma: zeros(o, [3]), beta: zeros(o, [3, 1]), epsilon: 1e-6 };
        return o.layerNormalization(zeros(o, [2, 3]), norm);
      },
    ],
    ['an index that is no whole number', (o: Ops) => o.gather(zeros(o, [4]), zeros(o, [2]), 0)],
    [
      'rows for another batch',
      (o: Ops) => o.gatherRows(zeros(o, [2, 4]), o.constant(new BigInt64Array(3), [3, 1]), 1),
    ],
    ['tiles of another rank', (o: Ops) => o.tile(zeros(o, [2]), o.int64s(1, 2), [2, 2])],
    ['half a tile', (o: Ops) => o.tile(zeros(o, [2]), o.int64s(2), [3])],
    ['expanding a real axis', (o: Ops) => o.expand(zeros(o, [2]), o.int64s(3), [3])],
    ['a condition that is none', (o: Ops) => o.where(zeros(o, [2]), zeros(o, [2]), zeros(o, [2]))],
    ['a logarithm of whole numbers', (o: Ops) => o.unary('Log', o.int(1))],
    [
      'a product of two types',
      (o: Ops) => o.matmul(zeros(o, [1, 1]), o.constant(Int32Array.of(1), [1, 1])),
    ],
    ['too few numbers for a constant', (o: Ops) => o.constant(new Float32Array(5), [2, 3])],
    [
      'a weight that exists in another shape',
      (o: Ops) => [6, 5].map((size) => weight(o, { type: 'float32', shape: [size] })),
    ],
    [
      'a weight that exists in another type',
      (o: Ops) => (['int8', 'uint8'] as const).map((type) => weight(o, { type, shape: [6] })),
    ],
    [
      'a value that only has the name of one of ours',
      (o: Ops) => {
        o.builder.input('x', 'float32', [2, 3]);
        return o.unary('Exp', ops().builder.input('x', 'float32', [7]));
      },
    ],
    [
      'a loop whose state changes its size',
      (o: Ops) => {
        const start = zeros(o, [2]);
        const body = o.builder.body('body');
        body.input('i', 'int64', []);
        const goOn = body.input('go_on', 'bool', []);
        const state = body.input('state', 'float32', [2]);
        const inner = new Ops(body);
        body.output('go_on_out', goOn);
        body.output('state_out', inner.concat([state, state], 0));
        const times = o.constant(BigInt64Array.of(3n), []);
        return loop(o.builder, body.graph(), { times, carried: [start], count: 'n' });
      },
    ],
    [
      'a loop over nothing',
      (o: Ops) => {
        const body = o.builder.body('body');
        body.output('y', body.input('x', 'bool', []));
        const times = o.constant(BigInt64Array.of(3n), []);
        return loop(o.builder, body.graph(), { times, carried: [], count: 'n' });
      },
    ],
    ['nothing to join', (o: Ops) => o.concat([], 0)],
    ['an operator set not declared', (o: Ops) => o.microsoft('Gelu', [zeros(o, [1])], [1])],
    [
      'a name given twice',
      (o: Ops) => [o.builder.input('x', 'float32', []), o.builder.input('x', 'int32', [])],
    ],
    ['a value of another graph', (o: Ops) => o.add(zeros(ops(), [7, 7]), o.scalar(0))],
    ['a graph without outputs', (o: Ops) => o.builder.model()],
  ])('%s', (_, build) => {
    expect(() => build(ops())).toThrow(GraphError);
  });

  test('a body may use values of the graph around it, not the other way round', () => {
    const outer = ops();
    const outside = zeros(outer, [2]);
    const inner = new Ops(outer.builder.body('body'));
    const inside = inner.add(inner.builder.input('i', 'float32', [2]), outside);
    expect(() => outer.add(inside, outside)).toThrow(/which nothing in test computes/);
  });
});

test('values, nodes and graphs are frozen', () => {
  const o = ops();
  o.builder.output('y', o.add(o.builder.input('x', 'float32', ['n']), o.scalar(1)));
  const model = o.builder.model();
  expect(Object.isFrozen(model.graph.nodes)).toBe(true);
  expect(Object.isFrozen(model.graph.nodes[0])).toBe(true);
  expect(Object.isFrozen(model.graph.inputs[0])).toBe(true);
});

test('equal constants are one weight', () => {
  const o = ops();
  expect(o.scalar(2)).toBe(o.scalar(2));
  expect(o.scalar(2)).not.toBe(o.scalar(3));
  expect(o.constant(new Float32Array(4))).not.toBe(o.constant(new Float32Array(4), [2, 2]));
});

test('a model runs, with weights inline and external', async () => {
  const o = ops();
  const x = o.builder.input('x', 'float32', ['n', 500]);
  const matrix = Float32Array.from({ length: 500 * 3 }, (_, i) => (i % 7) - 3);
  const weight = o.builder.weight(
    'matrix',
    { type: 'float32', shape: [500, 3] },
    () => new Uint8Array(matrix.buffer),
  );
  o.builder.output('y', o.add(o.matmul(x, weight), o.constant(Float32Array.of(1, 2, 3))));
  const encoded = await encodeModel(o.builder.model(), 'w.bin');
  expect(encoded.weights.map(({ offset, length }) => [offset, length])).toEqual([[0, 6000]]);
  const input = Float32Array.from({ length: 1000 }, (_, i) => i % 5);
  const { y } = await runModel(o.builder.model(), { x: { shape: [2, 500], data: input } });
  const expected = [0, 1].flatMap((row) =>
    [0, 1, 2].map((column) => {
      let sum = column + 1;
      for (let k = 0; k < 500; k += 1) {
        sum += (input[row * 500 + k] ?? 0) * (matrix[k * 3 + column] ?? 0);
      }
      return sum;
    }),
  );
  expect([...(y?.data ?? [])]).toEqual(expected);
});

test('external weights start on pages of their own', async () => {
  const o = ops();
  const big = (name: string, size: number) =>
    o.builder.weight(name, { type: 'float32', shape: [size] }, () => new Uint8Array(size * 4));
  o.builder.output('y', o.concat([big('a', 300), big('b', 5000), big('c', 300)], 0));
  const { weights, weightsSize } = await encodeModel(o.builder.model(), 'w.bin');
  expect(weights.map(({ offset }) => offset)).toEqual([0, 4096, 4096 + 20480]);
  expect(weightsSize).toBe(4096 + 20480 + 1200);
});

test('a weight that comes with another length is refused', async () => {
  const o = ops();
  const short = o.builder.weight('w', { type: 'float32', shape: [1000] }, () => new Uint8Array(9));
  o.builder.output('y', o.add(short, o.scalar(0)));
  const { weights } = await encodeModel(o.builder.model(), 'w.bin');
  await expect(weights[0]?.produce()).rejects.toThrow(/w came with 9 bytes instead of 4000/);
});

function weight(o: Ops, of: Parameters<GraphBuilder['weight']>[1]) {
  return o.builder.weight('w', of, () => new Uint8Array(0));
}

function zeros(o: Ops, shape: readonly number[]) {
  return o.constant(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
}
