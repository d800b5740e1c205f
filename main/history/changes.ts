import { StudioError } from '#api/errors';
import type { SearchImages } from '#api/gallery';
import { MAX_NOTE } from '#api/images';
import { reasonText, type Reason } from '#api/reasons';
import type { Store } from './store.ts';
import { indexedText, nameKey } from './words.ts';

/**
 * A change that can be taken back: plain data, because the undo log keeps it. Applying one gives
 * the changes that take it back, of what it really changed and nothing else.
 */
export type Change =
  | {
      readonly kind: 'set';
      readonly field: 'rating' | 'starred';
      readonly value: number;
      readonly ids: readonly number[];
    }
  | { readonly kind: 'note'; readonly value: string; readonly ids: readonly number[] }
  /** The text goes below each note. */
  | { readonly kind: 'add-note'; readonly text: string; readonly ids: readonly number[] }
  /** `at` null brings back from the bin. */
  | { readonly kind: 'deleted'; readonly at: number | null; readonly ids: readonly number[] }
  | {
      readonly kind: 'tag';
      readonly name: string;
      readonly add: boolean;
      readonly ids: readonly number[];
    }
  | {
      readonly kind: 'board';
      readonly board: number;
      readonly add: boolean;
      readonly ids: readonly number[];
    }
  /** The board has this name, or with null is not there. */
  | { readonly kind: 'board-name'; readonly board: number; readonly name: string | null }
  | {
      readonly kind: 'search';
      readonly id: number;
      readonly saved: { readonly name: string; readonly search: SearchImages } | null;
    }
  /** Done by another part of the studio, which understands the payload. */
  | { readonly kind: 'outside'; readonly payload: unknown };

/** Applies a change inside the caller's transaction; gives what takes it back, to be applied in order. */
export function applyChange(store: Store, change: Change): readonly Change[] {
  switch (change.kind) {
    case 'set':
      return applySet(store, change);
    case 'note':
      return applyNote(store, change);
    case 'add-note':
      return applyAddNote(store, change);
    case 'deleted':
      return applyDeleted(store, change);
    case 'tag':
      return applyTag(store, change);
    case 'board':
      return applyBoard(store, change);
    case 'board-name':
      return applyBoardName(store, change);
    case 'search':
      return applySearch(store, change);
    case 'outside':
      return [change];
  }
}

type Of<K extends Change['kind']> = Extract<Change, { readonly kind: K }>;

/** The pictures of `ids` in the library, with the value that they have now. */
const ASKED = 'FROM json_each(?) AS asked CROSS JOIN images AS i ON i.id = asked.value';

function applySet(store: Store, { field, value, ids }: Of<'set'>): readonly Change[] {
  const json = JSON.stringify(ids);
  const before = store
    .tuples<[id: number, value: number]>(`SELECT i.id, i.${field} ${ASKED} WHERE i.${field} <> ?`)
    .all(json, value);
  store
    .rows(
      `UPDATE images SET ${field} = ? WHERE id IN (SELECT value FROM json_each(?)) AND ${field} <> ?`,
    )
    .run(value, json, value);
  return grouped(before).map(([old, of]) => ({ kind: 'set', field, value: old, ids: of }));
}

function applyNote(store: Store, { value, ids }: Of<'note'>): readonly Change[] {
  return rewriteNotes(store, ids, () => value);
}

function applyAddNote(store: Store, { text, ids }: Of<'add-note'>): readonly Change[] {
  const tooLong = new Set<number>();
  const back = rewriteNotes(store, ids, (old, id) => {
    const note = old === '' ? text : `${old}\n${text}`;
    if (note.length > MAX_NOTE) tooLong.add(id);
    return note;
  });
  const values = { count: tooLong.size, most: MAX_NOTE };
  if (tooLong.size > 0) throw refusedNotes({ code: 'notes-too-long', values });
  return back;
}

/** The transaction that it is thrown in takes back what was written. */
function refusedNotes(reason: Reason): StudioError {
  return new StudioError('invalid-request', reasonText(reason), { field: 'addNote', reason });
}

function rewriteNotes(
  store: Store,
  ids: readonly number[],
  rewrite: (old: string, id: number) => string,
): readonly Change[] {
  const notes = store
    .tuples<[id: number, note: string]>(
      `SELECT m.image, m.note FROM json_each(?) AS asked
      CROSS JOIN masters AS m ON m.image = asked.value`,
    )
    .all(JSON.stringify([...new Set(ids)]));
  const update = store.rows('UPDATE masters SET note = ? WHERE image = ?');
  const forget = store.rows('DELETE FROM note_words WHERE rowid = ?');
  const index = store.rows('INSERT INTO note_words (rowid, words) VALUES (?, ?)');
  // Most of many pictures come to have the same note.
  let last = { note: '', words: '' };
  const before = notes.filter(([id, old]) => {
    const note = rewrite(old, id);
    if (note === old) return false;
    update.run(note, id);
    if (old !== '') forget.run(id);
    if (note !== last.note) last = { note, words: indexedText(note) };
    if (note !== '') index.run(id, last.words);
    return true;
  });
  return grouped(before).map(([old, of]) => ({ kind: 'note', value: old, ids: of }));
}

function applyDeleted(store: Store, { at, ids }: Of<'deleted'>): readonly Change[] {
  const json = JSON.stringify(ids);
  const wrong = at === null ? 'deleted_at IS NOT NULL' : 'deleted_at IS NULL';
  const before = store
    .tuples<[id: number, at: number | null]>(`SELECT i.id, i.deleted_at ${ASKED} WHERE i.${wrong}`)
    .all(json);
  store
    .rows(
      `UPDATE images SET deleted_at = ? WHERE id IN (SELECT value FROM json_each(?)) AND ${wrong}`,
    )
    .run(at, json);
  return grouped(before).map(([old, of]) => ({ kind: 'deleted', at: old, ids: of }));
}

function applyTag(store: Store, { name, add, ids }: Of<'tag'>): readonly Change[] {
  const tag = tagRow(store, name, add);
  if (tag === undefined) return [];
  const changed = link(store, { table: 'image_tags', column: 'tag', group: tag, add, ids });
  return changed.length === 0 ? [] : [{ kind: 'tag', name, add: !add, ids: changed }];
}

function tagRow(store: Store, name: string, create: boolean): number | undefined {
  const key = nameKey(name);
  const known = store.column<number>('SELECT id FROM tags WHERE key = ?').get(key);
  if (known !== undefined || !create || key === '') return known;
  const id = Number(
    store.rows('INSERT INTO tags (key, name) VALUES (?, ?)').run(key, name.toWellFormed().trim())
      .lastInsertRowid,
  );
  store.rows('INSERT INTO tag_words (rowid, words) VALUES (?, ?)').run(id, indexedText(name));
  return id;
}

function applyBoard(store: Store, { board, add, ids }: Of<'board'>): readonly Change[] {
  if (boardName(store, board) === undefined) return [];
  const changed = link(store, { table: 'board_images', column: 'board', group: board, add, ids });
  return changed.length === 0 ? [] : [{ kind: 'board', board, add: !add, ids: changed }];
}

interface Link {
  readonly table: 'image_tags' | 'board_images';
  readonly column: 'tag' | 'board';
  readonly group: number;
  readonly add: boolean;
  readonly ids: readonly number[];
}

/** Puts pictures into a tag or board, or takes them out; gives those that were not so before. */
function link(store: Store, { table, column, group, add, ids }: Link): readonly number[] {
  const changed = [
    ...new Set(
      store
        .column<number>(
          `SELECT i.id ${ASKED} WHERE ${add ? 'NOT ' : ''}EXISTS
          (SELECT 1 FROM ${table} AS l WHERE l.image = i.id AND l.${column} = ?)`,
        )
        .all(JSON.stringify(ids), group),
    ),
  ];
  const json = JSON.stringify(changed);
  if (add) {
    store
      .rows(`INSERT INTO ${table} (image, ${column}) SELECT value, ? FROM json_each(?)`)
      .run(group, json);
  } else {
    store
      .rows(
        `DELETE FROM ${table} WHERE ${column} = ? AND image IN (SELECT value FROM json_each(?))`,
      )
      .run(group, json);
  }
  return changed;
}

const boardName = (store: Store, board: number): string | undefined =>
  store.column<string>('SELECT name FROM boards WHERE id = ?').get(board);

function applyBoardName(store: Store, { board, name }: Of<'board-name'>): readonly Change[] {
  const before = boardName(store, board) ?? null;
  if (before === name) return [];
  const back: Change = { kind: 'board-name', board, name: before };
  if (name !== null) {
    store
      .rows(
        'INSERT INTO boards (id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name',
      )
      .run(board, name);
    return [back];
  }
  const ids = store
    .column<number>('SELECT image FROM board_images WHERE board = ? ORDER BY image')
    .all(board);
  store.rows('DELETE FROM boards WHERE id = ?').run(board);
  return ids.length === 0 ? [back] : [back, { kind: 'board', board, add: true, ids }];
}

function applySearch(store: Store, { id, saved }: Of<'search'>): readonly Change[] {
  const row = store
    .rows<{ name: string; search: string }>('SELECT name, search FROM searches WHERE id = ?')
    .get(id);
  const before =
    row === undefined ? null : { name: row.name, search: JSON.parse(row.search) as SearchImages };
  if (saved === null) store.rows('DELETE FROM searches WHERE id = ?').run(id);
  else {
    store
      .rows('INSERT OR REPLACE INTO searches (id, name, search) VALUES (?, ?, ?)')
      .run(id, saved.name, JSON.stringify(saved.search));
  }
  return before === null && saved === null ? [] : [{ kind: 'search', id, saved: before }];
}

/** Ids by the value that they had, each id once. */
function grouped<T>(rows: readonly (readonly [number, T])[]): readonly [T, readonly number[]][] {
  const groups = new Map<T, Set<number>>();
  for (const [id, value] of rows) {
    const group = groups.get(value);
    if (group === undefined) groups.set(value, new Set([id]));
    else group.add(id);
  }
  return [...groups].map(([value, ids]) => [value, [...ids]]);
}

/** The pictures that a change concerns. */
export function changedImages(changes: readonly Change[]): readonly number[] {
  return [...new Set(changes.flatMap((change) => ('ids' in change ? change.ids : [])))];
}

/** Refuses a change of a board that is not there. */
export function checkBoard(store: Store, board: number): void {
  if (boardName(store, board) !== undefined) return;
  throw new StudioError('not-found', `Board ${board} is not in the library any more.`);
}
