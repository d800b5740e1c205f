/** Fetches and decodes a picture; the page passes one that works off the main thread. */
export type LoadPicture = (address: string, signal: AbortSignal) => Promise<ImageBitmap>;

/** Step pictures that are kept: twenty steps of ten pictures at 128 pixels are about 13 MB. */
const KEPT = 200;

/**
 * Pictures of decode steps. One is fetched at a time; of those asked for meanwhile only the latest
 * is fetched next, and the others are counted as dropped. Steps of a finished picture can be asked
 * for together: they wait until nothing newer is wanted.
 */
export class Previews {
  /** Grows with each picture that arrived: reading it makes a drawing follow. */
  arrived = $state(0);
  dropped = $state(0);
  readonly #load: LoadPicture;
  readonly #kept = new Map<string, ImageBitmap>();
  readonly #failed = new Set<string>();
  #busy = false;
  #latest: string | null = null;
  #backlog: string[] = [];

  constructor(load: LoadPicture) {
    this.#load = load;
  }

  get(address: string | null): ImageBitmap | null {
    return (address !== null && this.#kept.get(address)) || null;
  }

  /** Asks for a picture now. */
  want(address: string): void {
    if (this.#kept.has(address) || this.#failed.has(address) || this.#latest === address) return;
    if (this.#latest !== null) this.dropped += 1;
    this.#latest = address;
    void this.#work();
  }

  /** Asks for pictures whenever there is time. */
  wantAll(addresses: readonly string[]): void {
    const fresh = addresses.filter((address) => !this.#kept.has(address));
    this.#backlog = [...new Set([...fresh, ...this.#backlog])].slice(0, KEPT);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#next(); next !== null; next = this.#next()) await this.#fetch(next);
    this.#busy = false;
  }

  #next(): string | null {
    const next = this.#latest ?? this.#backlog.shift() ?? null;
    this.#latest = null;
    return next;
  }

  async #fetch(address: string): Promise<void> {
    if (this.#kept.has(address) || this.#failed.has(address)) return;
    try {
      this.#keep(address, await this.#load(address, AbortSignal.timeout(10_000)));
    } catch {
      // A preview that is gone stays gone: the next step brings its own.
      this.#failed.add(address);
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
