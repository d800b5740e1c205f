import type { ImageDetail } from '#api/images';
import { fullAddress } from '../state/addresses.ts';
import type { App } from '../state/app.svelte.ts';
import type { WarmPicture } from './warm.ts';

/** Pictures whose details are kept as they came: some kilobytes each. */
const MOST_TOLD = 500;

/** What is known of kept pictures, so that all of a picture appears on the stage together. */
export class PictureDetails {
  /** Null for a picture that could not be read. */
  #known = $state.raw<ReadonlyMap<number, ImageDetail | null>>(new Map());
  /** Details that came with the news of a picture, the newest last, until it is shown. */
  readonly #told = new Map<number, ImageDetail>();
  readonly #app: App;
  readonly #warm: WarmPicture;

  constructor(app: App, warm: WarmPicture) {
    this.#app = app;
    this.#warm = warm;
  }

  /** Whether it is known what there is to know, if only that it cannot be read. */
  has(id: number): boolean {
    return this.#known.has(id);
  }

  get(id: number): ImageDetail | null {
    return this.#known.get(id) ?? null;
  }

  /**
   * Reads a picture's details and then its pixels, once. `came` is told of the details when they are
   * used for the first time. Gives them when they were not known before.
   */
  async load(id: number, came: (detail: ImageDetail) => void): Promise<ImageDetail | null> {
    const told = this.#told.get(id);
    this.#told.delete(id);
    if (told !== undefined) came(told);
    if (this.#known.get(id)) return null;
    const detail = told ?? (await this.#read(id));
    if (told === undefined && detail !== undefined) came(detail);
    await this.#keep(id, detail ?? null);
    return detail ?? null;
  }

  /** Takes the details of a picture that will be on the stage next. */
  async show(detail: ImageDetail): Promise<void> {
    await this.#keep(detail.id, detail);
  }

  /** Keeps details that came with the news of pictures. */
  tell(made: readonly ImageDetail[]): void {
    for (const detail of made) this.#told.set(detail.id, detail);
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= MOST_TOLD) break;
      this.#told.delete(oldest);
    }
  }

  /** Takes newer details of a picture that may be on the stage. */
  put(detail: ImageDetail): void {
    this.#known = new Map(this.#known).set(detail.id, detail);
  }

  /** Reads a picture again: something of it changed. */
  async reload(id: number): Promise<void> {
    const detail = await this.#read(id);
    if (detail) this.put(detail);
  }

  /** Pictures changed, null for any: what is shown is read again, the rest when it is needed. */
  forget(ids: readonly number[] | null, shown: number | null): void {
    const stale = (id: number) => ids === null || ids.includes(id);
    for (const id of this.#told.keys()) if (stale(id)) this.#told.delete(id);
    const kept = [...this.#known].filter(([id]) => id === shown || !stale(id));
    if (kept.length < this.#known.size) this.#known = new Map(kept);
    if (shown !== null && this.#known.has(shown) && stale(shown)) void this.reload(shown);
  }

  async #keep(id: number, detail: ImageDetail | null): Promise<void> {
    if (detail?.file === 'present') await this.#warm(fullAddress(detail));
    this.#known = new Map(this.#known).set(id, detail);
  }

  #read(id: number): Promise<ImageDetail | undefined> {
    return this.#app.act(this.#app.studio.images.get({ id }));
  }
}
