import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText, type Reason, type ReasonCode } from '#api/reasons';
import { fileError, syncFolder, systemCode } from '#pictures/files';
import { hashStream, writeHashed } from '#worker/hashing';
import { DATABASE } from './place.ts';

const CHUNK = 1 << 20;
/** Copied only when the library is closed, in this order: the database itself comes last. */
const RECORD = [`${DATABASE}-wal`, DATABASE];
/** The copied database until the turn: a copy that was cut short is never taken for a library. */
export const RECORD_COPY = `${DATABASE}.copy`;
/** Of the lock and of SQLite: made anew wherever a library is opened. */
const LEFT_OUT = new Set(['-shm', '.lock', '.lock-journal', '.owner'].map((end) => DATABASE + end));

/** A file of a library; `path` is relative to its folder. */
interface Entry {
  readonly path: string;
  readonly size: number;
  readonly changed: number;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number, file: string) => void;
}

/** A copy of a library in the making. */
export interface LibraryCopy {
  /** Bytes that the library takes. */
  size(): Promise<number>;
  /**
   * Copies what is new or changed since the last pass, each file verified and on the disk; takes
   * away what is gone. The record of the library is copied only by the `last` pass.
   */
  pass(last: boolean): Promise<void>;
  /** Gives the copied record its name: from now on the copy is a library. */
  turn(): Promise<void>;
  /** Deletes the files that were copied, at the place they came from: the record first. */
  removeSource(): Promise<void>;
}

export function copyLibrary(
  from: string,
  to: string,
  { signal, onProgress }: CopyOptions,
): LibraryCopy {
  const done = new Map<string, Entry>();
  const folders = new Set<string>();
  let place: string | undefined;

  /** A drive that is taken out leaves a folder of the same name, which is another one. */
  const checkPlace = async (): Promise<void> => {
    const { dev, ino } = await stat(to).catch((error: unknown) => {
      throw fileError(error, 'write into', to);
    });
    place ??= `${dev} ${ino}`;
    if (place !== `${dev} ${ino}`) throw lost('move-gone', to);
  };
  const listAll = async (): Promise<readonly Entry[]> => {
    const entries = await list(from, folders);
    return entries.filter(({ path }) => !LEFT_OUT.has(path));
  };

  return {
    size: async () => (await listAll()).reduce((sum, { size }) => sum + size, 0),
    async pass(last) {
      await checkPlace();
      const all = await listAll();
      const record = RECORD.flatMap((name) => all.filter(({ path }) => path === name));
      const wanted = all.filter(({ path }) => !RECORD.includes(path));
      if (last) wanted.push(...record);
      const paths = new Set(wanted.map(({ path }) => path));
      for (const path of done.keys()) {
        if (paths.has(path)) continue;
        await rm(join(to, path), { force: true });
        done.delete(path);
      }
      for (const folder of folders) await makeInside(join(to, folder));
      const total = wanted.reduce((sum, { size }) => sum + size, 0);
      let copied = 0;
      for (const entry of wanted) {
        signal.throwIfAborted();
        onProgress(copied, total, entry.path);
        copied += entry.size;
        if (isSame(done.get(entry.path), entry)) continue;
        const found = await copyFile(join(from, entry.path), join(to, nameOf(entry.path)), signal);
        // Gone since the folder was read: the next pass knows.
        if (!found && last) throw lost('move-gone', join(from, entry.path));
        if (found) done.set(entry.path, entry);
      }
      for (const folder of ['.', ...folders]) await syncFolder(join(to, folder));
      await checkPlace();
      if (last) await checkAll(to, wanted);
      onProgress(total, total, '');
    },
    async turn() {
      await rename(join(to, RECORD_COPY), join(to, DATABASE)).catch((error: unknown) => {
        throw fileError(error, 'write', join(to, DATABASE));
      });
      await syncFolder(to);
    },
    async removeSource() {
      const paths = [...done.keys()].sort((a, b) => order(a) - order(b));
      for (const path of [...paths, ...LEFT_OUT]) {
        if (!path.endsWith('.lock')) await rm(join(from, path), { force: true });
      }
      // What came in since stays, and so does its folder.
      await removeEmpty(from, folders);
    },
  };
}

/** That every file is there, at its size: what each holds was compared when it was copied. */
async function checkAll(to: string, entries: readonly Entry[]): Promise<void> {
  for (const { path, size } of entries) {
    const found = await stat(join(to, nameOf(path))).catch(() => undefined);
    if (found?.size !== size) throw lost('move-gone', join(to, path));
  }
}

/** What a file of the library is called in the copy, until the turn. */
const nameOf = (path: string): string =>
  RECORD.includes(path) ? path.replace(DATABASE, RECORD_COPY) : path;

/** The record goes first: what is left of a removal that was cut short is no library any more. */
const order = (path: string): number => (path === DATABASE ? 0 : 1);

const isSame = (before: Entry | undefined, now: Entry): boolean =>
  before?.size === now.size && before.changed === now.changed;

/**
 * Takes away what a copy that was cut short left: files of the very names that the library has, and
 * folders that are empty then. Anything else in that folder is somebody's, and stays.
 */
export async function clearCopy(from: string, to: string): Promise<void> {
  const folders = new Set<string>();
  try {
    for (const { path } of await list(from, folders)) await rm(join(to, path), { force: true });
    for (const end of ['', '-wal', '-shm', '-journal']) {
      await rm(join(to, RECORD_COPY + end), { force: true });
    }
  } catch (error) {
    throw fileError(error, 'clear', to);
  }
  await removeEmpty(to, folders);
}

async function removeEmpty(root: string, folders: ReadonlySet<string>): Promise<void> {
  const deepestFirst = [...folders].sort((a, b) => b.length - a.length);
  for (const folder of deepestFirst) await rmdir(join(root, folder)).catch(() => undefined);
}

/** Every file of a folder. What is neither file nor folder cannot be copied without a guess. */
async function list(root: string, folders: Set<string>, inside = ''): Promise<Entry[]> {
  const entries: Entry[] = [];
  const folder = join(root, inside);
  try {
    for (const found of await readdir(folder, { withFileTypes: true })) {
      const path = join(inside, found.name);
      if (found.isDirectory()) {
        folders.add(path);
        entries.push(...(await list(root, folders, path)));
      } else if (found.isFile()) {
        const known = await stat(join(root, path)).catch(ignoreGone);
        if (known) entries.push({ path, size: known.size, changed: known.mtimeMs });
      } else {
        const reason: Reason = { code: 'move-not-plain', values: { file: join(root, path) } };
        throw new StudioError('invalid-request', reasonText(reason), { field: 'folder', reason });
      }
    }
  } catch (error) {
    throw fileError(error, 'read', folder);
  }
  return entries;
}

function ignoreGone(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error;
}

async function makeInside(folder: string): Promise<void> {
  await mkdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'EEXIST') return;
    throw fileError(error, 'write into', folder);
  });
}

/** Copies a file and reads the copy again; false when there is nothing to copy any more. */
async function copyFile(from: string, to: string, signal: AbortSignal): Promise<boolean> {
  const source = await open(from, 'r').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw fileError(error, 'read', from);
  });
  if (source === null) return false;
  try {
    const { atimeMs, mtimeMs } = await source.stat();
    await rm(to, { force: true });
    const written = await writeHashed(to, pieces(source), { signal });
    // Not as dates: those are whole milliseconds, rounded up.
    await utimes(to, atimeMs / 1000, mtimeMs / 1000);
    const copied = createReadStream(to, { highWaterMark: CHUNK });
    if ((await hashStream(copied, { signal })).sha256 !== written.sha256) {
      throw lost('move-read-back', to);
    }
    return true;
  } catch (error) {
    throw fileError(error, 'write', to);
  } finally {
    await source.close();
  }
}

/** Each piece is a buffer of its own: the next is read while the last is written. */
async function* pieces(file: Awaited<ReturnType<typeof open>>): AsyncGenerator<Uint8Array> {
  for (;;) {
    // Not zeroed first: only what was read is handed on.
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

function lost(code: ReasonCode, file: string): StudioError {
  const reason: Reason = { code, values: { file } };
  return new StudioError('file-unavailable', reasonText(reason), { reason });
}
