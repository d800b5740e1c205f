import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Library } from './installed.ts';

/** Compiled graphs lie in folders named after the hash of their bundle. */
const OF_A_BUNDLE = /^[0-9a-f]{64}$/;

/**
 * Deletes the compiled graphs of models that are not installed any more: gigabytes for a large one.
 * Never fails; what cannot be deleted is in nobody's way, and what is needed after all is compiled
 * again.
 * @param cache the data folder's `cache`
 */
export async function dropUnusedGraphs(cache: string, library: Library): Promise<void> {
  try {
    const installed = await library.list();
    const hashes = new Set(
      installed.flatMap((entry) => (entry.state === 'ready' ? [entry.manifest.hash] : [])),
    );
    for (const name of await readdir(cache)) {
      if (!OF_A_BUNDLE.test(name) || hashes.has(name)) continue;
      await rm(join(cache, name), { recursive: true, force: true });
    }
  } catch {
    // Nothing was compiled yet, or the disk says no.
  }
}
