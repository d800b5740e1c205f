/** Parts of a picture's work, about as the stages cost on a processor. */
const REPRESENTATION = 0.15;
const TOKENS = 0.75;
/** Less than this says nothing about the pace yet. */
const ENOUGH = 0.1;

/** How long a run of a job will still take, by its own pace. */
export interface Pace {
  stage(index: number, part: number): void;
  step(index: number, part: number): void;
  finished(index: number): void;
  /** Milliseconds; null when not known yet. */
  left(remaining: number): number | null;
}

export function createPace(now: () => number): Pace {
  const began = now();
  const open = new Map<number, number>();
  let finished = 0;
  // A resumed picture was begun in another run: what was done there is not this run's pace.
  const before = new Map<number, number>();
  const reach = (index: number, part: number): void => {
    if (!before.has(index)) before.set(index, part > REPRESENTATION + TOKENS / 2 ? part : 0);
    open.set(index, part);
  };
  const done = (): number => {
    let units = finished;
    for (const [index, part] of open) units += part - (before.get(index) ?? 0);
    return units;
  };
  return {
    stage: (index, part) => reach(index, REPRESENTATION * part),
    step: (index, part) => reach(index, REPRESENTATION + TOKENS * part),
    finished(index) {
      finished += 1 - (before.get(index) ?? 0);
      open.delete(index);
    },
    left(remaining) {
      const units = done();
      if (units < ENOUGH) return null;
      const begun = open.values().reduce((sum, part) => sum + part, 0);
      return Math.max(0, Math.round(((now() - began) / units) * (remaining - begun)));
    },
  };
}
