import { readFileSync, writeFileSync } from 'node:fs';
import type { Rectangle } from 'electron';

/** Where a window was, and whether it filled the screen. */
export interface WindowState {
  readonly bounds: Rectangle;
  readonly maximised: boolean;
}

/** Smaller than this, panels would cover the picture. */
export const MIN_SIZE = { width: 1080, height: 680 } as const;
const FIRST_SIZE = { width: 1360, height: 860 } as const;
/** So much of a title bar must be on a screen, or nobody could take hold of it. */
const GRIP = { width: 100, height: 30 } as const;

/**
 * Where to put the window: as it was when that can still be seen, else in the middle of the first
 * screen. Never larger than the screen it is on.
 */
export function placeWindow(
  saved: WindowState | null,
  screens: readonly Rectangle[],
): Partial<Rectangle> & Pick<Rectangle, 'width' | 'height'> {
  const fit = (size: Pick<Rectangle, 'width' | 'height'>, area: Rectangle) => ({
    width: Math.min(Math.max(size.width, MIN_SIZE.width), area.width),
    height: Math.min(Math.max(size.height, MIN_SIZE.height), area.height),
  });
  const old = saved?.bounds;
  for (const screen of screens) {
    const bounds = old && { ...old, ...fit(old, screen) };
    if (bounds && canBeHeld(bounds, screen)) return bounds;
  }
  const [first = { ...FIRST_SIZE, x: 0, y: 0 }] = screens;
  return fit(old ?? FIRST_SIZE, first);
}

function canBeHeld(bounds: Rectangle, area: Rectangle): boolean {
  const left = Math.max(bounds.x, area.x);
  const right = Math.min(bounds.x + bounds.width, area.x + area.width);
  const above = bounds.y < area.y;
  const below = bounds.y + GRIP.height > area.y + area.height;
  return right - left >= GRIP.width && !above && !below;
}

/** The state of last time; null when there is none that makes sense. */
export function readWindowState(file: string): WindowState | null {
  try {
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Partial<WindowState> | null;
    const { x, y, width, height } = saved?.bounds ?? {};
    const numbers = [x, y, width, height];
    if (!numbers.every((value) => Number.isSafeInteger(value) && Math.abs(Number(value)) < 1e5)) {
      return null;
    }
    const bounds = { x, y, width, height } as Rectangle;
    return { bounds, maximised: saved?.maximised === true };
  } catch {
    return null;
  }
}

/** Keeps the state. Only convenience is lost when it cannot be written. */
export function writeWindowState(file: string, state: WindowState): void {
  try {
    writeFileSync(file, JSON.stringify(state));
  } catch {
    // The next window opens in the middle.
  }
}
