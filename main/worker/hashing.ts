import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { StudioError } from '#api/errors';
import { giveBack } from './pieces.ts';

/** Pieces asked for before they are needed, so that reading, hashing and writing overlap. */
const READ_AHEAD = 2;
/** Bytes of one write. Of more at once a system may want memory in one piece, and look long for it. */
const WRITE_BYTES = 2 ** 18;
/** Pieces that are being written; this bounds the memory in use. */
const WRITES = 3;
/** The disk is told to begin so often, so that the end need not wait for a whole file. */
const FLUSH_BYTES = 128 * 2 ** 20;

/** Size and SHA-256 (hexadecimal) of some bytes. */
export interface Digest {
  readonly size: number;
  readonly sha256: string;
}

/** How a long stream is watched and stopped. */
export interface StreamOptions {
  readonly signal?: AbortSignal;
  /** Called with the bytes done since the last call. */
  readonly onBytes?: (bytes: number) => void;
}

/** SHA-256 of text as UTF-8, in hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** @throws StudioError 'cancelled' when the signal has been given */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StudioError('cancelled', 'Cancelled. Nothing was changed.');
}

/**
 * Writes a new file and hashes it on the way: while one piece is hashed, the next is read and the
 * last written. The file is on the disk when this resolves.
 */
export async function writeHashed(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  options: StreamOptions,
): Promise<Digest> {
  const handle = await open(path, 'wx');
  const writes: Promise<void>[] = [];
  let flushing: Promise<void> | undefined;
  try {
    const hash = createHash('sha256');
    let size = 0;
    let flushed = 0;
    for await (const chunk of readAhead(chunks)) {
      throwIfCancelled(options.signal);
      const writing = writeAll({ handle, chunk, position: size });
      // Waited for below; a failure must not count as unhandled until then.
      writing.catch(() => undefined);
      writes.push(writing);
      hash.update(chunk);
      size += chunk.length;
      if (writes.length >= WRITES) await writes.shift();
      options.onBytes?.(chunk.length);
      if (!flushing && size - flushed >= FLUSH_BYTES) {
        flushed = size;
        // Only a head start: what it could not do, the sync at the end does, or fails.
        flushing = handle.datasync().then(
          () => (flushing = undefined),
          () => (flushing = undefined),
        );
      }
    }
    await Promise.all(writes);
    await handle.sync();
    return { size, sha256: hash.digest('hex') };
  } finally {
    await Promise.allSettled([...writes, flushing]);
    await handle.close();
  }
}

/** Hashes a stream. */
export async function hashStream(
  chunks: AsyncIterable<Uint8Array>,
  options: StreamOptions,
): Promise<Digest> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of readAhead(chunks)) {
    throwIfCancelled(options.signal);
    hash.update(chunk);
    size += chunk.length;
    options.onBytes?.(chunk.length);
    giveBack(chunk);
  }
  return { size, sha256: hash.digest('hex') };
}

async function writeAll(piece: {
  readonly handle: Awaited<ReturnType<typeof open>>;
  readonly chunk: Uint8Array;
  readonly position: number;
}): Promise<void> {
  const { handle, chunk, position } = piece;
  const write = async (from: number, to: number): Promise<void> => {
    for (let done = from; done < to;) {
      done += (await handle.write(chunk, done, to - done, position + done)).bytesWritten;
    }
  };
  const parts = Array.from({ length: Math.ceil(chunk.length / WRITE_BYTES) }, (_, i) => {
    const from = i * WRITE_BYTES;
    return write(from, Math.min(from + WRITE_BYTES, chunk.length));
  });
  // All of them are asked for at once, and all end before the file may be closed.
  const ended = await Promise.allSettled(parts);
  for (const part of ended) if (part.status === 'rejected') throw part.reason;
  // It was hashed meanwhile.
  giveBack(chunk);
}

/** The same pieces, each asked for while those before it are worked on. */
async function* readAhead<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = chunks[Symbol.asyncIterator]();
  const asked: Promise<IteratorResult<T, unknown>>[] = [];
  const ask = (): void => {
    const next = iterator.next();
    next.catch(() => undefined);
    asked.push(next);
  };
  try {
    for (let i = 0; i < READ_AHEAD; i += 1) ask();
    for (;;) {
      const next = await asked.shift();
      if (!next || next.done === true) return;
      ask();
      yield next.value;
    }
  } finally {
    // What is still being read must end before its file is closed.
    await Promise.allSettled(asked);
    await iterator.return?.();
  }
}
