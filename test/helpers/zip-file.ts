import { crc32 } from 'node:zlib';

/** One entry as it is to be written; every field but name and data can be made to lie. */
export interface ZipPart {
  readonly name: string;
  readonly data: Uint8Array;
  readonly crc?: number;
  readonly method?: number;
  readonly flags?: number;
  /** Length of the content that the directory claims. */
  readonly size?: number;
  /** Length of the unpacked content that the directory claims. */
  readonly unpackedSize?: number;
  /** Place of the local header that the directory claims. */
  readonly offset?: number;
  /** Name in the local header. */
  readonly localName?: string;
}

export interface ZipOptions {
  /** Write 64-bit records even where they are not needed. */
  readonly wide?: boolean;
  readonly comment?: string;
  /** Entries that the last record claims. */
  readonly claimedEntries?: number;
  /** Content starts at a multiple of this, as PyTorch has it. */
  readonly alignment?: number;
}

/** Fields of a little-endian record: [bytes, value] each. */
function record(...fields: readonly (readonly [1 | 2 | 4 | 8, number])[]): Buffer {
  return Buffer.concat(
    fields.map(([width, value]) => {
      const field = Buffer.alloc(8);
      field.writeBigUInt64LE(BigInt(value));
      return field.subarray(0, width);
    }),
  );
}

const FULL = 0xffffffff;

/** A zip archive of stored entries, as PyTorch writes them. */
export function zipFile(parts: readonly ZipPart[], options: ZipOptions = {}): Uint8Array {
  const { wide = false, comment = '', alignment = 64 } = options;
  const chunks: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (bytes: Uint8Array): void => {
    chunks.push(bytes);
    at += bytes.length;
  };
  for (const part of parts) {
    const { data, crc = crc32(data), method = 0, flags = 0x800 } = part;
    const name = Buffer.from(part.name);
    const localName = Buffer.from(part.localName ?? part.name);
    const start = at;
    const unaligned = start + 30 + localName.length + 4;
    const padding = Math.ceil(unaligned / alignment) * alignment - unaligned;
    const extra = Buffer.concat([record([2, 0x4246], [2, padding]), Buffer.alloc(padding, 'Z')]);
    add(record([4, 0x04034b50], [2, 45], [2, flags], [2, method], [2, 0], [2, 0], [4, crc]));
    add(record([4, data.length], [4, data.length], [2, localName.length], [2, extra.length]));
    add(localName);
    add(extra);
    add(data);
    const size = part.size ?? data.length;
    const unpacked = part.unpackedSize ?? size;
    const offset = part.offset ?? start;
    const wideExtra = record([2, 1], [2, 24], [8, unpacked], [8, size], [8, offset]);
    const tail = wide ? wideExtra : Buffer.alloc(0);
    directory.push(
      record([4, 0x02014b50], [2, 45], [2, 45], [2, flags], [2, method], [2, 0], [2, 0], [4, crc]),
      record([4, wide ? FULL : size], [4, wide ? FULL : unpacked], [2, name.length]),
      record([2, tail.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, wide ? FULL : offset]),
      name,
      tail,
    );
  }
  const place = { offset: at, length: directory.reduce((sum, { length }) => sum + length, 0) };
  directory.forEach(add);
  const count = options.claimedEntries ?? parts.length;
  if (wide) {
    const recordAt = at;
    add(record([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count]));
    add(record([8, place.length], [8, place.offset]));
    add(record([4, 0x07064b50], [4, 0], [8, recordAt], [4, 1]));
  }
  const short = wide ? 0xffff : count;
  add(record([4, 0x06054b50], [2, 0], [2, 0], [2, short], [2, short]));
  add(record([4, wide ? FULL : place.length], [4, wide ? FULL : place.offset]));
  add(record([2, comment.length]));
  add(Buffer.from(comment));
  return new Uint8Array(Buffer.concat(chunks));
}
