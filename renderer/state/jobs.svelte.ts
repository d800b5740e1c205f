import type { CreateJob, Job, QueueState } from '#api/jobs';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

/** A job that still has work to do, or may have. */
const OPEN: readonly Job['state'][] = ['running', 'queued', 'paused'];
const TROUBLED: readonly Job['state'][] = ['failed', 'parked'];

/** The queue as the studio tells it; calls answer through the event stream. */
export class Jobs {
  list = $state.raw<readonly Job[]>([]);
  paused = $state(false);
  /** Why the queue stopped by itself. */
  trouble = $state.raw<QueueState['trouble']>(null);
  /** The job over which the studio ended without being closed. */
  interrupted = $state.raw<QueueState['interrupted']>(null);
  /** Jobs that were asked to stop and have not yet. */
  stopping = $state.raw<ReadonlySet<number>>(new Set());
  readonly running = $derived(this.list.find((job) => job.state === 'running') ?? null);
  readonly waiting = $derived(this.list.filter((job) => OPEN.includes(job.state)));
  readonly newest = $derived(newestOf(this.list));
  /** Jobs that ended with a reason, which a person has not seen to yet. */
  readonly troubled = $derived(this.list.filter(({ state }) => TROUBLED.includes(state)));
  /** All of the list as a person looks for them: the queue in its order, trouble, then the newest. */
  readonly ordered = $derived([
    ...this.waiting,
    ...this.troubled.toReversed(),
    ...this.list
      .filter(({ state }) => !OPEN.includes(state) && !TROUBLED.includes(state))
      .toReversed(),
  ]);
  /** Jobs that are not on the list, by their number: those that were asked for. */
  #others = $state.raw<ReadonlyMap<number, Job>>(new Map());
  readonly #studio: StudioClient;

  constructor(studio: StudioClient, events: Events) {
    this.#studio = studio;
    events.on('jobs', (event) => {
      this.trouble = event.trouble;
      this.interrupted = event.interrupted;
      this.take(event.jobs, event.paused);
    });
  }

  byId(id: number): Job | null {
    return this.list.find((job) => job.id === id) ?? this.#others.get(id) ?? null;
  }

  /** The job that made a picture, as far as it is known here. */
  ofPicture(image: number): Job | null {
    const made = ({ images }: Job) => images.includes(image);
    return this.list.find(made) ?? [...this.#others.values()].find(made) ?? null;
  }

  /** Reads a job that is not on the list; one that is gone stays unknown. */
  async find(id: number): Promise<void> {
    if (this.byId(id) !== null) return;
    const job = await this.#studio.jobs.get({ id }).catch(() => null);
    if (job !== null) this.#others = new Map(this.#others).set(id, job);
  }

  take(jobs: readonly Job[], paused = this.paused): void {
    this.list = jobs;
    this.paused = paused;
    if (this.stopping.size > 0) {
      const open = jobs.filter((job) => this.stopping.has(job.id) && OPEN.includes(job.state));
      this.stopping = new Set(open.map((job) => job.id));
    }
  }

  async create(job: CreateJob): Promise<Job> {
    const created = await this.#studio.jobs.create(job);
    this.#replace(created);
    return created;
  }

  async cancel(id: number): Promise<void> {
    this.stopping = new Set(this.stopping).add(id);
    try {
      this.#replace(await this.#studio.jobs.cancel({ id }));
    } catch (error) {
      this.stopping = new Set([...this.stopping].filter((other) => other !== id));
      throw error;
    }
  }

  async retry(id: number): Promise<void> {
    this.#replace(await this.#studio.jobs.retry({ id }));
  }

  /** Puts a waiting job one place up or down among the waiting ones, or first or last of them. */
  async shift(id: number, by: Shift): Promise<void> {
    const before = placeBefore(this.list, id, by);
    if (before !== undefined) this.take(await this.#studio.jobs.move({ id, before }));
  }

  async move(id: number, before: number | null): Promise<void> {
    this.take(await this.#studio.jobs.move({ id, before }));
  }

  async dismiss(id: number): Promise<void> {
    this.take(await this.#studio.jobs.dismiss({ id }));
  }

  /** Gives up what is half made of a job that was stopped. */
  async discard(id: number): Promise<void> {
    this.#replace(await this.#studio.jobs.discard({ id }));
  }

  /** Takes all ended jobs off the list; gives how many, and the mark that puts them back. */
  async clear(): Promise<{ readonly count: number; readonly mark: number }> {
    const cleared = await this.#studio.jobs.clear();
    this.take(this.waiting);
    return cleared;
  }

  async unclear(mark: number): Promise<void> {
    await this.#studio.jobs.unclear({ mark });
  }

  async setPaused(paused: boolean): Promise<void> {
    this.paused = (await this.#studio.jobs.pause({ paused })).paused;
  }

  #replace(job: Job): void {
    const there = this.list.some((other) => other.id === job.id);
    this.take(
      there ? this.list.map((other) => (other.id === job.id ? job : other)) : [...this.list, job],
    );
  }
}

function newestOf(jobs: readonly Job[]): Job | null {
  return jobs.reduce<Job | null>(
    (best, job) => (best === null || job.id > best.id ? job : best),
    null,
  );
}

/** A way of a waiting job among the others. */
export type Shift = -1 | 1 | 'first' | 'last';

/**
 * The job that `id` must stand before to move so among the queued jobs: null for last, undefined
 * when it cannot move that way.
 */
export function placeBefore(
  jobs: readonly Job[],
  id: number,
  by: Shift,
): number | null | undefined {
  const queued = queuedOf(jobs);
  const at = queued.indexOf(id);
  const to = { first: 0, last: queued.length - 1, '-1': at - 1, '1': at + 1 }[by];
  if (at < 0 || to === at || to < 0 || to >= queued.length) return undefined;
  return to < at ? queued[to] : (queued[to + 1] ?? null);
}

/** The same for one that is dropped on the upper or the lower half of another. */
export function placeDropped(
  jobs: readonly Job[],
  id: number,
  { on, below }: { readonly on: number; readonly below: boolean },
): number | null | undefined {
  const queued = queuedOf(jobs);
  const at = queued.indexOf(on);
  if (at < 0 || on === id || !queued.includes(id)) return undefined;
  const before = below ? (queued[at + 1] ?? null) : on;
  const stays = before === id || before === (queued[queued.indexOf(id) + 1] ?? null);
  return stays ? undefined : before;
}

function queuedOf(jobs: readonly Job[]): readonly number[] {
  return jobs.filter((job) => job.state === 'queued').map((job) => job.id);
}

/** How much of a job is done, 0 to 1, counting the picture that is being made by its own part. */
export function jobFraction(job: Job, pictureFraction: number): number {
  return Math.min(
    1,
    (madeCount(job) + (job.state === 'running' ? pictureFraction : 0)) / job.total,
  );
}

/** Pictures of a job that were made, also those that were deleted since. */
export function madeCount({ images, deleted }: Pick<Job, 'images' | 'deleted'>): number {
  return images.length + deleted.length;
}

/** The kept picture at an index of a job; null while it is not made, or when it is deleted for good. */
export function pictureAt(job: Pick<Job, 'images' | 'indexes'>, index: number): number | null {
  return job.images[job.indexes.indexOf(index)] ?? null;
}

/** The first index of a job that is not made; its total when all are. */
export function nextIndex(job: Pick<Job, 'total' | 'indexes' | 'deleted'>): number {
  const made = new Set([...job.indexes, ...job.deleted]);
  for (let index = 0; index < job.total; index++) if (!made.has(index)) return index;
  return job.total;
}
