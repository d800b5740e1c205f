/** Keys held with a click or an arrow. */
export interface Held {
  readonly ctrl?: boolean;
  readonly shift?: boolean;
}

const NONE: ReadonlySet<number> = new Set();

/**
 * Which pictures are selected, and which one has the focus. A plain click or arrow selects one
 * picture "in passing": the next plain arrow lets it go. Space, Ctrl and Shift select for good:
 * from then on plain arrows only move the focus.
 */
export class Selection {
  ids = $state.raw<ReadonlySet<number>>(NONE);
  /** Index of the picture that has the grid's tab stop. */
  focus = $state(0);
  #passing = true;
  #anchor = 0;
  #base: ReadonlySet<number> = NONE;
  readonly #order: () => readonly number[];

  /** The picture that details are shown of: the focused one, or the last of those selected. */
  readonly current = $derived.by((): number | null => {
    if (this.ids.size === 0) return null;
    const focused = this.#order()[this.focus];
    return focused !== undefined && (this.ids.has(focused) || !this.#passing)
      ? focused
      : ([...this.ids].at(-1) ?? null);
  });

  /** `order` gives all pictures as they lie in the grid. */
  constructor(order: () => readonly number[]) {
    this.#order = order;
  }

  get count(): number {
    return this.ids.size;
  }

  /** Selected pictures in the order of the grid. */
  inOrder(): readonly number[] {
    if (this.ids.size <= 1) return [...this.ids];
    const order = this.#order().filter((id) => this.ids.has(id));
    // A picture that was opened from elsewhere need not be in the grid.
    return order.length === this.ids.size ? order : [...this.ids];
  }

  click(index: number, held: Held = {}): void {
    if (held.shift) this.#extend(index, held.ctrl ?? false);
    else if (held.ctrl) this.toggle(index);
    else this.#only(index);
  }

  /** An arrow, Home, End, a page: to another picture. */
  move(index: number, held: Held = {}): void {
    if (held.shift) this.#extend(index, false);
    else if (held.ctrl || (!this.#passing && this.ids.size > 0)) this.#focusOn(index);
    else this.#only(index);
  }

  /** Selects a picture for good, or lets it go. One that is selected in passing becomes fixed. */
  toggle(index = this.focus): void {
    const id = this.#order()[index];
    if (id === undefined) return;
    const passing = this.#passing && this.ids.has(id) && index === this.focus;
    const next = new Set(this.ids);
    if (next.has(id) && !passing) next.delete(id);
    else next.add(id);
    this.#passing = false;
    this.#focusOn(index);
    this.#anchor = index;
    this.ids = next;
  }

  /** Every picture of the search, not only those that were loaded. */
  all(): void {
    this.#passing = false;
    this.ids = new Set(this.#order());
  }

  none(): void {
    this.#passing = true;
    this.ids = NONE;
  }

  /** Selects exactly these. */
  set(ids: readonly number[]): void {
    this.#passing = ids.length <= 1;
    this.ids = new Set(ids);
    const first = this.#order().indexOf(ids[0] ?? -1);
    if (first >= 0) this.#focusOn(first);
  }

  /** A box begins: with Ctrl or Shift it adds to what is selected. */
  startBox(held: Held): void {
    this.#base = held.ctrl || held.shift ? this.ids : NONE;
  }

  box(indexes: readonly number[]): void {
    const order = this.#order();
    const inside = indexes.map((index) => order[index]).filter((id) => id !== undefined);
    this.#passing = false;
    this.ids = new Set([...this.#base, ...inside]);
    const last = indexes.at(-1);
    if (last !== undefined) this.#focusOn(last);
  }

  /** Goes to the next selected picture, or the one before; round the end. */
  step(by: 1 | -1): void {
    const chosen = this.inOrder();
    const at = chosen.indexOf(this.current ?? -1);
    const next = chosen[(at + by + chosen.length) % chosen.length];
    const index = next === undefined ? -1 : this.#order().indexOf(next);
    if (index >= 0) this.#focusOn(index);
  }

  /** The grid's content changed: who is gone is let go, the focus stays on its picture. */
  follow(before: readonly number[], indexOf: (id: number) => number): void {
    const after = this.#order();
    const focused = before[this.focus];
    const found = focused === undefined ? -1 : indexOf(focused);
    this.focus = found >= 0 ? found : Math.max(0, Math.min(this.focus, after.length - 1));
    this.#anchor = Math.min(this.#anchor, Math.max(0, after.length - 1));
    if (this.ids.size === 0) return;
    const kept = [...this.ids].filter((id) => indexOf(id) >= 0);
    if (kept.length < this.ids.size) this.ids = new Set(kept);
    if (kept.length === 0) this.#passing = true;
  }

  #only(index: number): void {
    const id = this.#order()[index];
    if (id === undefined) return;
    this.#passing = true;
    this.#anchor = index;
    this.#focusOn(index);
    this.ids = new Set([id]);
  }

  #extend(index: number, add: boolean): void {
    const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)];
    const range = this.#order().slice(from, to + 1);
    this.#passing = false;
    this.ids = new Set(add ? [...this.ids, ...range] : range);
    this.#focusOn(index);
  }

  #focusOn(index: number): void {
    this.focus = Math.max(0, Math.min(index, this.#order().length - 1));
  }
}
