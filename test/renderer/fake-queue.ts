import type { ImageDetail } from '../../main/api/images.ts';
import type { Job, Progress } from '../../main/api/jobs.ts';
import type { StudioEvent } from '../../main/api/studio.ts';
import { fakeSteps, MASK } from './fake-decode.ts';

/** What the queue needs of the stand-in around it. */
export interface Surroundings {
  readonly emit: (event: StudioEvent) => void;
  /** Keeps a finished picture. */
  readonly save: (job: Job, index: number) => ImageDetail;
  /** Milliseconds of a decode step. */
  readonly stepMs: number;
}

/** A queue that runs jobs one after another, as the studio's does, without an engine. */
export class FakeQueue {
  jobs: Job[] = [];
  paused = false;
  readonly #around: Surroundings;
  #running = false;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  change(id: number, change: Partial<Job>): Job {
    this.jobs = this.jobs.map((job) => (job.id === id ? { ...job, ...change } : job));
    this.tell();
    const job = this.jobs.find((each) => each.id === id);
    if (job === undefined) throw new Error('No such job.');
    return job;
  }

  tell(): void {
    this.#around.emit({
      kind: 'jobs',
      jobs: this.jobs,
      paused: this.paused,
      trouble: null,
      interrupted: null,
    });
  }

  async work(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (;;) {
      const next = this.jobs.find((job) => job.state === 'queued');
      if (next === undefined || this.paused) break;
      await this.#run(next.id);
    }
    this.#running = false;
  }

  async #run(id: number): Promise<void> {
    let job = this.change(id, { state: 'running' });
    while (job.state === 'running' && job.images.length < job.total && !this.paused) {
      const first = job.images.length;
      const chunk = Math.min(job.settings.chunk, job.total - first);
      if (!(await this.#decode(job, first, chunk))) break;
      for (let index = first; index < first + chunk; index++) {
        const image = this.#around.save(job, index);
        const made = [{ ...image, thumb: null }];
        this.#around.emit({ kind: 'images', ids: [image.id], made });
        const { images, indexes } = this.#get(id);
        job = this.change(id, {
          ...{ images: [...images, image.id], indexes: [...indexes, index], halfMade: null },
        });
      }
    }
    const end = this.#get(id);
    if (end.state !== 'running') return;
    const finished = end.images.length === end.total;
    this.change(id, { state: finished ? 'done' : 'queued', timeLeft: null });
  }

  /** Decodes a chunk; answers false when the job was stopped. */
  async #decode(job: Job, first: number, chunk: number): Promise<boolean> {
    const { seed, steps, rdmSteps } = job.settings;
    const { stepMs } = this.#around;
    this.#progress(job, first, { stage: 'representation', done: rdmSteps, total: rdmSteps });
    const all = Array.from({ length: chunk }, (_, at) => fakeSteps(seed + first + at, steps));
    for (let step = 1; step <= steps; step++) {
      await new Promise((resolve) => setTimeout(resolve, stepMs));
      if (this.#get(job.id).state !== 'running') return false;
      all.forEach((decoded, at) => {
        const now = decoded[step - 1];
        if (now === undefined) return;
        this.#progress(job, first + at, {
          ...{ stage: 'tokens', done: step, total: steps, mask: MASK },
          ...{ tokens: now.tokens, entropy: now.entropy, second: now.second },
          preview: `/previews/${job.id}/${first + at}?step=${step}`,
        });
      });
      const left = (job.total - first - chunk) * steps + chunk * (steps - step);
      this.change(job.id, { timeLeft: left * stepMs, halfMade: { index: first, step } });
    }
    return true;
  }

  #progress(job: Job, index: number, at: Omit<Progress, 'job' | 'index' | 'seed'>): void {
    const progress = { job: job.id, index, seed: job.settings.seed + index, ...at };
    this.#around.emit({ kind: 'progress', progress });
  }

  #get(id: number): Job {
    const job = this.jobs.find((each) => each.id === id);
    if (job === undefined) throw new Error('No such job.');
    return job;
  }
}
