import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** A file to put into an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970. */
  readonly time: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
/** "Version needed" 4.5: the 64-bit fields. */
const VERSION = 45;
/** Bit 11: names are UTF-8. */
const UTF8 = 1 << 11;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;

/**
 * Writes a ZIP file without compression, for pictures have theirs: entry after entry, so that one
 * of any length needs the memory of one picture. 64-bit, so that neither count nor size has a limit.
 */
export async function writeZip(
  path: string,
  entries: AsyncIterable<ZipEntry>,
): Promise<{ readonly bytes: number; readonly entries: number }> {
  const file = await open(path, 'w');
  const directory: Buffer[] = [];
  let offset = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    await file.writeFile(bytes);
    offset += bytes.length;
  };
  try {
    for await (const { name, bytes, time } of entries) {
      const fields = entryFields(bytes, time);
      const title = Buffer.from(name, 'utf8');
      directory.push(centralRecord(fields, title, offset));
      const local = Buffer.alloc(30);
      local.writeUInt32LE(LOCAL, 0);
      fields.copy(local, 4);
      local.writeUInt16LE(title.length, 26);
      await write(Buffer.concat([local, title]));
      await write(bytes);
    }
    const start = offset;
    await write(Buffer.concat(directory));
    await write(endRecords(directory.length, start, offset));
  } finally {
    await file.close();
  }
  return { bytes: offset, entries: directory.length };
}

/** The 22 bytes that a file's two headers share: version, flags, method, time, sum, sizes. */
function entryFields(bytes: Uint8Array, time: number): Buffer {
  const date = new Date(Math.max(time, Date.UTC(1980, 0, 2)));
  const fields = Buffer.alloc(22);
  fields.writeUInt16LE(VERSION, 0);
  fields.writeUInt16LE(UTF8, 2);
  fields.writeUInt16LE(
    (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1),
    6,
  );
  fields.writeUInt16LE(
    ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate(),
    8,
  );
  fields.writeUInt32LE(crc32(bytes), 10);
  fields.writeUInt32LE(bytes.length, 14);
  fields.writeUInt32LE(bytes.length, 18);
  return fields;
}

function centralRecord(fields: Buffer, title: Buffer, offset: number): Buffer {
  const record = Buffer.alloc(46);
  record.writeUInt32LE(CENTRAL, 0);
  record.writeUInt16LE(VERSION, 4);
  fields.copy(record, 6);
  record.writeUInt16LE(title.length, 28);
  const far = offset >= MAX_32;
  record.writeUInt32LE(far ? MAX_32 : offset, 42);
  if (!far) return Buffer.concat([record, title]);
  const extra = Buffer.alloc(12);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8, 2);
  extra.writeBigUInt64LE(BigInt(offset), 4);
  record.writeUInt16LE(extra.length, 30);
  return Buffer.concat([record, title, extra]);
}

/** The 64-bit end of the directory, its locator, and the old end for those who know no other. */
function endRecords(count: number, start: number, end: number): Buffer {
  const records = Buffer.alloc(56 + 20 + 22);
  records.writeUInt32LE(END_64, 0);
  records.writeBigUInt64LE(44n, 4);
  records.writeUInt16LE(VERSION, 12);
  records.writeUInt16LE(VERSION, 14);
  records.writeBigUInt64LE(BigInt(count), 24);
  records.writeBigUInt64LE(BigInt(count), 32);
  records.writeBigUInt64LE(BigInt(end - start), 40);
  records.writeBigUInt64LE(BigInt(start), 48);
  records.writeUInt32LE(LOCATOR_64, 56);
  records.writeBigUInt64LE(BigInt(end), 64);
  records.writeUInt32LE(1, 72);
  records.writeUInt32LE(END, 76);
  records.writeUInt16LE(Math.min(count, MAX_16), 84);
  records.writeUInt16LE(Math.min(count, MAX_16), 86);
  records.writeUInt32LE(Math.min(end - start, MAX_32), 88);
  records.writeUInt32LE(Math.min(start, MAX_32), 92);
  return records;
}
