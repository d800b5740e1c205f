import { EngineError } from './errors.ts';

/** An RGB picture, 8 bits a channel. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** u8 [height,width,3] */
  readonly data: Uint8Array;
}

/** How a picture of any size becomes a square one (spec 2.1). */
export interface Preparation {
  /** Length that the short side is resized to: 256 for the encoder, 292 as in MAGE's training. */
  readonly short: number;
  /** Side of the centre crop, at most `short`. */
  readonly crop: number;
}

/** Weights are whole numbers of 2⁻²², as in Pillow: 32 bits less 8 of the pixel and 2 of headroom. */
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);
/** Reach of the cubic kernel in output pixels. */
const SUPPORT = 2;
const CHANNELS = 3;

/**
 * Resizes the short side by an antialiased bicubic filter and cuts out the centre, to the byte as
 * Pillow and torchvision do (spec 2.1): floor for the long side, the horizontal pass first, 8 bits
 * between the passes, crop offset rounded half to even. Only what the crop shows is computed, so a
 * very long picture costs no more than its centre. Returns u8 [crop,crop,3].
 */
export function prepare(image: RgbImage, preparation: Preparation): Uint8Array {
  const { short, crop } = preparation;
  check(image, preparation);
  const least = Math.min(image.width, image.height);
  const width = Math.floor((short * image.width) / least);
  const height = Math.floor((short * image.height) / least);
  const across = filter(image.width, width, centred(width, crop));
  const down = filter(image.height, height, centred(height, crop));

  // Rows of the source that the vertical pass reads; nothing else goes through the horizontal one.
  const top = Math.min(...down.starts);
  const bottom = down.starts.reduce(
    (end, start, i) => Math.max(end, start + at(down.counts, i)),
    0,
  );
  const narrow = resizeRows(image, across, { top, bottom });
  return resizeColumns(narrow, down, { crop, top });
}

function check(image: RgbImage, { short, crop }: Preparation): void {
  const sides = [image.width, image.height, short, crop];
  if (!sides.every((side) => Number.isInteger(side) && side > 0) || crop > short) {
    throw new EngineError(
      'bad-plan',
      `A picture of ${image.width}×${image.height} pixels cannot be made ${crop} wide by way of ${short}.`,
      'image',
    );
  }
  if (image.data.length !== image.width * image.height * CHANNELS) {
    throw new EngineError(
      'bad-plan',
      `The picture's ${image.data.length} bytes are not ${image.width}×${image.height} RGB pixels.`,
      'image',
    );
  }
}

/** The centre `crop` of `size` pixels; half a pixel goes to the even neighbour. */
function centred(size: number, crop: number): Window {
  const half = (size - crop) / 2;
  const down = Math.floor(half);
  const first = half === down || down % 2 === 0 ? down : down + 1;
  return { first, count: crop };
}

interface Window {
  readonly first: number;
  readonly count: number;
}

/** For each output pixel of a window: the source pixels it reads, and their fixed-point weights. */
interface Filter {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** i32 [window,taps] */
  readonly weights: Int32Array;
  readonly taps: number;
}

function filter(from: number, to: number, window: Window): Filter {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(window.count);
  const counts = new Int32Array(window.count);
  const weights = new Int32Array(window.count * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < window.count; i++) {
    const centre = (window.first + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      const weight = cubic((tap + start - centre + 0.5) * (1 / stretch));
      exact[tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < count; tap++) {
      const weight = at(exact, tap) / sum;
      // Rounded half away from zero, by truncation.
      weights[i * taps + tap] = Math.trunc(
        weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5),
      );
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, taps };
}

/** The cubic kernel with a = −0.5. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/** Horizontal pass over the rows top…bottom−1. Returns u8 [bottom−top,window,3]. */
function resizeRows(
  image: RgbImage,
  across: Filter,
  rows: { readonly top: number; readonly bottom: number },
): Uint8Array {
  const { starts, counts, weights, taps } = across;
  const count = starts.length;
  const { data } = image;
  const out = new Uint8Array((rows.bottom - rows.top) * count * CHANNELS);
  let o = 0;
  for (let y = rows.top; y < rows.bottom; y++) {
    const row = y * image.width;
    for (let i = 0; i < count; i++) {
      let source = (row + at(starts, i)) * CHANNELS;
      const end = i * taps + at(counts, i);
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let tap = i * taps; tap < end; tap++) {
        const weight = at(weights, tap);
        red += at(data, source) * weight;
        green += at(data, source + 1) * weight;
        blue += at(data, source + 2) * weight;
        source += CHANNELS;
      }
      out[o++] = clip(red);
      out[o++] = clip(green);
      out[o++] = clip(blue);
    }
  }
  return out;
}

/** Vertical pass over rows `crop` pixels wide that start at the source's row `top`. */
function resizeColumns(
  narrow: Uint8Array,
  down: Filter,
  { crop, top }: { readonly crop: number; readonly top: number },
): Uint8Array {
  const { starts, counts, weights, taps } = down;
  const stride = crop * CHANNELS;
  const out = new Uint8Array(starts.length * stride);
  const sums = new Int32Array(stride);
  for (let i = 0; i < starts.length; i++) {
    sums.fill(HALF);
    for (let tap = 0; tap < at(counts, i); tap++) {
      const weight = at(weights, i * taps + tap);
      const row = (at(starts, i) - top + tap) * stride;
      for (let x = 0; x < stride; x++) sums[x] = at(sums, x) + at(narrow, row + x) * weight;
    }
    for (let x = 0; x < stride; x++) out[i * stride + x] = clip(at(sums, x));
  }
  return out;
}

/** A fixed-point sum as a pixel: 0…255. */
function clip(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** An element that is known to be inside the array. */
function at(array: Uint8Array | Int32Array | Float64Array, index: number): number {
  return array[index] as number;
}
