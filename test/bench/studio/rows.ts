import { median, short } from '../table.ts';

/** What a number has to be: at most or at least this. */
export type Target = { readonly most: number } | { readonly least: number };

/** One thing that people wait for, measured several times. */
export interface StudioRow {
  readonly what: string;
  readonly unit: 'ms' | '%' | 'a second' | 'a minute';
  readonly median: number;
  /** The highest, or the lowest where more is better. */
  readonly worst: number;
  readonly runs: number;
  readonly target: Target | null;
  /** Whether the target is reached every time, half of the time, or not; null without a target. */
  readonly reached: 'yes' | 'median' | 'no' | null;
}

/** How a row is to be read. */
export interface Meaning {
  readonly target?: Target;
  readonly unit?: StudioRow['unit'];
}

/** Sums up what was measured. */
export function row(
  what: string,
  samples: readonly number[],
  { target, unit = 'ms' }: Meaning = {},
): StudioRow {
  const moreIsBetter = unit.startsWith('a ') || (target !== undefined && 'least' in target);
  const worst = moreIsBetter ? Math.min(...samples) : Math.max(...samples);
  const middle = median(samples);
  return {
    what,
    unit,
    median: middle,
    worst,
    runs: samples.length,
    target: target ?? null,
    reached: target === undefined ? null : reached(target, middle, worst),
  };
}

function reached(target: Target, middle: number, worst: number): 'yes' | 'median' | 'no' {
  const holds = (value: number) =>
    'most' in target ? value <= target.most : value >= target.least;
  if (holds(worst)) return 'yes';
  return holds(middle) ? 'median' : 'no';
}

/** Milliseconds of each of some runs, one after the other. */
export async function timed(runs: number, work: (run: number) => unknown): Promise<number[]> {
  const samples: number[] = [];
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    await work(run);
    samples.push(performance.now() - began);
  }
  return samples;
}

/** What the table's columns are called. */
export const HEAD = ['what', 'median', 'worst', 'runs', 'target', 'reached'] as const;

/** A row as cells of a table. */
export function cellsOf({ what, unit, target, reached, ...of }: StudioRow): readonly string[] {
  const wanted = target && ('most' in target ? `≤ ${target.most}` : `≥ ${target.least}`);
  return [
    what,
    `${short(of.median)} ${unit}`,
    `${short(of.worst)} ${unit}`,
    String(of.runs),
    wanted === null ? '' : `${wanted} ${unit}`,
    reached ?? '',
  ];
}
