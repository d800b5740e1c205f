import { CheckpointError } from './errors.ts';
import { CHUNK_BYTES } from './limits.ts';
import type { ByteSource } from './types.ts';

/** Bytes from `offset` on, `length` of them. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Bytes in memory as a source. What is read is a copy. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.length,
    async read(offset, length) {
      requireInside(source, { offset, length }, 'the range asked for');
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
  return source;
}

/**
 * The bytes of a range.
 * @param what the thing that is read, for the message: "the zip directory".
 * @throws CheckpointError `truncated` when the file ends before the range does.
 */
export async function readRange(
  source: ByteSource,
  range: ByteRange,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  requireInside(source, range, what);
  if (range.length === 0) return new Uint8Array(0);
  const bytes = await source.read(range.offset, range.length);
  if (bytes.length !== range.length) throw truncated(source, range, what);
  return bytes;
}

/**
 * The bytes of a range in pieces of `CHUNK_BYTES`. The next piece is read while the caller works on one, so
 * that disk and processor are busy together.
 */
export async function* streamRange(
  source: ByteSource,
  range: ByteRange,
  what: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  requireInside(source, range, what);
  const end = range.offset + range.length;
  const piece = (offset: number): Promise<Uint8Array<ArrayBuffer>> => {
    const reading = readRange(
      source,
      { offset, length: Math.min(CHUNK_BYTES, end - offset) },
      what,
    );
    // The caller may stop before it waits for this piece; its failure then concerns nobody.
    reading.catch(() => undefined);
    return reading;
  };
  let offset = range.offset;
  let next = offset < end ? piece(offset) : undefined;
  try {
    while (next) {
      const bytes = await next;
      offset += bytes.length;
      next = offset < end ? piece(offset) : undefined;
      yield bytes;
    }
  } finally {
    // The source must be free to close once the caller has stopped.
    await next?.catch(() => undefined);
  }
}

function requireInside(source: ByteSource, range: ByteRange, what: string): void {
  const { offset, length } = range;
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!valid || offset < 0 || length < 0 || offset + length > source.size) {
    throw truncated(source, range, what);
  }
}

function truncated(source: ByteSource, range: ByteRange, what: string): CheckpointError {
  const end = range.offset + range.length;
  const why =
    `the file ends at byte ${source.size}, but ${what} would end at byte ${end}. ` +
    `It was probably not copied or downloaded completely; get it again`;
  return new CheckpointError('truncated', { file: source.name }, why);
}
