import type { GraphBuilder } from './builder.ts';
import { requireShape, requireType } from './shapes.ts';
import { GraphError, type Dim, type ElementType, type Graph, type Value } from './types.ts';

/**
 * Runs a body `times` (int64, 0-d) times. The body takes the iteration, a condition and the
 * carried values, and gives the condition, the carried values, and what is kept of every
 * iteration: that comes out with `count` as its first axis.
 * @returns the carried values at the end, then what was kept
 */
export function loop(
  builder: GraphBuilder,
  body: Graph,
  run: { readonly times: Value; readonly carried: readonly Value[]; readonly count: Dim },
): readonly Value[] {
  const { times, carried, count } = run;
  requireType('Loop', ['int64'], times);
  requireShape('Loop', times, []);
  const [iteration, goOn, ...states] = body.inputs;
  const [goesOn, ...results] = body.outputs;
  const kept = results.slice(carried.length);
  const signature: readonly (readonly [Value | undefined, ElementType, readonly Dim[]])[] = [
    [iteration, 'int64', []],
    [goOn, 'bool', []],
    [goesOn, 'bool', []],
    ...[states, results].flatMap((values) =>
      carried.map(({ type, shape }, i) => [values[i], type, shape] as const),
    ),
  ];
  for (const [value, type, shape] of signature) {
    if (!value || states.length > carried.length) throw new GraphError('Loop: of other values');
    requireType('Loop', [type], value);
    requireShape('Loop', value, shape);
  }
  const outputs = [
    ...carried,
    ...kept.map((value) => ({ ...value, shape: [count, ...value.shape] })),
  ];
  return builder.node({
    op: 'Loop',
    inputs: [times, null, ...carried],
    attributes: { body: { graph: body } },
    outputs: outputs.map(({ type, shape }) => ({ type, shape })),
  });
}
