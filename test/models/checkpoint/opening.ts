import { expect } from 'vitest';
import { readTensor } from '#checkpoint/convert';
import { CheckpointError, type CheckpointErrorCode } from '#checkpoint/errors';
import { openCheckpoint } from '#checkpoint/open';
import { memorySource } from '#checkpoint/source';
import type { ByteSource, Checkpoint } from '#checkpoint/types';
import type { TorchTensor } from '../../helpers/torch-file.ts';

// What every test of this folder does with a file.

export const six = Float32Array.of(0, 1, 2, 3, 4, 5);

/** A tensor of six numbers for a file of PyTorch, but for what a test changes. */
export const tensor = (rest: Partial<TorchTensor> = {}): TorchTensor => ({
  dtype: 'float32',
  shape: [2, 3],
  data: six,
  ...rest,
});

/** Opens bytes as a file of that name. */
export async function openBytes(bytes: Uint8Array, name = 'model.pth'): Promise<Checkpoint> {
  return openCheckpoint(memorySource(name, bytes));
}

/** Every tensor: `dictionary/key` → type, shape and bytes in hexadecimal. */
export async function contents(checkpoint: Checkpoint): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [dict, tensors] of checkpoint.stateDicts) {
    for (const [key, tensor] of tensors) {
      const bytes = Buffer.from(await readTensor(tensor)).toString('hex');
      found[`${dict}/${key}`] = `${tensor.dtype} [${tensor.shape.join()}] ${bytes}`;
    }
  }
  return found;
}

/** All elements of a float32 tensor. */
export async function floats(checkpoint: Checkpoint, dict: string, key: string): Promise<number[]> {
  const tensor = checkpoint.stateDicts.get(dict)?.get(key);
  if (!tensor) throw new Error(`no ${key}`);
  const bytes = await readTensor(tensor);
  return [...new Float32Array(bytes.buffer)];
}

/** Waits for a CheckpointError with that code, and returns it. */
export async function refusal(
  work: Promise<unknown>,
  code: CheckpointErrorCode,
): Promise<CheckpointError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CheckpointError)) throw error ?? new Error('it was accepted');
  expect(error).toMatchObject({ code });
  expect(error.message.startsWith(`${error.file}: `)).toBe(true);
  return error;
}

/** The CheckpointError that work ended with, or what it gave; throws on any other error. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | CheckpointError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
}

/** A source that notes how many bytes were read from it. */
export function countingSource(source: ByteSource): ByteSource & { readonly bytesRead: number } {
  let bytesRead = 0;
  return {
    name: source.name,
    size: source.size,
    get bytesRead() {
      return bytesRead;
    },
    async read(offset, length) {
      bytesRead += length;
      return source.read(offset, length);
    },
  };
}
