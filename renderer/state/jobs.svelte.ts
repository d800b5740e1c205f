import type { CreateJob, Job } from '#api/types';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

/** A job that still has work to do, or may have. */
const OPEN: readonly Job['state'][] = ['running', 'queued', 'paused'];

/** The queue as the studio tells it; calls answer through the event stream. */
export class Jobs {
  list = $state.raw<readonly Job[]>([]);
  paused = $state(false);
  /** Jobs that were asked to stop and have not yet. */
  stopping = $state.raw<ReadonlySet<number>>(new Set());
  readonly running = $derived(this.list.find((job) => job.state === 'running') ?? null);
  readonly waiting = $derived(this.list.filter((job) => OPEN.includes(job.state)));
  readonly newest = $derived(newestOf(this.list));
  readonly #studio: StudioClient;

  constructor(studio: StudioClient, events: Events) {
    this.#studio = studio;
    events.on('jobs', (event) => this.take(event.jobs, event.paused));
  }

  byId(id: number): Job | null {
    return this.list.find((job) => job.id === id) ?? null;
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

  /** Puts a waiting job one place up or down among the waiting ones. */
  async shift(id: number, by: -1 | 1): Promise<void> {
    const before = placeBefore(this.list, id, by);
    if (before !== undefined) this.take(await this.#studio.jobs.move({ id, before }));
  }

  async move(id: number, before: number | null): Promise<void> {
    this.take(await this.#studio.jobs.move({ id, before }));
  }

  async dismiss(id: number): Promise<void> {
    this.take(await this.#studio.jobs.dismiss({ id }));
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

/**
 * The job that `id` must stand before to move by one among the queued jobs: null for last,
 * undefined when it cannot move that way.
 */
export function placeBefore(
  jobs: readonly Job[],
  id: number,
  by: -1 | 1,
): number | null | undefined {
  const queued = jobs.filter((job) => job.state === 'queued').map((job) => job.id);
  const at = queued.indexOf(id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= queued.length) return undefined;
  return by < 0 ? queued[to] : (queued[to + 1] ?? null);
}

/** How much of a job is done, 0 to 1, counting the picture that is being made by its own part. */
export function jobFraction(job: Job, pictureFraction: number): number {
  return Math.min(
    1,
    (job.images.length + (job.state === 'running' ? pictureFraction : 0)) / job.total,
  );
}
