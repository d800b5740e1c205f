import { CheckpointError, type CheckpointErrorCode, type Where } from './errors.ts';
import { MAX_GLOBAL_NAME_BYTES, MAX_INTEGER_BYTES, MAX_STRING_BYTES } from './limits.ts';
import { decodeLatin1, decodeUtf8 } from './utf8.ts';

/** The bytes end before the pickle does. Not an error where more bytes can be had. */
export class PickleEnd extends Error {
  override readonly name = 'PickleEnd';
}

/** The bytes of a pickle, read from the front, and the errors that name its file. */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: Where;
  /** How far it has been read. */
  at = 0;

  constructor(bytes: Uint8Array, where: Where) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#where = where;
  }

  /** Moves on by `length` bytes and says where they started. */
  #take(length: number): number {
    if (this.at + length > this.#bytes.length) throw new PickleEnd();
    this.at += length;
    return this.at - length;
  }

  uint(width: 1 | 2 | 4): number {
    const at = this.#take(width);
    if (width === 1) return this.#view.getUint8(at);
    return width === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  /** BININT: 32 bits with a sign. */
  int(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** BINFLOAT: a double, the one value with its high byte first. */
  float(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  length8(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  #blob(length: number): Uint8Array {
    if (length > MAX_STRING_BYTES) throw this.limit('bytes in one string', MAX_STRING_BYTES);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Bytes of their own, so that the pickle's can be let go. */
  copy(length: number): Uint8Array {
    return new Uint8Array(this.#blob(length));
  }

  text(length: number): string {
    const text = decodeUtf8(this.#blob(length));
    if (text === undefined) throw this.damaged('a string is not valid UTF-8');
    return text;
  }

  /** Python 2 did not say what its strings were encoded in. */
  python2Text(length: number): string {
    const bytes = this.#blob(length);
    return decodeUtf8(bytes) ?? decodeLatin1(bytes);
  }

  /** A little-endian two's-complement integer; a number where that is exact. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw this.limit('bytes in one integer', MAX_INTEGER_BYTES);
    const at = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i] ?? 0);
    value = BigInt.asIntN(length * 8, value);
    const exact = Number(value);
    return Number.isSafeInteger(exact) ? exact : value;
  }

  line(): string {
    const start = this.at;
    while (this.uint(1) !== 0x0a) {
      if (this.at - start > MAX_GLOBAL_NAME_BYTES) {
        throw this.limit('bytes in one name', MAX_GLOBAL_NAME_BYTES);
      }
    }
    return decodeLatin1(this.#bytes.subarray(start, this.at - 1));
  }

  limit(what: string, limit: number): CheckpointError {
    return this.error('limit-exceeded', `the pickle has too many ${what}; the limit is ${limit}`);
  }

  damaged(why: string): CheckpointError {
    return this.error('pickle-damaged', `the pickle is damaged: ${why}`);
  }

  error(code: CheckpointErrorCode, why: string): CheckpointError {
    return new CheckpointError(code, this.#where, why);
  }
}
