import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { StudioError } from '#api/errors';
import { completeText, knownJob, knownParents, readOurs, type OurPicture } from './adopt.ts';
import { fileTime, savedFile } from './image-files.ts';
import type { Workshop } from './workshop.ts';

/** What a comparison of files and rows did. */
export interface Recovery {
  /** Files that no write finished, deleted. */
  readonly unfinished: number;
  /** Files without a row that have one again. */
  readonly adopted: number;
  /** Files that nobody can make sense of, moved to `quarantine`. */
  readonly quarantined: readonly string[];
  /** Rows whose file is not there. */
  readonly missing: number;
  /** Rows whose file is there again. */
  readonly found: number;
}

type Shop = Pick<Workshop, 'history' | 'files' | 'newId' | 'events' | 'closing'>;

/**
 * Brings files and rows together after whatever happened: a kill between the two, a folder that was
 * moved or half deleted, a database that was lost. Nothing of a picture is thrown away.
 */
export async function recover(shop: Shop): Promise<Recovery> {
  const { history, files } = shop;
  const doomed = history().bin.doomedFiles();
  await files.remove(doomed);
  history().bin.filesDeleted(doomed);

  const { paths, unfinished } = await files.scan();
  for (const file of unfinished) await rm(file, { force: true });
  const there = new Set(paths);
  const known = new Set<string>();
  let missing = 0;
  let found = 0;
  for (const { id, path, state } of history().images.files()) {
    known.add(path);
    if (state === 'present' && !there.has(path)) {
      history().images.setFile(id, { state: 'missing' });
      missing++;
    } else if (state === 'missing' && there.has(path)) {
      history().images.setFile(id, { state: 'present' });
      found++;
    }
  }
  const orphans = paths.filter((path) => path.endsWith('.png') && !known.has(path));
  const { adopted, quarantined } = await adoptAll(shop, orphans);
  if (adopted + missing + found > 0) shop.events.publish({ kind: 'images', ids: null });
  return { unfinished: unfinished.length, adopted, quarantined, missing, found };
}

async function adoptAll(
  shop: Shop,
  orphans: readonly string[],
): Promise<Pick<Recovery, 'adopted' | 'quarantined'>> {
  const readable: { path: string; createdAt: number }[] = [];
  const quarantined: string[] = [];
  const putAside = async (path: string): Promise<void> => {
    quarantined.push(await shop.files.quarantine(path, `${shop.newId()}-${basename(path)}`));
  };
  for (const path of orphans) {
    if (shop.closing.aborted) break;
    const ours = await read(shop, path);
    if (ours === null) await putAside(path);
    else readable.push({ path, createdAt: ours.text?.createdAt ?? 0 });
  }
  // Parents come before their children.
  readable.sort((a, b) => a.createdAt - b.createdAt);
  let adopted = 0;
  for (const { path } of readable) {
    if (shop.closing.aborted) break;
    const ours = await read(shop, path);
    if (ours !== null && (await adopt(shop, path, ours))) adopted++;
    else await putAside(path);
  }
  return { adopted, quarantined };
}

type Read = OurPicture & { readonly bytes: Uint8Array };

/** A picture of ours, or null for a file that is none or is damaged. */
async function read({ files }: Shop, path: string): Promise<Read | null> {
  try {
    const bytes = await files.read(path);
    const ours = readOurs(bytes, path);
    return ours && { ...ours, bytes };
  } catch (error) {
    if (error instanceof StudioError && error.code !== 'internal') return null;
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
