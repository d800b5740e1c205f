import { EngineError } from './errors.ts';

/** `lerp`: a straight line, as in the paper; `slerp`: along the arc, which keeps the length. */
export type Interpolation = 'lerp' | 'slerp';

/** Two representations f32 [D] and how to go from one to the other. */
export interface Ends {
  readonly from: Float32Array;
  readonly to: Float32Array;
  readonly mode: Interpolation;
}

/** Angles closer to 0 or π than this have no usable arc: the straight line is taken instead. */
const FLAT = 1e-6;

/**
 * The representation f32 [D] at `at`, 0 = from … 1 = to. `lerp` is the plain weighted mean, not
 * standardised again (spec 4.4); the ends come back exactly.
 */
export function mix(ends: Ends, at: number): Float32Array {
  const { from, to } = ends;
  check(ends);
  if (!(at >= 0 && at <= 1)) {
    throw new EngineError('bad-plan', `A place between the ends is from 0 to 1, not ${at}.`, 'at');
  }
  if (at === 0) return from.slice();
  if (at === 1) return to.slice();
  const [a, b] = ends.mode === 'lerp' ? [1 - at, at] : arcWeights(ends, at);
  return from.map((value, i) => a * value + b * (to[i] as number));
}

function arcWeights({ from, to }: Ends, at: number): readonly [number, number] {
  const cosine = dot(from, to) / Math.sqrt(dot(from, from) * dot(to, to));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  // A vector of zeros has no direction either: NaN fails both comparisons.
  if (!(angle > FLAT && angle < Math.PI - FLAT)) return [1 - at, at];
  return [Math.sin((1 - at) * angle) / Math.sin(angle), Math.sin(at * angle) / Math.sin(angle)];
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

function check({ from, to }: Ends): void {
  if (from.length === 0 || from.length !== to.length) {
    throw new EngineError(
      'bad-plan',
      `Representations of ${from.length} and ${to.length} numbers cannot be mixed; they must come from one model.`,
      'representation',
    );
  }
  if (!from.every(Number.isFinite) || !to.every(Number.isFinite)) {
    throw new EngineError(
      'bad-plan',
      'A representation holds a number that is not finite.',
      'representation',
    );
  }
}
