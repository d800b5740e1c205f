import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '#api/errors';
import type { LibraryPlace } from '#api/library';
import { fileError, makeFolder, systemCode, writeAtomic } from '#pictures/files';
import type { Home } from '../home.ts';

// Where the library is, is written down in one small file of the data folder, and only when it is
// not in its usual place. The file is replaced at once, so that at any moment it names one library.

const FILE = 'library.json';
/** The library's database, in its folder. */
export const DATABASE = 'library.db';
/** Copies of its database. */
export const BACKUPS = 'backups';
/** Its pictures. */
const IMAGES = 'images';

const folder = z.string().min(1).max(4096).refine(isAbsolute);
const schema = z.object({
  version: z.literal(1),
  folder: folder.nullable(),
  left: folder.nullable(),
  unfinished: folder.nullable(),
});

/** What is written down of the library's place. */
export interface KnownPlace {
  /** Null for the usual one. */
  readonly folder: string | null;
  /** The old copy of a move that did not come to remove it. */
  readonly left: string | null;
  /** Where a move that was cut short copied to. */
  readonly unfinished: string | null;
}

/** The library's folder as long as it was never moved. */
export const usualFolder = (home: Home): string => join(home.root, 'library');

/** What is written down; a StudioError when it cannot be read: guessing would open another library. */
export async function readPlace(home: Home): Promise<KnownPlace> {
  const file = join(home.root, FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) {
      return { folder: null, left: null, unfinished: null };
    }
    throw fileError(error, 'read', file);
  }
  try {
    const { folder: kept, left, unfinished } = schema.parse(JSON.parse(text));
    return { folder: kept, left, unfinished };
  } catch (cause) {
    throw new StudioError(
      'file-unavailable',
      `${file} says where the library is, and is broken. No library was touched; write its folder there again, or delete the file to use ${usualFolder(home)}.`,
      { cause },
    );
  }
}

/** Where the library is that is written down, and what moves left behind. */
export async function whereLibrary(home: Home): Promise<LibraryPlace> {
  const { folder: kept, left, unfinished } = await readPlace(home);
  return {
    folder: kept ?? usualFolder(home),
    movable: true,
    left: await ifFilled(left),
    unfinished: await ifFilled(unfinished),
  };
}

/** Replaces what is written down, at once and for good. */
export async function writePlace(home: Home, place: KnownPlace): Promise<void> {
  await makeFolder(home.root);
  const { left, unfinished } = place;
  const kept = place.folder === usualFolder(home) ? null : place.folder;
  const text = JSON.stringify({ version: 1, folder: kept, left, unfinished }, null, 2);
  await writeAtomic(join(home.root, FILE), new TextEncoder().encode(`${text}\n`));
}

/** Whether there is a library in a folder: its record, or at least its pictures or a copy of the record. */
export async function holdsLibrary(path: string): Promise<boolean> {
  for (const name of [DATABASE, IMAGES, BACKUPS]) {
    const found = await stat(join(path, name)).catch(() => undefined);
    if (found !== undefined) return true;
  }
  return false;
}

/** The folder, when something is in it. */
export async function ifFilled(path: string | null): Promise<string | null> {
  if (path === null) return null;
  const names = await readdir(path).catch(() => []);
  return names.length > 0 ? path : null;
}
