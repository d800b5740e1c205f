import type { Kept } from './session.ts';

export const VIEWS = ['generate', 'gallery', 'models', 'settings'] as const;
export type View = (typeof VIEWS)[number];

/** What a link can point at besides a view. */
export interface Place {
  /** A picture of the library. */
  readonly image?: number;
  /** Words to search for. */
  readonly text?: string;
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
  text = $state('');
  readonly #bar: AddressBar;
  readonly #kept: Pick<Kept, 'get' | 'set'>;

  /** An address that names no place leads to where the window was. */
  constructor(bar: AddressBar, kept: Pick<Kept, 'get' | 'set'>) {
    this.#bar = bar;
    this.#kept = kept;
    if (/^#?\/?$/.test(bar.location.hash)) bar.location.hash = kept.get(NAME) ?? '';
    this.#read();
    bar.addEventListener('hashchange', () => this.#read());
  }

  go(view: View, place: Place = {}): void {
    this.#bar.location.hash = addressOf(view, place);
    this.#read();
  }

  #read(): void {
    const { view, image, text } = parseAddress(this.#bar.location.hash);
    this.view = view;
    this.image = image;
    this.text = text;
    this.#kept.set(NAME, addressOf(view, image === null ? {} : { image }));
  }
}

export function addressOf(view: View, place: Place = {}): string {
  const query = new URLSearchParams();
  if (place.image !== undefined) query.set('image', String(place.image));
  if (place.text !== undefined) query.set('text', place.text);
  return `#/${view}${query.size === 0 ? '' : `?${query.toString()}`}`;
}

/** The place of an address; what is not understood leads to Generate. */
export function parseAddress(hash: string): {
  readonly view: View;
  readonly image: number | null;
  readonly text: string;
} {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  const query = new URLSearchParams(search);
  const image = Number(query.get('image') ?? Number.NaN);
  return {
    view: VIEWS.find((view) => view === path) ?? 'generate',
    image: Number.isSafeInteger(image) && image > 0 ? image : null,
    text: query.get('text') ?? '',
  };
}
