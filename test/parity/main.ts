import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { replayFolder, TARGETS } from './replay.ts';

/**
 * Replays folders of recorded arrays and compares everything:
 * `npm run --silent parity -- DIR [DIR...]`. Exit code 0: all hold; 1: something does not; 2: usage.
 */
async function main(folders: readonly string[]): Promise<number> {
  if (folders.length === 0) {
    process.stderr.write('usage: npm run --silent parity -- DIR [DIR...]\n');
    return 2;
  }
  const began = performance.now();
  const progress = (message: string) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stderr.write(`[${seconds.padStart(6)} s] ${message}\n`);
  };
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const failed: string[] = [];
  for (const folder of folders) {
    const scratch = await mkdtemp(join(tmpdir(), 'rcg-parity-'));
    const stop = () => {
      rmSync(scratch, { recursive: true, force: true });
      process.exit(130);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    try {
      const holds = await replayFolder(folder, { scratch, targets: TARGETS, print, progress });
      if (!holds) failed.push(folder);
    } catch (error) {
      failed.push(folder);
      print(`${folder}: FAIL: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      await rm(scratch, { recursive: true, force: true });
    }
  }
  if (failed.length === 0) {
    print(folders.length === 1 ? 'The folder holds.' : `All ${folders.length} folders hold.`);
  } else print(`${failed.length} of ${folders.length} folders do not hold: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

/**
 * A folder as the person meant it: npm runs programs in the package's folder, and says where it was
 * called itself.
 */
function asTyped(folder: string): string {
  const typed = resolve(process.env['INIT_CWD'] ?? '', folder);
  return existsSync(typed) ? typed : folder;
}

process.exitCode = await main(process.argv.slice(2).map(asTyped));
