import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { StudioError } from '#api/errors';
import type { Recovery } from '#api/types';
import { systemCode } from '#pictures/files';
import { fileTime, savedFile } from '#pictures/image-files';
import type { Workshop } from '../workshop.ts';
import { completeText, knownJob, knownParents, readOurs, type OurPicture } from './adopt.ts';

type Shop = Pick<Workshop, 'history' | 'files' | 'newId' | 'events' | 'closing'>;

/**
 * Brings files and rows together after whatever happened: a kill between the two, a folder that was
 * moved or half deleted, a database that was lost. Nothing of a picture is thrown away.
 * @param since when the studio was opened: what is unfinished and newer is being written now
 */
export async function recover(shop: Shop, since: number): Promise<Recovery> {
  const { history, files } = shop;
  const doomed = history().bin.doomedFiles();
  await files.remove(doomed);
  history().bin.filesDeleted(doomed);

  // Rows before files: a picture that is kept meanwhile has its file first, and so is not missed.
  const rows = [...history().images.files()];
  const { paths, unfinished } = await files.scan();
  const left = await clear(unfinished, since);
  const there = new Set(paths);
  const known = new Set<string>();
  const missing: number[] = [];
  const found: number[] = [];
  for (const { id, path, state } of rows) {
    known.add(path);
    if (state === 'present' && !there.has(path)) {
      missing.push(id);
    } else if (state === 'missing' && there.has(path)) {
      found.push(id);
    }
  }
  if (missing.length > 0) history().images.setFileStates(missing, 'missing');
  if (found.length > 0) history().images.setFileStates(found, 'present');
  const orphans = paths.filter((path) => path.endsWith('.png') && !known.has(path));
  const { adopted, quarantined, unreadable } = await adoptAll(shop, orphans);
  if (adopted + missing.length + found.length > 0)
    shop.events.publish({ kind: 'images', ids: null });
  return {
    unfinished: left,
    adopted,
    quarantined,
    unreadable,
    missing: missing.length,
    found: found.length,
  };
}

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
): Promise<Pick<Recovery, 'adopted' | 'quarantined' | 'unreadable'>> {
  const readable: { path: string; createdAt: number }[] = [];
  const quarantined: string[] = [];
  const unreadable: string[] = [];
  const putAside = async (path: string): Promise<void> => {
    // One that cannot be moved, or is gone since, stays as it is.
    await shop.files.quarantine(path, `${shop.newId()}-${basename(path)}`).then(
      (place) => quarantined.push(place),
      () => undefined,
    );
  };
  for (const path of orphans) {
    if (shop.closing.aborted) break;
    const ours = await read(shop, path);
    if (ours === 'unreadable') unreadable.push(shop.files.absolute(path));
    else if (ours === 'strange') await putAside(path);
    else readable.push({ path, createdAt: ours.text?.createdAt ?? 0 });
  }
  // Parents come before their children.
  readable.sort((a, b) => a.createdAt - b.createdAt);
  let adopted = 0;
  for (const { path } of readable) {
    if (shop.closing.aborted) break;
    const ours = await read(shop, path);
    if (ours === 'unreadable') unreadable.push(shop.files.absolute(path));
    else if (ours !== 'strange' && (await adopt(shop, path, ours))) adopted++;
    else await putAside(path);
  }
  return { adopted, quarantined, unreadable };
}

type Read = OurPicture & { readonly bytes: Uint8Array };

/** A picture of ours; `strange` is one that is none or is damaged, `unreadable` says nothing of it. */
async function read({ files }: Shop, path: string): Promise<Read | 'strange' | 'unreadable'> {
  try {
    const bytes = await files.read(path);
    const ours = readOurs(bytes, path);
    return ours === null ? 'strange' : { ...ours, bytes };
  } catch (error) {
    // The system refused to read it: it may be whole, and readable again tomorrow.
    if (systemCode(error instanceof StudioError ? error.cause : error) !== undefined) {
      return 'unreadable';
    }
    if (error instanceof StudioError && error.code !== 'internal') return 'strange';
    throw error;
  }
}

/** Gives a file its row; false when its picture has one, with a file of its own. */
async function adopt(shop: Shop, path: string, ours: Read): Promise<boolean> {
  const { history, files, newId } = shop;
  const createdAt = await fileTime(files.absolute(path)).catch(() => 0);
  const text = completeText(ours, { newId, createdAt });
  const { bytes, version } = savedFile(ours.bytes);
  const known = history().images.byUid(text.uid);
  if (known !== null) {
    const row = history().images.get(known);
    // Its row was written while we looked.
    if (row.path === path) return true;
    if (row.file === 'present') return false;
    history().images.setFile(known, { state: 'present', path, bytes, version });
    return true;
  }
  const { recipe, size } = ours;
  const job = knownJob(shop, { text, recipe });
  history().images.insert({
    uid: text.uid,
    path,
    createdAt: text.createdAt,
    recipe,
    modelTitle: null,
    operation: text.operation,
    size,
    bytes,
    version,
    times: text.times,
    ...(job === null ? {} : { job: { id: job.id, index: job.index } }),
    parents: knownParents(shop, text).map(({ id, operation }) => ({ id, operation })),
  });
  return true;
}
