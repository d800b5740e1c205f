import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

async function make(): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rcg-studio-test-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const { folder, remove } = await make();
  onTestFinished(remove);
  return folder;
}

const lasting: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const remove of lasting.splice(0)) await remove();
});

/** A folder that goes when the tests of the file have ended. */
export async function lastingFolder(): Promise<string> {
  const { folder, remove } = await make();
  lasting.push(remove);
  return folder;
}
