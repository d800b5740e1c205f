import { createContext } from 'svelte';
import type { Board, FilterChoices, ImageFilter, SearchImages } from '#api/gallery';
import type { App } from '../state/app.svelte.ts';
import { outliving } from '../state/outliving.svelte.ts';
import { Actions } from './actions.svelte.ts';
import { Compare } from './compare/compare.svelte.ts';
import { Details } from './details/details.svelte.ts';
import { sameFilter, withChip, type FilterKind } from './filter/chips.ts';
import type { Vocabulary } from './filter/words.ts';
import { Rows } from './grid/rows.svelte.ts';
import { Selection } from './grid/selection.svelte.ts';
import { Incoming } from './incoming.svelte.ts';
import { Look } from './look.svelte.ts';
import { Memory, type Anchor } from './memory.ts';
import { NEWEST, Search } from './search.svelte.ts';

/** Pictures that "similar" shows. */
const SIMILAR = 200;

/** A picture's pixels, RGBA [H,W,4]. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** What the gallery needs of the page. */
export interface Desk {
  /** Hands the file at an address of our own to the person. */
  readonly save: (address: string, name: string) => void;
  /** Puts a picture of our own address on the clipboard. */
  readonly copyPicture: (address: string) => Promise<void>;
  /** RGBA of a picture of our own address. */
  readonly readPixels: (address: string) => Promise<Pixels>;
}

/** What is asked for over the view. */
export type GalleryDialog =
  | { readonly kind: 'tag' | 'note' | 'board' | 'saveSearch' | 'newBoard' | 'fields' }
  | { readonly kind: 'emptyBin' | 'purge' }
  | { readonly kind: 'renameBoard'; readonly board: Board };

/** The Gallery view: what is looked for, what is selected, and what can be done with it. */
export class Gallery {
  dialog = $state.raw<GalleryDialog | null>(null);
  /** The condition whose editor is open. */
  editing = $state<FilterKind | null>(null);
  /** What there is to choose conditions from; null until somebody looks for it. */
  choices = $state.raw<FilterChoices | null>(null);
  /** Counts wishes to bring the focused picture into view; the grid follows. */
  revealed = $state(0);
  /** What lies at the top of the grid: it outlives a visit to another view. */
  anchor = $state.raw<Anchor | null>(null);
  readonly app: App;
  readonly desk: Desk;
  readonly look: Look;
  readonly search: Search;
  readonly rows: Rows;
  readonly selection: Selection;
  readonly details: Details;
  readonly compare: Compare;
  readonly actions: Actions;
  readonly memory: Memory;
  readonly incoming: Incoming;
  #wanted: number | null = null;

  constructor(app: App, desk: Desk) {
    this.app = app;
    this.desk = desk;
    const { images } = app.studio;
    this.look = new Look(app.kept);
    this.search = new Search({
      search: (request) => images.search(request),
      similar: async (id) =>
        (await images.similar({ id, limit: SIMILAR })).map((picture) => picture.id),
      failed: (error) => void app.act(Promise.reject(error)),
    });
    this.rows = new Rows((ids) => images.rows({ ids: [...ids] }));
    this.selection = new Selection(() => this.search.ids);
    this.details = new Details(this);
    this.compare = new Compare(this);
    this.actions = new Actions(this);
    this.incoming = new Incoming(this);
    this.memory = new Memory(this);
    this.memory.restore();
    this.search.onResult((before) => {
      this.selection.follow(before, this.search.indexOf);
      this.memory.select();
      this.#showWanted();
    });
    app.events.onConnected(() => {
      this.rows.outdated(null);
      this.search.refresh(0);
    });
    app.events.on('images', ({ ids }) => {
      this.rows.outdated(ids);
      this.details.outdated(ids);
      this.search.refresh();
    });
  }

  get vocabulary(): Vocabulary {
    const { i18n, models, library } = this.app;
    return { i18n, models, summary: library.summary, choices: this.choices };
  }

  get inBin(): boolean {
    return this.search.filter.bin === true;
  }

  /** Whether this filter, and no other, is what the gallery shows. */
  isAt(filter: ImageFilter): boolean {
    return this.search.similarTo === null && sameFilter(this.search.filter, filter);
  }

  goTo(filter: ImageFilter): void {
    this.compare.close();
    this.search.set(filter, filter.bin === true ? NEWEST : this.search.sort);
    this.selection.none();
    this.selection.focus = 0;
  }

  open({ filter, sort, size }: SearchImages): void {
    this.compare.close();
    this.search.set(filter, sort);
    if (size !== undefined) this.look.setSize(size);
    this.selection.none();
    this.selection.focus = 0;
  }

  /** Adds a condition and opens its editor. */
  addFilter(kind: FilterKind): void {
    const filter = withChip(this.search.filter, kind, this.beginnings);
    if (filter === null) return;
    this.search.set(filter);
    this.editing = kind;
  }

  /** Reads what there is to choose conditions from; it changes with every model that is used. */
  async readChoices(): Promise<void> {
    this.choices = (await this.app.act(this.app.studio.images.choices())) ?? this.choices;
  }

  get beginnings() {
    const { detail } = this.details;
    return {
      image: detail?.id ?? null,
      job: detail?.job ?? null,
      board: this.app.library.summary?.boards[0]?.id ?? null,
    };
  }

  /** Selects a picture and brings it into view, in all pictures when the search has it not. */
  show(id: number): void {
    this.#wanted = id;
    if (this.search.loaded) this.#showWanted();
  }

  /** Selects pictures as soon as the search finds them. */
  reveal(): void {
    this.revealed += 1;
  }

  #showWanted(): void {
    const id = this.#wanted;
    if (id === null) return;
    if (this.search.indexOf(id) >= 0) {
      this.#wanted = null;
      this.selection.set([id]);
      this.reveal();
    } else if (!this.isAt({})) this.search.set({});
    else {
      // It is in the bin, or gone: details say which.
      this.#wanted = null;
      this.selection.set([id]);
    }
  }
}

/** `useGallery` in the view's components; `provideGallery` in the view. */
export const [useGallery, provideGallery] = createContext<Gallery>();

const galleries = new WeakMap<App, Gallery>();

/** The window's gallery: search and selection outlive a visit to another view. */
export function galleryOf(app: App, desk: () => Desk): Gallery {
  const known = galleries.get(app);
  if (known !== undefined) return known;
  const gallery = outliving(() => new Gallery(app, desk()));
  galleries.set(app, gallery);
  // Events only tell of what comes: the first search is ours.
  gallery.search.refresh(0);
  return gallery;
}
