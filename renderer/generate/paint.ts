import { plannedCounts, sideOf } from './decode.ts';

// Drawing on one canvas for all tokens: an element each would cost more than the decoding shows.

/** Colours of the page's theme, read from its tokens. */
export interface Palette {
  readonly veil: string;
  readonly fresh: string;
  readonly accent: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly text: string;
  readonly textQuiet: string;
  readonly surface: string;
  readonly ramp: readonly string[];
}

const palettes = new Map<string | undefined, Palette>();

/** The colours of the theme that the page has now. Each theme is read once: reading costs a restyle. */
export function paletteOf({ documentElement: root }: Document): Palette {
  const { theme } = root.dataset;
  const known = palettes.get(theme);
  if (known !== undefined) return known;
  const palette = readPalette(root);
  palettes.set(theme, palette);
  return palette;
}

function readPalette(root: Element): Palette {
  const style = getComputedStyle(root);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    veil: token('--c-veil'),
    fresh: token('--c-token-new'),
    accent: token('--c-accent'),
    line: token('--c-line'),
    lineStrong: token('--c-line-strong'),
    text: token('--c-text'),
    textQuiet: token('--c-text-3'),
    surface: token('--c-surface-2'),
    ramp: [0, 1, 2, 3, 4].map((index) => token(`--ramp-${index}`)),
  };
}

/** Gives the canvas its size on screen, cleared, and answers a context that draws in CSS pixels. */
export function contextOf(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio;
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * ratio)));
  const context = canvas.getContext('2d');
  // Setting a size costs a new bitmap and a layout of the page, also where it is the same.
  if (canvas.width === across && canvas.height === down) context?.reset();
  else Object.assign(canvas, { width: across, height: down });
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

type Cell = (x: number, y: number, size: number, token: number) => void;

function eachCell(count: number, size: number, draw: Cell): void {
  const side = sideOf(count);
  const cell = size / side;
  for (let token = 0; token < count; token++) {
    draw((token % side) * cell, Math.floor(token / side) * cell, cell, token);
  }
}

/**
 * Open tokens under a veil with a dot; those that came in this step outlined, where that is known:
 * `before` is undefined for the first step, and null where the step before was not told.
 */
export function paintVeil(
  context: CanvasRenderingContext2D,
  size: number,
  at: {
    readonly tokens: readonly number[];
    readonly before: readonly number[] | null | undefined;
    readonly mask: number;
    readonly palette: Palette;
  },
): void {
  const { tokens, before, mask, palette } = at;
  eachCell(tokens.length, size, (x, y, cell, token) => {
    if (tokens[token] !== mask) return;
    context.fillStyle = palette.veil;
    context.fillRect(x, y, cell, cell);
    if (cell < 8) return;
    context.fillStyle = 'rgb(255 255 255 / .55)';
    context.beginPath();
    context.arc(x + cell / 2, y + cell / 2, Math.min(2, cell / 12), 0, 2 * Math.PI);
    context.fill();
  });
  if (before === null) return;
  eachCell(tokens.length, size, (x, y, cell, token) => {
    const fresh = tokens[token] !== mask && (before === undefined || before[token] === mask);
    if (!fresh || cell < 6) return;
    context.lineWidth = 2;
    context.strokeStyle = 'rgb(10 11 11 / .7)';
    context.strokeRect(x + 2.5, y + 2.5, cell - 5, cell - 5);
    context.strokeStyle = palette.fresh;
    context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
  });
}

/** Each token's number over the picture. */
export function paintTokens(
  context: CanvasRenderingContext2D,
  size: number,
  at: { readonly tokens: readonly number[]; readonly mask: number; readonly palette: Palette },
): void {
  context.fillStyle = 'rgb(10 11 11 / .6)';
  context.fillRect(0, 0, size, size);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.strokeStyle = 'rgb(255 255 255 / .14)';
  context.lineWidth = 1;
  eachCell(at.tokens.length, size, (x, y, cell, token) => {
    context.strokeRect(x + 0.5, y + 0.5, cell, cell);
    const number = at.tokens[token] ?? at.mask;
    context.font = `${Math.max(7, cell * 0.34)}px "JetBrains Mono Variable", monospace`;
    context.fillStyle = number === at.mask ? 'rgb(255 255 255 / .5)' : '#fff';
    context.fillText(number === at.mask ? '·' : String(number), x + cell / 2, y + cell / 2);
  });
}

/** Bits that the brightest colour of the uncertainty ramp stands for. */
export const RAMP_BITS = 10;

/** The colour of some bits: between the ramp's five colours, in plain RGB. */
function rampColour(ramp: readonly string[], bits: number): string {
  const at = (Math.min(RAMP_BITS, Math.max(0, bits)) / RAMP_BITS) * (ramp.length - 1);
  const low = Math.floor(at);
  const from = channels(ramp[low] ?? '#000000');
  const to = channels(ramp[Math.min(low + 1, ramp.length - 1)] ?? '#000000');
  const mixed = from.map((value, index) => value + ((to[index] ?? 0) - value) * (at - low));
  return `rgb(${mixed.map(Math.round).join(' ')})`;
}

function channels(hex: string): readonly number[] {
  return [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16) || 0);
}

/** The uncertainty of each token as a map of colours. */
export function paintBits(
  context: CanvasRenderingContext2D,
  size: number,
  at: { readonly bits: readonly number[]; readonly palette: Palette; readonly opacity: number },
): void {
  context.globalAlpha = at.opacity;
  eachCell(at.bits.length, size, (x, y, cell, token) => {
    context.fillStyle = rampColour(at.palette.ramp, at.bits[token] ?? 0);
    // Whole pixels: cells of a fractional size would show seams, or overlap.
    const [left, top] = [Math.round(x), Math.round(y)];
    context.fillRect(left, top, Math.round(x + cell) - left, Math.round(y + cell) - top);
  });
  context.globalAlpha = 1;
}

/** Marks the token that is read out. */
export function paintCursor(
  context: CanvasRenderingContext2D,
  size: number,
  at: { readonly token: number; readonly count: number },
): void {
  const side = sideOf(at.count);
  const cell = size / side;
  const x = (at.token % side) * cell;
  const y = Math.floor(at.token / side) * cell;
  context.lineWidth = 2;
  context.strokeStyle = '#000';
  context.strokeRect(x - 1, y - 1, cell + 2, cell + 2);
  context.strokeStyle = '#fff';
  context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
}

/** A representation as a stripe: one line a number, dark low and bright high. */
export function paintStripe(
  context: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number },
  values: ArrayLike<number>,
): void {
  const { width, height } = size;
  Array.from(values).forEach((value, index) => {
    // Standardised numbers: three deviations on either side hold nearly all of them.
    const part = Math.min(1, Math.max(0, (value + 3) / 6));
    const x = (index * width) / values.length;
    context.fillStyle = `oklch(${0.25 + 0.6 * part} ${0.02 + 0.12 * Math.abs(part - 0.5)} ${value < 0 ? 225 : 75})`;
    context.fillRect(x, 0, width / values.length + 0.5, height);
  });
}

/** A step of the strip, as it is drawn. */
export interface StripStep {
  readonly picture: CanvasImageSource | null;
  readonly tokens: readonly number[] | null;
  /** Tokens that came in it; null where that was not seen, and the schedule says it. */
  readonly fresh: number | null;
}

/** Decode steps: a small picture, a bar of how many tokens came, and the number of each. */
export function paintStrip(
  context: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number; readonly rem: number },
  at: {
    readonly steps: readonly StripStep[];
    readonly mask: number;
    readonly tokens: number;
    readonly chosen: number | null;
    readonly palette: Palette;
  },
): void {
  const { palette, steps } = at;
  const gap = steps.length > 40 ? 1 : 3;
  // Room at both ends for the outline of the chosen step.
  const cell = (size.width - 4 + gap) / steps.length - gap;
  const thumb = Math.min(cell, size.rem * 2.0625);
  const barTop = size.rem * 2.0625 + 6;
  const barHeight = size.rem;
  const planned = plannedCounts(at.tokens, steps.length);
  const most = Math.max(1, ...planned, ...steps.map((step) => step.fresh ?? 0));
  steps.forEach((step, index) => {
    const x = 2 + index * (cell + gap);
    const chosen = index === at.chosen;
    paintThumb(context, { x: x + (cell - thumb) / 2, y: 2, size: thumb }, step, at);
    const bar = Math.max(1, (barHeight * (step.fresh ?? planned[index] ?? 0)) / most);
    context.fillStyle = chosen ? palette.accent : palette.lineStrong;
    if (step.tokens === null) {
      context.strokeStyle = palette.line;
      context.strokeRect(x + 0.5, barTop + barHeight - bar + 0.5, cell - 1, bar);
    } else context.fillRect(x, barTop + barHeight - bar, cell, bar);
    if (chosen) {
      context.strokeStyle = palette.accent;
      context.lineWidth = 2;
      context.strokeRect(x + (cell - thumb) / 2 - 1, 1, thumb + 2, thumb + 2);
      context.lineWidth = 1;
    }
    if (cell < size.rem * 0.9 && (index + 1) % 5 !== 0) return;
    context.fillStyle = chosen ? palette.accent : palette.textQuiet;
    context.font = `${chosen ? 620 : 420} ${size.rem * 0.6875}px "Inter Variable", sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'top';
    context.fillText(String(index + 1), x + cell / 2, barTop + barHeight + 3);
  });
}

/** A small picture of a step: decided tokens with their pixels, or as cells where none are known. */
export function paintThumb(
  context: CanvasRenderingContext2D,
  box: { readonly x: number; readonly y: number; readonly size: number },
  step: StripStep,
  at: { readonly mask: number; readonly palette: Palette },
): void {
  const { x, y, size } = box;
  if (step.tokens === null) {
    context.strokeStyle = at.palette.line;
    context.setLineDash([2, 2]);
    context.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
    context.setLineDash([]);
    return;
  }
  const { tokens } = step;
  context.fillStyle = '#0a0b0b';
  context.fillRect(x, y, size, size);
  context.save();
  context.translate(x, y);
  if (step.picture !== null) context.drawImage(step.picture, 0, 0, size, size);
  eachCell(tokens.length, size, (cx, cy, cell, token) => {
    const open = tokens[token] === at.mask;
    if (open === (step.picture === null)) return;
    context.fillStyle = open ? 'rgb(10 11 11 / .85)' : at.palette.textQuiet;
    context.fillRect(cx, cy, cell + 0.5, cell + 0.5);
  });
  context.restore();
}
