import { describe, expect, test } from 'vitest';
import { jobFraction, placeBefore } from '../../renderer/state/jobs.svelte.ts';
import { follow, pictureFraction } from '../../renderer/state/live.svelte.ts';
import { job, openApp, until } from './helpers.ts';

describe('the queue', () => {
  test('is what the studio says, and what ends a job ends its stopping', async () => {
    const { app, close } = openApp({ stepMs: 3 });
    const made = await app.jobs.create({
      source: { kind: 'sample' },
      settings: { count: 2, steps: 50 },
    });
    await until(() => app.jobs.running?.id === made.id);
    const stopped = app.jobs.cancel(made.id);
    expect(app.jobs.stopping.has(made.id)).toBe(true);
    await stopped;
    await until(() => app.jobs.byId(made.id)?.state === 'cancelled');
    expect(app.jobs.stopping.size).toBe(0);
    await close();
  });

  test('runs jobs to their end and tells each step', async () => {
    const { app, close } = openApp();
    const made = await app.jobs.create({
      source: { kind: 'sample' },
      settings: { count: 3, steps: 4 },
    });
    await until(() => app.jobs.byId(made.id)?.state === 'done');
    expect(app.jobs.byId(made.id)?.images).toHaveLength(3);
    expect(app.live.get(made.id, 2)?.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(app.live.get(made.id, 3)).toBeNull();
    await close();
  });

  test('moves a waiting job among the waiting ones only', () => {
    const jobs = [
      job({ id: 1, state: 'running' }),
      job({ id: 2 }),
      job({ id: 3 }),
      job({ id: 4, state: 'done' }),
      job({ id: 5 }),
    ];
    expect(placeBefore(jobs, 3, -1)).toBe(2);
    expect(placeBefore(jobs, 2, 1)).toBe(5);
    expect(placeBefore(jobs, 3, 1)).toBeNull();
    for (const [id, by] of [
      [2, -1],
      [5, 1],
      [1, 1],
      [4, -1],
      [9, 1],
    ] as const) {
      expect(placeBefore(jobs, id, by)).toBeUndefined();
    }
  });

  test('counts the picture that is being made by its part', () => {
    const running = job({ id: 1, state: 'running', images: [7], total: 4 });
    expect(jobFraction(running, 0.5)).toBeCloseTo(0.375);
    expect(jobFraction({ ...running, state: 'paused' }, 0.5)).toBeCloseTo(0.25);
    expect(jobFraction({ ...running, images: [1, 2, 3, 4] }, 0.9)).toBe(1);
  });
});

describe('a picture that is being made', () => {
  const at = { job: 1, index: 0, seed: 9, total: 20 };
  const decoded = (done: number) =>
    follow(null, { ...at, stage: 'tokens', done, tokens: [1], mask: 1024, preview: `p${done}` });

  test('gathers its steps', () => {
    const first = decoded(1);
    const second = follow(first, { ...at, stage: 'tokens', done: 2, tokens: [2] });
    expect(second.steps.map(({ step, preview }) => [step, preview])).toEqual([
      [1, 'p1'],
      [2, null],
    ]);
    expect(second.mask).toBe(1024);
  });

  test('replaces steps that come again after a resume', () => {
    const again = follow(follow(decoded(1), { ...at, stage: 'tokens', done: 2, tokens: [2] }), {
      ...{ ...at, stage: 'tokens', done: 1, tokens: [3] },
    });
    expect(again.steps.map(({ step, tokens }) => [step, tokens])).toEqual([[1, [3]]]);
  });

  test('keeps its steps through the other stages', () => {
    const pixels = follow(decoded(1), { ...at, stage: 'pixels', done: 0, total: 1 });
    expect(pixels.steps).toHaveLength(1);
    expect(pixels.stage).toBe('pixels');
  });

  test('never goes backwards from stage to stage', () => {
    const parts = [
      follow(null, { ...at, stage: 'representation', done: 20 }),
      follow(null, { ...at, stage: 'tokens', done: 1 }),
      follow(null, { ...at, stage: 'tokens', done: 20 }),
      follow(null, { ...at, stage: 'pixels', done: 1, total: 1 }),
    ].map(pictureFraction);
    expect([...parts].sort((a, b) => a - b)).toEqual(parts);
    expect([pictureFraction(null), parts.at(-1)]).toEqual([0, 1]);
  });
});
