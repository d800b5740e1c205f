import type { StudioStatus } from '#api/studio';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';

const EVERY_MS = 1000;

/** What is known of whether the window can be seen. */
type Sight = Pick<Document, 'hidden' | 'addEventListener'>;

/** The studio's own state, read once a second while the window can be seen. */
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

  run(page: Sight, signal: AbortSignal): void {
    let timer: ReturnType<typeof setInterval> | undefined;
    const follow = () => {
      clearInterval(timer);
      timer = undefined;
      if (!page.hidden) timer = setInterval(() => void this.refresh(), EVERY_MS);
    };
    follow();
    const seen = () => {
      follow();
      // What was read before it was hidden is old.
      if (!page.hidden) void this.refresh();
    };
    page.addEventListener('visibilitychange', seen, { signal });
    signal.addEventListener('abort', () => clearInterval(timer));
  }
}
