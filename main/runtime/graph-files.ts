import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EncodedModel } from '#graph/onnx';

/** The file names of a graph: the model names its weights, so both move together. */
export function graphFileNames(graph: string): {
  readonly model: string;
  readonly weights: string;
} {
  return { model: `${graph}.onnx`, weights: `${graph}.bin` };
}

/**
 * Writes a graph and its weights into a folder. Weights pass through one by one, the next being
 * made while the last is written, so memory stays at two tensors.
 * @throws what producing or writing throws, and EEXIST when the files are there already.
 */
export async function writeGraph(
  folder: string,
  graph: string,
  encoded: EncodedModel,
): Promise<void> {
  const names = graphFileNames(graph);
  const file = await open(path.join(folder, names.weights), 'wx');
  let writing: Promise<unknown> = Promise.resolve();
  try {
    for (const blob of encoded.weights) {
      const [data] = await Promise.all([blob.produce(), writing]);
      writing = writeAll(file, data, blob.offset);
      // Awaited in the next round; until then a failure must not count as unhandled.
      writing.catch(() => undefined);
    }
    await writing;
    // Gaps between weights, and behind the last, read as zeros.
    await file.truncate(encoded.weightsSize);
  } finally {
    await writing.catch(() => undefined);
    await file.close();
  }
  await writeFile(path.join(folder, names.model), encoded.proto, { flag: 'wx' });
}

interface Writable {
  write(
    data: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
}

/** One call takes less than 2 GiB. */
const MAX_WRITE_BYTES = 2 ** 30;

async function writeAll(file: Writable, data: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < data.byteLength) {
    const left = Math.min(MAX_WRITE_BYTES, data.byteLength - done);
    const { bytesWritten } = await file.write(data, done, left, position + done);
    done += bytesWritten;
  }
}
