import type { Kept } from '../state/session.ts';

const NAME = 'gallery.look';
export const CELL_SIZE = { min: 72, max: 256, fallback: 112 };

/** How the gallery shows pictures: the size of a cell, and grid or list. */
export class Look {
  /** Least width of a cell in pixels at 100 % text; cells grow to fill the row. */
  size = $state(CELL_SIZE.fallback);
  mode = $state<'grid' | 'list'>('grid');
  readonly #kept: Kept;

  constructor(kept: Kept) {
    this.#kept = kept;
    const [mode, size] = (kept.get(NAME) ?? '').split(' ');
    if (mode === 'list') this.mode = 'list';
    const number = Number(size);
    if (number >= CELL_SIZE.min && number <= CELL_SIZE.max) this.size = number;
  }

  setSize(size: number): void {
    this.size = Math.max(CELL_SIZE.min, Math.min(CELL_SIZE.max, Math.round(size)));
    this.#save();
  }

  setMode(mode: 'grid' | 'list'): void {
    this.mode = mode;
    this.#save();
  }

  #save(): void {
    this.#kept.set(NAME, `${this.mode} ${this.size}`);
  }
}
