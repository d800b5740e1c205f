import { describe, expect, test } from 'vitest';
import { EngineError } from '#engine/errors';
import { makeMosaic, PATCH_BYTES } from '#engine/mosaic';
import type { ModelSizes, Network } from '#engine/types';
import { decoded } from './toys.ts';

const S = 64;
const sizes: ModelSizes = {
  representation: 2,
  tokens: 64,
  codes: 21,
  maskId: 99,
  imageSize: S,
  classes: 0,
  unconditionalClass: null,
};

/** A decoder whose cells of 8×8 pixels hold `10 × code`, with the row and column in green and blue. */
function decoder(edge = 0): { readonly network: Network; readonly grids: number[][] } {
  const grids: number[][] = [];
  const network: Network = ({ tokens }) => {
    const grid = Array.from(tokens?.data ?? []);
    grids.push(grid);
    const data = new Uint8Array(S * S * 3);
    for (let y = 0; y < S; y++) {
      for (let x = 0; x < S; x++) {
        const cell = Math.floor(y / 8) * 8 + Math.floor(x / 8);
        // A code's colour is spoilt where another code lies beside it, within a quarter of a cell.
        const near = [-2, 2].flatMap((by) => [at(grid, y + by, x), at(grid, y, x + by)]);
        const spoilt = near.some((code) => code !== undefined && code !== grid[cell]);
        data.set([10 * (grid[cell] ?? 0) + (spoilt ? edge : 0), y % 8, x % 8], (y * S + x) * 3);
      }
    }
    return Promise.resolve(decoded([1, S, S, 3], data));
  };
  return { network, grids };
}

function at(grid: readonly number[], y: number, x: number): number | undefined {
  return y < 0 || x < 0 || y >= S || x >= S
    ? undefined
    : grid[Math.floor(y / 8) * 8 + Math.floor(x / 8)];
}

describe('the mosaic of a model', () => {
  test('is the mean colour of each sixteenth of a cell, for every code', async () => {
    const { network } = decoder();
    const table = await makeMosaic({ network, sizes });
    expect(table).toHaveLength(21 * PATCH_BYTES);
    const patch = (code: number) => Array.from(table.subarray(48 * code, 48 * code + 48));
    // Two pixels by two: rows and columns 0…7 have the means 0.5, 2.5, 4.5 and 6.5.
    expect(patch(0).slice(0, 6)).toEqual([0, 1, 1, 0, 1, 3]);
    expect(patch(20).slice(-3)).toEqual([200, 7, 7]);
    expect(new Set(Array.from({ length: 21 }, (_, code) => patch(code)[0])).size).toBe(21);
  });

  test('keeps out what neighbours do to the edge of a code', async () => {
    const clean = await makeMosaic({ network: decoder().network, sizes });
    expect(await makeMosaic({ network: decoder(50).network, sizes })).toEqual(clean);
  });

  test('decodes few grids of 2×2 blocks, the same ones every time', async () => {
    const first = decoder();
    const second = decoder();
    await makeMosaic({ network: first.network, sizes });
    await makeMosaic({ network: second.network, sizes });
    expect(first.grids).toEqual(second.grids);
    // 16 blocks a grid: two grids hold 21 codes, twice.
    expect(first.grids).toHaveLength(4);
    for (const grid of first.grids) {
      expect([grid[1], grid[8], grid[9]]).toEqual([grid[0], grid[0], grid[0]]);
    }
    expect(new Set(first.grids.slice(0, 2).flat()).size).toBe(21);
    expect(first.grids[0]).not.toEqual(first.grids[2]);
  });

  test('serves cells that are smaller than a patch, and grids of an odd side', async () => {
    for (const [tokens, imageSize] of [
      [4, 2],
      [9, 6],
    ] as const) {
      const network: Network = () =>
        Promise.resolve(
          decoded([1, imageSize, imageSize, 3], new Uint8Array(imageSize ** 2 * 3).fill(7)),
        );
      const small = { ...sizes, tokens, imageSize, codes: 3 };
      expect(new Set(await makeMosaic({ network, sizes: small }))).toEqual(new Set([7]));
    }
  });

  test('stops between two grids when it is told to', async () => {
    const { network, grids } = decoder();
    const abort = new AbortController();
    const pause = () => {
      if (grids.length === 1) abort.abort();
      return Promise.resolve();
    };
    const failed = makeMosaic({ network, sizes, signal: abort.signal, pause });
    await expect(failed).rejects.toThrow(EngineError);
    expect(grids).toHaveLength(1);
  });

  test('refuses what a damaged decoder gives', async () => {
    const network: Network = () => Promise.resolve({});
    await expect(makeMosaic({ network, sizes })).rejects.toMatchObject({ code: 'bad-output' });
  });
});
