import type { StudioClient } from './studio.ts';

/** Where fields, widths and places outlive the window; a test passes its own. */
export interface Kept {
  get(name: string): string | null;
  set(name: string, text: string): void;
  /** The first seed that the library has not used. */
  readonly nextSeed: number;
}

/** Changes come in bursts: what is kept is never older than this. */
const SOON_MS = 400;
/** A studio that takes longer, as while its library is moved, must not keep the window shut. */
const PATIENCE_MS = 3000;

/**
 * What this window was at, kept by the studio: the page's own store belongs to an address that is
 * another one at each start, and is written when it likes. Everybody who keeps something checks it
 * when it comes back.
 */
export class Session implements Kept {
  readonly nextSeed: number;
  readonly #studio: StudioClient;
  readonly #entries: Map<string, string>;
  #unsaved: Record<string, string> = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing = false;

  private constructor(studio: StudioClient, entries: Map<string, string>, nextSeed: number) {
    this.#studio = studio;
    this.#entries = entries;
    this.nextSeed = nextSeed;
  }

  /** Reads the session. One that cannot be had is an empty one: it is a convenience. */
  static async open(studio: StudioClient, patience = PATIENCE_MS): Promise<Session> {
    try {
      const signal = AbortSignal.timeout(patience);
      const late = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('The studio is busy.')));
      });
      const kept = await Promise.race([studio.session.get(undefined, { signal }), late]);
      return new Session(studio, new Map(Object.entries(kept.entries)), kept.nextSeed);
    } catch {
      return new Session(studio, new Map(), 1);
    }
  }

  get(name: string): string | null {
    return this.#entries.get(name) ?? null;
  }

  set(name: string, text: string): void {
    if (this.#entries.get(name) === text) return;
    this.#entries.set(name, text);
    this.#unsaved[name] = text;
    this.#timer ??= setTimeout(() => void this.flush(), SOON_MS);
  }

  /** Writes what is not written yet. What fails waits for the next change, or the next call. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const change = this.#unsaved;
    if (this.#writing || Object.keys(change).length === 0) return;
    this.#unsaved = {};
    this.#writing = true;
    try {
      await this.#studio.session.put(change);
    } catch {
      this.#unsaved = { ...change, ...this.#unsaved };
      this.#writing = false;
      return;
    }
    this.#writing = false;
    // What changed during the write was not written with it.
    if (Object.keys(this.#unsaved).length > 0) await this.flush();
  }
}
