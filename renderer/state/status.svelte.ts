import type { StudioStatus } from '#api/types';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

const EVERY_MS = 2000;

/** The studio's own state, read every two seconds while the window can be seen. */
export class Status {
  value = $state.raw<StudioStatus | null>(null);
  readonly #studio: StudioClient;

  constructor(studio: StudioClient, events: Events) {
    this.#studio = studio;
    events.onConnected(() => void this.refresh());
  }

  async refresh(): Promise<void> {
    try {
      this.value = await this.#studio.studio.status();
    } catch {
      // The event stream notices a lost connection and says so; the last values stay meanwhile.
    }
  }

  run(document: Document, signal: AbortSignal): void {
    const timer = setInterval(() => {
      if (!document.hidden) void this.refresh();
    }, EVERY_MS);
    signal.addEventListener('abort', () => clearInterval(timer));
  }
}
