import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '#api/errors';
import { reasonText, type Reason, type ReasonCode } from '#api/reasons';
import { fileError, systemCode } from '#pictures/files';
import { DOCUMENT } from './document.ts';

// An exported library: `manifest.json` names the document and its hash, each picture's line in the
// document names that of its file. The manifest is written last, so a folder without one is half.

/** The file that makes a folder an exported library. */
export const MANIFEST = 'manifest.json';
const FORMAT = 'rcg-studio-library-copy';
const VERSION = 1;
const MAX_MANIFEST_BYTES = 1 << 20;
/** More than anybody makes, and what one list in memory can still hold. */
const MAX_PICTURES = 5_000_000;

const count = z.int().nonnegative().max(MAX_PICTURES);
const schema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  software: z.string().max(200),
  at: z.int().nonnegative(),
  counts: z.strictObject({
    pictures: count,
    /** Pictures that have their file; the others have their recipe. */
    files: count,
    boards: count,
    searches: count,
  }),
  /** Bytes of the pictures' files. */
  bytes: z.int().nonnegative(),
  document: z.strictObject({
    path: z.literal(DOCUMENT),
    size: z.int().nonnegative(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});
export type CopyManifest = z.infer<typeof schema>;

/** The manifest's bytes. */
export function formatManifest(about: Omit<CopyManifest, 'format' | 'version'>): Uint8Array {
  const manifest: CopyManifest = { format: FORMAT, version: VERSION, ...about };
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** The manifest of an exported library; a StudioError with a reason for any other folder. */
export async function readManifest(folder: string): Promise<CopyManifest> {
  const bytes = await readPlain(folder, MANIFEST, MAX_MANIFEST_BYTES).catch((error: unknown) => {
    const missing = error instanceof StudioError && error.reason?.code === 'copy-missing';
    throw missing ? copyError('copy-none', { folder, file: MANIFEST }) : error;
  });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw copyError('copy-damaged', { file: MANIFEST });
  }
  const version: unknown =
    typeof json === 'object' && json !== null && 'version' in json ? json.version : null;
  if (typeof version === 'number' && version > VERSION) {
    throw copyError('document-newer', { file: MANIFEST });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw copyError('copy-damaged', { file: MANIFEST });
  return parsed.data;
}

/** A plain file of an exported library as bytes: no link is followed, and no more is read than `most`. */
export async function readPlain(folder: string, path: string, most: number): Promise<Uint8Array> {
  const file = await openPlain(folder, path);
  try {
    const { size } = await file.stat();
    if (size > most) throw copyError('copy-damaged', { file: path });
    return await file.readFile();
  } catch (error) {
    throw fileError(error, 'read', join(folder, path));
  } finally {
    await file.close();
  }
}

/** Opens a plain file of an exported library, without following a link. */
export async function openPlain(folder: string, path: string) {
  const whole = join(folder, path);
  // Windows knows no such flag: there the look before has to do.
  const found = await lstat(whole).catch((error: unknown) => {
    const gone = ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
    throw gone ? copyError('copy-missing', { file: path }) : fileError(error, 'read', whole);
  });
  if (!found.isFile()) throw copyError('copy-unsafe', { file: path });
  return open(whole, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch((error: unknown) => {
    throw systemCode(error) === 'ELOOP'
      ? copyError('copy-unsafe', { file: path })
      : fileError(error, 'read', whole);
  });
}

/** Refuses a folder inside an exported library that is a link. */
export async function checkPlainFolder(folder: string, path: string): Promise<void> {
  const found = await lstat(join(folder, path)).catch(() => null);
  if (found === null) throw copyError('copy-missing', { file: path });
  if (!found.isDirectory()) throw copyError('copy-unsafe', { file: path });
}

/** What is wrong with an exported library. */
export function copyError(code: ReasonCode, values: Reason['values']): StudioError {
  const reason: Reason = { code, values };
  return new StudioError('file-unavailable', reasonText(reason), { field: 'folder', reason });
}
