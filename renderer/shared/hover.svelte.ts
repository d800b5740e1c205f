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

/** Where a larger picture lies, in pixels of the window. */
type Place = { readonly left: number; readonly top: number };
type Room = { readonly width: number; readonly height: number };
const GAP = 8;

/** Where a square of `edge` fits beside a cell. */
export function placeBeside(box: Pointed['box'], edge: number, window: Room): Place {
  const right = box.right + GAP;
  const left = right + edge + GAP <= window.width ? right : box.left - GAP - edge;
  return within(left, (box.top + box.bottom - edge) / 2, { edge, window });
}

/** Where it fits above one of a strip: beside it, it would lie over the others. */
export function placeAbove(box: Pointed['box'], edge: number, window: Room): Place {
  const left = (box.left + box.right - edge) / 2;
  return within(left, box.top - GAP - edge, { edge, window });
}

function within(
  left: number,
  top: number,
  { edge, window }: { readonly edge: number; readonly window: Room },
): Place {
  return {
    left: Math.max(GAP, Math.min(window.width - edge - GAP, left)),
    top: Math.max(GAP, Math.min(window.height - edge - GAP, top)),
  };
}
