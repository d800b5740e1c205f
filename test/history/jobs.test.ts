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
      ...{ indexes: [], deleted: [], halfMade: null, crashes: 0, error: null },
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
