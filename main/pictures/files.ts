import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { StudioError } from '#api/errors';
import { fileReason } from '#api/reasons';

/** What each system error means to a person, and what to do about it. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist; check the name',
  ENOTDIR: 'a part of its path is a file, not a folder; check the name',
  EISDIR: 'it is a folder, not a file; name a file',
  ENOTEMPTY: 'a folder of that name is in the way; choose another name',
  EEXIST: 'a file of that name is in the way; choose another name',
  EACCES: 'you have no permission; choose another place or change its permissions',
  EPERM: 'the system does not permit it; choose another place',
  EROFS: 'its disk is read-only; choose another place',
  ELOOP: 'its links go round in a circle; check the name',
  ENAMETOOLONG: 'its name is too long; choose a shorter one',
  EMFILE: 'too many files are open; close some programs and try again',
  ENFILE: 'too many files are open; close some programs and try again',
  EIO: 'the disk reports a fault; check the disk',
  EBUSY: 'another program is using it; close that program and try again',
  EFBIG: 'it is larger than this disk or your account allows; choose another place',
};

/** The `code` of a system error, or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * A system error in words. `action` completes "Cannot …", such as "write". Anything that is not a
 * known system error is given back unchanged, since it is a bug and must look like one.
 */
export function fileError(error: unknown, action: string, path: string): unknown {
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StudioError(
      'disk-full',
      `The disk is full: cannot ${action} ${path}. Nothing half-written was left; free some space and try again.`,
      { cause: error },
    );
  }
  const why = code === undefined ? undefined : REASONS[code];
  if (code === undefined || why === undefined) return error;
  return new StudioError('file-unavailable', `Cannot ${action} ${path}: ${why}.`, {
    cause: error,
    reason: fileReason(code, path) ?? undefined,
  });
}

/** A whole plain file, or a StudioError: also when it is larger than `limit` bytes. */
export async function readWhole(path: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    await checkFile(path, limit);
    const bytes = await readFile(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

/** Checks that a path is a plain file of at most `limit` bytes, before anything of it is read. */
export async function checkFile(path: string, limit: number): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(error, 'read', path);
  });
  // A pipe or a device could go on for ever.
  if (!found.isFile()) {
    throw new StudioError('file-unavailable', `${path} is not a file; name a file.`, {
      reason: { code: 'file-not-plain', values: { file: path } },
    });
  }
  if (found.size > limit) {
    throw new StudioError(
      'file-unavailable',
      `${path} is too large to be what is wanted here: ${found.size} bytes, and at most ${limit} are read.`,
      {
        reason: { code: 'file-too-large', values: { file: path, bytes: found.size, most: limit } },
      },
    );
  }
}

/** The first bytes of a plain file, fewer when it is shorter. */
export async function readHead(path: string, length: number): Promise<Uint8Array> {
  await checkFile(path, Number.MAX_SAFE_INTEGER);
  try {
    const file = await open(path, 'r');
    const { buffer, bytesRead } = await file
      .read(new Uint8Array(length), 0, length, 0)
      .finally(() => file.close());
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

/**
 * Writes a file so that it is there whole or not at all: a temporary file beside it, flushed to the
 * disk, then renamed over the name. `mode` says who may read it, as far as the system lets us.
 */
export async function writeAtomic(path: string, bytes: Uint8Array, mode = 0o666): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, 'write', path);
  }
  await syncFolder(folder);
}

/** Makes the rename itself durable, where the system lets a folder be flushed. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows and some network disks refuse; the file's bytes are safe all the same.
  }
}

/** Makes a folder, with its parents, and checks that files can be made in it. */
export async function makeFolder(folder: string, field?: string): Promise<void> {
  if (folder === '') {
    throw new StudioError('invalid-request', `${field ?? 'folder'} is empty; name a folder.`, {
      field,
    });
  }
  try {
    await makeParents(resolve(folder));
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const wrong =
      systemCode(error) === 'ENOENT'
        ? new StudioError(
            'file-unavailable',
            `Cannot write into ${folder}: no folder can be made there; choose another place.`,
            { reason: fileReason('ENOENT', folder) ?? undefined },
          )
        : fileError(error, 'write into', folder);
    if (!(wrong instanceof StudioError) || field === undefined) throw wrong;
    const { code, message, reason } = wrong;
    throw new StudioError(code, message, { cause: error, field, reason });
  }
}

/**
 * Makes a folder and those above it. Node's own recursive mkdir never ends in places such as /proc,
 * where making a folder fails as if its parent were missing.
 */
async function makeParents(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
  });
  if (found?.isDirectory()) return;
  if (found === undefined) await makeParents(dirname(folder));
  await mkdir(folder).catch((error: unknown) => {
    // Another process may have been quicker; a file of that name is an error all the same.
    if (found !== undefined || systemCode(error) !== 'EEXIST') throw error;
  });
}
