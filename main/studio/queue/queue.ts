import { availableParallelism } from 'node:os';
import { encodeError, StudioError } from '#api/errors';
import type { CreateJob, Job } from '#api/types';
import type { StoredJob } from '#history/types';
import type { Workshop } from '../workshop.ts';
import { resolveSettings } from './job-plan.ts';
import { runJob } from './job-run.ts';
import { nextJob, nextState, type JobEvent } from './job-states.ts';
import { createPace, type Pace } from './pace.ts';
import type { Previews } from './previews.ts';
import { createDrawBudget, messageGap } from './progress.ts';

/** Windows hear of the queue no more often than this. */
const TELL_MS = 50;
/** While a job runs its time left is told again, in the time of so many messages. */
const CLOCK = { leastMs: 1000, messages: 6 } as const;
const PAUSED = 'queue.paused';

/** The jobs of a library: what a person asks for, and the loop that carries it out. */
export interface Queue {
  list(): { readonly jobs: readonly Job[]; readonly paused: boolean };
  create(request: CreateJob): Promise<Job>;
  cancel(id: number): Promise<Job>;
  retry(id: number): Job;
  move(id: number, before: number | null): readonly Job[];
  dismiss(id: number): readonly Job[];
  pause(paused: boolean): Promise<boolean>;
  /** Begins to work; what ran when the studio was last closed waits again. */
  start(): void;
  /** Stops after the step that runs. What is half done is kept. */
  close(): Promise<void>;
}

/** Why a run was told to stop. */
type Stop = 'cancel' | 'pause' | 'close';

interface Running {
  readonly id: number;
  readonly abort: AbortController;
  readonly pace: Pace;
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
  let telling: NodeJS.Timeout | undefined;
  /** Runs as long as a job does. */
  let clock: NodeJS.Timeout | undefined;

  // Also kept here: a full disk must not keep the queue from pausing.
  let paused: boolean | undefined;
  const isPaused = (): boolean => (paused ??= shop.history().settings.get(PAUSED) === true);
  const withTime = (job: StoredJob): Job => {
    const { doneIndexes, crashes: _, ...rest } = job;
    const left = job.total - doneIndexes.length;
    const timeLeft = running?.id === job.id ? running.pace.left(left) : null;
    return { ...rest, timeLeft };
  };
  const list = () => ({ jobs: jobs().list().map(withTime), paused: isPaused() });
  const tellNow = (): void => {
    clearTimeout(telling);
    telling = undefined;
    if (closed) return;
    shop.events.publish({ kind: 'jobs', ...list() });
    clock?.refresh();
  };
  const tell = (): void => {
    telling ??= setTimeout(tellNow, TELL_MS);
  };
  /** Applies what happened to a job as it is now; nothing when it cannot happen to it. */
  const apply = (id: number, event: JobEvent): StoredJob => {
    const before = jobs().get(id);
    const change = nextState(before.state, event);
    if (change === null) return before;
    const after = jobs().setState(id, change);
    tell();
    return after;
  };
  const wake = (): void => {
    if (!started || closed || loop !== undefined) return;
    loop = work()
      // The history cannot be written: what ran is found as it was when the queue is next woken.
      .catch(() => undefined)
      .finally(() => {
        loop = undefined;
      });
  };
  const setPaused = (value: boolean): void => {
    paused = value;
    tell();
    shop.history().settings.set(PAUSED, value);
  };

  async function work(): Promise<void> {
    jobs().requeueInterrupted();
    while (!closed && !isPaused()) {
      const next = nextJob(jobs().list());
      if (next === undefined) return;
      const over = Promise.withResolvers<void>();
      const pace = createPace(shop.now);
      const abort = new AbortController();
      const current: Running = { id: next.id, abort, pace, stop: undefined, over: over.promise };
      running = current;
      clock = setInterval(tell, Math.max(CLOCK.leastMs, CLOCK.messages * messageGap(cores)));
      try {
        const job = apply(next.id, { kind: 'start' });
        const { signal } = abort;
        await runJob(shop, job, { signal, previews, pace, budget, onSaved: tellNow });
        apply(next.id, { kind: 'finish' });
      } catch (error) {
        settle(current, error);
      } finally {
        clearInterval(clock);
        running = undefined;
        over.resolve();
        tell();
      }
    }
  }

  /** Decides what a run that did not come to its end means for its job. */
  function settle({ id, stop }: Running, error: unknown): void {
    const { code, message } = encodeError(error);
    const failure = { code, message };
    if (stop === 'cancel') apply(id, { kind: 'cancel' });
    else if (stop === 'pause') apply(id, { kind: 'pause' });
    // At the next start it is found as it is.
    else if (stop === 'close' || closed) return;
    else if (code === 'engine-crashed') {
      apply(id, { kind: 'crash', times: jobs().countCrash(id), error: failure });
    } else if (code === 'disk-full') {
      apply(id, { kind: 'pause' });
      jobs().setState(id, { state: 'paused', error: failure });
      setPaused(true);
    } else apply(id, { kind: 'fail', error: failure });
  }

  async function stopRunning(why: Stop): Promise<void> {
    if (running === undefined) return;
    running.stop ??= why;
    running.abort.abort();
    await running.over;
  }

  return {
    list,
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
      return withTime(job);
    },
    async cancel(id) {
      jobs().get(id);
      if (running?.id === id) await stopRunning('cancel');
      return withTime(apply(id, { kind: 'cancel' }));
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
      return withTime(after);
    },
    move(id, before) {
      const moved = jobs().move(id, before).map(withTime);
      tell();
      return moved;
    },
    dismiss(id) {
      const left = jobs().dismiss(id).map(withTime);
      tell();
      return left;
    },
    async pause(wanted) {
      setPaused(wanted);
      if (wanted) {
        await stopRunning('pause');
      } else {
        await running?.over;
        for (const job of jobs().list()) apply(job.id, { kind: 'resume' });
        wake();
      }
      return wanted;
    },
    start() {
      if (started) return;
      // Stopped between the two notes of a pause: the queue is not paused, so neither is the job.
      if (!isPaused()) for (const job of jobs().list()) apply(job.id, { kind: 'resume' });
      started = true;
      tell();
      wake();
    },
    async close() {
      closed = true;
      clearTimeout(telling);
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
