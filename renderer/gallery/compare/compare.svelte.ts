import type { ImageDetail, ImageRow } from '#api/images';
import type { Gallery } from '../gallery.svelte.ts';

export type CompareMode = 'slide' | 'side' | 'blink' | 'difference';
export const COMPARE_MODES: readonly CompareMode[] = ['slide', 'side', 'blink', 'difference'];
const MOST = 4;

/** Zoom is a factor of "fits"; pan is in shares of the picture's edge. */
const ZOOM = { min: 1, max: 32, step: 1.25 };

/** Two to four pictures looked at together. Zoom and pan are the same for all. */
export class Compare {
  ids = $state.raw<readonly number[]>([]);
  mode = $state<CompareMode>('side');
  /** Places in `ids` of the two that slide, blink and difference look at. */
  a = $state(0);
  b = $state(1);
  /** Where the divider stands, 0 to 1. */
  divider = $state(0.5);
  zoom = $state(1);
  pan = $state.raw<{ readonly x: number; readonly y: number }>({ x: 0, y: 0 });
  /** Which of the two blinks up. */
  second = $state(false);
  playing = $state(false);
  readonly #gallery: Gallery;

  readonly open = $derived.by(() => this.ids.length > 0);
  /** Zoom and pan as CSS. */
  readonly transform = $derived.by(
    () => `translate(${this.pan.x * 100}%, ${this.pan.y * 100}%) scale(${this.zoom})`,
  );
  readonly rows = $derived.by(() => this.ids.map((id) => this.rowOf(id)));
  readonly pair = $derived.by((): readonly [number, number] => [
    this.ids[this.a] ?? 0,
    this.ids[this.b] ?? 0,
  ]);
  readonly details = $derived.by((): readonly (ImageDetail | null)[] =>
    this.ids.map((id) => this.#gallery.details.of(id)),
  );

  constructor(gallery: Gallery) {
    this.#gallery = gallery;
  }

  canStart(): boolean {
    const { count } = this.#gallery.selection;
    return count >= 2 && count <= MOST;
  }

  start(): void {
    if (!this.canStart()) return;
    this.ids = this.#gallery.selection.inOrder();
    this.mode = this.ids.length === 2 ? 'slide' : 'side';
    [this.a, this.b, this.divider, this.second] = [0, 1, 0.5, false];
    this.fit();
    this.#gallery.rows.want('compare', this.ids);
    for (const id of this.ids) void this.#gallery.details.load(id);
  }

  close(): void {
    this.ids = [];
    this.playing = false;
  }

  rowOf(id: number): ImageRow | null {
    return this.#gallery.rows.get(id) ?? this.#gallery.details.of(id);
  }

  /** Chooses one of the pair; the other one gives way when it is the same picture. */
  choose(side: 'a' | 'b', place: number): void {
    const other = side === 'a' ? 'b' : 'a';
    if (this[other] === place) this[other] = this[side];
    this[side] = place;
  }

  setDivider(share: number): void {
    this.divider = Math.max(0, Math.min(1, share));
  }

  fit(): void {
    this.zoom = 1;
    this.pan = { x: 0, y: 0 };
  }

  /** Zooms about a point, given in shares of the frame from its middle. */
  zoomBy(factor: number, at = { x: 0, y: 0 }): void {
    const zoom = Math.max(ZOOM.min, Math.min(ZOOM.max, this.zoom * factor));
    const scale = zoom / this.zoom;
    this.zoom = zoom;
    this.panTo({ x: at.x - (at.x - this.pan.x) * scale, y: at.y - (at.y - this.pan.y) * scale });
  }

  panTo({ x, y }: { readonly x: number; readonly y: number }): void {
    // Never past the picture's edge.
    const most = (this.zoom - 1) / 2;
    const within = (value: number) => Math.max(-most, Math.min(most, value));
    this.pan = { x: within(x), y: within(y) };
  }

  flip(): void {
    this.second = !this.second;
  }

  /** A key of the comparison; answers whether it was one. */
  key(key: string, { shift = false, alt = false }: Held = {}): boolean {
    const pans = key in PANS;
    if (alt && !pans) return false;
    // With Shift or Alt the picture moves; while all of it is seen, there is nothing to move.
    const slides = this.mode === 'slide' && (this.zoom === 1 || !(shift || alt));
    if (slides && (key === 'ArrowLeft' || key === 'ArrowRight')) {
      const stride = shift ? 0.1 : 0.01;
      this.setDivider(this.divider + (key === 'ArrowRight' ? stride : -stride));
      return true;
    }
    const [x, y] = PANS[key] ?? [0, 0];
    if (x !== 0 || y !== 0) {
      this.panTo({ x: this.pan.x + (x * this.zoom) / 20, y: this.pan.y + (y * this.zoom) / 20 });
    } else if (key === '+' || key === '=') this.zoomBy(ZOOM.step);
    else if (key === '-') this.zoomBy(1 / ZOOM.step);
    else if (key === '0') this.fit();
    else if (key === ' ' && this.mode === 'blink') this.flip();
    else if (/^[1-4]$/.test(key)) this.mode = COMPARE_MODES[Number(key) - 1] ?? this.mode;
    else return false;
    return true;
  }
}

/** Keys that are held down with another. */
interface Held {
  readonly shift?: boolean;
  readonly alt?: boolean;
}

const PANS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
