import { CheckpointError, type CheckpointErrorCode } from './errors.ts';
import {
  MAX_ENTRIES,
  MAX_ENTRY_NAME_BYTES,
  MAX_ZIP_COMMENT_BYTES,
  MAX_ZIP_DIRECTORY_BYTES,
} from './limits.ts';
import { readRange } from './source.ts';
import type { ByteSource } from './types.ts';
import { decodeUtf8 } from './utf8.ts';

// Layouts: PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3.
const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_HEADER = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const END_64_LOCATOR = 0x07064b50;
const LOCAL_HEADER_BYTES = 30;
const DIRECTORY_HEADER_BYTES = 46;
const END_BYTES = 22;
const END_64_BYTES = 56;
const END_64_LOCATOR_BYTES = 20;
const ZIP_64_EXTRA = 1;
const FLAG_ENCRYPTED = 1;
const METHOD_STORED = 0;
/** A 16-bit or 32-bit field with this value says: look in the 64-bit record. */
const IN_ZIP_64_16 = 0xffff;
const IN_ZIP_64_32 = 0xffffffff;

/** One file of the archive, as the directory at the end of the archive describes it. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes of the content as it lies in the archive. */
  readonly packedSize: number;
  /** Bytes of the content. */
  readonly size: number;
  /** CRC-32 of the content. */
  readonly crc: number;
  readonly method: number;
  readonly encrypted: boolean;
  /** Where its local header starts. */
  readonly offset: number;
  /** Where it must have ended: the start of the next entry, or of the directory. */
  readonly limit: number;
}

/** A zip archive's directory, in its order. */
export interface ZipArchive {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/**
 * Reads the directory of a zip archive, also one with 64-bit records.
 * @throws CheckpointError when it is cut short, contradicts itself, or names an entry twice.
 */
export async function readZip(source: ByteSource): Promise<ZipArchive> {
  const end = await findEnd(source);
  if (end.entries > MAX_ENTRIES) {
    throw zipError(
      'limit-exceeded',
      source,
      `claims ${end.entries} entries; the limit is ${MAX_ENTRIES}`,
    );
  }
  if (end.length > MAX_ZIP_DIRECTORY_BYTES) {
    const why = `claims a directory of ${end.length} bytes; the limit is ${MAX_ZIP_DIRECTORY_BYTES}`;
    throw zipError('limit-exceeded', source, why);
  }
  if (end.offset + end.length !== end.recordOffset) {
    throw damaged(source, 'its directory does not lie where its last record says');
  }
  const bytes = await readRange(source, end, 'the zip directory');
  const read = new Map<string, DirectoryEntry>();
  let at = 0;
  for (let i = 0; i < end.entries; i++) {
    const { entry, next } = readDirectoryEntry(source, bytes, at);
    if (read.has(entry.name)) {
      throw zipError(
        'zip-duplicate-entry',
        source,
        'the archive holds this entry twice',
        entry.name,
      );
    }
    read.set(entry.name, entry);
    at = next;
  }
  if (at !== bytes.length) throw damaged(source, 'its directory holds more than it claims');
  const starts = [...read.values()].map((entry) => entry.offset).sort((a, b) => a - b);
  const limits = new Map(starts.map((start, i) => [start, starts[i + 1] ?? end.offset]));
  const entries = new Map<string, ZipEntry>();
  for (const [name, entry] of read) {
    entries.set(name, { ...entry, limit: limits.get(entry.offset) ?? end.offset });
  }
  return { source, entries };
}

/**
 * Makes sure that every entry lies in the archive as it is, apart from the others. So the archive
 * cannot unfold to more than its own size.
 */
export function requirePlainEntries({ source, entries }: ZipArchive): void {
  const starts = new Set<number>();
  for (const entry of entries.values()) {
    if (entry.encrypted) {
      throw zipError('zip-encrypted', source, 'the entry is encrypted', entry.name);
    }
    if (entry.method !== METHOD_STORED) {
      const why =
        'the entry is compressed. PyTorch stores its entries as they are; ' +
        'unpack the file and save it again with torch.save';
      throw zipError('zip-compressed', source, why, entry.name);
    }
    if (entry.size !== entry.packedSize) {
      throw damaged(source, 'the entry has two different lengths', entry.name);
    }
    // The name is repeated in the local header, so this is the least that the entry takes.
    const end = entry.offset + LOCAL_HEADER_BYTES + entry.name.length + entry.size;
    if (end > entry.limit || starts.has(entry.offset)) throw overlapping(source, entry);
    starts.add(entry.offset);
  }
}

/** Where the content of an entry starts. Checks its local header against the directory. */
export async function findContent(source: ByteSource, entry: ZipEntry): Promise<number> {
  const what = `the header of ${entry.name}`;
  const range = { offset: entry.offset, length: LOCAL_HEADER_BYTES };
  const view = viewOf(await readRange(source, range, what));
  const nameLength = view.getUint16(26, true);
  const extraLength = view.getUint16(28, true);
  if (
    view.getUint32(0, true) !== LOCAL_HEADER ||
    view.getUint16(8, true) !== entry.method ||
    nameLength > MAX_ENTRY_NAME_BYTES
  ) {
    throw damaged(source, 'the entry does not start where the directory says', entry.name);
  }
  const nameAt = entry.offset + LOCAL_HEADER_BYTES;
  const name = await readRange(source, { offset: nameAt, length: nameLength }, what);
  if (decodeUtf8(name) !== entry.name) {
    throw damaged(source, 'the entry has another name than in the directory', entry.name);
  }
  const start = nameAt + nameLength + extraLength;
  if (start + entry.size > entry.limit) throw overlapping(source, entry);
  return start;
}

type DirectoryEntry = Omit<ZipEntry, 'limit'>;

interface DirectoryPlace {
  readonly entries: number;
  readonly offset: number;
  readonly length: number;
  /** Where the first of the records behind the directory starts. */
  readonly recordOffset: number;
}

async function findEnd(source: ByteSource): Promise<DirectoryPlace> {
  const length = Math.min(source.size, END_BYTES + MAX_ZIP_COMMENT_BYTES);
  const tailOffset = source.size - length;
  const tail = viewOf(await readRange(source, { offset: tailOffset, length }, 'the zip archive'));
  for (let at = length - END_BYTES; at >= 0; at--) {
    const isEnd = tail.getUint32(at, true) === END;
    if (!isEnd || at + END_BYTES + tail.getUint16(at + 20, true) !== length) continue;
    const recordOffset = tailOffset + at;
    const short = {
      entries: tail.getUint16(at + 10, true),
      length: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
      recordOffset,
    };
    const wide = await findEnd64(source, recordOffset);
    if (wide) return wide;
    if (
      short.entries === IN_ZIP_64_16 ||
      short.length === IN_ZIP_64_32 ||
      short.offset === IN_ZIP_64_32
    ) {
      throw damaged(source, 'its 64-bit record is missing');
    }
    return short;
  }
  const why =
    'the zip directory at the end of the file is missing. ' +
    'The file was probably not copied or downloaded completely; get it again';
  throw zipError('truncated', source, why);
}

async function findEnd64(
  source: ByteSource,
  endOffset: number,
): Promise<DirectoryPlace | undefined> {
  const locatorOffset = endOffset - END_64_LOCATOR_BYTES;
  if (locatorOffset < 0) return undefined;
  const range = { offset: locatorOffset, length: END_64_LOCATOR_BYTES };
  const locator = viewOf(await readRange(source, range, 'the zip directory'));
  if (locator.getUint32(0, true) !== END_64_LOCATOR) return undefined;
  const recordOffset = whole(source, locator, 8);
  const recordRange = { offset: recordOffset, length: END_64_BYTES };
  const record = viewOf(await readRange(source, recordRange, 'the 64-bit zip record'));
  if (record.getUint32(0, true) !== END_64) throw damaged(source, 'its 64-bit record is missing');
  return {
    entries: whole(source, record, 32),
    length: whole(source, record, 40),
    offset: whole(source, record, 48),
    recordOffset,
  };
}

function readDirectoryEntry(
  source: ByteSource,
  bytes: Uint8Array,
  at: number,
): { entry: DirectoryEntry; next: number } {
  const view = viewOf(bytes);
  if (at + DIRECTORY_HEADER_BYTES > bytes.length || view.getUint32(at, true) !== DIRECTORY_HEADER) {
    throw damaged(source, 'its directory holds less than it claims');
  }
  const nameAt = at + DIRECTORY_HEADER_BYTES;
  const extraAt = nameAt + view.getUint16(at + 28, true);
  const commentAt = extraAt + view.getUint16(at + 30, true);
  const next = commentAt + view.getUint16(at + 32, true);
  if (next > bytes.length) throw damaged(source, 'its directory holds less than it claims');
  if (extraAt - nameAt > MAX_ENTRY_NAME_BYTES) {
    const why = `an entry's name is longer than ${MAX_ENTRY_NAME_BYTES} bytes`;
    throw zipError('limit-exceeded', source, why);
  }
  const name = decodeUtf8(bytes.subarray(nameAt, extraAt));
  if (name === undefined || name === '') throw damaged(source, 'an entry has no readable name');

  // A 32-bit field that is full continues in the 64-bit record, which holds just those, in order.
  let wideAt = findZip64(view, extraAt, commentAt);
  const field = (offset: number): number => {
    const value = view.getUint32(at + offset, true);
    if (value !== IN_ZIP_64_32) return value;
    if (wideAt === undefined || wideAt + 8 > commentAt) {
      throw damaged(source, 'the 64-bit record of the entry is missing', name);
    }
    wideAt += 8;
    return whole(source, view, wideAt - 8);
  };
  const size = field(24);
  const packedSize = field(20);
  const offset = field(42);
  const entry: DirectoryEntry = {
    name,
    packedSize,
    size,
    crc: view.getUint32(at + 16, true),
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & FLAG_ENCRYPTED) !== 0,
    offset,
  };
  return { entry, next };
}

/** Where the content of the 64-bit extra field starts, if there is one. */
function findZip64(view: DataView, from: number, end: number): number | undefined {
  for (let at = from; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) === ZIP_64_EXTRA) return at + 4;
  }
  return undefined;
}

/** A 64-bit field. No file has a length that a double cannot hold. */
function whole(source: ByteSource, view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw damaged(source, `it names a length or place of ${value} bytes`);
  }
  return Number(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function overlapping(source: ByteSource, entry: DirectoryEntry): CheckpointError {
  const why = 'the entry reaches into what follows it';
  return zipError('zip-overlapping-entries', source, why, entry.name);
}

function damaged(source: ByteSource, why: string, key?: string): CheckpointError {
  return zipError('zip-damaged', source, `the zip archive is damaged: ${why}`, key);
}

function zipError(
  code: CheckpointErrorCode,
  source: ByteSource,
  why: string,
  key?: string,
): CheckpointError {
  return new CheckpointError(code, { file: source.name, key }, why);
}
