import type { ImageFilter, ImageSort, SearchImages, SearchResult } from '#api/gallery';
import { chipsOf, withoutChip, type Chip } from './filter/chips.ts';

/** Typing waits this long for the next key. */
const TYPING_MS = 120;
/** Changes come in bursts while a job runs: one search for each burst. */
const BURST_MS = 300;

export const NEWEST: ImageSort = { by: 'createdAt', descending: true };
const NOTHING: SearchResult = { ids: [], days: [] };

/** What a search needs of the studio. */
export interface SearchCalls {
  readonly search: (request: SearchImages) => Promise<SearchResult>;
  readonly similar: (id: number) => Promise<readonly number[]>;
  /** A failed search is told once; the last result stays. */
  readonly failed: (error: unknown) => void;
}

/** What the gallery looks for, and what it found. The latest search wins. */
export class Search {
  filter = $state.raw<ImageFilter>({});
  sort = $state.raw<ImageSort>(NEWEST);
  /** Instead of a filter: the pictures that are most like this one. */
  similarTo = $state<number | null>(null);
  result = $state.raw<SearchResult>(NOTHING);
  /** The query that the result answers: another number, another query. */
  shown = $state(0);
  searching = $state(false);
  loaded = $state(false);
  /** With nothing found: the chip that most pictures wait behind. */
  loosest = $state.raw<{ readonly chip: Chip; readonly count: number } | null>(null);
  readonly #calls: SearchCalls;
  readonly #changed = new Set<(before: readonly number[]) => void>();
  #query = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #places: ReadonlyMap<number, number> | null = null;

  constructor(calls: SearchCalls) {
    this.#calls = calls;
  }

  get ids(): readonly number[] {
    return this.result.ids;
  }

  /** Calls after each new result, with the pictures there were before. */
  onResult(handler: (before: readonly number[]) => void): void {
    this.#changed.add(handler);
  }

  /** Where a picture lies in the result; -1 when it is not there. */
  indexOf = (id: number): number => {
    this.#places ??= new Map(this.result.ids.map((other, index) => [other, index]));
    return this.#places.get(id) ?? -1;
  };

  set(filter: ImageFilter, sort: ImageSort = this.sort): void {
    this.similarTo = null;
    this.filter = filter;
    this.sort = sort;
    this.#ask(0);
  }

  setText(text: string): void {
    const { text: _, ...rest } = this.filter;
    this.similarTo = null;
    this.filter = text.trim() === '' ? rest : { ...rest, text };
    this.#ask(TYPING_MS);
  }

  findSimilar(id: number): void {
    this.similarTo = id;
    this.#ask(0);
  }

  /** The library changed: the same search again, soon. */
  refresh(wait = BURST_MS): void {
    this.#later(wait);
  }

  #ask(wait: number): void {
    this.#query += 1;
    this.#later(wait);
  }

  #later(wait: number): void {
    // A burst that never ends must not put the search off for ever: the first timer stands.
    if (this.#timer !== undefined && wait === BURST_MS) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.run();
    }, wait);
  }

  /** Searches now. */
  async run(): Promise<void> {
    const query = this.#query;
    const { filter, sort, similarTo } = this;
    this.searching = true;
    try {
      const result =
        similarTo === null
          ? await this.#calls.search({ filter, sort })
          : { ids: await this.#calls.similar(similarTo), days: [] };
      if (query !== this.#query) return;
      this.#show(result, query);
      if (result.ids.length === 0) await this.#loosen(query);
    } catch (error) {
      if (query === this.#query) this.#calls.failed(error);
    } finally {
      if (query === this.#query) this.searching = false;
    }
  }

  #show(result: SearchResult, query: number): void {
    const before = this.result.ids;
    this.result = result;
    this.#places = null;
    this.shown = query;
    this.loaded = true;
    this.loosest = null;
    for (const handler of this.#changed) handler(before);
  }

  /** Tries the search without each of its chips: the one that lets most through is named. */
  async #loosen(query: number): Promise<void> {
    const { filter, sort } = this;
    const chips = chipsOf(filter);
    const counts = await Promise.all(
      chips.map(async (chip) => {
        const { ids } = await this.#calls.search({ filter: withoutChip(filter, chip), sort });
        return { chip, count: ids.length };
      }),
    );
    const best = counts.reduce<(typeof counts)[number] | null>(
      (found, next) => (next.count > (found?.count ?? 0) ? next : found),
      null,
    );
    if (query === this.#query && this.result.ids.length === 0) this.loosest = best;
  }
}
