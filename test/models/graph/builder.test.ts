import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '#graph/builder';
import { encodeModel } from '#graph/onnx';
import { Ops } from '#graph/ops';
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
      (o: Ops) => o.conv(zeros(o, [1, 3, 8, 8]), zeros(o, [4, 2, 3, 3]), {}),
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

function zeros(o: Ops, shape: readonly number[]) {
  return o.constant(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
}
