import type { ImageRow } from '#api/images';

/** Rows that are kept: a row is some hundred bytes. */
const KEPT = 20_000;
/** Rows asked for at once; the contract allows 2000. */
const BATCH = 500;

/** Places that show rows; each has its own wish. */
export type Viewer = 'grid' | 'lineage' | 'compare';

export type FetchRows = (ids: readonly number[]) => Promise<readonly ImageRow[]>;

/**
 * The rows of the pictures that can be seen. One request is on its way at a time; meanwhile only
 * the latest wish is remembered, so fast scrolling asks for where it stops.
 */
export class Rows {
  /** Grows with each change: reading a row makes whoever reads it follow. */
  #version = $state(0);
  readonly #fetch: FetchRows;
  readonly #kept = new Map<number, ImageRow>();
  readonly #stale = new Set<number>();
  /** Asked for and not there: deleted for good. */
  readonly #gone = new Set<number>();
  readonly #wanted = new Map<Viewer, readonly number[]>();
  #busy = false;

  constructor(fetch: FetchRows) {
    this.#fetch = fetch;
  }

  /** The row as it is known; undefined until it has come. */
  get(id: number): ImageRow | undefined {
    return this.#version >= 0 ? this.#kept.get(id) : undefined;
  }

  /** How many of these have no file, as far as is known. A selection may be far longer than this. */
  withoutFile(ids: ReadonlySet<number>): number {
    let count = 0;
    for (const { id, file } of this.#version >= 0 ? this.#kept.values() : []) {
      if (file !== 'present' && ids.has(id)) count += 1;
    }
    return count;
  }

  /** These can be seen at a place now: those that are missing or outdated are fetched. */
  want(viewer: Viewer, ids: readonly number[]): void {
    this.#wanted.set(viewer, ids);
    void this.#work();
  }

  /** Pictures changed; null when too many to name. What is shown stays until it is read again. */
  outdated(ids: readonly number[] | null): void {
    for (const id of ids ?? this.#kept.keys()) this.#stale.add(id);
    if (ids === null) this.#gone.clear();
    else for (const id of ids) this.#gone.delete(id);
    void this.#work();
  }

  /** Shows a change before the studio has confirmed it. */
  patch(ids: Iterable<number>, change: Partial<Pick<ImageRow, 'rating' | 'starred'>>): void {
    for (const id of ids) {
      const row = this.#kept.get(id);
      if (row !== undefined) this.#kept.set(id, { ...row, ...change });
    }
    this.#version += 1;
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#missing(); next.length > 0; next = this.#missing()) {
      if (!(await this.#read(next))) break;
    }
    this.#busy = false;
  }

  #missing(): readonly number[] {
    const missing = [...this.#wanted.values()]
      .flat()
      .filter((id) => (!this.#kept.has(id) && !this.#gone.has(id)) || this.#stale.has(id));
    return [...new Set(missing)].slice(0, BATCH);
  }

  async #read(ids: readonly number[]): Promise<boolean> {
    for (const id of ids) this.#stale.delete(id);
    try {
      const rows = await this.#fetch(ids);
      const came = new Set(rows.map((row) => row.id));
      for (const row of rows) this.#keep(row);
      for (const id of ids) {
        if (came.has(id)) continue;
        this.#gone.add(id);
        this.#kept.delete(id);
      }
      this.#version += 1;
      return true;
    } catch {
      // The next wish or the next connection asks again; the event stream tells of a lost one.
      for (const id of ids) this.#stale.add(id);
      return false;
    }
  }

  #keep(row: ImageRow): void {
    this.#kept.delete(row.id);
    this.#kept.set(row.id, row);
    if (this.#kept.size <= KEPT) return;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldest);
    }
  }
}
