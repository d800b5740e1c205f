import { applyChange, type Change } from './changes.ts';
import { createBoard, listBoards, listSearches, saveSearch } from './collections.ts';
import { insertImage } from './insert.ts';
import { localSearch, type Marks, type Parent, type PortableSearch } from './snapshot.ts';
import type { Store } from './store.ts';
import type { NewImage } from './types.ts';
import { indexedText, nameKey } from './words.ts';

// What another library, or an earlier record of this one, says of pictures. It fills in what is
// open here and never takes the place of what a person has set. None of it is an undo step.

/** The board of a name, made when there is none. */
export function boardOf(store: Store, name: string): number {
  const key = nameKey(name);
  const known = listBoards(store).find((board) => nameKey(board.name) === key);
  return (known ?? createBoard(store, name)).id;
}

/** What is to be noted of a picture; boards by their id here. */
export type LocalMarks = Omit<Marks, 'boards'> & { readonly boards: readonly number[] };

/** Adds a picture together with its marks, or fills in those of one that is known. */
export function addMarked(
  store: Store,
  image: NewImage,
  marks: LocalMarks,
): { readonly id: number; readonly inserted: boolean } {
  return store.transact(() => {
    const { id, inserted } = insertImage(store, image);
    fillMarks(store, { id, marks: inserted ? marks : { ...marks, deletedAt: null } });
    return { id, inserted };
  });
}

/**
 * Fills in what is open: a rating, a star, a note; tags and boards are added to those there are.
 * With `over` the marks are newer than what is here, and take its place.
 */
export function fillMarks(
  store: Store,
  { id, marks, over = false }: { readonly id: number; marks: LocalMarks; over?: boolean },
): void {
  store.transact(() => {
    const now = store
      .rows<{ rating: number; starred: number; note: string; deletedAt: number | null }>(
        `SELECT i.rating, i.starred, i.deleted_at AS deletedAt, m.note
        FROM images i JOIN masters m ON m.image = i.id WHERE i.id = ?`,
      )
      .get(id);
    if (now === undefined) return;
    const ids = [id];
    const { rating, starred, note, tags, boards, deletedAt } = marks;
    const changes: Change[] = [];
    if ((over || now.rating === 0) && rating > 0)
      changes.push({ kind: 'set', field: 'rating', value: rating, ids });
    if (now.starred === 0 && starred)
      changes.push({ kind: 'set', field: 'starred', value: 1, ids });
    if ((over || now.note === '') && note !== '') changes.push({ kind: 'note', value: note, ids });
    if (now.deletedAt === null && deletedAt !== null)
      changes.push({ kind: 'deleted', at: deletedAt, ids });
    for (const name of tags) changes.push({ kind: 'tag', name, add: true, ids });
    for (const board of boards) changes.push({ kind: 'board', board, add: true, ids });
    for (const change of changes) applyChange(store, change);
  });
}

/** Notes a picture's parents, as far as they are here and it is no ancestor of theirs. */
export function addParents(store: Store, child: number, parents: readonly Parent[]): void {
  store.transact(() => {
    const isAbove = store.column<number>(
      `WITH RECURSIVE above (id) AS (
        SELECT ? UNION SELECT p.parent FROM parents p JOIN above ON p.child = above.id)
      SELECT 1 FROM above WHERE id = ?`,
    );
    const add = store.rows(
      'INSERT OR IGNORE INTO parents (child, parent, operation) VALUES (?, ?, ?)',
    );
    for (const { uid, operation } of parents) {
      const parent = store.column<number>('SELECT image FROM masters WHERE uid = ?').get(uid);
      if (parent !== undefined && isAbove.get(parent, child) === undefined) {
        add.run(child, parent, operation);
      }
    }
  });
}

/** Keeps a saved search, unless it is here; beside another of its name it gets a number. */
export function addSearch(store: Store, portable: PortableSearch): boolean {
  return store.transact(() => {
    const search = localSearch(store, portable, (name) => boardOf(store, name));
    if (search === null) return false;
    const others = listSearches(store);
    for (let number = 1; ; number++) {
      const name = number === 1 ? portable.name : `${portable.name.slice(0, 95)} ${number}`;
      const other = others.find((one) => nameKey(one.name) === nameKey(name));
      if (other === undefined) {
        saveSearch(store, name, search);
        return true;
      }
      if (JSON.stringify(other.search) === JSON.stringify(search)) return false;
    }
  });
}

/** Names a model whose pictures are here, where nothing here has named it. */
export function nameModel(store: Store, id: string, hash: string, title: string): void {
  store.transact(() => {
    const row = store
      .column<number>(
        'UPDATE models SET title = ? WHERE model_id = ? AND hash = ? AND title IS NULL RETURNING id',
      )
      .get(title, id, hash);
    if (row === undefined) return;
    store
      .rows('INSERT OR REPLACE INTO model_words (rowid, words) VALUES (?, ?)')
      .run(row, indexedText(`${id} ${title}`));
  });
}
