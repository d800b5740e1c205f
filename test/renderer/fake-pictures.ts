import { existsSync } from 'node:fs';
import sharp from 'sharp';

/** Pixels for the stand-in: crops of a sheet of samples if there is one, else drawn shapes. */
const SIZE = 128;
const COLUMNS = 8;
const ROWS = 4;

/** A picture as PNG. `sheet` is a file of 8 × 4 pictures of 128 pixels; it may be missing. */
export async function picturePng(number: number, sheet: string | null): Promise<Buffer> {
  if (sheet !== null && existsSync(sheet)) {
    const at = number % (COLUMNS * ROWS);
    return sharp(sheet)
      .extract({
        left: (at % COLUMNS) * SIZE,
        top: Math.floor(at / COLUMNS) * SIZE,
        width: SIZE,
        height: SIZE,
      })
      .png()
      .toBuffer();
  }
  const hue = (number * 47) % 360;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}">
    <rect width="128" height="128" fill="white"/>
    <circle cx="64" cy="64" r="${40 + (number % 3) * 6}" fill="hsl(${hue} 70% 55%)"/>
    <circle cx="50" cy="54" r="6" fill="#222"/><circle cx="78" cy="54" r="6" fill="#222"/>
    <path d="M44 80q20 ${10 + (number % 5) * 4} 40 0" stroke="#222" stroke-width="5" fill="none"/>
  </svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** A decode step of a picture: the fewer steps are done, the softer. */
export async function stepWebp(png: Buffer, part: number): Promise<Buffer> {
  const softness = Math.max(0.3, 9 * (1 - part));
  return sharp(png).blur(softness).webp().toBuffer();
}

export async function thumbWebp(png: Buffer): Promise<Buffer> {
  return sharp(png).webp().toBuffer();
}

/** A repeatable stream of numbers from 0 to 1. */
export function numbers(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
