import type { Progress } from '#api/types';
import type { App } from '../state/app.svelte.ts';
import { jobFraction } from '../state/jobs.svelte.ts';
import { pictureFraction } from '../state/live.svelte.ts';

const QUARTERS = [25, 50, 75];

/** Tells a screen reader of a job's start, quarters and end. Nothing is said per step. */
export class Announcements {
  readonly #app: App;
  #job: number | null = null;
  #said = 0;

  readonly #ended: (count: number | null) => void;

  /** `ended` hears of each job that is done, and null when another one starts. */
  constructor(app: App, ended: (count: number | null) => void) {
    this.#app = app;
    this.#ended = ended;
  }

  /** The queue changed. */
  follow(): void {
    const { jobs, announcer, i18n } = this.#app;
    const running = jobs.running;
    if (running?.id === this.#job) return;
    const ended = this.#job === null ? null : jobs.byId(this.#job);
    this.#job = running?.id ?? null;
    this.#said = 0;
    if (running !== null) this.#ended(null);
    if (ended?.state === 'done') {
      this.#ended(ended.total);
      announcer.polite(i18n.t('announce.done', { count: ended.total }));
    } else if (ended?.state === 'cancelled') announcer.polite(i18n.t('announce.stopped'));
    if (running !== null && ended === null) {
      announcer.polite(i18n.t('announce.start', { count: running.total }));
    }
  }

  /** A step was made. */
  progress(progress: Progress): void {
    const { jobs, live, announcer, i18n } = this.#app;
    const job = jobs.running;
    if (job === null || job.id !== progress.job) return;
    const percent = 100 * jobFraction(job, pictureFraction(live.latest));
    const quarter = QUARTERS.findLast((part) => percent >= part) ?? 0;
    if (quarter <= this.#said) return;
    this.#said = quarter;
    announcer.polite(i18n.t('announce.part', { percent: quarter }));
  }
}
