import type { Crc32 } from './crc32.ts';
import { CheckpointError } from './errors.ts';
import { readRange, streamRange, type ByteRange } from './source.ts';
import type { ByteSource } from './types.ts';

/** What is known about a run of bytes in a file that tensors are views of. */
export interface StorageOptions {
  readonly source: ByteSource;
  /** What messages call it: "data/12". */
  readonly key: string;
  readonly size: number;
  /** Finds where it starts; called when it is first read. */
  readonly locate: () => Promise<number>;
  /** The sum that the file holds for all of it, and how to make one. */
  readonly check?: { readonly crc: number; readonly crc32: Crc32 };
}

/**
 * Bytes that one or more tensors are views of. Where the file holds a checksum, no tensor is read
 * to its end without the checksum of the whole storage having been compared.
 */
export class Storage {
  readonly size: number;
  readonly #options: StorageOptions;
  #start: Promise<number> | undefined;
  #checked: boolean;
  #checking: Promise<void> | undefined;

  constructor(options: StorageOptions) {
    this.size = options.size;
    this.#options = options;
    this.#checked = options.check === undefined;
  }

  /** The bytes of a range, in pieces. A storage read from end to end is checked on the way. */
  async *stream(range: ByteRange): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (range.offset === 0 && range.length === this.size) {
      yield* this.#streamAll();
    } else {
      await this.#check();
      yield* this.#pieces(range);
    }
  }

  /** The bytes of a range in one piece. */
  async read(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const { source, key, check } = this.#options;
    const whole = range.offset === 0 && range.length === this.size;
    if (!whole) await this.#check();
    const offset = (await this.#locate()) + range.offset;
    const bytes = await readRange(source, { offset, length: range.length }, key);
    if (check && !this.#checked) {
      if (check.crc32(bytes, 0) !== check.crc) throw checksumMismatch(source.name, key);
      this.#checked = true;
    }
    return bytes;
  }

  async *#streamAll(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { check, source, key } = this.#options;
    const pieces = this.#pieces({ offset: 0, length: this.size });
    if (this.#checked || !check) {
      yield* pieces;
      return;
    }
    let sum = 0;
    for await (const piece of pieces) {
      sum = check.crc32(piece, sum);
      yield piece;
    }
    if (sum !== check.crc) throw checksumMismatch(source.name, key);
    this.#checked = true;
  }

  async *#pieces({ offset, length }: ByteRange): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { source, key } = this.#options;
    yield* streamRange(source, { offset: (await this.#locate()) + offset, length }, key);
  }

  async #locate(): Promise<number> {
    return (this.#start ??= this.#options.locate());
  }

  /** Compares the checksum of the whole storage, once. */
  async #check(): Promise<void> {
    if (this.#checked) return;
    this.#checking ??= this.#readThrough();
    try {
      await this.#checking;
    } finally {
      this.#checking = undefined;
    }
  }

  async #readThrough(): Promise<void> {
    const all = this.#streamAll();
    while ((await all.next()).done !== true);
  }
}

/** The error for bytes that are not what was written. */
export function checksumMismatch(file: string, key: string): CheckpointError {
  const why =
    'the bytes are not those that were written (their CRC-32 differs). ' +
    'The file is damaged; get it again';
  return new CheckpointError('checksum-mismatch', { file, key }, why);
}
