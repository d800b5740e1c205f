import type { Job, Progress } from '#api/jobs';
import type { App } from '../state/app.svelte.ts';
import { jobFraction, madeCount } from '../state/jobs.svelte.ts';
import { pictureFraction } from '../state/live.svelte.ts';

const QUARTERS = [25, 50, 75];

/** A job that is done. */
export interface Ended {
  readonly count: number;
  /** How long it took, in words; null where its beginning was not seen. */
  readonly time: string | null;
}

/** Tells a screen reader of a job's start, quarters and end. Nothing is said per step. */
export class Announcements {
  readonly #app: App;
  #job: number | null = null;
  #said = 0;
  #heard = false;
  /** Since when the job runs. */
  #since = 0;
  /** Milliseconds that jobs have run until now, each seen from its first step on. */
  readonly #spent = new Map<number, number>();
  readonly #ended: (ended: Ended | null) => void;

  /** `ended` hears of each job that is done, and null when another one starts. */
  constructor(app: App, ended: (ended: Ended | null) => void) {
    this.#app = app;
    this.#ended = ended;
  }

  /** The queue changed. */
  follow(): void {
    const { jobs, announcer, i18n } = this.#app;
    const running = jobs.running;
    // What runs already when this window opens began before it.
    const opening = !this.#heard;
    this.#heard = true;
    if (running?.id === this.#job) return;
    if (this.#job !== null) this.#leave(this.#job);
    if (running !== null && !opening) this.#enter(running);
    const ended = this.#job === null ? null : jobs.byId(this.#job);
    this.#job = running?.id ?? null;
    this.#said = 0;
    if (running !== null) this.#ended(null);
    if (ended?.state === 'done') {
      this.#tellOfEnd(ended);
    } else if (ended?.state === 'cancelled') announcer.polite(i18n.t('announce.stopped'));
    if (running !== null && ended === null) {
      announcer.polite(i18n.t('announce.start', { count: running.total }));
    }
  }

  #enter(job: Job): void {
    this.#since = performance.now();
    if (madeCount(job) === 0 && job.halfMade === null) this.#spent.set(job.id, 0);
  }

  /** It may go on: what was paused has not run meanwhile. */
  #leave(job: number): void {
    const spent = this.#spent.get(job);
    if (spent !== undefined) this.#spent.set(job, spent + performance.now() - this.#since);
  }

  #tellOfEnd({ id, total: count }: Job): void {
    const { announcer, i18n } = this.#app;
    const spent = this.#spent.get(id);
    this.#spent.delete(id);
    const time = spent === undefined ? null : timeWords(i18n, spent);
    this.#ended({ count, time });
    announcer.polite(
      time === null
        ? i18n.t('announce.done', { count })
        : i18n.t('announce.doneIn', { count, time }),
    );
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

/** A time in whole words, as it is read out: "2 minutes 5 seconds". */
function timeWords({ t }: App['i18n'], ms: number): string {
  const all = Math.max(1, Math.round(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const words = [
    hours > 0 ? t('announce.hours', { count: hours }) : '',
    minutes > 0 ? t('announce.minutes', { count: minutes }) : '',
    hours === 0 && seconds > 0 ? t('announce.seconds', { count: seconds }) : '',
  ];
  return words.filter((word) => word !== '').join(' ');
}
