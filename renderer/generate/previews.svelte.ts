/** Fetches and decodes a picture; the page passes one that works off the main thread. */
export type LoadPicture = (address: string, signal: AbortSignal) => Promise<ImageBitmap>;

/** Step pictures that are kept: twenty steps of ten pictures at 128 pixels are about 13 MB. */
const KEPT = 200;

/** After this a picture of a step that is just being made is of no use. */
const SOON_MS = 10_000;
/** A step of a finished picture may wait for the device, which does what was asked for before. */
const PATIENT_MS = 10 * 60_000;

/**
 * Pictures of decode steps. One is fetched at a time; of those asked for meanwhile only the latest
 * is fetched next, and the others are counted as dropped. Steps of a finished picture can be asked
 * for together: they come one after the other beside that, however long it takes.
 */
export class Previews {
  /** Grows with each picture that arrived: reading it makes a drawing follow. */
  arrived = $state(0);
  dropped = $state(0);
  readonly #load: LoadPicture;
  readonly #kept = new Map<string, ImageBitmap>();
  readonly #failed = new Set<string>();
  readonly #coming = new Set<string>();
  #latest: string | null = null;
  #backlog: string[] = [];
  #soon = false;
  #patient = false;

  constructor(load: LoadPicture) {
    this.#load = load;
  }

  get(address: string | null): ImageBitmap | null {
    return (address !== null && this.#kept.get(address)) || null;
  }

  /** Asks for a picture now. */
  want(address: string): void {
    if (this.#isSettled(address) || this.#latest === address) return;
    if (this.#latest !== null) this.dropped += 1;
    this.#latest = address;
    void this.#fetchLatest();
  }

  /** Asks for pictures in this order, before those that wait already. */
  wantAll(addresses: readonly string[]): void {
    const fresh = addresses.filter((address) => !this.#kept.has(address));
    this.#backlog = [...new Set([...fresh, ...this.#backlog])].slice(0, KEPT);
    void this.#fetchBacklog();
  }

  #isSettled(address: string): boolean {
    return this.#kept.has(address) || this.#failed.has(address) || this.#coming.has(address);
  }

  async #fetchLatest(): Promise<void> {
    if (this.#soon) return;
    this.#soon = true;
    while (this.#latest !== null) {
      const next = this.#latest;
      this.#latest = null;
      await this.#fetch(next, SOON_MS);
    }
    this.#soon = false;
  }

  async #fetchBacklog(): Promise<void> {
    if (this.#patient) return;
    this.#patient = true;
    for (let next = this.#backlog.shift(); next !== undefined; next = this.#backlog.shift()) {
      await this.#fetch(next, PATIENT_MS);
    }
    this.#patient = false;
  }

  async #fetch(address: string, timeout: number): Promise<void> {
    if (this.#isSettled(address)) return;
    this.#coming.add(address);
    try {
      this.#keep(address, await this.#load(address, AbortSignal.timeout(timeout)));
    } catch (error) {
      // One that is gone stays gone; one that took too long may be asked for again.
      const late = error instanceof DOMException && error.name === 'TimeoutError';
      if (!late) this.#failed.add(address);
    } finally {
      this.#coming.delete(address);
    }
  }

  #keep(address: string, picture: ImageBitmap): void {
    this.#kept.set(address, picture);
    for (const [oldest, bitmap] of this.#kept) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldest);
      bitmap.close();
    }
    this.arrived += 1;
  }
}

/** Fetches a picture of our own origin and decodes it off the main thread. */
export const loadPicture: LoadPicture = async (address, signal) => {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`No preview: ${response.status}`);
  return createImageBitmap(await response.blob());
};
