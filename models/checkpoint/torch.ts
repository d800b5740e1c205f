import { tensorBytes } from './convert.ts';
import { CheckpointError, printable, type Where } from './errors.ts';
import {
  MAX_ENTRIES,
  MAX_EXPANDED_BYTES,
  MAX_METADATA_TEXT,
  MAX_METADATA_VALUES,
  MAX_PICKLE_STEPS,
  MAX_UNFOLDED_TIMES,
} from './limits.ts';
import { hasKind, type PickleValue, type StorageRef, type TensorRef } from './pickle-values.ts';
import type { Storage } from './storage.ts';
import { viewTensor, type Window } from './strided.ts';
import { DTYPE_BYTES, type ByteSource, type Checkpoint, type StoredTensor } from './types.ts';

// What the two layouts of PyTorch files have in common.

/** What an object tree holds. */
export type Contents = Pick<Checkpoint, 'stateDicts' | 'metadata'>;

/** Finds the storage that a tensor is a view of, and makes sure that it is as long as it should be. */
export type StorageOf = (ref: StorageRef, key: string) => Storage;

/**
 * Finds the dictionaries of tensors in an object tree: the root and what lies directly in it.
 * @throws CheckpointError for the first tensor that is wrong or too much.
 */
export function readContents(
  root: PickleValue,
  source: ByteSource,
  storageOf: StorageOf,
): Contents {
  const file = source.name;
  const room = MAX_UNFOLDED_TIMES * source.size + MAX_EXPANDED_BYTES;
  const stateDicts = new Map<string, ReadonlyMap<string, StoredTensor>>();
  const metadata: [string, string | number | boolean | null][] = [];
  let tensors = 0;
  let items = 0;
  let bytes = 0;

  const addTensors = (dict: PickleValue, key: string): void => {
    if (!(dict instanceof Map)) return;
    // The same large dictionary can stand under a million keys.
    items += dict.size;
    if (items > MAX_PICKLE_STEPS) {
      const why = `has more than ${MAX_PICKLE_STEPS} items in its dictionaries`;
      throw new CheckpointError('limit-exceeded', { file, key }, why);
    }
    const found = new Map<string, StoredTensor>();
    for (const [name, value] of dict) {
      if (typeof name !== 'string' || !hasKind(value, 'tensor')) continue;
      const tensor = openTensor(value, { file, key: name }, storageOf);
      bytes += tensorBytes(tensor);
      if (bytes > room) {
        const why =
          `with this one, its tensors unfold to ${bytes} bytes, of a file that has ${source.size}; ` +
          `the limit is ${room}`;
        throw new CheckpointError('limit-exceeded', { file, key: name }, why);
      }
      found.set(name, tensor);
    }
    tensors += found.size;
    if (tensors > MAX_ENTRIES) {
      const why = `has more than ${MAX_ENTRIES} tensors`;
      throw new CheckpointError('limit-exceeded', { file, key }, why);
    }
    if (found.size > 0) stateDicts.set(key, found);
  };

  addTensors(root, '');
  if (root instanceof Map) {
    for (const [key, value] of root) {
      if (typeof key !== 'string') continue;
      addTensors(value, key);
      if (isPlain(value) && metadata.length < MAX_METADATA_VALUES) {
        metadata.push([key, plain(value)]);
      }
    }
  }
  if (stateDicts.size === 0) {
    throw new CheckpointError('no-tensors', { file }, 'is a PyTorch file without tensors in it');
  }
  return { stateDicts, metadata: Object.fromEntries(metadata) };
}

function openTensor(ref: TensorRef, where: Where, storageOf: StorageOf): StoredTensor {
  const { type: dtype, shape, strides, offset } = ref;
  if (dtype === 'unsupported') throw unsupportedType(where, ref.typeName);
  const storage = storageOf(ref.storage, where.key);
  return viewTensor(where, { dtype, shape, strides, offset }, partOf(storage, ref.storage, where));
}

function partOf(storage: Storage, ref: StorageRef, where: Where): Window {
  if (!ref.part) return { storage, start: 0, size: storage.size };
  const width = elementBytes(ref, where);
  const start = ref.part.offset * width;
  const size = ref.part.elements * width;
  if (start + size > storage.size) {
    const why = `its part of storage ${printable(ref.key)} leaves that storage`;
    throw new CheckpointError('tensor-out-of-bounds', where, why);
  }
  return { storage, start, size };
}

/** Bytes of the whole storage with the reference's key. */
export function storageBytes(ref: StorageRef, where: Where): number {
  return ref.elements * elementBytes(ref, where);
}

function elementBytes({ type, typeName }: StorageRef, where: Where): number {
  if (type === 'unsupported') throw unsupportedType(where, typeName);
  return type === 'untyped' ? 1 : DTYPE_BYTES[type];
}

function isPlain(value: PickleValue): value is string | number | boolean | bigint | null {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

function plain(value: string | number | boolean | bigint | null): string | number | boolean | null {
  if (typeof value === 'string') return value.slice(0, MAX_METADATA_TEXT);
  return typeof value === 'bigint' ? String(value) : value;
}

function unsupportedType(where: Where, typeName: string): CheckpointError {
  const why = `holds elements of type ${typeName}, which RCG Studio does not read`;
  return new CheckpointError('unsupported-dtype', where, why);
}

/** The error for a storage whose length is not what a tensor says. */
export function sizeMismatch(where: Where, wanted: number, found: number): CheckpointError {
  const why = `needs a storage of ${wanted} bytes, but the file has ${found}`;
  return new CheckpointError('storage-size', where, why);
}

/** The error for a file that was saved on a machine of the other byte order. */
export function bigEndian({ name }: ByteSource): CheckpointError {
  const why = 'was saved on a big-endian machine; load and save it again on a little-endian one';
  return new CheckpointError('big-endian', { file: name }, why);
}
