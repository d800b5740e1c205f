import { availableParallelism } from 'node:os';
import { encodeError, StudioError, type WireError } from '#api/errors';
import type { CreateJob, Job, QueueState } from '#api/jobs';
import type { StoredJob } from '#history/types';
import type { Workshop } from '../workshop.ts';
import { resolveSettings } from './job-plan.ts';
import { runJob } from './job-run.ts';
import { nextJob, nextState, type JobEvent } from './job-states.ts';
import { createNews, type Listing } from './news.ts';
import { createPace, type Pace } from './pace.ts';
import type { Previews } from './previews.ts';
import { createDrawBudget, messageGap } from './progress.ts';

/** While a job runs its time left is told again, in the time of so many messages. */
const CLOCK = { leastMs: 1000, messages: 6 } as const;
const PAUSED = 'queue.paused';
const ENDED_TWICE = {
  code: 'studio-crashed',
  message:
    'RCG Studio itself ended over this job, twice at the same place, so the job was put aside. Its finished pictures are safe; try it again, or take it off the list.',
} as const;

/** The jobs of a library: what a person asks for, and the loop that carries it out. */
export interface Queue {
  list(): Listing;
  /** Also a job that is not on the list. */
  get(id: number): Job;
  isPaused(): boolean;
  create(request: CreateJob): Promise<Job>;
  cancel(id: number): Promise<Job>;
  retry(id: number): Job;
  /** Gives up what is half made of a job that was stopped. */
  discard(id: number): Job;
  move(id: number, before: number | null): readonly Job[];
  dismiss(id: number): readonly Job[];
  pause(paused: boolean): Promise<boolean>;
  /** Takes ended jobs off the list, until `unclear` with the mark. */
  clear(): { readonly count: number; readonly mark: number };
  unclear(mark: number): number;
  /**
   * Begins to work; what ran when the studio was last closed waits again.
   * @param afterCrash it was not closed
   */
  start(afterCrash: boolean): void;
  /** Stops after the step that runs. What is half done is kept. */
  close(): Promise<void>;
}

/** Why a run was told to stop. */
type Stop = 'cancel' | 'pause' | 'close';

interface Running {
  readonly id: number;
  readonly abort: AbortController;
  readonly pace: Pace;
  /** Pictures decoded together, where memory allows fewer than were asked for. */
  together: number | null;
  stop: Stop | undefined;
  /** Resolves when the job is not running any more, whatever it is then. */
  readonly over: Promise<void>;
}

export function openQueue(shop: Workshop, previews: Previews): Queue {
  const jobs = () => shop.history().jobs;
  const cores = availableParallelism();
  const budget = createDrawBudget(
    () => performance.now(),
    cores,
    () => shop.events.listeners > 0,
  );
  let running: Running | undefined;
  let started = false;
  let closed = false;
  let loop: Promise<void> | undefined;
  let working = false;
  /** What earlier starts took off the list was seen to. */
  let cleared = false;
  /** Runs as long as a job does. */
  let clock: NodeJS.Timeout | undefined;

  // Kept here first, and then in the history: a full disk must not keep the queue from stopping.
  let paused: boolean | undefined;
  let trouble: QueueState['trouble'] = null;
  let interrupted: QueueState['interrupted'] = null;
  /** The studio ended over what is found running, and that was not looked into yet. */
  let crashed = false;
  const isPaused = (): boolean => (paused ??= shop.history().settings.get(PAUSED) === true);
  const notePaused = (value: boolean): void => shop.history().settings.set(PAUSED, value);
  const present = (job: StoredJob): Job => {
    const { doneIndexes, crashes: _, strikes: __, ...rest } = job;
    const idle = { timeLeft: null, together: null };
    if (job.state !== 'running') return { ...rest, ...idle };
    if (running?.id === job.id) {
      const { pace, together } = running;
      return { ...rest, timeLeft: pace.left(job.total - doneIndexes.length), together };
    }
    // What became of it could not be written: nobody runs it.
    const stopped = isPaused()
      ? ({ state: 'paused', error: trouble } as const)
      : ({ state: 'queued' } as const);
    return { ...rest, ...stopped, ...idle };
  };
  const { list, tell, tellNow, ...news } = createNews(shop, {
    state: () => ({ paused: isPaused(), trouble, interrupted }),
    present,
    onTold: () => void clock?.refresh(),
  });
  const gotOn = (id: number): void => {
    if (interrupted?.job === id) interrupted = null;
  };
  /** Applies what happened to a job as it is now; nothing when it cannot happen to it. */
  const apply = (id: number, event: JobEvent): StoredJob => {
    const before = jobs().get(id);
    const change = nextState(before.state, event);
    if (change === null) return before;
    const after = jobs().setState(id, change);
    // What comes of itself after a crash is part of it.
    if (event.kind !== 'crash' && event.kind !== 'start') gotOn(id);
    tell();
    return after;
  };
  const wake = (): void => {
    if (started && !closed && !working) loop = work();
  };
  /** Stops the queue for a reason, and says it before anything else: no write may come first. */
  const halt = ({ code, message }: WireError): void => {
    trouble ??= { code, message };
    paused = true;
    tellNow();
  };

  /** Carries out what waits. Never rejects: what ends it is the queue's trouble. */
  async function work(): Promise<void> {
    working = true;
    try {
      if (!cleared) jobs().forgetCleared();
      cleared = true;
      takeUp();
      while (!closed && !isPaused()) {
        const next = nextJob(jobs().list());
        if (next === undefined) return;
        await run(next.id);
      }
    } catch (error) {
      if (!closed) halt(encodeError(error));
    } finally {
      working = false;
    }
  }

  /** What ran, or was stopped when the queue was, waits again. */
  function takeUp(): void {
    if (isPaused()) return;
    if (crashed) lookInto();
    jobs().requeueInterrupted();
    for (const { id, state } of jobs().list()) {
      if (state === 'paused') apply(id, { kind: 'resume' });
    }
    tell();
  }

  /** After a crash: a job that the studio ends over again and again is put aside. */
  function lookInto(): void {
    for (const { id, strikes } of jobs().strikeInterrupted()) {
      const { halfMade } = jobs().get(id);
      interrupted = { job: id, halfMade };
      apply(id, { kind: 'crash', times: strikes, error: ENDED_TWICE });
    }
    crashed = false;
  }

  async function run(id: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const pace = createPace(shop.now);
    const abort = new AbortController();
    const current: Running = {
      ...{ id, abort, pace, together: null, stop: undefined },
      over: over.promise,
    };
    running = current;
    clock = setInterval(tell, Math.max(CLOCK.leastMs, CLOCK.messages * messageGap(cores)));
    try {
      const job = apply(id, { kind: 'start' });
      const { signal } = abort;
      const onSaved = (): void => {
        gotOn(id);
        tellNow();
      };
      const onFewer = (together: number): void => {
        current.together = together;
        tell();
      };
      await runJob(shop, job, { signal, previews, pace, budget, onSaved, onFewer });
      apply(id, { kind: 'finish' });
    } catch (error) {
      settle(current, error);
    } finally {
      clearInterval(clock);
      running = undefined;
      over.resolve();
      tell();
    }
  }

  /** Decides what a run that did not come to its end means for its job. */
  function settle({ id, stop }: Running, error: unknown): void {
    const failure = encodeError(error);
    const { code, message } = failure;
    const reason = { code, message };
    if (stop === 'cancel') apply(id, { kind: 'cancel' });
    else if (stop === 'pause') apply(id, { kind: 'pause' });
    // At the next start it is found as it is.
    else if (stop === 'close' || closed) return;
    else if (code === 'engine-crashed') {
      apply(id, { kind: 'crash', times: jobs().countCrash(id), error: reason });
    } else if (code === 'disk-full') {
      halt(failure);
      apply(id, { kind: 'pause', error: reason });
      notePaused(true);
    } else apply(id, { kind: 'fail', error: reason });
  }

  async function stopRunning(why: Stop): Promise<void> {
    if (running === undefined) return;
    running.stop ??= why;
    running.abort.abort();
    await running.over;
  }

  return {
    list,
    get: (id) => present(jobs().get(id)),
    isPaused,
    async create(request) {
      const { images } = shop.history();
      const { source } = request;
      const parent = source.kind === 'image' ? images.get(source.image) : null;
      const id = request.settings.model ?? parent?.recipe.model.id ?? shop.settings.get().model;
      const { manifest } = await shop.library.find(id);
      const settings = resolveSettings(request, {
        manifest,
        fallback: shop.settings.get(),
        newSeed: shop.newSeed,
      });
      checkParent(parent?.recipe.representation, manifest.networks.mage?.representation);
      const job = jobs().create({ source, settings, total: settings.count });
      tell();
      wake();
      return present(job);
    },
    async cancel(id) {
      jobs().get(id);
      if (running?.id === id) await stopRunning('cancel');
      return present(apply(id, { kind: 'cancel' }));
    },
    retry(id) {
      const job = jobs().get(id);
      if (nextState(job.state, { kind: 'retry' }) === null) {
        throw new StudioError('invalid-request', 'Only a job that ended early can be retried.', {
          field: 'id',
        });
      }
      jobs().forgetCrashes(id);
      const after = apply(id, { kind: 'retry' });
      wake();
      return present(after);
    },
    discard(id) {
      const { state } = jobs().get(id);
      if (nextState(state, { kind: 'retry' }) === null) {
        throw new StudioError(
          'invalid-request',
          'Nothing was given up: only a job that ended early has half-made pictures to give up.',
          { field: 'id' },
        );
      }
      jobs().discardResume(id);
      tell();
      return present(jobs().get(id));
    },
    move(id, before) {
      const moved = jobs().move(id, before).map(present);
      tell();
      return moved;
    },
    dismiss(id) {
      const left = jobs().dismiss(id).map(present);
      gotOn(id);
      tell();
      return left;
    },
    clear() {
      const cleared = jobs().clear();
      interrupted = null;
      tell();
      return cleared;
    },
    unclear(mark) {
      const count = jobs().restore(mark);
      tell();
      return count;
    },
    async pause(wanted) {
      if (wanted) {
        paused = true;
        tell();
        await stopRunning('pause');
        notePaused(true);
      } else if (isPaused()) {
        // What was told to stop stops first.
        await loop;
        notePaused(false);
        paused = false;
        trouble = null;
        tell();
        wake();
      }
      return isPaused();
    },
    start(afterCrash) {
      if (started) return;
      started = true;
      crashed = afterCrash;
      tell();
      wake();
    },
    async close() {
      closed = true;
      news.close();
      await stopRunning('close');
      await loop;
    },
  };
}

/** A representation means something only to a model of the same size. */
function checkParent(representation: string | undefined, size: number | undefined): void {
  if (representation === undefined) return;
  const length = Buffer.from(representation, 'base64').length / 4;
  if (length === size) return;
  throw new StudioError(
    'invalid-request',
    `The picture's representation has ${length} numbers, but this model's have ${size ?? 0}; choose the model that made it.`,
    { field: 'model' },
  );
}
