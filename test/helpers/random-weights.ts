import type { StateDict } from '#checkpoint/types';
import type { WeightSpec } from '#networks/network';

/** Random weights of a sensible size for a weight table, the same for the same seed. */
export function randomWeights(specs: readonly WeightSpec[], seed = 1): StateDict {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  return new Map(
    specs.map(({ name, shape }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const spread = shape.length > 1 ? 1.7 / Math.sqrt(count / (shape[0] ?? 1)) : 0.1;
      const centre =
        name.endsWith('running_var') || /norm.*weight|LayerNorm.weight/.test(name) ? 1 : 0;
      const values = Float32Array.from({ length: count }, () => centre + next() * spread);
      const bytes = new Uint8Array(values.buffer);
      const chunks = async function* () {
        yield await Promise.resolve(bytes);
      };
      return [name, { name, dtype: 'float32', shape, chunks }] as const;
    }),
  );
}
