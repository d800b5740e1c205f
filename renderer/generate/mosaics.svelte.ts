import type { ModelInfo } from '#api/models';
import type { App } from '../state/app.svelte.ts';

/** Fetches a table of patches; the page passes one that asks our own origin. */
export type LoadTable = (address: string, signal: AbortSignal) => Promise<Uint8Array>;

/**
 * What the codes of each model look like, u8 [K,4,4,3]: fetched once for a model, as soon as the
 * studio has it. Without a table tokens are shown as plain cells.
 */
export class Mosaics {
  #tables = $state.raw<ReadonlyMap<string, Uint8Array>>(new Map());
  /** Asked for since the models changed: the studio says so when it has made a table. */
  readonly #asked = new Set<string>();
  readonly #app: App;
  readonly #load: LoadTable;

  constructor(app: App, load: LoadTable) {
    this.#app = app;
    this.#load = load;
    app.events.on('models', () => this.#asked.clear());
    app.events.onConnected(() => this.#asked.clear());
  }

  /** The table of the installed model of this id, or null. */
  get(id: string): Uint8Array | null {
    const model = this.#app.models.byId(id);
    return (model && this.#tables.get(model.hash)) ?? null;
  }

  /** Asks for a model's table, unless it is here. */
  async want({ id, hash }: Pick<ModelInfo, 'id' | 'hash'>): Promise<void> {
    if (this.#tables.has(hash) || this.#asked.has(hash)) return;
    this.#asked.add(hash);
    try {
      const { address } = await this.#app.studio.models.mosaic({ id });
      if (address === null) return;
      const table = await this.#load(address, AbortSignal.timeout(10_000));
      this.#tables = new Map(this.#tables).set(hash, table);
    } catch {
      // Nobody asked to see it: the next change of the models, or the next connection, asks again.
    }
  }
}

/** Fetches bytes of our own origin. */
export const loadTable: LoadTable = async (address, signal) => {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`No table: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};
