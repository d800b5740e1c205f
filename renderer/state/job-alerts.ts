import type { Job } from '#api/jobs';
import type { App } from './app.svelte.ts';
import { sentenceOf } from './errors.ts';

/**
 * Tells once of what a person should know and did not ask for: a job that failed or was set aside, a
 * queue that stopped by itself, a studio that was killed, memory that does not hold a whole chunk.
 */
export class JobAlerts {
  readonly #app: App;
  /** Jobs that ended badly and were told of; null before anything was heard. */
  #told: ReadonlySet<number> | null = null;
  #trouble: string | null = null;
  #interrupted: number | null = null;
  #fewer: string | null = null;

  constructor(app: App) {
    this.#app = app;
    app.events.on('jobs', () => this.#follow());
  }

  #follow(): void {
    const { jobs } = this.#app;
    this.#tellOfTrouble();
    this.#tellOfCrash();
    this.#tellOfMemory();
    const before = this.#told;
    const news = jobs.troubled.filter(({ id }) => before !== null && !before.has(id));
    for (const job of news) this.#tellOfEnd(job);
    // One that is tried again may fail again.
    const again = new Set(jobs.waiting.map(({ id }) => id));
    const old = [...(before ?? [])].filter((id) => !again.has(id));
    this.#told = new Set([...old, ...jobs.troubled.map(({ id }) => id)]);
  }

  #tellOfEnd(job: Job): void {
    const { i18n, jobs, act } = this.#app;
    const id = String(job.id);
    const why = sentenceOf(i18n, job.error?.code ?? 'internal');
    const text = i18n.t(job.state === 'parked' ? 'alert.parked' : 'alert.failed', { id, why });
    this.#alert(text, {
      label: i18n.t('queue.retry'),
      run: () => void act(jobs.retry(job.id)),
    });
  }

  #tellOfTrouble(): void {
    const { i18n, jobs, navigation } = this.#app;
    const code = jobs.trouble?.code ?? null;
    if (code === this.#trouble) return;
    this.#trouble = code;
    if (code === null) return;
    const text = i18n.t('alert.stopped', { why: sentenceOf(i18n, code) });
    const room = { label: i18n.t('alert.room'), run: () => navigation.go('settings') };
    this.#alert(text, code === 'disk-full' ? room : undefined);
  }

  #tellOfCrash(): void {
    const { jobs, announcer, toasts } = this.#app;
    const { interrupted } = jobs;
    if (interrupted?.job === this.#interrupted) return;
    this.#interrupted = interrupted?.job ?? null;
    const job = interrupted === null ? null : jobs.byId(interrupted.job);
    if (interrupted === null || job === null) return;
    if (job.state === 'parked') {
      this.#tellOfEnd(job);
      return;
    }
    const text = interruptedWords(this.#app.i18n, interrupted);
    toasts.show({ text, tone: 'warn' });
    announcer.polite(text);
  }

  #tellOfMemory(): void {
    const { i18n, jobs, announcer, toasts } = this.#app;
    const job = jobs.running;
    const fewer = job?.together ? `${job.id}/${job.together}` : null;
    if (fewer === this.#fewer) return;
    this.#fewer = fewer;
    if (!job?.together) return;
    const text = i18n.t('alert.fewer', { asked: job.settings.chunk, count: job.together });
    toasts.show({ text, tone: 'warn' });
    announcer.polite(text);
  }

  #alert(text: string, action?: { readonly label: string; readonly run: () => void }): void {
    this.#app.toasts.show({ text, tone: 'danger', ...(action && { action }) });
    this.#app.announcer.alert(text);
  }
}

/** Where the studio ended without being closed, and that nothing of it is lost. */
export function interruptedWords(
  i18n: App['i18n'],
  { job, halfMade }: NonNullable<App['jobs']['interrupted']>,
): string {
  if (halfMade === null) return i18n.t('alert.interrupted', { id: String(job) });
  const { index, step } = halfMade;
  return i18n.t('alert.interruptedAt', { index: index + 1, step });
}
