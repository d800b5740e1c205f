import { openAsBlob } from 'node:fs';
import { basename, join } from 'node:path';
import { encodeError, StudioError } from '#api/errors';
import { imageFilter, numberField, type ImageFilter } from '#api/gallery';
import { LIMITS } from '#api/recipe';
import { reasonText } from '#api/reasons';
import type { ImageRow } from '#api/images';
import { checkFile, makeFolder, writeAtomic } from '#pictures/files';
import { MAX_IMAGE_BYTES } from '#pictures/image-files';
import { oneOf, wholeNumber } from '#studio/making/numbers';
import { withLibrary, type Client, type OpenedLibrary } from './open-library.ts';
import type { Session } from './session.ts';

/** Rows that are asked for at once. */
const AT_ONCE = 2000;
const RATING = { min: 0, max: 5 };
const IDS = { min: 1, max: Number.MAX_SAFE_INTEGER };

export interface ListOptions {
  readonly text?: string;
  readonly tag: readonly string[];
  readonly board?: string;
  readonly rating?: string;
  readonly seed?: string;
  readonly operation?: string;
  readonly starred?: boolean;
  readonly unrated?: boolean;
  readonly bin?: boolean;
  readonly sort: string;
  readonly ascending?: boolean;
  readonly limit?: string;
}

/** library list [WORDS…], library search [WORDS…] */
export async function listCommand(
  session: Session,
  words: readonly string[],
  options: ListOptions,
): Promise<number> {
  const by = oneOf('sort', options.sort, numberField.options);
  const limit = options.limit === undefined ? Infinity : wholeNumber('limit', options.limit, IDS);
  const filter = filterOf(words, options);
  return withLibrary(session, {}, async ({ client }) => {
    const board =
      options.board === undefined ? {} : { board: await boardId(client, options.board) };
    const sort = { by, descending: options.ascending !== true };
    const { ids } = await client.images.search({ filter: { ...filter, ...board }, sort });
    const wanted = ids.slice(0, limit);
    for (let first = 0; first < wanted.length; first += AT_ONCE) {
      const rows = await client.images.rows({ ids: wanted.slice(first, first + AT_ONCE) });
      for (const row of rows) session.print.result(row, inWords(row));
    }
    session.print.note(`${wanted.length} of ${ids.length} pictures.`);
    return 0;
  });
}

function filterOf(words: readonly string[], options: ListOptions): ImageFilter {
  const { tag, starred, unrated, bin, operation } = options;
  const text = [...words, ...(options.text === undefined ? [] : [options.text])].join(' ');
  const ranges = [
    ...(options.rating === undefined
      ? []
      : [{ field: 'rating' as const, min: wholeNumber('rating', options.rating, RATING) }]),
    ...(options.seed === undefined ? [] : [seedRange(options.seed)]),
  ];
  const operations = imageFilter.shape.operations.unwrap().element.options;
  return {
    ...(text === '' ? {} : { text }),
    ...(ranges.length === 0 ? {} : { ranges }),
    ...(tag.length === 0 ? {} : { tags: [...tag] }),
    ...(starred === undefined ? {} : { starred }),
    ...(unrated === undefined ? {} : { unrated }),
    ...(bin === undefined ? {} : { bin }),
    ...(operation === undefined ? {} : { operations: [oneOf('operation', operation, operations)] }),
  };
}

function seedRange(given: string) {
  const seed = wholeNumber('seed', given, LIMITS.seed);
  return { field: 'seed' as const, min: seed, max: seed };
}

async function boardId(client: Client, name: string): Promise<number> {
  const { boards } = await client.images.summary();
  const found = boards.find((board) => board.name === name);
  if (found !== undefined) return found.id;
  const names = boards.map((board) => board.name).join(', ');
  throw new StudioError(
    'not-found',
    names === '' ? 'There are no boards yet.' : `There is no board ${name}: choose among ${names}.`,
    { field: 'board' },
  );
}

function inWords({ id, seed, createdAt, rating, starred, operation, file }: ImageRow): string {
  const parts = [
    String(id),
    `seed ${seed}`,
    new Date(createdAt).toISOString().slice(0, 19).replace('T', ' '),
    operation,
    ...(rating > 0 ? ['★'.repeat(rating)] : []),
    ...(starred ? ['starred'] : []),
    ...(file === 'present' ? [] : [`pixels ${file}`]),
  ];
  return parts.join('  ');
}

type Mark = (client: Client, ids: number[]) => Promise<unknown>;

/** Marks pictures that are all there; what was done is said in `words`. */
async function mark(
  session: Session,
  given: readonly string[],
  { words, change }: { readonly words: string; readonly change: Mark },
): Promise<number> {
  const ids = idsOf(given);
  return withLibrary(session, {}, async ({ client }) => {
    await checkThere(client, ids);
    await change(client, ids);
    session.print.result({ ids }, `${words}: ${ids.join(', ')}`);
    return 0;
  });
}

function idsOf(given: readonly string[]): number[] {
  return [...new Set(given.map((id) => wholeNumber('ids', id, IDS)))];
}

async function checkThere(client: Client, ids: readonly number[]): Promise<void> {
  const rows = await client.images.rows({ ids: ids.slice(0, AT_ONCE) });
  const there = new Set(rows.map(({ id }) => id));
  const gone = ids.slice(0, AT_ONCE).filter((id) => !there.has(id));
  if (gone.length === 0) return;
  throw new StudioError(
    'not-found',
    `Not in the library: ${gone.join(', ')}. Nothing was changed; see: rcg-studio library list`,
    { field: 'ids' },
  );
}

/** library rate IDS… --rating N */
export const rateCommand = (
  session: Session,
  ids: readonly string[],
  options: { readonly rating: string },
): Promise<number> => {
  const rating = wholeNumber('rating', options.rating, RATING);
  const change: Mark = (client, found) => client.images.update({ ids: found, rating });
  return mark(session, ids, { words: `Rated ${rating}`, change });
};

/** library star IDS… [--off] */
export const starCommand = (
  session: Session,
  ids: readonly string[],
  options: { readonly off?: boolean },
): Promise<number> => {
  const starred = options.off !== true;
  const change: Mark = (client, found) => client.images.update({ ids: found, starred });
  return mark(session, ids, { words: starred ? 'Starred' : 'No star any more', change });
};

/** library tag IDS… --add TAG --remove TAG */
export const tagCommand = (
  session: Session,
  ids: readonly string[],
  options: { readonly add: readonly string[]; readonly remove: readonly string[] },
): Promise<number> => {
  const [addTags, removeTags] = [[...options.add], [...options.remove]];
  if (addTags.length + removeTags.length === 0) {
    throw new StudioError('invalid-request', 'Say what to do: --add TAG or --remove TAG.', {
      field: 'add',
    });
  }
  const change: Mark = (client, found) => client.images.update({ ids: found, addTags, removeTags });
  return mark(session, ids, { words: 'Tagged', change });
};

/** library delete IDS…: into the bin */
export const deleteCommand = (session: Session, ids: readonly string[]): Promise<number> => {
  const change: Mark = (client, found) => client.images.remove({ ids: found });
  return mark(session, ids, { words: 'In the bin now', change });
};

/** library restore IDS…: out of the bin */
export const restoreCommand = (session: Session, ids: readonly string[]): Promise<number> => {
  const change: Mark = (client, found) => client.images.restore({ ids: found });
  return mark(session, ids, { words: 'Out of the bin', change });
};

/** library add FILE…: exit code 1 when some could not be taken in */
export async function addCommand(session: Session, paths: readonly string[]): Promise<number> {
  const { print, signal } = session;
  return withLibrary(session, {}, async ({ client }) => {
    let code = 0;
    for (const path of paths) {
      if (signal.aborted) break;
      const file = await fileOf(path);
      const { ids, refused } = await client.images.import({ files: [file] });
      for (const id of ids) print.result({ id, file: path }, `${id}  ${path}`);
      for (const { reason } of refused) {
        const why = reason === null ? `${path} cannot be read.` : reasonText(reason);
        print.error(new StudioError('picture-unreadable', why));
        code = 1;
      }
    }
    return code;
  });
}

/** A file on the disk, read when it is needed. */
export async function fileOf(path: string): Promise<File> {
  await checkFile(path, MAX_IMAGE_BYTES);
  const blob = await openAsBlob(path);
  return new File([blob], basename(path));
}

/** library export-pictures IDS… --out FOLDER: exit code 1 when some could not be written */
export async function exportPicturesCommand(
  session: Session,
  given: readonly string[],
  options: { readonly out: string; readonly metadata: boolean },
): Promise<number> {
  const { print, signal } = session;
  const ids = idsOf(given);
  return withLibrary(session, {}, async (library) => {
    await checkThere(library.client, ids);
    await makeFolder(options.out, 'out');
    const names = new Map<string, number>();
    let code = 0;
    for (const id of ids) {
      if (signal.aborted) break;
      try {
        const { name, bytes } = await exported(library, id, options.metadata);
        const file = join(options.out, uniqueName(names, name));
        await writeAtomic(file, bytes);
        print.result({ id, file }, `${id}  ${file}`);
      } catch (error) {
        const { code: kind, message } = encodeError(error);
        if (kind === 'disk-full' || kind === 'internal') throw error;
        print.error(new StudioError(kind, message));
        code = 1;
      }
    }
    return code;
  });
}

async function exported({ client, download }: OpenedLibrary, id: number, metadata: boolean) {
  const { address, name } = await client.images.export({ ids: [id], metadata });
  return { name, bytes: await download(address) };
}

/** `starter-42.png`, then `starter-42-2.png`: two pictures may have one seed. */
function uniqueName(names: Map<string, number>, name: string): string {
  const used = (names.get(name) ?? 0) + 1;
  names.set(name, used);
  return used === 1 ? name : name.replace(/(\.\w+)?$/, `-${used}$1`);
}
