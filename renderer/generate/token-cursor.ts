import { sideOf } from './decode.ts';

/** Row and column of a token, counted from 1. */
export function placeOf(
  token: number,
  count: number,
): { readonly row: number; readonly column: number } {
  const side = sideOf(count);
  return { row: Math.floor(token / side) + 1, column: (token % side) + 1 };
}

/**
 * Where a key moves the cursor of `count` tokens to; null for a key that moves none. The first one
 * only makes it appear, and at an end it stays.
 */
export function movedBy(key: string, cursor: number | null, count: number): number | null {
  const side = sideOf(count);
  const column = (cursor ?? 0) % side;
  const across = { ArrowLeft: -1, ArrowRight: 1, Home: -column, End: side - 1 - column };
  const moves = new Map(Object.entries({ ...across, ArrowUp: -side, ArrowDown: side }));
  const move = moves.get(key);
  if (move === undefined || count === 0) return null;
  if (cursor === null) return 0;
  const next = cursor + move;
  return next >= 0 && next < count ? next : cursor;
}

/** The token at a part of the picture's width and height. */
export function tokenAt(x: number, y: number, count: number): number {
  const side = sideOf(count);
  const within = (part: number) => Math.min(side - 1, Math.max(0, Math.floor(part * side)));
  return within(y) * side + within(x);
}
