import { describe, expect, test } from 'vitest';
import { createHistory } from '#history/history';
import type { NewJob } from '#history/types';
import { imageOf, NOON } from '../helpers/library.ts';
import { openLibrary, refusal, tempLibrary } from './helpers.ts';

const job: NewJob = {
  source: { kind: 'image', image: 3 },
  settings: {
    ...{ model: 'starter', target: 'cpu', count: 4, seed: 2 ** 40, label: null, rdmSteps: 50 },
    ...{ eta: 0.5, steps: 16, temperature: 8, guidance: 3, schedule: 'linear', chunk: 2 },
  } as NewJob['settings'],
  total: 4,
};

describe('a job', () => {
  test('is kept whole and survives a restart', () => {
    const { history, file, close } = tempLibrary();
    const made = history.jobs.create(job);
    expect(made).toEqual({
      ...job,
      ...{ id: made.id, state: 'queued', createdAt: NOON, images: [], doneIndexes: [] },
      ...{ indexes: [], deleted: [], halfMade: null, crashes: 0, strikes: 0, error: null },
    });
    close();
    const opened = openLibrary(file);
    if (opened.database === null) throw new Error('closed');
    expect(createHistory(opened.database, { now: () => NOON }).jobs.list()).toEqual([made]);
  });

  test('goes on by the picture, in the same step as the picture itself', () => {
    const { jobs, images, changes, bin } = tempLibrary().history;
    const { id } = jobs.create(job);
    jobs.saveResume(id, [resume(0, 3), resume(1, 5)]);
    const first = images.insert(imageOf(1, { job: { id, index: 1 } })).id;
    expect(jobs.loadResume(id)).toEqual([resume(0, 3)]);
    const second = images.insert(imageOf(0, { job: { id, index: 0 } })).id;
    expect(jobs.get(id)).toMatchObject({
      ...{ images: [first, second], indexes: [1, 0], deleted: [], doneIndexes: [0, 1] },
    });
    expect(images.get(first).job).toBe(id);
    expect(images.count({ job: id })).toBe(2);
    // The same picture of a job is not made twice, and nothing of the second try stays.
    expect(() => images.insert(imageOf(5, { job: { id, index: 1 } }))).toThrow(/UNIQUE/);
    expect(images.count({})).toBe(2);
    changes.remove([first]);
    bin.purge();
    expect(jobs.get(id)).toMatchObject({
      ...{ images: [second], indexes: [0], deleted: [1], doneIndexes: [0, 1] },
    });
  });

  test('keeps only the last resume, also when it is stopped, and none once it is done', () => {
    const { jobs } = tempLibrary().history;
    const { id } = jobs.create(job);
    jobs.saveResume(id, [resume(0, 3), resume(1, 3)]);
    jobs.saveResume(id, [resume(1, 4), resume(2, 2)]);
    expect(jobs.get(id).halfMade).toEqual({ index: 1, step: 4 });
    jobs.saveResume(id, [resume(1, 4)]);
    expect(jobs.loadResume(id)).toEqual([resume(1, 4)]);
    jobs.setState(id, { state: 'paused' });
    expect(jobs.loadResume(id)).toHaveLength(1);
    for (const state of ['cancelled', 'failed', 'parked'] as const) {
      jobs.setState(id, { state });
      expect(jobs.loadResume(id)).toEqual([resume(1, 4)]);
    }
    jobs.setState(id, { state: 'done' });
    expect(jobs.loadResume(id)).toEqual([]);
    jobs.saveResume(id, [resume(2, 1)]);
    jobs.discardResume(id);
    expect(jobs.loadResume(id)).toEqual([]);
    jobs.saveResume(id, [resume(2, 1)]);
    jobs.dismiss(id);
    expect(jobs.loadResume(id)).toEqual([]);
    expect(() => jobs.saveResume(99, [resume(0, 1)])).toThrow(/FOREIGN KEY/);
  });

  test('is parked with its reason when it kills the engine', () => {
    const { jobs } = tempLibrary().history;
    const { id } = jobs.create(job);
    expect([jobs.countCrash(id), jobs.countCrash(id)]).toEqual([1, 2]);
    const error = { code: 'engine-crashed', message: 'The engine ended twice.' } as const;
    expect(jobs.setState(id, { state: 'parked', error })).toMatchObject({ state: 'parked', error });
    jobs.forgetCrashes(id);
    expect(jobs.setState(id, { state: 'queued' })).toMatchObject({ crashes: 0, error: null });
  });

  test('that ran when the studio ended waits again', () => {
    const { jobs } = tempLibrary().history;
    const ids = ['running', 'paused', 'done'].map((state) => {
      const { id } = jobs.create(job);
      jobs.setState(id, { state: state as 'running' });
      return id;
    });
    expect(jobs.requeueInterrupted()).toEqual(ids.slice(0, 1));
    expect(jobs.list().map(({ state }) => state)).toEqual(['queued', 'paused', 'done']);
  });
});

describe('a job that ran when the studio was killed', () => {
  const interrupted = () => {
    const library = tempLibrary();
    const { jobs } = library.history;
    const { id } = jobs.create(job);
    /** Killed while it ran; gives the strikes counted. */
    const kill = (): number | undefined => {
      jobs.setState(id, { state: 'running' });
      return jobs.strikeInterrupted()[0]?.strikes;
    };
    return { ...library.history, id, kill };
  };

  test('has a strike each time that it came no further', () => {
    const { kill, jobs, id } = interrupted();
    expect([kill(), kill()]).toEqual([1, 2]);
    jobs.forgetCrashes(id);
    expect(jobs.get(id).strikes).toBe(0);
    expect([kill(), kill()]).toEqual([1, 2]);
  });

  test('has none for as long as it makes a step between two kills', () => {
    const { kill, jobs, images, id } = interrupted();
    for (let step = 1; step < 16; step++) {
      jobs.saveResume(id, [resume(0, step), resume(1, step)]);
      expect(kill()).toBe(0);
    }
    images.insert(imageOf(1, { job: { id, index: 0 } }));
    expect(kill()).toBe(0);
    // The picture that is made next begins at its first step again.
    images.insert(imageOf(2, { job: { id, index: 1 } }));
    jobs.saveResume(id, [resume(2, 1)]);
    expect(kill()).toBe(0);
    expect([kill(), kill()]).toEqual([1, 2]);
  });

  test('that comes to its last step each time is known by that', () => {
    const { kill, jobs, id } = interrupted();
    jobs.saveResume(id, [resume(0, 12)]);
    expect(kill()).toBe(0);
    expect(kill()).toBe(1);
    // The run that is watched notes each step.
    jobs.saveResume(id, [resume(0, 15)]);
    expect([kill(), kill()]).toEqual([1, 2]);
  });

  test('is the only one that is struck', () => {
    const { jobs } = tempLibrary().history;
    const states = ['queued', 'paused', 'done', 'cancelled', 'failed', 'parked'] as const;
    for (const state of states) jobs.setState(jobs.create(job).id, { state });
    expect(jobs.strikeInterrupted()).toEqual([]);
  });
});

describe('the list of a long life', () => {
  /** Many jobs that ended, with a picture each, and one that was taken off the list. */
  const longLife = (count: number) => {
    const { jobs, images } = tempLibrary().history;
    const ids = Array.from({ length: count }, () => {
      const { id } = jobs.create(job);
      jobs.setState(id, { state: 'done' });
      return id;
    });
    images.insert(imageOf(1, { job: { id: ids[0] ?? 0, index: 2 } }));
    const waiting = jobs.create(job).id;
    return { jobs, ids, waiting, order: () => jobs.list().map(({ id }) => id) };
  };

  test('has what waits and the newest of what ended; the rest is found all the same', () => {
    const { jobs, ids, waiting, order } = longLife(120);
    expect(order()).toEqual([...ids.slice(-50), waiting]);
    const [first = 0] = ids;
    expect(jobs.get(first)).toMatchObject({ state: 'done', indexes: [2] });
    jobs.setState(first, { state: 'queued' });
    expect(order()).toEqual([first, ...ids.slice(-50), waiting]);
    expect(jobs.move(waiting, first).map(({ id }) => id)).toEqual([
      ...[waiting, first],
      ...ids.slice(-50),
    ]);
    expect(jobs.create(job).id).toBe(order().at(-1));
  });

  test('never leaves out what waits, however much it is', () => {
    const { jobs } = tempLibrary().history;
    const ids = Array.from({ length: 80 }, () => jobs.create(job).id);
    expect(jobs.list().map(({ id }) => id)).toEqual(ids);
  });

  test('is cleared of what ended, and has it back', () => {
    const { jobs, ids, waiting, order } = longLife(60);
    const before = order();
    const { count, mark } = jobs.clear();
    expect(count).toBe(ids.length);
    expect(order()).toEqual([waiting]);
    expect(jobs.restore(mark + 1)).toBe(0);
    expect(jobs.restore(mark)).toBe(ids.length);
    expect(order()).toEqual(before);
  });

  test('gives up half-made pictures only of what stays off it', () => {
    const { jobs } = tempLibrary().history;
    const [off = 0, on = 0] = [1, 2].map(() => {
      const { id } = jobs.create(job);
      jobs.saveResume(id, [resume(0, 3)]);
      return id;
    });
    jobs.setState(off, { state: 'cancelled' });
    jobs.clear();
    expect(jobs.loadResume(off)).toHaveLength(1);
    jobs.forgetCleared();
    expect(jobs.loadResume(off)).toEqual([]);
    expect(jobs.loadResume(on)).toHaveLength(1);
  });
});

describe('the queue', () => {
  const queue = () => {
    const { jobs } = tempLibrary().history;
    const [a = 0, b = 0, c = 0, d = 0] = [1, 2, 3, 4].map(() => jobs.create(job).id);
    return { jobs, a, b, c, d, order: () => jobs.list().map(({ id }) => id) };
  };

  test('is reordered', () => {
    const { jobs, a, b, c, d, order } = queue();
    expect(jobs.move(d, b).map(({ id }) => id)).toEqual([a, d, b, c]);
    jobs.move(a, null);
    expect(order()).toEqual([d, b, c, a]);
    jobs.move(c, c);
    jobs.move(b, c);
    expect(order()).toEqual([d, b, c, a]);
    const { id } = jobs.create(job);
    expect(order()).toEqual([d, b, c, a, id]);
  });

  test('refuses to move what runs, or is not there', () => {
    const { jobs, a, b } = queue();
    jobs.setState(a, { state: 'running' });
    expect(refusal(() => jobs.move(a, null))).toBe('invalid-request: id');
    expect(refusal(() => jobs.move(b, 99))).toBe('not-found');
    expect(refusal(() => jobs.move(99, b))).toBe('not-found');
    for (const act of [jobs.get, jobs.countCrash, jobs.dismiss]) {
      expect(refusal(() => act(99))).toBe('not-found');
    }
    expect(refusal(() => jobs.setState(99, { state: 'done' }))).toBe('not-found');
  });

  test('drops an ended job and keeps its pictures', () => {
    const { jobs, images } = tempLibrary().history;
    const { id } = jobs.create(job);
    expect(refusal(() => jobs.dismiss(id))).toBe('invalid-request: id');
    const image = images.insert(imageOf(1, { job: { id, index: 0 } })).id;
    jobs.setState(id, { state: 'done' });
    expect(jobs.dismiss(id)).toEqual([]);
    expect(jobs.get(id).images).toEqual([image]);
  });
});

describe('settings', () => {
  test('are kept as they are, whatever they are', () => {
    const { settings } = tempLibrary().history;
    expect(settings.get('studio')).toBeUndefined();
    for (const value of [{ theme: 'dark', list: [1, null] }, null, 'x', 0]) {
      settings.set('studio', value);
      expect(settings.get('studio')).toEqual(value);
    }
  });
});

const resume = (index: number, step: number) => ({
  ...{ index, step, model: 'a'.repeat(64), target: 'cpu-int8' },
  representation: Float32Array.from({ length: 9 }, (_, i) => i / 3),
  tokens: Uint16Array.from([0, 1023, 1024, 65535]),
});
