import { CheckpointError, printable } from './errors.ts';
import { MAX_ENTRIES, MAX_PICKLE_BYTES, PICKLE_WINDOW_BYTES } from './limits.ts';
import { readPickle, type Pickle } from './pickle.ts';
import { PickleEnd } from './pickle-bytes.ts';
import { readRange } from './source.ts';
import { Storage } from './storage.ts';
import { bigEndian, readContents, sizeMismatch, storageBytes, type Contents } from './torch.ts';
import type { ByteSource } from './types.ts';

/** PROTO 2 and the magic number 0x1950a86a20f9469cfc6c: the first bytes of the legacy layout. */
export const LEGACY_MAGIC = [
  0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
];
const LEGACY_PROTOCOL = 1001;

/**
 * The layout before PyTorch 1.6 (spec 1.1): pickles of magic number, protocol, system, object tree
 * and storage keys, then for each key an element count and the elements.
 */
export async function readTorchLegacy(source: ByteSource): Promise<Contents> {
  const file = source.name;
  const damaged = (why: string, key?: string): CheckpointError =>
    new CheckpointError('legacy-damaged', { file, key }, why);
  let offset = LEGACY_MAGIC.length;
  const next = async (key: string): Promise<Pickle> => {
    const pickle = await readPickleAt(source, offset, key);
    offset += pickle.length;
    return pickle;
  };

  const protocol = await next('protocol version');
  if (protocol.value !== LEGACY_PROTOCOL) {
    throw damaged(`its protocol is not ${LEGACY_PROTOCOL}, the only one there is`);
  }
  const system = await next('system information');
  if (system.value instanceof Map && system.value.get('little_endian') === false) {
    throw bigEndian(source);
  }
  const tree = await next('object tree');
  const { value: keys } = await next('storage keys');
  if (!Array.isArray(keys)) throw damaged('its storage keys are no list');
  if (keys.length > MAX_ENTRIES) {
    const why = `claims ${keys.length} storages; the limit is ${MAX_ENTRIES}`;
    throw new CheckpointError('limit-exceeded', { file }, why);
  }

  const sizes = new Map<string, { bytes: number; elements: number }>();
  for (const ref of tree.storages) {
    const where = { file, key: `storage ${ref.key}` };
    const bytes = storageBytes(ref, where);
    const known = sizes.get(ref.key);
    if (known && known.bytes !== bytes) throw sizeMismatch(where, bytes, known.bytes);
    sizes.set(ref.key, { bytes, elements: ref.elements });
  }

  const storages = new Map<string, Storage>();
  for (const key of keys) {
    const size = typeof key === 'string' ? sizes.get(key) : undefined;
    if (typeof key !== 'string' || !size || storages.has(key)) {
      throw damaged('its storage keys and its object tree do not belong together');
    }
    const name = `storage ${key}`;
    const count = await readRange(source, { offset, length: 8 }, name);
    const claimed = new DataView(count.buffer, count.byteOffset, 8).getBigInt64(0, true);
    if (claimed !== BigInt(size.elements)) {
      const why = `has ${claimed} elements where its tensors expect ${size.elements}`;
      throw new CheckpointError('storage-size', { file, key: name }, why);
    }
    const start = offset + 8;
    offset = start + size.bytes;
    // A file that was cut short is found out now, not in the middle of an import.
    await readRange(source, { offset, length: 0 }, name);
    storages.set(
      key,
      new Storage({ source, key: name, size: size.bytes, locate: async () => start }),
    );
  }
  return readContents(tree.value, source, (ref, key) => {
    const storage = storages.get(ref.key);
    if (storage) return storage;
    const why = `the file has no storage ${printable(ref.key)}, which this tensor is stored in`;
    throw new CheckpointError('storage-missing', { file, key }, why);
  });
}

/** A pickle whose length nobody knows: tries with more and more bytes. */
async function readPickleAt(source: ByteSource, offset: number, key: string): Promise<Pickle> {
  const where = { file: source.name, key };
  for (let length = PICKLE_WINDOW_BYTES; ; length *= 4) {
    const left = source.size - offset;
    const range = { offset, length: Math.min(length, left, MAX_PICKLE_BYTES) };
    const bytes = await readRange(source, range, key);
    try {
      return readPickle(bytes, where);
    } catch (error) {
      if (!(error instanceof PickleEnd)) throw error;
    }
    if (range.length === left) {
      const why =
        'the file ends in the middle of a pickle. ' +
        'It was probably not copied or downloaded completely; get it again';
      throw new CheckpointError('truncated', where, why);
    }
    if (range.length === MAX_PICKLE_BYTES) {
      const why = `the pickle is longer than ${MAX_PICKLE_BYTES} bytes`;
      throw new CheckpointError('limit-exceeded', where, why);
    }
  }
}
