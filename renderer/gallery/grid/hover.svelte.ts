/** How long the pointer rests on a picture before it is shown larger. */
const REST_MS = 300;

/** A picture that is pointed at, and where its cell is on screen. */
export interface Pointed {
  readonly id: number;
  readonly box: Pick<DOMRect, 'left' | 'right' | 'top' | 'bottom'>;
}

/** Shows a picture larger after the pointer rested on it, while the device has nothing to do. */
export class Hover {
  #shown = $state.raw<Pointed | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over: number | null = null;
  readonly #isIdle: () => boolean;
  /** A job that begins takes the preview away. */
  readonly shown = $derived.by(() => (this.#isIdle() ? this.#shown : null));

  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle;
  }

  /** The pointer is on a picture. */
  over(pointed: Pointed): void {
    if (this.#over === pointed.id) return;
    this.leave();
    this.#over = pointed.id;
    if (this.#isIdle()) this.#timer = setTimeout(() => (this.#shown = pointed), REST_MS);
  }

  /** The pointer left, or does something else. */
  leave(): void {
    clearTimeout(this.#timer);
    this.#over = null;
    this.#shown = null;
  }

  /** What is done with the picture matters more than its look, until the pointer leaves it. */
  dismiss(): void {
    clearTimeout(this.#timer);
    this.#shown = null;
  }
}

/** Where a square of `edge` fits beside a cell, in pixels of the window. */
export function placeBeside(
  box: Pointed['box'],
  edge: number,
  window: { readonly width: number; readonly height: number },
): { readonly left: number; readonly top: number } {
  const gap = 8;
  const right = box.right + gap;
  const left = right + edge + gap <= window.width ? right : box.left - gap - edge;
  const top = (box.top + box.bottom - edge) / 2;
  return {
    left: Math.max(gap, left),
    top: Math.max(gap, Math.min(window.height - edge - gap, top)),
  };
}
