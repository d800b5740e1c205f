import { dirname, join } from 'node:path';
import { StudioError } from '#api/errors';
import type { Recipe } from '#api/recipe';
import { parseRecipe } from '#pictures/recipe';
import { hashStream, throwIfCancelled } from '#worker/hashing';
import { readOurs, type OurPicture } from '../library/adopt.ts';
import { openDocument, type PictureLine } from './document.ts';
import { hashOf } from './hash.ts';
import {
  checkPlainFolder,
  copyError,
  openPlain,
  readManifest,
  readPlain,
  type CopyManifest,
} from './manifest.ts';
import type { TransferOptions } from './export.ts';

const CHUNK = 1 << 20;

/** An exported library whose every byte is what it should be. */
export interface CheckedCopy {
  readonly folder: string;
  readonly manifest: CopyManifest;
  /** Bytes of the files of pictures that are not known here. */
  readonly newBytes: number;
}

/** How a copy is looked at. */
export interface CheckOptions extends Pick<TransferOptions, 'signal'> {
  readonly onProgress: (done: number, total: number) => void;
  readonly isKnown: (uid: string) => boolean;
}

/**
 * Reads an exported library from end to end and compares all of it with its hashes, before anything
 * of it is used: a copy may be half, damaged, or made to do harm.
 */
export async function checkCopy(folder: string, options: CheckOptions): Promise<CheckedCopy> {
  const { signal, onProgress, isKnown } = options;
  const manifest = await readManifest(folder);
  await checkDocument(folder, manifest, signal);
  const { counts } = manifest;
  const found = { pictures: 0, files: 0, boards: 0, searches: 0 };
  const uids = new Set<string>();
  const paths = new Set<string>();
  const folders = new Set<string>();
  let bytes = 0;
  let newBytes = 0;
  for await (const line of linesOf(folder)) {
    throwIfCancelled(signal);
    if (line.kind === 'board') found.boards++;
    if (line.kind === 'search') found.searches++;
    if (line.kind !== 'picture') continue;
    onProgress(found.pictures, counts.pictures);
    found.pictures++;
    if (uids.has(line.uid) || paths.has(line.path)) throw damaged(line.path);
    uids.add(line.uid);
    paths.add(line.path);
    if (line.file === undefined) {
      recipeOf(line);
      continue;
    }
    found.files++;
    bytes += line.file.size;
    if (!isKnown(line.uid)) newBytes += line.file.size;
    const month = dirname(line.path);
    for (const inside of [dirname(month), month]) {
      if (!folders.has(inside)) await checkPlainFolder(folder, inside);
      folders.add(inside);
    }
    await readPicture(folder, line);
  }
  const asSaid =
    bytes === manifest.bytes &&
    (Object.keys(found) as (keyof typeof found)[]).every((name) => found[name] === counts[name]);
  if (!asSaid) throw damaged(manifest.document.path);
  return { folder, manifest, newBytes };
}

async function checkDocument(
  folder: string,
  { document }: CopyManifest,
  signal: AbortSignal,
): Promise<void> {
  const file = await openPlain(folder, document.path);
  try {
    const { size } = await file.stat();
    if (size !== document.size) throw damaged(document.path);
    const stream = file.createReadStream({ highWaterMark: CHUNK, autoClose: false });
    const { sha256 } = await hashStream(stream, { signal });
    if (sha256 !== document.sha256) throw damaged(document.path);
  } finally {
    await file.close();
  }
}

/** The lines of an exported library's document. */
export async function* linesOf(folder: string) {
  const path = 'library.jsonl';
  const document = await openDocument(join(folder, path));
  if (document === null) throw copyError('copy-missing', { file: path });
  try {
    yield* document.lines();
  } finally {
    await document.close();
  }
}

/** The picture of a line, as its file says; anything but the very file that was exported is refused. */
export async function readPicture(
  folder: string,
  line: PictureLine,
): Promise<OurPicture & { readonly bytes: Uint8Array }> {
  const { path, file, tokenHash } = line;
  if (file === undefined) throw damaged(path);
  const bytes = await readPlain(folder, path, file.size);
  if (bytes.length !== file.size || hashOf(bytes) !== file.sha256) throw damaged(path);
  const ours = sound(path, () => readOurs(bytes, path));
  if (ours?.recipe.tokenHash !== tokenHash) throw damaged(path);
  return { ...ours, bytes };
}

/** The recipe of a picture without a file, checked. */
export function recipeOf({ path, without, tokenHash }: PictureLine): Recipe {
  const recipe = sound(path, () => parseRecipe(JSON.stringify(without?.recipe ?? null), path));
  if (recipe.tokenHash !== tokenHash) throw damaged(path);
  return recipe;
}

function sound<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof StudioError && error.code !== 'internal') throw damaged(path);
    throw error;
  }
}

const damaged = (file: string): StudioError => copyError('copy-damaged', { file });
