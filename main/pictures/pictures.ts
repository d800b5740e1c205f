import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { StudioError } from '#api/errors';
import type { Reason } from '#api/reasons';
import type { RgbImage } from '#worker/protocol';
import { checkFile, fileError, readWhole, systemCode, writeAtomic } from './files.ts';
import {
  insertTexts,
  isPng,
  readText,
  RECIPE_KEYWORD,
  SOFTWARE_KEYWORD,
  type Text,
} from './png.ts';

/** Largest picture read: a decoded one takes three bytes a pixel, and several copies are needed. */
const MAX_PIXELS = 100_000_000;
const MAX_SIDE = 20_000;
const MAX_FILE_BYTES = 1 << 30;
/** Bytes by which a picture's format is told. */
const HEAD_BYTES = 32;
/** sRGB white, what transparent pictures are laid upon. */
const WHITE = { r: 255, g: 255, b: 255 };

const KNOWN = 'JPEG, PNG, WebP, GIF, TIFF or AVIF';

/**
 * First bytes of the formats that are read. What is not here (SVG, PDF, a text) never reaches a
 * decoder: some of those formats can name other files.
 */
const HEADS: readonly RegExp[] = [
  /^\xff\xd8\xff/,
  /^\x89PNG\r\n\x1a\n/,
  /^GIF8[79]a/,
  /^RIFF....WEBP/s,
  /^(II[*+]\0|MM\0[*+])/,
  /^....ftyp(avif|avis|mif1|msf1|heic|heix)/s,
];

/**
 * Any picture file as 8-bit sRGB, upright as its EXIF says, transparency laid on white, the first
 * frame of an animation. Wrong files are `picture-unreadable` or `file-unavailable`.
 */
export async function readPicture(path: string): Promise<RgbImage> {
  await checkFile(path, MAX_FILE_BYTES);
  const name = basename(path);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, 'read', path);
  });
  const head = bytes.subarray(0, HEAD_BYTES).toString('latin1');
  if (!HEADS.some((pattern) => pattern.test(head))) {
    throw unreadable(`${name} is not a picture that can be read; give a ${KNOWN} file.`, {
      reason: { code: 'picture-other', values: { file: name } },
    });
  }
  const { default: sharp } = await import('sharp');
  try {
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    checkSize(name, width, height);
    // `pages: 1` takes the first frame only.
    const options = { limitInputPixels: MAX_PIXELS, failOn: 'error', pages: 1 } as const;
    const { data, info } = await sharp(bytes, options)
      .autoOrient()
      .flatten({ background: WHITE })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: toRgb(data, info.channels) };
  } catch (error) {
    if (error instanceof StudioError) throw error;
    const said = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const why = said.replace(/[\s:]+$/, '');
    throw unreadable(
      `${name} cannot be read as a picture: it is damaged or of an unknown kind (${why}). Give a whole ${KNOWN} file.`,
      { cause: error, reason: { code: 'picture-damaged', values: { file: name } } },
    );
  }
}

function checkSize(name: string, width: number, height: number): void {
  if (width <= MAX_SIDE && height <= MAX_SIDE && width * height <= MAX_PIXELS) return;
  throw unreadable(
    `${name} is too large: ${width} × ${height} pixels. At most ${MAX_SIDE} on a side and ` +
      `${MAX_PIXELS / 1e6} million in all are read; make it smaller first.`,
    {
      reason: {
        code: 'picture-too-large',
        values: { file: name, width, height, side: MAX_SIDE, millions: MAX_PIXELS / 1e6 },
      },
    },
  );
}

/** The colours of pixels that may have one channel (grey) or a fourth. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      rgb[i * 3 + c] = data[i * channels + (channels < 3 ? 0 : c)] ?? 0;
    }
  }
  return rgb;
}

/** The bytes of a PNG: the same pixels and texts always give the same bytes. */
export async function encodePng(image: RgbImage, texts: readonly Text[]): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const { width, height, data } = image;
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9, adaptiveFiltering: true, palette: false })
    .toBuffer();
  return insertTexts(png, texts);
}

/** A PNG that is looked at once and thrown away: quick rather than small. */
export async function encodePreview(image: RgbImage): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const { width, height, data } = image;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** A PNG as it lies on disk, with the text of its recipe if it has one; null when not a PNG. */
export async function readPngText(
  path: string,
): Promise<{ readonly recipe: string | null; readonly software: string | null } | null> {
  const bytes = await readWhole(path, MAX_FILE_BYTES);
  if (!isPng(bytes)) return null;
  const name = basename(path);
  return {
    recipe: readText(bytes, RECIPE_KEYWORD, name),
    software: readText(bytes, SOFTWARE_KEYWORD, name),
  };
}

/** What became of a name: a new file, the same bytes again, or an older picture of ours replaced. */
export type Written = 'new' | 'same' | 'replaced';

/**
 * Refuses, as `file-unavailable`, to write where a file lies that is not ours. `isOurs` is asked
 * about its texts.
 */
export async function checkReplaceable(
  path: string,
  isOurs: (texts: { readonly recipe: string | null; readonly software: string | null }) => boolean,
): Promise<void> {
  let texts: Awaited<ReturnType<typeof readPngText>>;
  try {
    texts = await readPngText(path);
  } catch (error) {
    if (error instanceof StudioError && systemCode(error.cause) === 'ENOENT') return;
    // What cannot be read is not ours to replace: a folder, somebody else's file.
    texts = null;
  }
  if (texts !== null && isOurs(texts)) return;
  throw new StudioError(
    'file-unavailable',
    `${path} is already there and was not made by this command; move it away, or choose another folder with --out.`,
    { field: 'out' },
  );
}

/** Refuses, as `file-unavailable`, to write where a file lies that no RCG Studio made. */
export async function checkOurs(path: string): Promise<void> {
  await checkReplaceable(path, ({ software }) => software?.startsWith('rcg-studio ') ?? false);
}

/** Writes a picture whole or not at all, unless the very same bytes are there already. */
export async function writePicture(path: string, png: Uint8Array): Promise<Written> {
  const before = await readFile(path).catch(() => undefined);
  if (before?.equals(png)) return 'same';
  await writeAtomic(path, png);
  return before === undefined ? 'new' : 'replaced';
}

function unreadable(
  message: string,
  options: { readonly reason: Reason; readonly cause?: unknown },
): StudioError {
  return new StudioError('picture-unreadable', message, options);
}

/** The centre of a picture, `edge` pixels wide. */
export async function cropSquare(
  { width, height, data }: RgbImage,
  edge: number,
): Promise<RgbImage> {
  const { default: sharp } = await import('sharp');
  const raw = { width, height, channels: 3 } as const;
  const pixels = await sharp(data, { raw, limitInputPixels: false })
    .resize({ width: edge, height: edge, fit: 'cover', kernel: 'cubic' })
    .raw()
    .toBuffer();
  return { width: edge, height: edge, data: new Uint8Array(pixels) };
}
