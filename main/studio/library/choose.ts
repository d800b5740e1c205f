import { readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText, type ReasonCode } from '#api/reasons';
import { fileError } from '#pictures/files';
import { holdsLibrary } from './place.ts';

/** Refuses, by the field `folder`, what is neither a library nor a place for a new one. */
export async function checkChoice(folder: string): Promise<void> {
  if (!isAbsolute(folder)) throw refused('choose-no-whole-path', folder);
  const found = await stat(folder).catch(() => null);
  if (found === null) {
    const parent = await stat(dirname(folder)).catch(() => null);
    if (parent?.isDirectory() !== true) throw refused('choose-no-parent', dirname(folder));
    return;
  }
  if (!found.isDirectory()) throw refused('choose-to-file', folder);
  if (await holdsLibrary(folder)) return;
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, 'read', folder);
  });
  if (names.length > 0) throw refused('choose-not-empty', folder);
}

function refused(code: ReasonCode, folder: string): StudioError {
  const reason = { code, values: { folder } };
  return new StudioError('invalid-request', reasonText(reason), { field: 'folder', reason });
}
