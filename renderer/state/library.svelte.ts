import type { LibrarySummary } from '#api/gallery';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

const SOON_MS = 250;
/** While a job runs, counts are read no more often than this. */
const GAP_MS = 2000;

/** Counts, boards, tags and searches of the library, read again after changes. */
export class Library {
  summary = $state.raw<LibrarySummary | null>(null);
  readonly #studio: StudioClient;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = -Infinity;
  #busy = false;

  constructor(studio: StudioClient, events: Events) {
    this.#studio = studio;
    events.onConnected(() => void this.refresh());
    events.on('images', () => this.#soon());
    events.on('jobs', ({ jobs }) => (this.#busy = jobs.some(({ state }) => state === 'running')));
  }

  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = performance.now();
    try {
      this.summary = await this.#studio.images.summary();
    } catch {
      // As in Status: the last counts stay until the studio answers again.
    }
  }

  /** Changes come in bursts, and a job tells of its pictures one after another: not all are read. */
  #soon(): void {
    const gap = this.#busy ? this.#last + GAP_MS - performance.now() : 0;
    const wait = Math.max(SOON_MS, gap);
    this.#timer ??= setTimeout(() => void this.refresh(), wait);
  }
}
