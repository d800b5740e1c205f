import type { LibrarySummary } from '#api/gallery';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

const QUIET_MS = 250;

/** Counts, boards, tags and searches of the library, read again after changes. */
export class Library {
  summary = $state.raw<LibrarySummary | null>(null);
  readonly #studio: StudioClient;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(studio: StudioClient, events: Events) {
    this.#studio = studio;
    events.onConnected(() => void this.refresh());
    events.on('images', () => this.#soon());
  }

  async refresh(): Promise<void> {
    try {
      this.summary = await this.#studio.images.summary();
    } catch {
      // As in Status: the last counts stay until the studio answers again.
    }
  }

  /** A batch tells of every picture; one reading after the burst is enough. */
  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), QUIET_MS);
  }
}
