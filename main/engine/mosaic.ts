import { breathe, type Control } from './errors.ts';
import { decodePixels } from './pixels.ts';
import { uniforms } from './random.ts';
import type { ModelSizes, Network } from './types.ts';

/** Side of a code's patch in pixels: a mosaic shows colours and edges, not details. */
const PATCH = 4;
/** Bytes of a code's patch, RGB. */
export const PATCH_BYTES = PATCH * PATCH * 3;
/**
 * How often each code is looked at. A code looks different beside other ones; two looks halve the
 * chance of a wrong colour, and four were hardly better than two.
 */
const ROUNDS = 2;
const SEED = 0;

/** The model that a table is made for. */
export interface MosaicRequest extends Control {
  readonly network: Network;
  readonly sizes: ModelSizes;
}

/**
 * What each code looks like at a glance: u8 [K,4,4,3], the mean colours of its cell in decoded grids
 * of 2×2 blocks of one code each, shuffled. A whole grid of one code would drive the decoder's
 * normalisation to colours that no picture has, and a single cell takes over its neighbours' colours
 * at the edges. So each quarter of a patch is taken from the cell of the block that has this quarter
 * inside, among its own kind. The same model gives the same table.
 */
export async function makeMosaic({ network, sizes, ...control }: MosaicRequest) {
  const { codes: K, tokens: N } = sizes;
  const side = Math.round(Math.sqrt(N));
  const blocks = Math.floor(side / 2);
  const sums = new Float64Array(K * PATCH_BYTES);
  for (let round = 0; round < ROUNDS; round++) {
    const order = shuffled(K, round);
    for (let first = 0; first < K; first += blocks * blocks) {
      await breathe(control);
      // Past the end the order begins again, so that no grid is half of one code.
      const codes = Array.from({ length: blocks * blocks }, (_, i) => order[(first + i) % K] ?? 0);
      const image = await decodePixels({ network, sizes, tokens: gridOf(codes, side) });
      codes.slice(0, K - first).forEach((code, block) => {
        const sum = sums.subarray(code * PATCH_BYTES, (code + 1) * PATCH_BYTES);
        addBlock({ image, side, size: sizes.imageSize }, cornerOf(block, side), sum);
      });
    }
  }
  return Uint8Array.from(sums, (sum) => Math.round(sum / ROUNDS));
}

/** 0…K−1 in an order of its own for each round. */
function shuffled(K: number, round: number): readonly number[] {
  const draws = new Float32Array(K);
  uniforms({ seed: SEED, stage: 'decoding', step: round }, draws);
  return Array.from(draws.keys()).sort((a, b) => (draws[a] ?? 0) - (draws[b] ?? 0) || a - b);
}

/** A grid i32 [N] whose 2×2 blocks hold one code each; what is left over on a side stays 0. */
function gridOf(codes: readonly number[], side: number): Int32Array {
  const grid = new Int32Array(side * side);
  codes.forEach((code, block) => {
    const corner = cornerOf(block, side);
    for (const cell of [corner, corner + 1, corner + side, corner + side + 1]) grid[cell] = code;
  });
  return grid;
}

/** The upper left cell of a block. */
function cornerOf(block: number, side: number): number {
  const blocks = Math.floor(side / 2);
  return 2 * Math.floor(block / blocks) * side + 2 * (block % blocks);
}

interface Decoded {
  /** u8 [S,S,3] */
  readonly image: Uint8Array;
  /** Cells of a side, and S. */
  readonly side: number;
  readonly size: number;
}

/** Adds a block's patch [4,4,3]: each quarter from the cell whose quarter lies inside the block. */
function addBlock({ image, side, size }: Decoded, corner: number, sum: Float64Array): void {
  const scale = size / side;
  for (let y = 0; y < PATCH; y++) {
    for (let x = 0; x < PATCH; x++) {
      // The left half of a patch lies inside in the right cell, and so on.
      const top = (Math.floor(corner / side) + (y < PATCH / 2 ? 1 : 0)) * scale;
      const left = ((corner % side) + (x < PATCH / 2 ? 1 : 0)) * scale;
      const rows = span(top, y, scale);
      const columns = span(left, x, scale);
      const count = (rows.end - rows.start) * (columns.end - columns.start);
      for (let row = rows.start; row < rows.end; row++) {
        for (let column = columns.start; column < columns.end; column++) {
          for (let c = 0; c < 3; c++) {
            const at = (y * PATCH + x) * 3 + c;
            sum[at] = (sum[at] ?? 0) + (image[(row * size + column) * 3 + c] ?? 0) / count;
          }
        }
      }
    }
  }
}

/** The pixels that a part of a patch covers: at least one, also where a cell is smaller than it. */
function span(from: number, part: number, scale: number): { start: number; end: number } {
  const start = Math.floor(from + (part * scale) / PATCH);
  return { start, end: Math.max(start + 1, Math.floor(from + ((part + 1) * scale) / PATCH)) };
}
