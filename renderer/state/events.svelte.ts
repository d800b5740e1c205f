import type { MadeImage } from '#api/images';
import type { StudioEvent } from '#api/studio';
import type { StudioClient } from './studio.ts';

type Handlers = {
  [Kind in StudioEvent['kind']]: Set<(event: Extract<StudioEvent, { kind: Kind }>) => void>;
};

/** Waits between attempts to connect, in milliseconds; the last one repeats. */
const WAITS = [250, 1000, 2000, 5000];

/** Pictures that changed but for those that were just made, which come whole; null for any. */
export function changedIds({
  ids,
  made = [],
}: Extract<StudioEvent, { kind: 'images' }>): readonly number[] | null {
  const told = new Set(made.map(({ id }) => id));
  return ids?.filter((id) => !told.has(id)) ?? null;
}

/** How long an event waits for those who are still showing the one before it, in milliseconds. */
const SHOWING = 300;

/** The studio's event stream: one for the window, connecting again for as long as it is open. */
export class Events {
  connection = $state<'connecting' | 'open' | 'lost'>('connecting');
  readonly #studio: StudioClient;
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #connected = new Set<() => void>();
  readonly #handlers: Handlers = {
    jobs: new Set(),
    progress: new Set(),
    images: new Set(),
    status: new Set(),
    meters: new Set(),
    models: new Set(),
    settings: new Set(),
    import: new Set(),
    move: new Set(),
    transfer: new Set(),
  };
  readonly #showing = new Set<(made: readonly MadeImage[]) => Promise<void>>();

  constructor(studio: StudioClient, sleep = waitFor) {
    this.#studio = studio;
    this.#sleep = sleep;
  }

  /** Calls the handler for each event of a kind, until the returned function is called. */
  on<Kind extends StudioEvent['kind']>(
    kind: Kind,
    handler: (event: Extract<StudioEvent, { kind: Kind }>) => void,
  ): () => void {
    this.#handlers[kind].add(handler);
    return () => this.#handlers[kind].delete(handler);
  }

  /**
   * Calls the handler with pictures that a job has just made, before all others hear of them: they
   * do when it has loaded them, so that a window draws once. Each of its frames takes from the run.
   */
  onMade(handler: (made: readonly MadeImage[]) => Promise<void>): () => void {
    this.#showing.add(handler);
    return () => this.#showing.delete(handler);
  }

  /** Calls the handler after each connection: whatever was missed can be read again there. */
  onConnected(handler: () => void): () => void {
    this.#connected.add(handler);
    return () => this.#connected.delete(handler);
  }

  /** Listens until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const stream = await this.#studio.studio.events(undefined, { signal });
        this.connection = 'open';
        for (const handler of this.#connected) handler();
        for await (const event of stream) {
          failures = 0;
          await this.#deliver(event);
        }
      } catch {
        // Whatever ended it, the answer is the same: say so, and try again.
      }
      if (signal.aborted) return;
      this.connection = 'lost';
      await this.#sleep(WAITS[Math.min(failures, WAITS.length - 1)] ?? 0, signal);
      failures += 1;
    }
  }

  async #deliver(event: StudioEvent): Promise<void> {
    if (event.kind === 'images' && event.made !== undefined) {
      const { made } = event;
      const shown = Promise.all([...this.#showing].map((handler) => handler(made)));
      // A picture that does not load holds up nothing for long.
      await Promise.race([shown, new Promise((resolve) => setTimeout(resolve, SHOWING))]);
    }
    const handlers = this.#handlers[event.kind] as Set<(event: StudioEvent) => void>;
    for (const handler of handlers) handler(event);
  }
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
