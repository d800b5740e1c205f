import { describe, expect, test } from 'vitest';
import type { Job } from '#api/jobs';
import { tileOf } from '../../renderer/generate/batch-tile.ts';
import {
  jobFraction,
  madeCount,
  nextIndex,
  pictureAt,
  placeBefore,
  placeDropped,
} from '../../renderer/state/jobs.svelte.ts';
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

  test('is shown in its order, then what needs looking at, then what is done', async () => {
    const { app, close } = openApp();
    await until(() => app.status.value !== null);
    const states = ['done', 'failed', 'cancelled', 'parked', 'done', 'running', 'queued', 'queued'];
    app.jobs.take(states.map((state, i) => job({ id: i + 1, state: state as Job['state'] })));
    expect(app.jobs.ordered.map(({ id }) => id)).toEqual([6, 7, 8, 4, 2, 5, 3, 1]);
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
    expect(placeBefore(jobs, 2, 'last')).toBeNull();
    expect(placeBefore(jobs, 5, 'first')).toBe(2);
    for (const [id, by] of [
      [2, -1],
      [5, 1],
      [1, 1],
      [4, -1],
      [9, 1],
      [2, 'first'],
      [5, 'last'],
      [1, 'last'],
      [9, 'first'],
    ] as const) {
      expect(placeBefore(jobs, id, by)).toBeUndefined();
    }
  });

  test('lets a waiting job be dropped above or below another, and last', () => {
    const jobs = [
      job({ id: 1, state: 'running' }),
      job({ id: 2 }),
      job({ id: 3 }),
      job({ id: 4, state: 'done' }),
      job({ id: 5 }),
    ];
    expect(placeDropped(jobs, 2, { on: 5, below: true })).toBeNull();
    expect(placeDropped(jobs, 2, { on: 5, below: false })).toBe(5);
    expect(placeDropped(jobs, 5, { on: 2, below: false })).toBe(2);
    expect(placeDropped(jobs, 5, { on: 2, below: true })).toBe(3);
    for (const [id, on, below] of [
      [2, 2, true],
      [2, 3, false],
      [3, 2, true],
      [5, 3, true],
      [2, 1, true],
      [2, 4, true],
      [1, 5, true],
      [4, 2, false],
      [2, 9, true],
    ] as const) {
      expect(placeDropped(jobs, id, { on, below })).toBeUndefined();
    }
  });

  test('counts the picture that is being made by its part', () => {
    const running = job({ id: 1, state: 'running', images: [7], indexes: [0], total: 4 });
    expect(jobFraction(running, 0.5)).toBeCloseTo(0.375);
    expect(jobFraction({ ...running, state: 'paused' }, 0.5)).toBeCloseTo(0.25);
    expect(jobFraction({ ...running, images: [1, 2, 3, 4] }, 0.9)).toBe(1);
  });
});

describe('the places of a job', () => {
  /** The third was made first, and the first is deleted for good. */
  const gaps = job({
    id: 1,
    state: 'running',
    images: [7, 9],
    indexes: [2, 1],
    deleted: [0],
    total: 5,
  });

  test('are those of its pictures, whatever was deleted and in whatever order they came', () => {
    expect([0, 1, 2, 3, 4].map((index) => pictureAt(gaps, index))).toEqual([
      null,
      9,
      7,
      null,
      null,
    ]);
    expect([madeCount(gaps), nextIndex(gaps)]).toEqual([3, 3]);
    expect(jobFraction(gaps, 0.5)).toBeCloseTo(0.7);
    const whole = { ...gaps, indexes: [2, 1, 4, 3] };
    expect(nextIndex(whole)).toBe(5);
    expect(nextIndex(job({ id: 2 }))).toBe(0);
  });

  test('say what is in the bin, what is gone, what waits and what failed', async () => {
    const { app, close } = openApp();
    const rows = new Map([
      [7, { deletedAt: null }],
      [9, { deletedAt: 5 }],
    ]);
    const batch = {
      row: (id: number) => (rows.get(id) ?? null) as never,
      thumb: (id: number | undefined) => (id === undefined ? null : `/thumb/${id}`),
    };
    const kinds = (of: typeof gaps) =>
      Array.from({ length: of.total }, (_, index) => tileOf(app, batch, of, index).kind);
    expect(kinds(gaps)).toEqual(['deleted', 'binned', 'kept', 'open', 'open']);
    const error = { code: 'out-of-memory', message: '' } as const;
    const failed = job({ ...gaps, state: 'failed', error });
    expect(kinds(failed)).toEqual(['deleted', 'binned', 'kept', 'failed', 'open']);
    expect(tileOf(app, batch, failed, 3).label).toContain('The memory did not suffice');
    expect(tileOf(app, batch, failed, 1).label).toContain('in the bin');
    expect(tileOf(app, batch, failed, 0).label).toContain('deleted for good');
    // The queue stopped, and the job is not to blame.
    expect(kinds(job({ ...gaps, state: 'paused', error }))[3]).toBe('open');
    await close();
  });
});

describe('what a person should know of the queue', () => {
  const told = async (run: (tell: (event: object) => Promise<void>) => Promise<void>) => {
    const { app, fake, close } = openApp();
    await until(() => app.events.connection === 'open');
    const tell = async (event: object) => {
      const before = app.jobs.list;
      fake.emit({
        ...{ kind: 'jobs', jobs: [], paused: false, trouble: null, interrupted: null },
        ...event,
      });
      await until(() => app.jobs.list !== before);
    };
    await tell({});
    await run(tell);
    const said = app.toasts.list.map(({ text, tone, action }) => [tone, text, action?.label]);
    const { alertText, politeText } = app.announcer;
    await close();
    return { said, alertText, politeText };
  };
  const error = { code: 'engine-crashed', message: '' } as const;

  test('is said once: a job that failed, with its cause and what to do', async () => {
    const { said, alertText } = await told(async (tell) => {
      await tell({ jobs: [job({ id: 4, state: 'running' })] });
      await tell({ jobs: [job({ id: 4, state: 'failed', error })] });
      await tell({ jobs: [job({ id: 4, state: 'failed', error })] });
    });
    expect(said).toHaveLength(1);
    expect(said[0]).toEqual([
      'danger',
      expect.stringContaining('Job 4 failed. The engine'),
      'Try again',
    ]);
    expect(alertText).toBe(said[0]?.[1]);
  });

  test('is said again of a job that was tried again, and not of what failed before', async () => {
    const old = job({ id: 1, state: 'failed', error });
    const { said } = await told(async (tell) => {
      await tell({ jobs: [old, job({ id: 2, state: 'parked', error })] });
      await tell({ jobs: [old, job({ id: 2 })] });
      await tell({ jobs: [old, job({ id: 2, state: 'parked', error })] });
    });
    expect(said.filter(([, text]) => text?.includes('Job 2 was set aside'))).toHaveLength(2);
  });

  test('is said of a queue that stopped by itself, with the way to make room', async () => {
    const trouble = { code: 'disk-full', message: '' } as const;
    const { said, alertText } = await told(async (tell) => {
      await tell({ paused: true, trouble });
      await tell({ paused: true, trouble });
    });
    expect(said).toEqual([
      ['danger', expect.stringContaining('The queue stopped. The disk is full.'), 'Make room…'],
    ]);
    expect(alertText).toContain('The disk is full.');
  });

  test('is said of a studio that was killed, politely where the job goes on', async () => {
    const interrupted = { job: 3, halfMade: { index: 11, step: 15 } };
    const goesOn = await told(async (tell) => {
      await tell({ jobs: [job({ id: 3 })], interrupted });
      await tell({ jobs: [job({ id: 3, state: 'running' })], interrupted });
    });
    expect(goesOn.said).toEqual([
      [
        'warn',
        'The app closed during image 12. Step 15 is saved; it goes on from there.',
        undefined,
      ],
    ]);
    expect([goesOn.politeText, goesOn.alertText]).toEqual([goesOn.said[0]?.[1], '']);
  });

  test('is said of memory that does not hold so many pictures at once', async () => {
    const { said } = await told(async (tell) => {
      await tell({ jobs: [job({ id: 3, state: 'running', together: 4 })] });
      await tell({ jobs: [job({ id: 3, state: 'running', together: 4 })] });
      await tell({ jobs: [job({ id: 3, state: 'running', together: 1 })] });
    });
    expect(said.map(([, text]) => text)).toEqual([
      'The memory does not hold 8 images at once. 4 are made at once now.',
      'The memory does not hold 8 images at once. They are made one at a time now.',
    ]);
  });
});

describe('a list that is cleared', () => {
  test('has its ended jobs back when that is undone', async () => {
    const { app, close } = openApp();
    const settings = { count: 1, steps: 2 };
    const made = await app.jobs.create({ source: { kind: 'sample' }, settings });
    await until(() => app.jobs.byId(made.id)?.state === 'done');
    const { count, mark } = await app.jobs.clear();
    expect([count, app.jobs.list]).toEqual([1, []]);
    await app.jobs.unclear(mark);
    await until(() => app.jobs.list.length === 1);
    await close();
  });

  test('does not lose the strip of a picture whose job is off it', async () => {
    const off = job({ id: 77, state: 'done', images: [40, 41], indexes: [0, 1], total: 2 });
    let asked = 0;
    const { app, close } = openApp({}, { 'jobs.get': () => ((asked += 1), Promise.resolve(off)) });
    expect(app.jobs.ofPicture(41)).toBeNull();
    await app.jobs.find(77);
    await app.jobs.find(77);
    expect([app.jobs.ofPicture(41), app.jobs.byId(77), asked]).toEqual([off, off, 1]);
    await close();
  });

  test('knows nothing of a job that is gone', async () => {
    const gone = () => Promise.reject(new Error('gone'));
    const { app, close } = openApp({}, { 'jobs.get': gone });
    await app.jobs.find(77);
    expect(app.jobs.byId(77)).toBeNull();
    await close();
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
