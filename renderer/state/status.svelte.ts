import type { StudioStatus } from '#api/studio';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

/** The studio's own state: read at each connection, and told whenever it changes. */
export class Status {
  value = $state.raw<StudioStatus | null>(null);
  readonly #studio: StudioClient;

  constructor(studio: StudioClient, events: Events) {
    this.#studio = studio;
    events.onConnected(() => void this.refresh());
    events.on('status', ({ status }) => (this.value = status));
    events.on('meters', ({ memory, diskFree }) => {
      this.value &&= { ...this.value, memory, diskFree };
    });
  }

  async refresh(): Promise<void> {
    try {
      this.value = await this.#studio.studio.status();
    } catch {
      // The event stream notices a lost connection and says so; the last values stay meanwhile.
    }
  }
}
