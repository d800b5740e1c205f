import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StudioError } from '#api/errors';
import { fileReason, reasonText, type Reason } from '#api/reasons';
import type { ByteSource } from '#checkpoint/types';
import { makeFolders } from '#runtime/folders';
import { Pieces } from './pieces.ts';

/** An open file as a source of bytes. */
export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

/** Without waiting: a named pipe would hold up its opening until somebody writes to it. */
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK;
/** Bytes of one read: Node ends the whole process when asked for 2 GiB or more. */
const MAX_READ_BYTES = 2 ** 30;
/** Names of unfinished folders: `.importing-<process id>-<something unique>`. */
const UNFINISHED = /^\.importing-(\d+)-/;
/** Unfinished folders of this process; any other with our id was left by a namesake. */
const active = new Set<string>();

/**
 * Opens a file for reading by ranges, at any offset.
 * @param name what errors call it; the file's own name unless given
 * @throws StudioError 'file-unavailable'
 */
export async function fileSource(path: string, name = basename(path)): Promise<FileSource> {
  const handle = await open(path, READ_ONLY).catch((error: unknown) => {
    throw fileError(error, name);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw unavailable({ code: 'file-not-plain', values: { file: name } });
    }
    const { size } = stats;
    const pieces = new Pieces();
    return {
      name,
      size,
      async read(offset, length) {
        // Not zeroed first: every byte is overwritten below, or the read fails.
        const bytes = pieces.take(length);
        const whole = await fill(handle, { bytes, offset }).catch((error: unknown) => {
          throw fileError(error, name);
        });
        if (!whole) throw unavailable({ code: 'file-shrank', values: { file: name } });
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw fileError(error, name);
  }
}

/**
 * Reads bytes from `offset` on until the buffer is full.
 * @returns false when the file ends first
 * @internal
 */
export async function fill(
  handle: Pick<FileHandle, 'read'>,
  to: { readonly bytes: Uint8Array; readonly offset: number },
  most = MAX_READ_BYTES,
): Promise<boolean> {
  const { bytes, offset } = to;
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(most, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, offset + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** What a write into an unfinished folder ends with. */
export interface Finished<T> {
  /** Name under which the folder is to stand; null throws it away. */
  readonly folder: string | null;
  readonly value: T;
}

/**
 * Writes a folder into `parent` that is there complete or not at all: `write` fills an unfinished
 * folder beside it, which is forced to the disk and then renamed. On any error, and on cancelling,
 * nothing stays. Unfinished folders of processes that died are cleared first.
 * @throws StudioError 'disk-full' or 'file-unavailable', or what `write` throws
 */
export async function writeFolderAtomically<T>(
  parent: string,
  write: (unfinished: string) => Promise<Finished<T>>,
): Promise<T> {
  const name = `.importing-${process.pid}-${randomUUID()}`;
  const unfinished = join(parent, name);
  active.add(name);
  try {
    await makeFolders(parent);
    await clearUnfinished(parent);
    await mkdir(unfinished);
    const { folder, value } = await write(unfinished);
    if (folder !== null) {
      await syncAll(unfinished);
      await rename(unfinished, join(parent, folder));
      await sync(parent);
    }
    return value;
  } catch (error) {
    throw fileError(error, basename(parent));
  } finally {
    // After a rename there is nothing left under this name.
    await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    active.delete(name);
  }
}

/** Removes what writers of folders left whose process no longer lives. */
export async function clearUnfinished(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const id = UNFINISHED.exec(name)?.[1];
    if (id === undefined || active.has(name)) continue;
    if (Number(id) !== process.pid && isAlive(Number(id))) continue;
    // One that cannot be removed is in nobody's way.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    return codeOf(error) === 'EPERM';
  }
}

async function syncAll(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    await sync(join(folder, entry.name));
  }
  await sync(folder);
}

/** Forces a file or folder to the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    // Windows cannot open folders; there the rename itself is journalled.
    if (process.platform === 'win32') return undefined;
    throw error;
  });
  if (!handle) return;
  try {
    await handle.sync();
  } catch (error) {
    // Windows syncs only what was opened for writing, some network drives nothing at all.
    if (!['EPERM', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

/** The code of a system error, or ''. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** A system error as one for people; anything else as it is. `name` is what was worked on. */
export function fileError(error: unknown, name: string): unknown {
  const code = codeOf(error);
  if (error instanceof StudioError || code === '') return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StudioError(
      'disk-full',
      'The disk is full. Nothing was changed; free some space and try again.',
      { cause: error },
    );
  }
  if (code === 'EFBIG') {
    return new StudioError(
      'file-unavailable',
      `${name} is larger than its disk or your account allows. Choose another place.`,
      { cause: error },
    );
  }
  const reason = fileReason(code, name);
  return reason === null ? error : unavailable(reason, error);
}

/** A file that cannot be used, and why. */
export function unavailable(reason: Reason, cause?: unknown): StudioError {
  return new StudioError('file-unavailable', reasonText(reason), { cause, reason });
}
