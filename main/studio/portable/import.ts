import { realpath, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { StudioError } from '#api/errors';
import type { LibraryImported } from '#api/library';
import { savedFile } from '#pictures/image-files';
import { throwIfCancelled } from '#worker/hashing';
import { freeBytes } from '../library/new-folder.ts';
import type { Workshop } from '../workshop.ts';
import { bringFile, bringRecipe, localMarks, placeOf, type Vocabulary } from './bring.ts';
import { checkCopy, linesOf, readPicture, recipeOf, type CheckedCopy } from './check.ts';
import { searchOf, type PictureLine } from './document.ts';
import type { TransferOptions } from './export.ts';
import { copyError, MANIFEST } from './manifest.ts';

/** What stays free on the disk. */
const MARGIN = 64 * 2 ** 20;
/** Windows hear of so many new pictures at once. */
const TELL_EVERY = 64;

type Shop = Pick<Workshop, 'history' | 'files' | 'events' | 'library' | 'settings'>;

/**
 * Takes an exported library into the open one. All of it is compared with its hashes first; then
 * picture after picture comes in whole, so that whatever cuts it short leaves a sound library, and
 * the same import again does the rest.
 */
export async function importLibrary(
  shop: Shop,
  from: string,
  options: TransferOptions,
): Promise<LibraryImported> {
  const { history, files } = shop;
  const { signal, onProgress } = options;
  const folder = await findCopy(from);
  const copy = await checkCopy(folder, {
    signal,
    onProgress: (done, total) => onProgress(done, 2 * total),
    isKnown: (uid) => history().images.byUid(uid) !== null,
  });
  const needed = copy.newBytes + MARGIN;
  const free = options.freeBytes ?? (await freeBytes(files.folder));
  if (free < needed) throw noSpace(needed, free, files.folder);
  return bringIn(shop, copy, options);
}

async function findCopy(from: string): Promise<string> {
  const folder = isAbsolute(from) ? await realpath(from).catch(() => null) : null;
  const found = folder === null ? null : await stat(folder).catch(() => null);
  if (folder === null || found?.isDirectory() !== true) {
    throw copyError('copy-none', { folder: from, file: MANIFEST });
  }
  return folder;
}

async function bringIn(
  shop: Shop,
  { folder, manifest }: CheckedCopy,
  { signal, onProgress }: TransferOptions,
): Promise<LibraryImported> {
  const { portable, boards } = shop.history();
  const words: Vocabulary = { boards: new Map(), titles: new Map() };
  const models = new Map<string, { readonly id: string; readonly title: string | null }>();
  const before = { boards: boards.list().length };
  const later: (() => void)[] = [];
  const { pictures } = manifest.counts;
  const counts = { added: 0, known: 0, found: 0, searches: 0 };
  let told: number[] = [];
  const tell = (): void => {
    if (told.length > 0) shop.events.publish({ kind: 'images', ids: told });
    told = [];
  };
  try {
    for await (const line of linesOf(folder)) {
      throwIfCancelled(signal);
      if (line.kind === 'settings') {
        // The rest is the affair of who sits here.
        shop.settings.fill(line.values, ['presets']);
        shop.events.publish({ kind: 'settings' });
      }
      if (line.kind === 'board') words.boards.set(line.name, portable.boardOf(line.name));
      if (line.kind === 'model') {
        const { id, hash, title } = line;
        models.set(hash, { id, title });
        if (title !== null) words.titles.set(hash, title);
      }
      // A search may name a parent that comes in with the pictures.
      if (line.kind === 'search') {
        later.push(() => {
          if (portable.addSearch(searchOf(line))) counts.searches++;
        });
      }
      if (line.kind !== 'picture') continue;
      const done = counts.added + counts.known;
      onProgress(pictures + done, 2 * pictures);
      const { id, what } = await bringPicture(shop, { folder, line, words });
      counts[what]++;
      if (what === 'found') counts.known++;
      told.push(id);
      if (told.length >= TELL_EVERY) tell();
      const { parents } = line;
      if (parents !== undefined) {
        portable.addParents(id, parents);
        later.push(() => portable.addParents(id, parents));
      }
    }
    for (const work of later) work();
  } catch (error) {
    throw signal.aborted ? cancelled(counts.added) : error;
  } finally {
    tell();
    shop.events.publish({ kind: 'images', ids: [] });
  }
  onProgress(2 * pictures, 2 * pictures);
  return {
    ...counts,
    boards: boards.list().length - before.boards,
    missingModels: await missing(shop, models),
  };
}

interface Incoming {
  readonly folder: string;
  readonly line: PictureLine;
  readonly words: Vocabulary;
}

async function bringPicture(
  shop: Shop,
  { folder, line, words }: Incoming,
): Promise<{ readonly id: number; readonly what: 'added' | 'known' | 'found' }> {
  const { history, files } = shop;
  const { uid, known } = placeOf(shop, line);
  if (known === null) {
    const id =
      line.file === undefined
        ? bringRecipe(shop, line, { uid, recipe: recipeOf(line), words })
        : await bringFile(shop, line, { ...(await readPicture(folder, line)), uid, words });
    return { id, what: 'added' };
  }
  // Whether it is in the bin is for who has it here to say.
  history().portable.fill(known, { ...localMarks(shop, line, words), deletedAt: null });
  const { file, path } = history().images.get(known);
  if (file !== 'missing' || line.file === undefined) return { id: known, what: 'known' };
  const { bytes } = await readPicture(folder, line);
  await files.checkSpace();
  await files.write(path, bytes);
  history().images.setFile(known, { state: 'present', ...savedFile(bytes) });
  return { id: known, what: 'found' };
}

async function missing(
  { library }: Shop,
  models: ReadonlyMap<string, { readonly id: string; readonly title: string | null }>,
): Promise<LibraryImported['missingModels']> {
  const installed = new Set(
    (await library.list()).flatMap((model) =>
      model.state === 'ready' ? [model.manifest.hash] : [],
    ),
  );
  return [...models].flatMap(([hash, model]) => (installed.has(hash) ? [] : [model]));
}

function noSpace(needed: number, free: number, folder: string): StudioError {
  const mega = (bytes: number): number => Math.ceil(bytes / 1e6);
  const values = { needed: mega(needed), free: mega(free), folder };
  const { message, reason } = copyError('copy-no-space', values);
  return new StudioError('disk-full', message, { field: 'folder', reason });
}

function cancelled(added: number): StudioError {
  return new StudioError(
    'cancelled',
    `The import was stopped. ${added} pictures came in and are whole; import the folder again for the rest.`,
  );
}
