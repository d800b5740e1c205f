import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Progress } from '#api/jobs';
import { createPreviews, wantedPreviews } from '#studio/queue/previews';
import {
  createDrawBudget,
  createProgressFeed,
  messageGap,
  stepProgress,
} from '#studio/queue/progress';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const at = (index: number, done: number, preview?: string): Progress => ({
  job: 1,
  index,
  seed: index,
  stage: 'tokens',
  done,
  total: 20,
  ...(preview === undefined ? {} : { preview }),
});

/** What was told with a preview. */
const pictured = new WeakSet<readonly number[]>();
const previewed = (told: readonly (readonly number[])[]) => told.filter((one) => pictured.has(one));

function feed(cores = 64, budget = createDrawBudget(() => Date.now(), cores)) {
  const told: [index: number, done: number][] = [];
  const publish = ({ index, done, preview }: Progress) => {
    told.push([index, done]);
    if (preview !== undefined) pictured.add(told.at(-1) ?? []);
  };
  const progress = createProgressFeed({ publish, budget });
  const offer = (one: Progress) => {
    const { index, preview } = one;
    progress.offer({ index, pictured: preview !== undefined, tell: () => one });
  };
  return { told, budget, ...progress, offer };
}

describe('what windows are told of a run', () => {
  test('is never more than ten messages a second, and always the newest', () => {
    const { told, offer } = feed();
    for (let step = 1; step <= 100; step++) {
      offer(at(0, step));
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(200);
    expect(told.length).toBeLessThanOrEqual(12);
    expect(told.at(-1)).toEqual([0, 100]);
  });

  test('is less on few cores, which the run needs; a short job is told closely all the same', () => {
    expect([0, 1, 2, 4, 64].map(messageGap)).toEqual([1000, 1000, 500, 250, 100]);
    const first = feed(2);
    const run = ({ offer }: Pick<typeof first, 'offer'>, ms: number) => {
      for (let step = 1; step <= ms / 10; step++) {
        offer(at(0, step));
        vi.advanceTimersByTime(10);
      }
      vi.advanceTimersByTime(500);
    };
    run(first, 800);
    expect(first.told.length).toBeGreaterThanOrEqual(5);
    run(first, 20_000);
    expect(first.told.length).toBeLessThanOrEqual(10 + 45);
    expect(first.told.at(-1)).toEqual([0, 2000]);
    // Another job soon after is no reason to begin anew.
    const second = feed(2, first.budget);
    run(second, 4000);
    expect(second.told.length).toBeLessThanOrEqual(12);
    vi.advanceTimersByTime(60_000);
    const third = feed(2, first.budget);
    run(third, 800);
    expect(third.told.length).toBeGreaterThanOrEqual(5);
  });

  test('costs nothing while nobody looks, so that a window that opens sees the next job', () => {
    let watched = false;
    const budget = createDrawBudget(
      () => Date.now(),
      2,
      () => watched,
    );
    budget.spend(30);
    expect(budget.wait()).toBe(0);
    watched = true;
    budget.spend(30);
    expect(budget.wait()).toBeGreaterThan(1000);
  });

  test('is less while finished pictures cost a window as much as several messages', () => {
    const { told, offer, budget } = feed(2);
    budget.spend(7);
    offer(at(0, 1));
    vi.advanceTimersByTime(3 * messageGap(2) - 1);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([[0, 1]]);
  });

  test('is shared by the pictures of a chunk, the first one seen most', () => {
    const { told, offer } = feed();
    for (let step = 1; step <= 60; step++) {
      for (let index = 0; index < 4; index++) offer(at(index, step));
      vi.advanceTimersByTime(50);
    }
    const seen = Map.groupBy(told, ([index]) => index);
    expect([...seen.keys()].sort()).toEqual([0, 1, 2, 3]);
    const first = seen.get(0)?.length ?? 0;
    expect(first).toBeGreaterThanOrEqual(told.length / 2 - 1);
  });

  test('a preview goes first', () => {
    const { told, offer } = feed();
    offer(at(0, 1));
    vi.advanceTimersByTime(0);
    offer(at(0, 2));
    offer(at(3, 2, '/previews/1/3?step=2'));
    vi.advanceTimersByTime(100);
    expect(told).toEqual([
      [0, 1],
      [3, 2],
    ]);
  });

  test('a preview is not lost to the steps after it', () => {
    const { told, offer } = feed();
    offer(at(0, 1));
    vi.advanceTimersByTime(0);
    offer(at(0, 2, '/previews/1/0?step=2'));
    for (const step of [3, 4, 5]) offer(at(0, step));
    vi.advanceTimersByTime(100);
    offer(at(0, 6));
    vi.advanceTimersByTime(100);
    expect(told).toEqual([
      [0, 1],
      [0, 2],
      [0, 6],
    ]);
  });

  test('of many quick pictures on two cores each pays for its landing, and previews are shown', () => {
    const { told, offer, finished, budget } = feed(2);
    let landings = 0;
    let saved = 0;
    let due = Infinity;
    const PICTURE = 700;
    const RUN = 60 * PICTURE;
    for (let time = 0; time < RUN; time += 10) {
      const index = Math.floor(time / PICTURE);
      const step = 1 + Math.floor((time % PICTURE) / 35);
      if (time % 35 === 0) offer(at(index, step));
      // The engine decodes one step in so many, as it may.
      if (time % 4200 === 500) offer(at(index, step, `/previews/1/${index}?step=${step}`));
      if (time >= due) {
        budget.land();
        landings += 1;
        saved = 0;
        due = Infinity;
      }
      if (time % PICTURE === PICTURE - 10) {
        finished(index);
        if (saved++ === 0) due = time + budget.wait();
      }
      vi.advanceTimersByTime(10);
    }
    const previews = RUN / 4200;
    expect(previewed(told)).toHaveLength(previews);
    // No more is drawn than the share, and what was saved up.
    const messages = told.length + 3 * landings;
    expect(messages).toBeLessThanOrEqual(RUN / messageGap(2) + 10 + 4);
    expect(landings).toBeGreaterThan(10);
  });

  test('previews that come fast take turns with finished pictures, and never starve them', () => {
    const { told, offer, budget } = feed(2);
    budget.spend(12);
    let landings = 0;
    let due = budget.wait();
    for (let time = 0; time < 60_000; time += 100) {
      offer(at(0, time, `/previews/1/0?step=${time}`));
      if (time >= due) {
        budget.land();
        landings += 1;
        due = time + budget.wait();
      }
      vi.advanceTimersByTime(100);
    }
    expect(landings).toBeGreaterThan(10);
    expect(told.length + 3 * landings).toBeLessThanOrEqual(60_000 / messageGap(2) + 10 + 4);
  });

  test('a finished picture and a closed run say nothing more', () => {
    const { told, offer, finished, close } = feed();
    offer(at(0, 1));
    finished(0);
    vi.advanceTimersByTime(500);
    offer(at(1, 1));
    close();
    vi.advanceTimersByTime(500);
    expect(told).toEqual([]);
  });

  test('the last step is told as the picture that it is', () => {
    const report = {
      index: 0,
      step: 4,
      steps: 4,
      guidance: 1,
      tokens: Int32Array.from([5, 99]),
      sampled: Int32Array.from([5, 6]),
      probability: new Float32Array(2),
      entropy: Float32Array.from([0.149, 2.96]),
      second: Float32Array.from([0.414, 0.0051]),
    };
    const where = { job: 1, index: 0, seed: 3, mask: 99 };
    expect(stepProgress(report, where)).toMatchObject({
      tokens: [5, 6],
      entropy: [0.1, 3],
      second: [41, 1],
    });
    expect(stepProgress({ ...report, step: 3 }, where)).toMatchObject({ tokens: [5, 99] });
  });
});

describe('previews', () => {
  test('are wanted only when they are on and someone looks', () => {
    expect(wantedPreviews('off', 3)).toBeUndefined();
    expect(wantedPreviews('every', 0)).toBeUndefined();
    expect(wantedPreviews('every', 1)).toMatchObject({ every: 1 });
    expect(wantedPreviews('every4', 1)).toMatchObject({ every: 4, gapMs: 100 });
  });

  test('the newest of a picture is kept, encoded when asked for', async () => {
    vi.useRealTimers();
    const previews = createPreviews();
    const event = (step: number) => ({
      kind: 'preview' as const,
      index: 0,
      step,
      image: new Uint8Array(48).fill(step),
      size: 4,
      ms: 1,
    });
    expect(previews.add(7, 2, event(4))).toBe('/previews/7/2?step=4');
    previews.add(7, 2, event(8));
    expect(previews.get(7, 1)).toBeNull();
    const bytes = await previews.get(7, 2);
    const { default: sharp } = await import('sharp');
    const { data } = await sharp(bytes ?? undefined)
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(data[0]).toBe(8);
    expect(await previews.get(7, 2)).toBe(bytes);
  });

  test('the oldest make room', () => {
    const previews = createPreviews();
    for (let index = 0; index < 500; index++) {
      previews.add(1, index, {
        kind: 'preview',
        index,
        step: 1,
        image: new Uint8Array(3),
        size: 1,
        ms: 1,
      });
    }
    expect(previews.get(1, 0)).toBeNull();
    expect(previews.get(1, 499)).not.toBeNull();
  });
});
