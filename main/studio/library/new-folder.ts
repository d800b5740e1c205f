import { mkdir, readdir, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText, type Reason, type ReasonCode } from '#api/reasons';
import { fileError, makeFolder } from '#pictures/files';
import type { Home } from '../home.ts';
import { holdsLibrary } from './place.ts';

/** What a new folder is for: each has sentences of its own. */
type Work = 'move' | 'transfer';
type NameOf<Code, W extends Work> = Code extends `${W}-${infer Name}` ? Name : never;
type Refusal = NameOf<ReasonCode, 'move'> & NameOf<ReasonCode, 'transfer'>;

/** A folder that the library is to be copied to. */
export interface NewFolder {
  readonly work: Work;
  readonly home: Home;
  /** The library's folder. */
  readonly from: string;
  /** Should be absolute. */
  readonly to: string;
}

/** Refuses, by the field `folder`, a place in which no copy of the library may lie. */
export async function checkPlace({ work, home, from, to }: NewFolder): Promise<void> {
  if (!isAbsolute(to)) throw refused(work, 'no-whole-path', { folder: to });
  const parent = await realpath(dirname(to)).catch(() => null);
  if (parent === null) throw refused(work, 'no-parent', { folder: dirname(to) });
  const [old, place] = [
    await realpath(from),
    await realpath(to).catch(() => join(parent, basename(to))),
  ];
  if (place === old) throw refused(work, 'same', {});
  if (isInside(place, old)) throw refused(work, 'inside', { folder: to });
  for (const own of [home.cache, home.models]) {
    const folder = await realpath(own).catch(() => own);
    if (place === folder || isInside(place, folder)) {
      throw refused(work, 'own-folder', { folder: own });
    }
  }
}

/** Makes the folder, or checks that it is empty; whether it was not there before. */
export async function makeNewFolder({ work, to }: NewFolder): Promise<boolean> {
  const found = await stat(to).catch(() => null);
  if (found === null) {
    await mkdir(to).catch((error: unknown) => {
      throw withField(fileError(error, 'make', to));
    });
    return true;
  }
  if (!found.isDirectory()) throw refused(work, 'to-file', { folder: to });
  if (await holdsLibrary(to)) throw refused(work, 'other-library', { folder: to });
  const [first] = await readdir(to).catch((error: unknown) => {
    throw withField(fileError(error, 'read', to));
  });
  if (first !== undefined) throw refused(work, 'not-empty', { folder: to, first });
  await makeFolder(to, 'folder');
  return false;
}

/** Refuses, as `disk-full`, what may not fit beside what is free. */
export async function checkFits(
  { work, to }: Pick<NewFolder, 'work' | 'to'>,
  needed: number,
  free?: number,
): Promise<void> {
  const available = free ?? (await freeBytes(to));
  if (available >= needed) return;
  const mega = (bytes: number): number => Math.ceil(bytes / 1e6);
  const values = { needed: mega(needed), free: mega(available), folder: to };
  const reason: Reason = { code: `${work}-no-space`, values };
  throw new StudioError('disk-full', reasonText(reason), { field: 'folder', reason });
}

/** Bytes that this account may still write to a folder's disk. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function refused(work: Work, name: Refusal, values: Reason['values']): StudioError {
  const reason: Reason = { code: `${work}-${name}`, values };
  return new StudioError('invalid-request', reasonText(reason), { field: 'folder', reason });
}

function withField(error: unknown): unknown {
  if (!(error instanceof StudioError)) return error;
  const { code, message, reason } = error;
  return new StudioError(code, message, { cause: error, field: 'folder', reason });
}
