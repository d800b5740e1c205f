import { searchImages } from '#api/gallery';
import { isRecord } from '../state/is-record.ts';
import type { Gallery } from './gallery.svelte.ts';

const NAME = 'gallery';
/** Pictures of a selection that are kept: of one of thousands only the focus is found again. */
const MOST = 4000;

/** The place at the top of the grid: a picture, and how far it is scrolled out of view. */
export interface Anchor {
  readonly id: number;
  readonly offset: number;
}

/** What the gallery looked for and had selected, and where it was scrolled to. */
export class Memory {
  readonly #gallery: Gallery;
  #selected: { readonly ids: readonly number[]; readonly focus: number | null } | null = null;

  constructor(gallery: Gallery) {
    this.#gallery = gallery;
  }

  /** Brings back the search and the place; the selection follows when pictures are there. */
  restore(): void {
    const kept = read(this.#gallery.app.kept.get(NAME));
    if (kept === null) return;
    const { search } = this.#gallery;
    const asked = searchImages.safeParse(kept['search']);
    if (asked.success) [search.filter, search.sort] = [asked.data.filter, asked.data.sort];
    search.similarTo = idOf(kept['similarTo']);
    this.#gallery.anchor = anchorOf(kept['anchor']);
    const ids = Array.isArray(kept['selected']) ? (kept['selected'] as readonly unknown[]) : [];
    const known = ids.map(idOf).filter((id) => id !== null);
    this.#selected = { ids: known, focus: idOf(kept['focus']) };
  }

  /** The first pictures are there: selects those of them that were selected. */
  select(): void {
    const { selection, search } = this.#gallery;
    const selected = this.#selected;
    this.#selected = null;
    if (selected === null || selection.count > 0) return;
    selection.set(selected.ids.filter((id) => search.indexOf(id) >= 0));
    const focus = selected.focus === null ? -1 : search.indexOf(selected.focus);
    if (focus >= 0) selection.focus = focus;
  }

  /** Keeps how things are. */
  keep(): void {
    const { search, selection, anchor, app } = this.#gallery;
    // Until the first pictures are there, nothing of what was kept has changed.
    if (!search.loaded || this.#selected !== null) return;
    const { filter, sort, similarTo } = search;
    const selected = selection.count > MOST ? [] : [...selection.ids];
    const focus = search.ids[selection.focus] ?? null;
    app.kept.set(
      NAME,
      JSON.stringify({ search: { filter, sort }, similarTo, selected, focus, anchor }),
    );
  }
}

function read(text: string | null): Readonly<Record<string, unknown>> | null {
  try {
    const kept: unknown = JSON.parse(text ?? 'null');
    return isRecord(kept) ? kept : null;
  } catch {
    return null;
  }
}

function idOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function anchorOf(value: unknown): Anchor | null {
  const id = isRecord(value) ? idOf(value['id']) : null;
  const offset = isRecord(value) ? value['offset'] : null;
  return id === null || typeof offset !== 'number' || !Number.isFinite(offset)
    ? null
    : { id, offset };
}
