/** What two pictures of the same size differ in. */
export interface Difference {
  /** RGBA [H,W,4]: how far apart each pixel is, brightened so that small steps show. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  /** Share of pixels that differ at all, 0 to 1. */
  readonly share: number;
  /** Largest distance of a channel, 0 to 255. */
  readonly largest: number;
}

/** Compares RGBA [H,W,4] of equal length; transparency is left out. */
export function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>, gain: number): Difference {
  const pixels = new Uint8ClampedArray(a.length);
  let differing = 0;
  let largest = 0;
  for (let i = 0; i + 3 < a.length; i += 4) {
    let most = 0;
    for (let channel = 0; channel < 3; channel++) {
      const distance = Math.abs((a[i + channel] ?? 0) - (b[i + channel] ?? 0));
      pixels[i + channel] = distance * gain;
      most = Math.max(most, distance);
    }
    pixels[i + 3] = 255;
    if (most > 0) differing++;
    largest = Math.max(largest, most);
  }
  const count = a.length / 4;
  return { pixels, share: count === 0 ? 0 : differing / count, largest };
}
