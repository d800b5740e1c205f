import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CheckpointError } from '#checkpoint/errors';
import type { CheckpointErrorCode } from '#checkpoint/errors';
import { openCheckpoint } from '#checkpoint/open';
import { fileSource } from '#worker/files';

/** What the files of the official code and of its relatives are called. */
const CHECKPOINT = /\.(?:pth|pt|ckpt|safetensors)(?:\.tar)?$/i;
/** Errors that mean: another kind of file altogether. */
const OTHER_KINDS: ReadonlySet<CheckpointErrorCode> = new Set([
  'empty-file',
  'web-page',
  'text-file',
  'unsupported-format',
  'unknown-format',
]);

/**
 * The checkpoints in a folder and the folders within, absolute and sorted. Hidden files and whatever
 * else lies beside them (a README, sums, pictures) are left out, unless they are named like a
 * checkpoint: a damaged one must not go unnoticed.
 */
export async function checkpointFiles(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    if ((await stat(path)).isDirectory()) found.push(...(await checkpointFiles(path)));
    else if (CHECKPOINT.test(name) || (await holdsCheckpoint(path))) found.push(path);
  }
  return found;
}

/** Whether the content is a checkpoint's, even a damaged one's. */
async function holdsCheckpoint(path: string): Promise<boolean> {
  const source = await fileSource(path, basename(path));
  try {
    await openCheckpoint(source);
    return true;
  } catch (error) {
    return !(error instanceof CheckpointError && OTHER_KINDS.has(error.code));
  } finally {
    await source.close();
  }
}
