import { join } from 'node:path';
import { encodeError, StudioError } from '#api/errors';
import type { Reason } from '#api/reasons';
import { LIBRARY_TEXT_VERSION, operationOf, type LibraryText } from '#pictures/library-text';
import type { OurPicture } from '../library/adopt.ts';
import { putAside } from '../library/aside.ts';
import type { Workshop } from '../workshop.ts';
import { bringRecipe, localMarks, type Vocabulary } from './bring.ts';
import { recipeOf } from './check.ts';
import { DOCUMENT, openDocument, readHeader, searchOf, type DocumentLine } from './document.ts';
import { isKeptBy, keptBy, setKept } from './stamps.ts';

type Shop = Pick<Workshop, 'history' | 'files' | 'newId' | 'settings' | 'events'>;

/** What the document in the library's folder gives to a record that does not know it. */
export interface Restoring {
  /** Gives a picture without a file its row. */
  addLost(): Promise<void>;
  /** What a picture is that does not say so itself; null when the document knows no more. */
  textOf(path: string, picture: OurPicture): LibraryText | null;
  /** Notes all marks, boards and searches; gives how many pictures the document tells of. */
  finish(): Promise<number>;
}

/** The document of a library's folder, or why there is nothing to do with it. */
export type Found =
  | { readonly kind: 'none' }
  | { readonly kind: 'new'; readonly restoring: Restoring }
  /** It was put aside, or cannot be read now. */
  | { readonly kind: 'ignored'; readonly reason: Reason | null; readonly aside: string | null };

/**
 * Looks for what an earlier record of this library left. All of it is verified before any of it is
 * used; one that is damaged, hostile or newer is put aside. What this record wrote itself is no news.
 */
export async function findKept(shop: Shop): Promise<Found> {
  const path = join(shop.files.folder, DOCUMENT);
  try {
    const header = await readHeader(path);
    if (header === null || isKeptBy(shop.history(), header.stamp)) return { kind: 'none' };
    const names = new Map<string, Pick<LibraryText, 'uid' | 'createdAt'> & { tokenHash: string }>();
    for await (const line of linesOf(path)) {
      if (line.kind !== 'picture') continue;
      if (line.without !== undefined) recipeOf(line);
      const { uid, createdAt, tokenHash } = line;
      names.set(line.path, { uid, createdAt, tokenHash });
    }
    // The record may be a backup that is older than the document.
    const { at } = keptBy(shop.history());
    const over = at === null || header.at > at;
    const words: Vocabulary = { boards: new Map(), titles: new Map() };
    return {
      kind: 'new',
      restoring: {
        addLost: () => addLost(shop, path, words),
        textOf(found, { recipe }) {
          const name = names.get(found);
          if (name?.tokenHash !== recipe.tokenHash) return null;
          return {
            version: LIBRARY_TEXT_VERSION,
            uid: name.uid,
            createdAt: name.createdAt,
            operation: operationOf(recipe.source.kind),
            parents: [],
            times: { representation: 0, tokens: 0, pixels: 0 },
            job: null,
          };
        },
        async finish() {
          const pictures = await noteAll(shop, path, { words, over });
          setKept(shop.history(), { stamps: [header.stamp], at: header.at });
          return pictures;
        },
      },
    };
  } catch (error) {
    if (!(error instanceof StudioError) || error.code !== 'file-unavailable') throw error;
    const reason = encodeError(error).reason ?? null;
    const ours = /^(document|copy)-/.test(reason?.code ?? '');
    // What the system only did not let us read may be whole.
    const aside = ours ? await putAside(shop, DOCUMENT).catch(() => null) : null;
    return { kind: 'ignored', reason, aside };
  }
}

async function* linesOf(path: string): AsyncGenerator<DocumentLine> {
  const document = await openDocument(path);
  if (document === null) return;
  try {
    yield* document.lines();
  } finally {
    await document.close();
  }
}

async function addLost(shop: Shop, path: string, words: Vocabulary): Promise<void> {
  const { history, files } = shop;
  for await (const line of linesOf(path)) {
    if (line.kind === 'model' && line.title !== null) words.titles.set(line.hash, line.title);
    if (line.kind !== 'picture' || line.without === undefined) continue;
    const { uid, createdAt } = line;
    const place = files.pathOf(uid, createdAt);
    // One that has its file again says itself what it is.
    const free = (await files.check(place)) === 'gone' && !history().images.hasPath(place);
    if (free && history().images.byUid(uid) === null) {
      bringRecipe(shop, line, { uid, recipe: recipeOf(line), words });
    }
  }
}

async function noteAll(
  shop: Shop,
  path: string,
  { words, over }: { readonly words: Vocabulary; readonly over: boolean },
): Promise<number> {
  const { images, portable } = shop.history();
  const searches: (() => void)[] = [];
  let pictures = 0;
  for await (const line of linesOf(path)) {
    if (line.kind === 'settings') {
      shop.settings.fill(line.values);
      shop.events.publish({ kind: 'settings' });
    }
    if (line.kind === 'board') words.boards.set(line.name, portable.boardOf(line.name));
    if (line.kind === 'model' && line.title !== null) {
      portable.nameModel(line.id, line.hash, line.title);
    }
    if (line.kind === 'search') searches.push(() => void portable.addSearch(searchOf(line)));
    if (line.kind !== 'picture') continue;
    const id = images.byUid(line.uid);
    if (id === null || images.get(id).recipe.tokenHash !== line.tokenHash) continue;
    pictures++;
    portable.fill(id, localMarks(shop, line, words), { over });
    if (line.parents !== undefined) portable.addParents(id, line.parents);
  }
  for (const add of searches) add();
  return pictures;
}
