import { untrack } from 'svelte';
import type { View } from './navigation.svelte.ts';
import type { Kept } from './session.ts';

/** The side panels: their widths for each view, and whether they lie over the centre. */
export class Panels {
  #widths = $state.raw<Readonly<Record<string, number>>>({});
  /** Too little room: the panel is shown over the centre, on demand. */
  overlaid = $state.raw<{ readonly left: boolean; readonly right: boolean }>({
    left: false,
    right: false,
  });
  /** Open or closed; a panel that is overlaid starts closed. */
  left = $state(true);
  right = $state(true);
  readonly #kept: Kept;

  constructor(kept: Kept) {
    this.#kept = kept;
  }

  width(view: View, side: 'left' | 'right', fallback: number): number {
    const key = `width.${view}.${side}`;
    const width = this.#widths[key] ?? Number(this.#kept.get(key) ?? Number.NaN);
    return Number.isFinite(width) && width > 0 ? width : fallback;
  }

  setWidth(view: View, side: 'left' | 'right', width: number): void {
    const key = `width.${view}.${side}`;
    this.#widths = { ...this.#widths, [key]: width };
    this.#kept.set(key, String(width));
  }

  /** The room changed: panels that come to lie over the centre close, others open. */
  layOut(left: boolean, right: boolean): void {
    const before = untrack(() => this.overlaid);
    if (left === before.left && right === before.right) return;
    if (left !== before.left) this.left = !left;
    if (right !== before.right) this.right = !right;
    this.overlaid = { left, right };
  }

  toggle(side: 'left' | 'right'): void {
    this[side] = !this[side];
  }
}
