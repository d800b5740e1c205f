import { randomFillSync } from 'node:crypto';
import { copyFile, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateDict } from '#checkpoint/types';
import { encoderWeights } from '#networks/encoder';
import { mageWeights } from '#networks/mage';
import { vqganWeights } from '#networks/vqgan';
import { WorkerClient } from '#worker/client';
import { forkChannel } from '#worker/fork-channel';
import { writeTorchZip } from '../helpers/torch-stream.ts';

/** What an import of a file of RCG-L's size cost. */
export interface ImportCost {
  /** Bytes of the checkpoint. */
  readonly bytes: number;
  readonly importSeconds: number;
  /** Copying the same file on the same disk, right before and right after; the mean. */
  readonly copySeconds: number;
  /** Speed of the import against that of the copy. */
  readonly ratio: number;
  /** Peak resident memory of the engine process, bytes. */
  readonly peak: number;
}

/** Sizes of RCG-L's MAGE file (spec 1). */
const ENCODER = {
  kind: 'mocov3',
  sourceSize: 256,
  imageSize: 224,
  patchSize: 16,
  width: 1024,
  depth: 24,
  heads: 16,
  mlpWidth: 4096,
  head: 'mocov3',
  headWidth: 4096,
  representation: 256,
} as const;
const MAGE = {
  representation: 256,
  codes: 1024,
  tokens: 256,
  vocabulary: 2025,
  width: 1024,
  depth: 24,
  heads: 16,
  mlpWidth: 4096,
  decoderWidth: 1024,
  decoderDepth: 8,
  decoderHeads: 16,
  decoderMlpWidth: 4096,
} as const;
const VQGAN = { channels: 128, multipliers: [1, 1, 2, 2, 4], blocks: 2, latent: 256, codes: 1024 };

/** Writes such a checkpoint, imports it in an engine process of its own, and removes both. */
export async function benchImport(
  folder: string,
  say: (message: string) => void,
): Promise<ImportCost> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'mage-l.pth');
  const engine = new WorkerClient({ channel: forkChannel() });
  try {
    say('writing a checkpoint of the size of RCG-L');
    await writeTorchZip(file, { model: synthetic() });
    const bytes = (await stat(file)).size;
    const before = await timeCopy(file, join(folder, 'copy-1'));
    say('importing it');
    const request = {
      files: [file],
      recipe: {},
      attachments: [],
      id: 'bench',
      library: join(folder, 'library'),
    };
    await engine.call('previewImport', request);
    const began = performance.now();
    await engine.call('import', request);
    await flush(join(folder, 'library'));
    const importSeconds = (performance.now() - began) / 1000;
    const peak = await peakMemory(engine.pid);
    const after = await timeCopy(file, join(folder, 'copy-2'));
    const copySeconds = (before + after) / 2;
    return { bytes, importSeconds, copySeconds, ratio: copySeconds / importSeconds, peak };
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds that a copy takes until it is on the disk. */
async function timeCopy(from: string, to: string): Promise<number> {
  const began = performance.now();
  await copyFile(from, to);
  const file = await open(to);
  await file.sync();
  await file.close();
  const seconds = (performance.now() - began) / 1000;
  await rm(to);
  return seconds;
}

async function flush(folder: string): Promise<void> {
  const file = await open(folder);
  await file.sync();
  await file.close();
}

/** VmHWM of a process; 0 where there is no /proc. */
async function peakMemory(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 'self'}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** The tensors of such a file: noise, made a block at a time. */
function synthetic(): StateDict {
  const block = randomFillSync(new Uint8Array(2 ** 22));
  // Bits of the exponent that would make NaN or huge numbers are cleared.
  for (let i = 3; i < block.length; i += 4) block[i] = (block[i] ?? 0) & 0xbf;
  const specs = [
    ...mageWeights(MAGE),
    ...encoderWeights(ENCODER).map(({ name, shape }) => ({
      name: `pretrained_encoder.${name}`,
      shape,
    })),
    ...vqganWeights(VQGAN).map(({ name, shape }) => ({ name: `vqgan.${name}`, shape })),
  ];
  return new Map(
    specs.map(({ name, shape }) => {
      const bytes = 4 * shape.reduce((product, size) => product * size, 1);
      const chunks = async function* () {
        for (let at = 0; at < bytes; at += block.length) {
          yield await Promise.resolve(block.subarray(0, Math.min(block.length, bytes - at)));
        }
      };
      return [name, { name, dtype: 'float32', shape, chunks }] as const;
    }),
  );
}
