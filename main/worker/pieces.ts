import { CHUNK_BYTES } from '#checkpoint/limits';

/** Smaller pieces are not worth keeping. */
const SMALLEST = 2 ** 16;
/** More are never on their way at once. */
const KEPT = 8;

/** Where each piece that is out came from. */
const owners = new WeakMap<Uint8Array, Pieces>();

/**
 * Memory for the pieces of a file. What is given back is used again: a system has to clear every new
 * page first, which takes longer than reading into it.
 */
export class Pieces {
  readonly #free: ArrayBuffer[] = [];

  /** Memory of that length. What it holds is left over. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length < SMALLEST || length > CHUNK_BYTES) return bytesOf(length);
    const piece = new Uint8Array(this.#free.pop() ?? bytesOf(CHUNK_BYTES).buffer, 0, length);
    owners.set(piece, this);
    return piece;
  }

  /** @internal */
  keep(memory: ArrayBufferLike): void {
    if (memory instanceof ArrayBuffer && this.#free.length < KEPT) this.#free.push(memory);
  }
}

/**
 * The caller was the last to use a piece of a stream, and nobody will look at it again. Anything but
 * such a piece, whole as it was read, is left to the garbage collector.
 */
export function giveBack(piece: Uint8Array): void {
  owners.get(piece)?.keep(piece.buffer);
  owners.delete(piece);
}

function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(buffer, byteOffset, length);
}
