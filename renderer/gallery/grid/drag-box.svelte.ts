import type { Gallery } from '../gallery.svelte.ts';
import type { Grid } from './grid.svelte.ts';

/** Below this a press is a click. */
const THRESHOLD = 4;
/** Near an edge of the view the grid scrolls along. */
const EDGE = 24;

interface Shape {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A box drawn over the grid with the pointer: what it touches is selected. */
export class DragBox {
  shape = $state.raw<Shape | null>(null);
  #from: { readonly x: number; readonly y: number } | null = null;
  readonly #gallery: Gallery;
  readonly #grid: Grid;

  constructor(gallery: Gallery, grid: Grid) {
    this.#gallery = gallery;
    this.#grid = grid;
  }

  /** A press on a picture is a click or a drag of the picture; a press beside one begins a box. */
  start = (event: PointerEvent): void => {
    const scroller = event.currentTarget;
    if (!(scroller instanceof HTMLElement) || !(event.target instanceof Element)) return;
    const onPicture = event.target.closest('[data-cell]') !== null;
    const onScrollbar = event.offsetX > scroller.clientWidth && event.target === scroller;
    if (event.button !== 0 || onPicture || onScrollbar) return;
    this.#from = placeIn(scroller, event);
    this.#gallery.selection.startBox({
      ctrl: event.ctrlKey || event.metaKey,
      shift: event.shiftKey,
    });
    scroller.setPointerCapture(event.pointerId);
  };

  move = (event: PointerEvent): void => {
    const scroller = event.currentTarget;
    if (this.#from === null || !(scroller instanceof HTMLElement)) return;
    const { x: x0, y: y0 } = this.#from;
    const { x: x1, y: y1 } = placeIn(scroller, event);
    if (this.shape === null && Math.hypot(x1 - x0, y1 - y0) < THRESHOLD) return;
    this.shape = {
      x: Math.min(x0, x1),
      y: Math.min(y0, y1),
      width: Math.abs(x1 - x0),
      height: Math.abs(y1 - y0),
    };
    this.#gallery.selection.box(this.#grid.inBox({ x0, y0, x1, y1 }));
    const { top, bottom } = scroller.getBoundingClientRect();
    if (event.clientY < top + EDGE) scroller.scrollTop -= EDGE;
    else if (event.clientY > bottom - EDGE) scroller.scrollTop += EDGE;
  };

  end = (event: PointerEvent): void => {
    if (this.#from === null) return;
    // A click beside the pictures lets the selection go.
    if (this.shape === null && !event.ctrlKey && !event.shiftKey) this.#gallery.selection.none();
    this.#from = null;
    this.shape = null;
  };
}

/** The pointer's place on the sheet. */
function placeIn(scroller: HTMLElement, event: PointerEvent): { x: number; y: number } {
  const box = scroller.getBoundingClientRect();
  const style = getComputedStyle(scroller);
  return {
    x: event.clientX - box.left - Number.parseFloat(style.paddingLeft),
    y: event.clientY - box.top + scroller.scrollTop,
  };
}
