import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it; fine when it is there, or another process is quicker. Node's
 * own recursive mkdir never ends in places such as /proc, where making a folder fails as if its
 * parent were missing.
 * @returns whether it was made now
 */
export async function makeFolders(folder: string): Promise<boolean> {
  const made = await makeOne(folder);
  if (made !== null) return made;
  if (dirname(folder) !== folder) await makeFolders(dirname(folder));
  // The parent is there now. If that was not it, this says what is.
  return (await makeOne(folder)) ?? (await mkdir(folder), true);
}

/** Whether the folder is new; null when its parent seems to be missing. */
async function makeOne(folder: string): Promise<boolean | null> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return false;
    if (code === 'ENOENT') return null;
    throw error;
  }
}
