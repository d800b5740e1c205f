import type { RgbImage } from '#worker/protocol';

/** Frames in one row of a strip; more go into further rows. */
const STRIP_COLUMNS = 32;

/** Pictures of one size side by side, in reading order; what the last row lacks is white. */
export function joinStrip(images: readonly RgbImage[]): RgbImage {
  const { width, height } = images[0] ?? { width: 1, height: 1 };
  const columns = Math.min(images.length, STRIP_COLUMNS);
  const rows = Math.ceil(images.length / columns);
  const stride = columns * width * 3;
  const data = new Uint8Array(rows * height * stride).fill(255);
  for (const [i, image] of images.entries()) {
    const left = (i % columns) * width * 3;
    const top = Math.floor(i / columns) * height;
    for (let y = 0; y < height; y++) {
      const line = image.data.subarray(y * width * 3, (y + 1) * width * 3);
      data.set(line, (top + y) * stride + left);
    }
  }
  return { width: columns * width, height: rows * height, data };
}
