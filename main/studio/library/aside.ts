import { basename } from 'node:path';
import type { Workshop } from '../workshop.ts';

/** Moves a file of the library out of the way, under a name of its own; gives its new place. */
export function putAside(
  { files, newId }: Pick<Workshop, 'files' | 'newId'>,
  path: string,
): Promise<string> {
  return files.quarantine(path, `${newId()}-${basename(path)}`);
}
