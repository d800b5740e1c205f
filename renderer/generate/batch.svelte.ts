import type { ImageRow, MadeImage } from '#api/images';
import { thumbAddress } from '../state/addresses.ts';
import type { App } from '../state/app.svelte.ts';
import { changedIds } from '../state/events.svelte.ts';
import { warmPicture } from './warm.ts';

const MOST = 2000;
/** Some kilobytes each. */
const MOST_INLINE = 500;
/** Of so few pictures, just made, the thumbnails are loaded before they take their places. */
const FEW = 16;

/** Rows of the pictures in the batch strip: their thumbnails' addresses need the version. */
export class Batch {
  #rows = $state.raw<ReadonlyMap<number, ImageRow>>(new Map());
  readonly #app: App;
  readonly #warm: typeof warmPicture;
  readonly #asked = new Set<number>();
  /** Thumbnails that came with their rows, the newest last; by address, which names the version. */
  readonly #inline = new Map<string, string>();

  constructor(app: App, warm = warmPicture) {
    this.#app = app;
    this.#warm = warm;
    app.events.on('images', (event) => this.#renew(changedIds(event)));
    app.events.onMade((made) => this.#learn(made));
  }

  row(id: number): ImageRow | null {
    return this.#rows.get(id) ?? null;
  }

  thumb(id: number | undefined): string | null {
    const row = id === undefined ? null : this.row(id);
    return row === null || row.file !== 'present' ? null : this.#source(row);
  }

  /** Reads the rows that are not known yet. */
  async ensure(ids: readonly number[]): Promise<void> {
    const missing = ids.filter((id) => !this.#asked.has(id)).slice(0, MOST);
    if (missing.length === 0) return;
    for (const id of missing) this.#asked.add(id);
    await this.#read(missing);
  }

  async #read(ids: readonly number[]): Promise<void> {
    const rows = await this.#app.act(this.#app.studio.images.rows({ ids: [...ids] }));
    if (rows === undefined) {
      for (const id of ids) this.#asked.delete(id);
      return;
    }
    await this.#show(rows);
  }

  /** What a job has just made. */
  async #learn(made: readonly MadeImage[]): Promise<void> {
    for (const row of made) {
      this.#asked.add(row.id);
      if (row.thumb !== null) this.#inline.set(this.#addressOf(row), row.thumb);
    }
    for (const oldest of this.#inline.keys()) {
      if (this.#inline.size <= MOST_INLINE) break;
      this.#inline.delete(oldest);
    }
    await this.#show(made);
  }

  #addressOf(row: ImageRow): string {
    return thumbAddress(row, this.#app.settings.value.thumbnailEdge);
  }

  #source(row: ImageRow): string {
    const address = this.#addressOf(row);
    return this.#inline.get(address) ?? address;
  }

  async #show(rows: readonly ImageRow[]): Promise<void> {
    const shown = rows.length > FEW ? [] : rows.filter(({ file }) => file === 'present');
    await Promise.all(shown.map((row) => this.#warm(this.#source(row))));
    this.#rows = new Map([...this.#rows, ...rows.map((row) => [row.id, row] as const)]);
  }

  #renew(ids: readonly number[] | null): void {
    const known = [...this.#rows.keys()];
    const stale = ids === null ? known : known.filter((id) => ids.includes(id));
    if (stale.length > 0) void this.#read(stale.slice(0, MOST));
  }
}
