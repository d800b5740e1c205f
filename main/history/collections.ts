import { StudioError } from '#api/errors';
import type { Board, SearchImages, TagCount } from '#api/gallery';
import { perform, type Done } from './operations.ts';
import type { Store } from './store.ts';
import { nameKey } from './words.ts';

/** A saved search, without its count. */
export interface NamedSearch {
  readonly id: number;
  readonly name: string;
  readonly search: SearchImages;
}

/** Boards by name, with their pictures outside the bin. */
export function listBoards(store: Store): readonly Board[] {
  return store.rows<Board>('SELECT id, name, count FROM boards').all().sort(byName);
}

/** Tags in use by name, with their pictures outside the bin. */
export function listTags(store: Store): readonly TagCount[] {
  return store.rows<TagCount>('SELECT name, count FROM tags WHERE count > 0 ORDER BY key').all();
}

/** Saved searches in the order in which they were saved. */
export function listSearches(store: Store): readonly NamedSearch[] {
  return store
    .rows<{ id: number; name: string; search: string }>(
      'SELECT id, name, search FROM searches ORDER BY id',
    )
    .all()
    .map(({ id, name, search }) => ({ id, name, search: JSON.parse(search) as SearchImages }));
}

/** A new, empty board. It is not an undo step: nothing is lost by it. */
export function createBoard(store: Store, name: string): Board {
  return store.transact(() => {
    checkName(listBoards(store), name);
    const { lastInsertRowid } = store.rows('INSERT INTO boards (name) VALUES (?)').run(clean(name));
    return { id: Number(lastInsertRowid), name: clean(name), count: 0 };
  });
}

export function renameBoard(
  store: Store,
  { id, name, now }: { readonly id: number; readonly name: string; readonly now: number },
): Board {
  return store.transact(() => {
    const boards = listBoards(store);
    const board = boards.find((one) => one.id === id);
    if (board === undefined) {
      throw new StudioError('not-found', `Board ${id} is not in the library any more.`);
    }
    checkName(
      boards.filter((one) => one.id !== id),
      name,
    );
    const change = { kind: 'board-name', board: id, name: clean(name) } as const;
    perform(store, { kind: 'board', changes: [change], now });
    return { ...board, name: clean(name) };
  });
}

/** Takes a board away, not its pictures. */
export function removeBoard(store: Store, id: number, now: number): Done {
  return perform(store, {
    kind: 'board',
    changes: [{ kind: 'board-name', board: id, name: null }],
    now,
  });
}

/** Keeps a search. It is not an undo step: nothing is lost by it. */
export function saveSearch(store: Store, name: string, search: SearchImages): NamedSearch {
  return store.transact(() => {
    checkName(listSearches(store), name);
    const { lastInsertRowid } = store
      .rows('INSERT INTO searches (name, search) VALUES (?, ?)')
      .run(clean(name), JSON.stringify(search));
    return { id: Number(lastInsertRowid), name: clean(name), search };
  });
}

export function removeSearch(store: Store, id: number, now: number): Done {
  return perform(store, { kind: 'search', changes: [{ kind: 'search', id, saved: null }], now });
}

/** Two things of one name could not be told apart in a list. */
function checkName(others: readonly { readonly name: string }[], name: string): void {
  const key = nameKey(name);
  if (!others.some((other) => nameKey(other.name) === key)) return;
  throw new StudioError(
    'invalid-request',
    `There is one named "${name}" already. Choose another name.`,
    {
      field: 'name',
    },
  );
}

const clean = (name: string): string => name.toWellFormed().trim();

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => {
  const [left, right] = [nameKey(a.name), nameKey(b.name)];
  return left < right ? -1 : Number(left > right);
};
