import type { LibrarySummary } from '#api/gallery';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

const SOON_MS = 250;

/** Counts, boards, tags and searches of the library, read again after changes. */
export class Library {
  summary = $state.raw<LibrarySummary | null>(null);
  readonly #studio: StudioClient;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Pictures were counted here, so that the studio need not count all of them for each. */
  #counted = false;

  constructor(studio: StudioClient, events: Events) {
    this.#studio = studio;
    events.onConnected(() => void this.refresh());
    events.on('images', ({ made }) => {
      if (made === undefined) this.#soon();
      else this.#count(made.length);
    });
    events.on('jobs', ({ jobs }) => {
      if (this.#counted && !jobs.some(({ state }) => state === 'running')) this.#soon();
    });
  }

  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#counted = false;
    try {
      this.summary = await this.#studio.images.summary();
    } catch {
      // As in Status: the last counts stay until the studio answers again.
    }
  }

  /** Changes come in bursts: one reading is enough. */
  #soon(): void {
    this.#timer ??= setTimeout(() => void this.refresh(), SOON_MS);
  }

  /** New pictures: what else is known of them is read when the jobs are done. */
  #count(made: number): void {
    this.#counted = true;
    if (this.summary === null) return;
    const { total, unrated } = this.summary;
    this.summary = { ...this.summary, total: total + made, unrated: unrated + made };
  }
}
