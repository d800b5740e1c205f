import type { DoctorCheck } from '#api/studio';
import type { App } from '../state/app.svelte.ts';
import { doctorLine, doctorReport } from './doctor.ts';

interface Examination {
  readonly checks: readonly DoctorCheck[];
  readonly at: number;
  /** Milliseconds. */
  readonly took: number;
}

/** The doctor: runs when it is asked, and by itself once when nothing else does. */
export class DoctorState {
  running = $state(false);
  result = $state.raw<Examination | null>(null);
  readonly #app: App;

  readonly lines = $derived.by(() =>
    (this.result?.checks ?? []).map((check) => doctorLine(this.#app.i18n, check)),
  );
  readonly problems = $derived.by(() => this.lines.filter((line) => line.state === 'fail'));
  readonly warnings = $derived.by(() => this.lines.filter((line) => line.state === 'warn'));
  /** Everything that is no problem: what needs a look first. */
  readonly rest = $derived.by(() => [
    ...this.warnings,
    ...this.lines.filter((line) => line.state === 'ok'),
    ...this.lines.filter((line) => line.state === 'note'),
  ]);

  constructor(app: App) {
    this.#app = app;
  }

  /** The first look. The device comes first: while a job runs it waits to be asked. */
  begin(): void {
    if (this.result === null && this.#app.jobs.running === null) void this.run();
  }

  async run(): Promise<void> {
    const { act, studio, announcer, i18n } = this.#app;
    if (this.running) return;
    this.running = true;
    const begun = Date.now();
    const checks = await act(studio.studio.doctor());
    this.running = false;
    if (checks === undefined) return;
    this.result = { checks, at: Date.now(), took: Date.now() - begun };
    announcer.polite(
      i18n.t('doctor.summary', {
        problems: i18n.t('doctor.problems', { count: this.problems.length }),
        warnings: i18n.t('doctor.warnings', { count: this.warnings.length }),
      }),
    );
  }

  /** The report, without names of people or folders. */
  report(): string {
    const version = this.#app.status.value?.version ?? '';
    const at = new Date(this.result?.at ?? Date.now());
    return doctorReport(this.result?.checks ?? [], { version, at });
  }
}
