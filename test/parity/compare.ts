import type { NpyArray } from './npy.ts';

/** What was computed: a shape and row-major numbers. */
export interface Computed {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** How one array came out. */
export interface Comparison {
  /** Largest absolute difference; NaN where a shape or a NaN makes it meaningless. */
  readonly error: number;
  readonly ok: boolean;
  /** How the rule reads: `≤ 1e-4`, `exact`. */
  readonly rule: string;
  /** More for people: ids that differ, a shape that is wrong. */
  readonly note: string;
  /** Lines to print below it: which ids differ. */
  readonly details?: readonly string[];
}

/** A comparison of what was recorded with what was computed. */
export type Rule = (expected: NpyArray, got: Computed) => Comparison;

/** Share of 8-bit values that may be off by one level: float32 sums in another order. */
const LEVEL_SHARE = 0.002;

/** Largest absolute difference against `tolerance`. Equal infinities agree; a NaN never does. */
export function close(tolerance: number): Rule {
  const rule = `≤ ${tolerance.toExponential()}`;
  return (expected, got) => {
    const mismatch = shapeMismatch(expected, got);
    if (mismatch) return { error: NaN, ok: false, rule, note: mismatch };
    const error = largestDifference(expected.data, got.data);
    return { error, ok: error <= tolerance, rule, note: '' };
  };
}

/** Equal element for element: ids, counts, masks. */
export function exact(expected: NpyArray, got: Computed): Comparison {
  const rule = 'exact';
  const mismatch = shapeMismatch(expected, got);
  if (mismatch) return { error: NaN, ok: false, rule, note: mismatch };
  const differing = countDifferent(expected.data, got.data);
  const error = largestDifference(expected.data, got.data);
  const note = `${differing} of ${expected.data.length} differ`;
  return { error, ok: differing === 0, rule, note };
}

/** What the axes of an array of ids count, the last one last; steps count from one. */
const ID_AXES = [
  ['step', 1],
  ['picture', 0],
  ['position', 0],
] as const;
/** Ids that are written out. */
const ID_LINES = 20;

/** Ids [B,N], or [steps,B,N]: equal, or the first that are not, with their places. */
export function ids(expected: NpyArray, got: Computed): Comparison {
  const comparison = exact(expected, got);
  if (comparison.ok || shapeMismatch(expected, got)) return comparison;
  const wrong = Array.from(expected.data.keys()).filter((i) => expected.data[i] !== got.data[i]);
  const details = wrong
    .slice(0, ID_LINES)
    .map((i) => `${place(i, expected.shape)}: ${got.data[i]}/${expected.data[i]}`);
  const more = wrong.length - details.length;
  const head = 'ids that differ, as computed/recorded:';
  return { ...comparison, details: [head, ...details, ...(more > 0 ? [`and ${more} more`] : [])] };
}

/** `step 2, picture 0, position 17` */
function place(index: number, shape: readonly number[]): string {
  let rest = index;
  const words: string[] = [];
  for (let back = 1; back <= shape.length; back += 1) {
    const size = shape.at(-back) ?? 1;
    const [name, first] = ID_AXES.at(-back) ?? [`axis ${shape.length - back}`, 0];
    words.unshift(`${name} ${(rest % size) + first}`);
    rest = Math.floor(rest / size);
  }
  return words.join(', ');
}

/** 8-bit pictures: at most one level apart, and that in under 0.2 % of the values. */
export function levels(expected: NpyArray, got: Computed): Comparison {
  const rule = '≤ 1 level in < 0.2 %';
  const mismatch = shapeMismatch(expected, got);
  if (mismatch) return { error: NaN, ok: false, rule, note: mismatch };
  const error = largestDifference(expected.data, got.data);
  const differing = countDifferent(expected.data, got.data);
  const share = expected.data.length === 0 ? 0 : differing / expected.data.length;
  const note = `${differing} values off (${(100 * share).toFixed(4)} %)`;
  return { error, ok: error <= 1 && share < LEVEL_SHARE, rule, note };
}

/** A decoy: agreeing with it within `tolerance` is the mistake that it is there to catch. */
export function differs(tolerance: number): Rule {
  const rule = `> ${tolerance.toExponential()} (decoy)`;
  return (decoy, got) => {
    const mismatch = shapeMismatch(decoy, got);
    if (mismatch) return { error: NaN, ok: false, rule, note: mismatch };
    const error = largestDifference(decoy.data, got.data);
    return { error, ok: error > tolerance, rule, note: '' };
  };
}

/**
 * What averaged weights (EMA) gave, judged against what the live ones gave: a decoy, but for a file
 * whose averages equal its live weights, where both are the same.
 */
export function liveWeights(averaged: NpyArray, tolerance: number): Rule {
  return (live, got) => {
    const apart = largestDifference(averaged.data, live.data) > tolerance;
    return (apart ? differs : close)(tolerance)(live, got);
  };
}

/** Largest |a−b|; NaN as soon as one side holds one, 0 for two equal infinities. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) {
    const x = a[i] ?? NaN;
    const y = b[i] ?? NaN;
    if (x === y) continue;
    const difference = Math.abs(x - y);
    if (Number.isNaN(difference)) return NaN;
    if (difference > largest) largest = difference;
  }
  return largest;
}

function countDifferent(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) count += 1;
  return count;
}

function shapeMismatch(expected: NpyArray, got: Computed): string {
  const same =
    expected.shape.length === got.shape.length &&
    expected.shape.every((size, axis) => size === got.shape[axis]) &&
    expected.data.length === got.data.length;
  if (same) return '';
  return `shape [${got.shape.join(', ')}] of ${got.data.length}, expected [${expected.shape.join(', ')}]`;
}
