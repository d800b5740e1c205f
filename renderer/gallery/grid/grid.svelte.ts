import type { Gallery } from '../gallery.svelte.ts';
import type { Anchor } from '../memory.ts';
import { GridLayout, type Line } from './layout.ts';

/** Lengths in pixels at 100 % text; those that hold text grow with it. */
const GAP = { x: 8, y: 10 };
const CAPTION = 18;
const HEADING = 34;
const LIST_PITCH = 44;
/** Shown beyond what can be seen, above and below. */
const MARGIN = 192;
/** Lines are chosen anew after this much scrolling, not with every pixel. */
const STRIDE = 96;

/** A key press, as far as the grid cares. */
export interface GridKey {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** What of the gallery's pictures is in the window of the grid, and how keys move through them. */
export class Grid {
  /** Inside of the scrolling box, without its padding. */
  width = $state(0);
  height = $state(0);
  top = $state(0);
  readonly #gallery: Gallery;

  readonly scale = $derived.by(() => this.#gallery.app.settings.value.textSize / 100);
  readonly list = $derived.by(() => this.#gallery.look.mode === 'list');
  readonly columns = $derived.by(() =>
    this.list
      ? 1
      : Math.max(
          1,
          Math.floor((this.width + GAP.x) / (this.#gallery.look.size * this.scale + GAP.x)),
        ),
  );
  readonly cell = $derived.by(() =>
    Math.max(1, Math.floor((this.width - (this.columns - 1) * GAP.x) / this.columns)),
  );
  readonly layout = $derived.by(() => {
    const { ids, days } = this.#gallery.search.result;
    const pitch = this.list
      ? Math.round(LIST_PITCH * this.scale)
      : this.cell + Math.round(CAPTION * this.scale) + GAP.y;
    const heading = Math.round(HEADING * this.scale);
    return new GridLayout({ count: ids.length, days, columns: this.columns, pitch, heading });
  });
  readonly #start = $derived.by(() => Math.floor(this.top / STRIDE) * STRIDE);
  /** The lines to draw. The one with the focus is always among them: it holds the tab stop. */
  readonly lines = $derived.by((): readonly Line[] => {
    if (this.width === 0) return [];
    const lines = this.layout.between(
      this.#start - MARGIN,
      this.#start + STRIDE + this.height + MARGIN,
    );
    const focused = this.layout.lineOf(this.#gallery.selection.focus)?.line;
    const there = focused === undefined || lines.some((line) => line.line === focused.line);
    return there ? lines : [...lines, focused].sort((a, b) => a.line - b.line);
  });
  readonly visibleIds = $derived.by(() =>
    this.lines.flatMap((line) =>
      line.kind === 'cells' ? this.#gallery.search.ids.slice(line.first, line.end) : [],
    ),
  );

  constructor(gallery: Gallery) {
    this.#gallery = gallery;
  }

  get gap(): number {
    return GAP.x;
  }

  /** Where to scroll so that a picture can be seen whole; null when it can be already. */
  scrollFor(index: number): number | null {
    const place = this.layout.lineOf(index);
    if (place === null) return null;
    const { pitch, heading } = this.layout.shape;
    const { top } = place.line;
    // The day's heading comes along when its first row is wanted.
    const above = place.line.kind === 'cells' && this.#firstOfDay(place.line.first) ? heading : 0;
    if (top - above < this.top) return Math.max(0, top - above);
    if (top + pitch > this.top + this.height) return top + pitch - this.height;
    return null;
  }

  /** The place that stays in view when sizes or pictures change. */
  anchor(): Anchor | null {
    if (this.top <= 0) return null;
    const index = this.layout.indexAt(this.top);
    const id = this.#gallery.search.ids[index];
    const line = this.layout.lineOf(index)?.line;
    return id === undefined || line === undefined ? null : { id, offset: this.top - line.top };
  }

  /** Where to scroll so that the anchor is where it was. */
  scrollTo(anchor: Anchor): number | null {
    const index = this.#gallery.search.indexOf(anchor.id);
    const line = this.layout.lineOf(index)?.line;
    if (line === undefined) return null;
    return (
      line.top +
      Math.max(-this.layout.shape.heading, Math.min(anchor.offset, this.layout.shape.pitch))
    );
  }

  /** Moves by a key; answers whether it was one of the grid's. */
  key(press: GridKey): boolean {
    const { selection } = this.#gallery;
    const ctrl = press.ctrlKey || press.metaKey;
    if (press.altKey) return false;
    if (press.key === ' ') {
      selection.toggle();
      return true;
    }
    const to = this.#target(press.key);
    if (to === null) return false;
    selection.move(to, { ctrl, shift: press.shiftKey });
    this.#gallery.reveal();
    return true;
  }

  /** The pictures in a box of the sheet, in pixels. */
  inBox(box: { x0: number; y0: number; x1: number; y1: number }): readonly number[] {
    const step = this.list ? Number.POSITIVE_INFINITY : this.cell + GAP.x;
    const [left, right] = [Math.min(box.x0, box.x1), Math.max(box.x0, box.x1)];
    if (right < 0) return [];
    return this.layout.inBox({
      top: Math.min(box.y0, box.y1),
      bottom: Math.max(box.y0, box.y1),
      from: Math.max(0, Math.floor((left + GAP.x) / step)),
      to: this.list ? 0 : Math.floor(right / step),
    });
  }

  #target(key: string): number | null {
    const { selection, search } = this.#gallery;
    const { focus } = selection;
    const last = search.ids.length - 1;
    if (last < 0) return null;
    const page = Math.max(1, Math.floor(this.height / this.layout.shape.pitch) - 1);
    switch (key) {
      case 'ArrowLeft':
        return Math.max(0, focus - 1);
      case 'ArrowRight':
        return Math.min(last, focus + 1);
      case 'ArrowUp':
        return this.layout.below(focus, -1);
      case 'ArrowDown':
        return this.layout.below(focus, 1);
      case 'PageUp':
        return this.layout.below(focus, -page);
      case 'PageDown':
        return this.layout.below(focus, page);
      case 'Home':
        return 0;
      case 'End':
        return last;
      default:
        return null;
    }
  }

  #firstOfDay(first: number): boolean {
    return this.layout.shape.days.length > 0 && (first === 0 || this.#groupStarts.has(first));
  }

  readonly #groupStarts = $derived.by(() => {
    let start = 0;
    return new Set(this.#gallery.search.result.days.map(({ count }) => (start += count) - count));
  });
}
