import { crc32 } from 'node:zlib';
import { StudioError } from '#api/errors';

/** Keyword of the chunk that holds a recipe. */
export const RECIPE_KEYWORD = 'rcg-studio';
/** Keyword, from the PNG specification, of the program that made a picture. */
export const SOFTWARE_KEYWORD = 'Software';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
/** PNG specification 5.3: a length is at most 2^31 − 1. */
const MAX_CHUNK_BYTES = 2 ** 31 - 1;
/** A recipe takes about 3 kB; a thousand times that cannot be one. */
const MAX_TEXT_BYTES = 1 << 20;
/** length, type, crc */
const CHUNK_OVERHEAD = 12;
const HEADER_BYTES = 13;

interface Chunk {
  readonly type: string;
  /** Offset of the chunk's length field. */
  readonly start: number;
  readonly data: Uint8Array;
}

/** A text to put into a picture. */
export interface Text {
  readonly keyword: string;
  readonly text: string;
}

/** Whether the bytes begin as a PNG does. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((value, i) => bytes[i] === value);
}

/**
 * The picture with texts as uncompressed UTF-8 iTXt chunks right after its header. Texts of the same
 * keyword that were there before are left out.
 */
export function insertTexts(png: Uint8Array, texts: readonly Text[]): Uint8Array {
  const keywords = new Set(texts.map((text) => text.keyword));
  const pieces: Uint8Array[] = [Uint8Array.from(SIGNATURE)];
  for (const chunk of walk(png, 'picture')) {
    const replaced = chunk.type === 'iTXt' && keywords.has(keywordOf(chunk.data) ?? '');
    if (!replaced) {
      pieces.push(png.subarray(chunk.start, chunk.start + chunk.data.length + CHUNK_OVERHEAD));
    }
    if (chunk.type === 'IHDR') pieces.push(...texts.map(encodeText));
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/**
 * The text of a keyword, or null when the picture has none. Every chunk up to the last is checked
 * (length, CRC); anything wrong is a StudioError `picture-unreadable`. `name` is for messages.
 */
export function readText(png: Uint8Array, keyword: string, name: string): string | null {
  let found: string | null = null;
  for (const chunk of walk(png, name)) {
    if (chunk.type !== 'iTXt' || keywordOf(chunk.data) !== keyword) continue;
    if (found !== null) throw unreadable(name, `its ${keyword} text is there twice`);
    found = decodeText(chunk.data, keyword, name);
  }
  return found;
}

/** Whether every chunk up to the last is as it was written: length and CRC. */
export function isWholePng(png: Uint8Array): boolean {
  try {
    // Going through the chunks checks them.
    Array.from(walk(png, 'picture'));
    return true;
  } catch {
    return false;
  }
}

/** The picture without any text, time or other chunk that says how it was made. */
export function stripTexts(png: Uint8Array, name: string): Uint8Array {
  const said = new Set(['iTXt', 'tEXt', 'zTXt', 'eXIf', 'tIME']);
  const pieces: Uint8Array[] = [Uint8Array.from(SIGNATURE)];
  for (const chunk of walk(png, name)) {
    if (said.has(chunk.type)) continue;
    pieces.push(png.subarray(chunk.start, chunk.start + chunk.data.length + CHUNK_OVERHEAD));
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/** Width that the header tells, in pixels. */
export function pngWidth(png: Uint8Array, name: string): number {
  const [header] = walk(png, name);
  if (header === undefined) throw unreadable(name, 'it has no header');
  return new DataView(header.data.buffer, header.data.byteOffset).getUint32(0);
}

function encodeText({ keyword, text }: Text): Uint8Array {
  const head = Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1');
  const data = Buffer.concat([head, Buffer.from(text, 'utf8')]);
  const chunk = Buffer.alloc(data.length + CHUNK_OVERHEAD);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write('iTXt', 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** iTXt: keyword, 0, compression flag, compression method, language, 0, translated keyword, 0, text. */
function decodeText(data: Uint8Array, keyword: string, name: string): string {
  const flags = keyword.length + 1;
  if (data[flags] !== 0) throw unreadable(name, `its ${keyword} text is compressed`);
  const language = data.indexOf(0, flags + 2);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) throw unreadable(name, `its ${keyword} text has no end to its head`);
  const body = data.subarray(translated + 1);
  if (body.length > MAX_TEXT_BYTES) {
    throw unreadable(name, `its ${keyword} text is ${body.length} bytes long`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw unreadable(name, `its ${keyword} text is not UTF-8`, cause);
  }
}

/** PNG specification 11.3.3.2: a keyword is 1 to 79 Latin-1 characters, then a zero. */
function keywordOf(data: Uint8Array): string | undefined {
  const end = data.subarray(0, 80).indexOf(0);
  return end < 1 ? undefined : Buffer.from(data.subarray(0, end)).toString('latin1');
}

function* walk(png: Uint8Array, name: string): Generator<Chunk> {
  if (!isPng(png)) throw unreadable(name, 'it is not a PNG');
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  let offset: number = SIGNATURE.length;
  for (let type = ''; type !== 'IEND';) {
    const start = offset;
    if (start + CHUNK_OVERHEAD > png.length) throw unreadable(name, 'it is cut short');
    const length = view.getUint32(start);
    const end = start + length + CHUNK_OVERHEAD;
    if (length > MAX_CHUNK_BYTES || end > png.length) {
      throw unreadable(name, `a chunk claims ${length} bytes, more than the file has`);
    }
    const expected = view.getUint32(end - 4);
    if (crc32(png.subarray(start + 4, end - 4)) !== expected) {
      throw unreadable(name, 'a checksum in it is wrong');
    }
    type = Buffer.from(png.subarray(start + 4, start + 8)).toString('latin1');
    const first = start === SIGNATURE.length;
    if (first !== (type === 'IHDR') || (first && length !== HEADER_BYTES)) {
      throw unreadable(name, 'its header is missing, misplaced or of the wrong length');
    }
    yield { type, start, data: png.subarray(start + 8, end - 4) };
    offset = end;
  }
}

function unreadable(name: string, why: string, cause?: unknown): StudioError {
  return new StudioError(
    'picture-unreadable',
    `${name} is not a whole PNG: ${why}. Use another copy of it.`,
    { cause, reason: { code: 'picture-damaged', values: { file: name } } },
  );
}
