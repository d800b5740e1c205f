import { crc32 as ownCrc32, type Crc32 } from './crc32.ts';
import { CheckpointError, printable, type Where } from './errors.ts';
import { MAX_PICKLE_BYTES } from './limits.ts';
import { readPickle, type Pickle } from './pickle.ts';
import { PickleEnd } from './pickle-bytes.ts';
import { readRange } from './source.ts';
import { checksumMismatch, Storage } from './storage.ts';
import { bigEndian, readContents, sizeMismatch, storageBytes, type Contents } from './torch.ts';
import { decodeLatin1 } from './utf8.ts';
import { findContent, requirePlainEntries, type ZipArchive, type ZipEntry } from './zip.ts';

/** How checkpoints are opened. */
export interface OpenOptions {
  /** A faster CRC-32 than ours, such as Node's zlib.crc32. */
  readonly crc32?: Crc32;
}

/** The object tree of the zip layout; its folder's name is up to whoever saved it. */
export const OBJECT_TREE = 'data.pkl';

/**
 * The zip layout of PyTorch 1.6 and later (spec 1.1): `<root>/data.pkl`, `<root>/data/<key>`.
 * @param root folder of the object tree, with its slash; may be empty.
 */
export async function readTorchZip(
  archive: ZipArchive,
  root: string,
  options: OpenOptions,
): Promise<Contents> {
  requirePlainEntries(archive);
  const { source, entries } = archive;
  const crc32 = options.crc32 ?? ownCrc32;

  const record = async (name: string, limit: number): Promise<Uint8Array | undefined> => {
    const entry = entries.get(root + name);
    if (!entry) return undefined;
    if (entry.size > limit) {
      const why = `has ${entry.size} bytes; the limit is ${limit}`;
      throw new CheckpointError('limit-exceeded', { file: source.name, key: name }, why);
    }
    const offset = await findContent(source, entry);
    const bytes = await readRange(source, { offset, length: entry.size }, name);
    if (crc32(bytes, 0) !== entry.crc) throw checksumMismatch(source.name, name);
    return bytes;
  };

  const byteOrder = await record('byteorder', 64);
  if (byteOrder && decodeLatin1(byteOrder).trim() === 'big') throw bigEndian(source);
  const tree = await record(OBJECT_TREE, MAX_PICKLE_BYTES);
  const where = { file: source.name, key: OBJECT_TREE };
  if (!tree) throw new CheckpointError('zip-damaged', where, 'the entry is missing');
  const { value } = readTree(tree, where);

  const storages = new Map<ZipEntry, Storage>();
  return readContents(value, source, (ref, key) => {
    const entry = entries.get(`${root}data/${ref.key}`);
    const wherever = { file: source.name, key };
    if (!entry) {
      const why = `the file has no data/${printable(ref.key)}, which this tensor is stored in`;
      throw new CheckpointError('storage-missing', wherever, why);
    }
    const size = storageBytes(ref, wherever);
    if (size !== entry.size) throw sizeMismatch(wherever, size, entry.size);
    let storage = storages.get(entry);
    if (!storage) {
      storage = new Storage({
        source,
        key: `data/${ref.key}`,
        size,
        locate: () => findContent(source, entry),
        check: { crc: entry.crc, crc32 },
      });
      storages.set(entry, storage);
    }
    return storage;
  });
}

function readTree(bytes: Uint8Array, where: Where): Pickle {
  try {
    return readPickle(bytes, where);
  } catch (error) {
    if (!(error instanceof PickleEnd)) throw error;
    throw new CheckpointError('pickle-damaged', where, 'the pickle ends in the middle');
  }
}
