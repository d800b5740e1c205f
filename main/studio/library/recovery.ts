import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '#api/errors';
import type { FileState } from '#api/images';
import type { Recovery } from '#api/library';
import { systemCode } from '#pictures/files';
import { fileTime, IMAGE_PATH } from '#pictures/image-files';
import { makerTitles } from '../models/titles.ts';
import { findKept, type Restoring } from '../portable/restore.ts';
import type { Workshop } from '../workshop.ts';
import { adoptFile, readOurs, type OurFile } from './adopt.ts';
import { putAside } from './aside.ts';

type Shop = Pick<
  Workshop,
  'history' | 'files' | 'newId' | 'events' | 'closing' | 'library' | 'settings'
>;

/** How files and rows are compared. */
export interface RecoverOptions {
  /** When the studio was opened: what is unfinished and newer is being written now. */
  readonly since: number;
  /** Reads every picture to its end, which takes its time, so that damaged ones are found too. */
  readonly thorough?: boolean;
}

/**
 * Brings files and rows together after whatever happened: a kill between the two, a folder that was
 * moved or half deleted, a database that was lost. Nothing of a picture is thrown away.
 */
export async function recover(shop: Shop, options: RecoverOptions): Promise<Recovery> {
  const { history, files, closing } = shop;
  const doomed = history().bin.doomedFiles();
  await files.remove(doomed);
  history().bin.filesDeleted(doomed);

  const kept = await findKept(shop);
  const restoring = kept.kind === 'new' ? kept.restoring : null;
  await restoring?.addLost();
  // Rows before files: a picture that is kept meanwhile has its file first, and so is not missed.
  const rows = [...history().images.files()];
  const { paths, unfinished } = await files.scan();
  const left = await clear(unfinished, options.since);
  const { missing, found } = await compare(shop, { rows, there: new Set(paths), ...options });
  if (missing.length > 0) history().images.setFileStates(missing, 'missing');
  if (found.length > 0) history().images.setFileStates(found, 'present');
  const known = new Set(rows.map(({ path }) => path));
  const orphans = paths.filter((path) => /\.png$/i.test(path) && !known.has(path));
  const { adopted, quarantined, unreadable } = await adoptAll(shop, orphans, restoring);
  const restored = closing.aborted ? 0 : ((await restoring?.finish()) ?? 0);
  if (adopted + missing.length + found.length + restored > 0)
    shop.events.publish({ kind: 'images', ids: null });
  return {
    unfinished: left,
    adopted,
    quarantined: kept.kind === 'ignored' && kept.aside ? [...quarantined, kept.aside] : quarantined,
    unreadable,
    restored,
    note: kept.kind === 'ignored' ? kept.reason : null,
    missing: missing.length,
    found: found.length,
  };
}

interface Compared extends RecoverOptions {
  readonly rows: readonly {
    readonly id: number;
    readonly path: string;
    readonly state: FileState;
  }[];
  /** What the scan found. */
  readonly there: ReadonlySet<string>;
}

/** The rows whose file is gone or damaged, and those whose file is there and whole again. */
async function compare(
  { files, closing }: Shop,
  { rows, there, thorough = false }: Compared,
): Promise<{ readonly missing: readonly number[]; readonly found: readonly number[] }> {
  const missing: number[] = [];
  const found: number[] = [];
  for (const { id, path, state } of rows) {
    if (closing.aborted) break;
    const isThere = there.has(path);
    if (state === 'present' && (thorough || !isThere)) {
      // What no scan goes into may be there all the same.
      const now = await check(files, path);
      if (now === 'gone' || now === 'damaged') missing.push(id);
    } else if (state === 'missing' && isThere && (await check(files, path)) === 'whole') {
      found.push(id);
    }
  }
  return { missing, found };
}

/** A row that leads nowhere has no file. */
const check = (files: Shop['files'], path: string) =>
  IMAGE_PATH.test(path) ? files.check(path) : Promise.resolve('gone' as const);

/** Deletes files that no write will finish any more; gives how many. */
async function clear(unfinished: readonly string[], since: number): Promise<number> {
  let count = 0;
  for (const file of unfinished) {
    const written = await fileTime(file).catch(() => Infinity);
    if (written >= since) continue;
    await rm(file, { force: true });
    count++;
  }
  return count;
}

async function adoptAll(
  shop: Shop,
  orphans: readonly string[],
  restoring: Restoring | null,
): Promise<Pick<Recovery, 'adopted' | 'quarantined' | 'unreadable'>> {
  const { files, closing } = shop;
  const readable: { path: string; createdAt: number }[] = [];
  const quarantined: string[] = [];
  const unreadable: string[] = [];
  const aside = async (path: string): Promise<void> => {
    // One that cannot be moved, or is gone since, stays as it is.
    await putAside(shop, path).then(
      (place) => quarantined.push(place),
      () => undefined,
    );
  };
  for (const path of orphans) {
    if (closing.aborted) break;
    const ours = await read(shop, path, restoring);
    if (ours === 'unreadable') unreadable.push(join(files.folder, path));
    else if (ours !== 'strange') readable.push({ path, createdAt: ours.text?.createdAt ?? 0 });
    // In a folder that is not of our making, what is not ours is somebody's.
    else if (IMAGE_PATH.test(path)) await aside(path);
  }
  if (readable.length === 0) return { adopted: 0, quarantined, unreadable };
  const titleOf = await makerTitles(shop);
  // Parents come before their children.
  readable.sort((a, b) => a.createdAt - b.createdAt);
  let adopted = 0;
  for (const { path } of readable) {
    if (closing.aborted) break;
    const ours = await read(shop, path, restoring);
    const became = typeof ours === 'string' ? ours : await tryAdopt(shop, ours, titleOf);
    if (became === 'adopted') adopted++;
    else if (became === 'unreadable') unreadable.push(join(files.folder, path));
    else await aside(path);
  }
  return { adopted, quarantined, unreadable };
}

/** A file that the system does not let us move stays where it is. */
async function tryAdopt(
  shop: Shop,
  ours: OurFile,
  titleOf: Awaited<ReturnType<typeof makerTitles>>,
): Promise<'adopted' | 'copy' | 'unreadable'> {
  try {
    return await adoptFile(shop, ours, titleOf);
  } catch (error) {
    if (error instanceof StudioError && error.code === 'file-unavailable') return 'unreadable';
    throw error;
  }
}

/** A picture of ours; `strange` is one that is none or is damaged, `unreadable` says nothing of it. */
async function read(
  { files }: Shop,
  path: string,
  restoring: Restoring | null,
): Promise<OurFile | 'strange' | 'unreadable'> {
  try {
    // What a link leads to is not in the library, and not to be moved.
    if ((await lstat(join(files.folder, path))).isSymbolicLink()) return 'unreadable';
    const bytes = await files.readFound(path);
    const ours = readOurs(bytes, path);
    if (ours === null) return 'strange';
    const text = ours.text ?? restoring?.textOf(path, ours) ?? null;
    return { ...ours, text, found: path, bytes };
  } catch (error) {
    // The system refused to read it: it may be whole, and readable again tomorrow.
    if (systemCode(error instanceof StudioError ? error.cause : error) !== undefined) {
      return 'unreadable';
    }
    if (error instanceof StudioError && error.code !== 'internal') return 'strange';
    throw error;
  }
}
