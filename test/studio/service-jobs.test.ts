import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Job, JobState } from '#api/jobs';
import type { Resume } from '#history/types';
import {
  batches,
  batchPlan,
  fitsResume,
  pictureSource,
  resolveSettings,
} from '#studio/queue/job-plan';
import { nextJob, nextState, type JobEvent } from '#studio/queue/job-states';
import { createPace } from '#studio/queue/pace';
import { createResumeKeeper } from '#studio/queue/resume-keeper';
import type { StepReport } from '#worker/protocol';
import { failure, tinyManifest } from './helpers.ts';

const error = { code: 'internal', message: 'because' } as const;
const ENDED: readonly JobState[] = ['done', 'cancelled', 'failed', 'parked'];
const STATES: readonly JobState[] = [
  'queued',
  'running',
  'paused',
  'done',
  'cancelled',
  'failed',
  'parked',
];

describe('what becomes of a job', () => {
  const table: readonly [JobState, JobEvent, JobState | null][] = [
    ['queued', { kind: 'start' }, 'running'],
    ['running', { kind: 'start' }, null],
    ['done', { kind: 'start' }, null],
    ['running', { kind: 'finish' }, 'done'],
    ['cancelled', { kind: 'finish' }, null],
    ['running', { kind: 'pause' }, 'paused'],
    ['queued', { kind: 'pause' }, null],
    ['paused', { kind: 'resume' }, 'queued'],
    ['running', { kind: 'interrupt' }, 'queued'],
    ['queued', { kind: 'cancel' }, 'cancelled'],
    ['running', { kind: 'cancel' }, 'cancelled'],
    ['paused', { kind: 'cancel' }, 'cancelled'],
    ['done', { kind: 'cancel' }, null],
    ['failed', { kind: 'retry' }, 'queued'],
    ['parked', { kind: 'retry' }, 'queued'],
    ['cancelled', { kind: 'retry' }, 'queued'],
    ['done', { kind: 'retry' }, null],
    ['running', { kind: 'retry' }, null],
    ['running', { kind: 'fail', error }, 'failed'],
    ['cancelled', { kind: 'fail', error }, null],
    ['running', { kind: 'crash', times: 1, error }, 'queued'],
    ['running', { kind: 'crash', times: 2, error }, 'parked'],
    ['running', { kind: 'crash', times: 9, error }, 'parked'],
    ['done', { kind: 'crash', times: 2, error }, null],
  ];
  test.each(table)('%s and %o: %s', (state, event, expected) => {
    expect(nextState(state, event)?.state ?? null).toBe(expected);
  });

  test('only failures carry a reason, and nothing leaves an end but a retry', () => {
    const events: readonly JobEvent[] = [
      ...(['start', 'finish', 'pause', 'resume', 'cancel', 'interrupt'] as const).map((kind) => ({
        kind,
      })),
      { kind: 'fail', error },
      { kind: 'crash', times: 2, error },
    ];
    for (const state of STATES) {
      for (const event of events) {
        const change = nextState(state, event);
        if (ENDED.includes(state)) expect(change).toBeNull();
        if (change === null) continue;
        const has = change.state === 'failed' || change.state === 'parked';
        expect(change.error !== null).toBe(has);
      }
    }
  });

  test('the first that waits runs next', () => {
    expect(nextJob([{ state: 'done' }, { state: 'paused' }])).toBeUndefined();
    const waiting = { state: 'queued' as const, name: 'b' };
    expect(nextJob([{ state: 'parked' as const, name: 'a' }, waiting])).toBe(waiting);
  });
});

describe('the settings of a job', () => {
  const context = {
    manifest: tinyManifest(),
    fallback: { target: 'portable', chunk: 3 } as const,
    newSeed: () => 77,
  };
  const resolve = (settings: object, source: Job['source'] = { kind: 'sample' }) =>
    resolveSettings({ source, settings }, context);

  test('come from the model and the person where the request is silent', () => {
    expect(resolve({})).toEqual({
      model: 'tiny',
      target: 'portable',
      count: 1,
      seed: 77,
      label: null,
      rdmSteps: 250,
      eta: 1,
      steps: 16,
      temperature: 1,
      guidance: 0.5,
      schedule: 'linear',
      chunk: 3,
    });
  });
  test('of a variation ignore what the RDM would have been told', () => {
    const settings = resolve({ label: 2, rdmSteps: 9, eta: 0 }, { kind: 'image', image: 1 });
    expect(settings).toMatchObject({ label: null, rdmSteps: 250, eta: 1 });
  });
  test('a label is an index, whatever the classes are called', () => {
    expect(resolve({ label: 3 }).label).toBe(3);
    expect(resolve({ label: 2 }).label).toBe(2);
  });
  test.each([
    ['label', { label: 4 }],
    ['label', { label: -1 }],
    ['steps', { steps: 0 }],
    ['steps', { steps: 1001 }],
    ['guidance', { guidance: 1e9 }],
    ['seed', { seed: -1 }],
    ['seed', { seed: NaN }],
    ['count', { count: 1e6 }],
    ['chunk', { chunk: 0 }],
    ['target', { target: 'gpu' }],
  ])('a wrong %s is named: %o', async (field, settings) => {
    expect(await failure(() => resolve(settings))).toMatchObject({
      code: 'invalid-request',
      field,
    });
  });
});

const N = tinyManifest().networks.mage?.tokens ?? 0;
const D = tinyManifest().networks.mage?.representation ?? 0;
const maker = { model: tinyManifest().hash, target: 'cpu-int8' } as const;
const resumeAt = (index: number, step: number): Resume => ({
  ...maker,
  index,
  step,
  representation: new Float32Array(D).fill(index),
  tokens: new Uint16Array(N).fill(step),
});

describe('what is left of a job', () => {
  test('half-decoded pictures go on first, those of one step together', () => {
    const job = { total: 7, doneIndexes: [0] };
    const all = batches(job, [resumeAt(1, 4), resumeAt(2, 6), resumeAt(3, 4), resumeAt(0, 2)], 2);
    expect(all.map(({ indexes, resumes }) => [indexes, resumes?.[0]?.step ?? null])).toEqual([
      [[1, 3], 4],
      [[2], 6],
      [[4, 5], null],
      [[6], null],
    ]);
  });

  test('every open picture is made once, in batches no larger than asked', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 29 }), { maxLength: 30 });
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 1, max: 9 }), (done, half, chunk) => {
        const job = { total: 30, doneIndexes: done };
        const resumes = half.map((index) => resumeAt(index, 1 + (index % 3)));
        const all = batches(job, resumes, chunk);
        const made = all.flatMap((batch) => batch.indexes).sort((a, b) => a - b);
        const open = Array.from({ length: 30 }, (_, i) => i).filter((i) => !done.includes(i));
        expect(made).toEqual(open);
        expect(all.every(({ indexes }) => indexes.length >= 1 && indexes.length <= chunk)).toBe(
          true,
        );
        const steps = all.map(({ resumes: some }) => new Set(some?.map(({ step }) => step)).size);
        expect(Math.max(0, ...steps)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the plan of a batch', () => {
  const manifest = tinyManifest();
  const settings = resolveSettings(
    { source: { kind: 'sample' }, settings: { seed: 10, count: 5 } },
    { manifest, fallback: { target: 'cpu', chunk: 2 }, newSeed: () => 0 },
  );
  const fresh = { indexes: [2, 3], resumes: null };
  const begun = { indexes: [1, 4], resumes: [resumeAt(1, 6), resumeAt(4, 6)] };

  test('a fresh one samples', () => {
    expect(batchPlan({ settings }, fresh, { manifest, given: null })).toEqual({
      seeds: [12, 13],
      decoding: { steps: 16, temperature: 1, guidance: 0.5, schedule: 'linear' },
      source: { kind: 'sample', steps: 250, eta: 1, labels: null },
    });
  });
  test('a resumed one starts from its tokens and its representations', () => {
    const plan = batchPlan({ settings }, begun, { manifest, given: null });
    expect(plan).toMatchObject({ seeds: [11, 14], source: { kind: 'given' } });
    expect(plan.start).toMatchObject({ step: 6, maskedAtStart: [N, N] });
    expect(plan.start?.tokens).toHaveLength(2 * N);
  });
  test('labels that the engine draws are drawn again', () => {
    const drawing = tinyManifest({ unconditionalClass: null });
    const plan = batchPlan({ settings }, begun, { manifest: drawing, given: null });
    expect(plan.source.kind).toBe('sample');
    expect(plan.start?.step).toBe(6);
  });
  test('a variation has its parent’s representation in every row', () => {
    const given = Float32Array.from([1, 2, 3, 4]);
    const { source } = batchPlan({ settings }, fresh, { manifest, given });
    expect(source).toEqual({ kind: 'given', values: Float32Array.from([1, 2, 3, 4, 1, 2, 3, 4]) });
  });
  test('a resumed picture’s recipe names the label that sampling used', () => {
    const source = pictureSource({ settings }, { label: null }, { manifest, parentName: null });
    expect(source).toMatchObject({ kind: 'sample', label: 3 });
    expect(pictureSource({ settings }, { label: null }, { manifest, parentName: 'a.png' })).toEqual(
      { kind: 'representation', name: 'a.png' },
    );
  });
  test.each([
    ['another model’s tokens', { tokens: new Uint16Array(N + 1) }],
    ['another model’s representation', { representation: new Float32Array(3) }],
    ['other weights of the same sizes', { model: 'b'.repeat(64) }],
    ['other arithmetic', { target: 'cpu-float32' }],
    ['nothing of what made it', { model: '', target: '' }],
    ['no step', { step: 0 }],
    ['the last step', { step: 16 }],
    ['half a step', { step: 1.5 }],
  ])('what was kept with %s is left', (_, change) => {
    const now = { manifest, target: maker.target };
    expect(fitsResume(resumeAt(1, 6), { settings }, now)).toBe(true);
    expect(fitsResume({ ...resumeAt(1, 6), ...change }, { settings }, now)).toBe(false);
  });
});

describe('what is kept of half-decoded pictures', () => {
  const report = (index: number, step: number): StepReport => ({
    index,
    step,
    steps: 10,
    guidance: 0,
    tokens: new Int32Array(N).fill(step),
    sampled: new Int32Array(N),
    probability: new Float32Array(N),
    entropy: new Float32Array(N),
    second: new Float32Array(N),
  });

  test('is written now and then, whole each time, without what is saved', () => {
    const written: (readonly number[])[] = [];
    let time = 0;
    const keeper = createResumeKeeper(
      { saveResume: (_, pictures) => written.push(pictures.map(({ index }) => index)) },
      { job: 1, maker, before: [resumeAt(7, 3)], now: () => time },
    );
    keeper.represented(0, new Float32Array(4));
    keeper.represented(1, new Float32Array(4));
    keeper.step(0, report(0, 1));
    expect(written).toEqual([]);
    time = 600;
    keeper.step(1, report(1, 1));
    expect(written).toEqual([[7, 0, 1]]);
    keeper.step(0, report(0, 10));
    keeper.flush();
    expect(written).toHaveLength(1);
    keeper.saved(0);
    keeper.flush();
    keeper.flush();
    expect(written).toEqual([
      [7, 0, 1],
      [7, 1],
    ]);
  });
});

describe('the time left', () => {
  test('follows the pace of this run, and is not guessed before there is one', () => {
    let time = 0;
    const pace = createPace(() => time);
    expect(pace.left(4)).toBeNull();
    time = 1000;
    pace.step(0, 0.5);
    pace.finished(0);
    expect(pace.left(3)).toBe(3000);
    time = 1500;
    pace.step(1, 0.2);
    expect(pace.left(3)).toBeLessThan(4000);
    expect(pace.left(0)).toBe(0);
  });
});
