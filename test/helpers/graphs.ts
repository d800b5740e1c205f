import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Tensor as EngineTensor } from '#engine/types';
import { encodeModel } from '#graph/onnx';
import type { Model } from '#graph/types';

/** Writes a model and its weights into a folder and returns the model's path. */
async function writeModel(folder: string, name: string, model: Model): Promise<string> {
  const { proto, weights, weightsSize } = await encodeModel(model, `${name}.bin`);
  const file = await open(join(folder, `${name}.bin`), 'w');
  await file.truncate(weightsSize);
  for (const blob of weights) {
    await file.write(await blob.produce(), 0, blob.length, blob.offset);
  }
  await file.close();
  const path = join(folder, `${name}.onnx`);
  await writeFile(path, proto);
  return path;
}

const TYPES = { Float32Array: 'float32', Int32Array: 'int32', Uint8Array: 'uint8' } as const;

/** Runs a model once with real ONNX Runtime and returns every output. */
export async function runModel(
  model: Model,
  feeds: Readonly<Record<string, EngineTensor>>,
): Promise<Record<string, EngineTensor>> {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-graph-'));
  try {
    const session = await InferenceSession.create(await writeModel(folder, 'model', model), {
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    const tensors = Object.entries(feeds).map(([name, { data, shape }]) => {
      const type = TYPES[data.constructor.name as keyof typeof TYPES];
      return [name, new Tensor(type, data, [...shape])] as const;
    });
    const outputs = await session.run(Object.fromEntries(tensors));
    const copies = Object.entries(outputs).map(([name, tensor]) => {
      const data = tensor.data as Float32Array | Int32Array | Uint8Array;
      return [name, { shape: [...tensor.dims], data: data.slice() }] as const;
    });
    await session.release();
    return Object.fromEntries(copies);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Largest absolute difference of two arrays of the same length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i += 1) {
    largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  }
  return largest;
}
