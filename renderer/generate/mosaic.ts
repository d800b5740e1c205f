import { sideOf } from './decode.ts';

/** Side of a code's patch in the table that the engine makes, in pixels. */
const PATCH = 4;

/** Which tokens a mosaic shows. */
export interface MosaicOptions {
  /** The token that stands for "open". */
  readonly mask: number;
  /** The grid of a step whose pixels are there: what was decided in it is left to them. */
  readonly known?: readonly number[] | null;
}

/** RGBA [4·side,4·side] of a grid as patches of its codes; clear where it is open or `known` has pixels. */
export function mosaicPixels(
  table: Uint8Array,
  tokens: readonly number[],
  { mask, known = null }: MosaicOptions,
): Uint8ClampedArray<ArrayBuffer> {
  const side = sideOf(tokens.length) * PATCH;
  const pixels = new Uint32Array(side * side);
  tokens.forEach((code, token) => {
    if (code === mask || (known !== null && known[token] !== mask)) return;
    const corner = cornerOf(token, side);
    for (let at = 0; at < PATCH * PATCH; at++) {
      const from = (code * PATCH * PATCH + at) * 3;
      const [red, green, blue] = table.subarray(from, from + 3);
      // A code that the table has not would be painted black: it stays clear.
      if (red === undefined || green === undefined || blue === undefined) return;
      // Little-endian, as every machine with a browser is: alpha is the highest byte.
      pixels[corner + Math.floor(at / PATCH) * side + (at % PATCH)] =
        (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
    }
  });
  return new Uint8ClampedArray(pixels.buffer);
}

function cornerOf(token: number, side: number): number {
  const cells = side / PATCH;
  return Math.floor(token / cells) * PATCH * side + (token % cells) * PATCH;
}

/** Whole mosaics that were drawn, for as long as their tokens are kept. */
const drawn = new WeakMap<readonly number[], OffscreenCanvas>();

/** The mosaic of all decided tokens, drawn once: several places show the same step. */
export function wholeMosaic(
  table: Uint8Array,
  tokens: readonly number[],
  mask: number,
): OffscreenCanvas {
  const known = drawn.get(tokens);
  if (known !== undefined) return known;
  const picture = mosaicPicture(table, tokens, { mask });
  drawn.set(tokens, picture);
  return picture;
}

/** The mosaic as a small picture, to be drawn at any size. */
export function mosaicPicture(
  table: Uint8Array,
  tokens: readonly number[],
  options: MosaicOptions,
): OffscreenCanvas {
  const side = sideOf(tokens.length) * PATCH;
  const canvas = new OffscreenCanvas(side, side);
  const image = new ImageData(mosaicPixels(table, tokens, options), side, side);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}
