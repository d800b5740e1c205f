/** One measured line: what, on which target and batch, how long, and against what. */
export interface Row {
  readonly what: string;
  readonly target: string;
  readonly batch: number;
  /** Milliseconds, median. */
  readonly ms: number;
  /** Milliseconds a picture. */
  readonly perPicture: number;
  /** How many times as fast as the baseline of the same run; null for the baseline itself. */
  readonly ratio: number | null;
}

/** A Markdown table. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A line of such a table. */
export function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Numbers as people read them: 0.42, 3.1, 57, 1840. */
export function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The rows with their ratio to the row of the same thing and batch on the baseline target. */
export function against(baseline: string, rows: readonly Row[]): Row[] {
  return rows.map((row) => {
    const base = rows.find(
      (other) => other.what === row.what && other.batch === row.batch && other.target === baseline,
    );
    return { ...row, ratio: base && row.target !== baseline ? base.ms / row.ms : null };
  });
}

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  return (low + high) / 2;
}
