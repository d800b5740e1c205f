import { searchImages, type SearchImages } from '#api/gallery';
import type { Kept } from './session.ts';

export const VIEWS = ['generate', 'gallery', 'models', 'settings'] as const;
export type View = (typeof VIEWS)[number];

/** What a link can point at besides a view. */
export interface Place {
  /** A picture of the library. */
  readonly image?: number;
  /** A picture whose likes the gallery shall show. */
  readonly similar?: number;
  /** What the gallery shall look for. */
  readonly find?: SearchImages;
  /** A section of the settings. */
  readonly part?: string;
}

/** The part of `window` that holds the address; a test passes its own. */
export interface AddressBar {
  readonly location: { hash: string };
  addEventListener(type: 'hashchange', listener: () => void): void;
}

const NAME = 'place';

/** Which view is open, and on what. The address holds it, so every place has a link. */
export class Navigation {
  view = $state<View>('generate');
  image = $state<number | null>(null);
  /** A new object whenever it was asked for anew. */
  place = $state.raw<Place>({});
  readonly #bar: AddressBar;
  readonly #kept: Pick<Kept, 'get' | 'set'>;
  #address = '';

  /** An address that names no place leads to where the window was. */
  constructor(bar: AddressBar, kept: Pick<Kept, 'get' | 'set'>) {
    this.#bar = bar;
    this.#kept = kept;
    if (/^#?\/?$/.test(bar.location.hash)) bar.location.hash = kept.get(NAME) ?? '';
    this.#read();
    bar.addEventListener('hashchange', () => {
      // What `go` has set is read already.
      if (bar.location.hash !== this.#address) this.#read();
    });
  }

  go(view: View, place: Place = {}): void {
    this.#bar.location.hash = addressOf(view, place);
    this.#read();
  }

  #read(): void {
    this.#address = this.#bar.location.hash;
    const { view, place } = parseAddress(this.#address);
    this.view = view;
    this.image = place.image ?? null;
    this.place = place;
    const { image } = place;
    // The gallery remembers for itself what was selected in it since.
    const here = view === 'generate' && image !== undefined ? { image } : {};
    this.#kept.set(NAME, addressOf(view, here));
  }
}

export function addressOf(view: View, place: Place = {}): string {
  const query = new URLSearchParams();
  if (place.image !== undefined) query.set('image', String(place.image));
  if (place.similar !== undefined) query.set('similar', String(place.similar));
  if (place.find !== undefined) query.set('find', JSON.stringify(place.find));
  if (place.part !== undefined) query.set('part', place.part);
  return `#/${view}${query.size === 0 ? '' : `?${query.toString()}`}`;
}

/** The place of an address; what is not understood leads to Generate. */
export function parseAddress(hash: string): { readonly view: View; readonly place: Place } {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  const query = new URLSearchParams(search);
  const ids = { image: idOf(query.get('image')), similar: idOf(query.get('similar')) };
  const find = searchImages.safeParse(parsed(query.get('find')));
  const part = query.get('part');
  return {
    view: VIEWS.find((view) => view === path) ?? 'generate',
    place: {
      ...(ids.image === null ? {} : { image: ids.image }),
      ...(ids.similar === null ? {} : { similar: ids.similar }),
      ...(find.success ? { find: find.data } : {}),
      ...(part === null ? {} : { part }),
    },
  };
}

function idOf(text: string | null): number | null {
  const id = Number(text ?? Number.NaN);
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
