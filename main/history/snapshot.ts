import Sqlite, { type Database } from 'better-sqlite3';
import type { ImageFilter, SearchImages } from '#api/gallery';
import type { Recipe } from '#api/recipe';
import type { FileState, ImageDetail, Operation } from '#api/images';
import { listBoards, listSearches } from './collections.ts';
import { imageByUid, imageDetail } from './images.ts';
import { createStore, type Store } from './store.ts';

// What a library is beyond its pictures' files, in words that mean the same in another library:
// pictures by uid, boards and tags by name. Ids are good only in the database that gave them.

/** Ids that one reading looks at: a few milliseconds. */
const AT_ONCE = 200;

/** What a person noted of a picture. */
export interface Marks {
  readonly rating: number;
  readonly starred: boolean;
  readonly note: string;
  readonly tags: readonly string[];
  /** By name. */
  readonly boards: readonly string[];
  readonly deletedAt: number | null;
}

/** A parent, by its uid. */
export interface Parent {
  readonly uid: string;
  readonly operation: Operation;
}

/** A picture as another library can understand it. */
export interface PortablePicture extends Marks {
  readonly id: number;
  readonly uid: string;
  readonly path: string;
  readonly createdAt: number;
  /** SHA-256 of its tokens, hexadecimal. */
  readonly tokenHash: string;
  readonly operation: Operation;
  readonly file: FileState;
  readonly size: number;
  readonly bytes: number;
  readonly times: ImageDetail['times'];
  readonly parents: readonly Parent[];
}

/** A saved search; the board and the parent that it names are not by id. */
export interface PortableSearch {
  readonly name: string;
  readonly search: SearchImages;
  readonly board?: string | undefined;
  readonly parent?: string | undefined;
}

/** A model that made pictures, by what its recipes name it. */
export interface PortableModel {
  readonly id: string;
  readonly hash: string;
  readonly title: string | null;
}

/** A library as it was at one moment, however long it is read. */
export interface Snapshot {
  /** How many pictures there are, and the bytes of their files: read one by one. */
  totals(): { readonly pictures: number; readonly bytes: number };
  readonly models: readonly PortableModel[];
  readonly boards: readonly string[];
  readonly searches: readonly PortableSearch[];
  /**
   * All pictures in the order of their ids, a few at a time; or only those of which their own file
   * does not say everything.
   */
  read(which: 'all' | 'marked'): Iterable<readonly PortablePicture[]>;
  recipe(id: number): Recipe;
  close(): void;
}

/** Opens a second view of an open database, which goes on changing meanwhile. */
export function openSnapshot(database: Database): Snapshot {
  // One in memory is not written to by anybody.
  const own = !database.memory && !database.readonly;
  const view = own ? new Sqlite(database.name, { readonly: true }) : database;
  const close = (): void => {
    if (own) view.close();
  };
  try {
    if (own) view.exec('BEGIN');
    const store = createStore(view);
    return {
      totals: () =>
        store
          .rows<{ pictures: number; bytes: number }>(
            `SELECT count(*) AS pictures,
              coalesce(sum(iif(file_state = 'present', bytes, 0)), 0) AS bytes FROM images`,
          )
          .get() ?? { pictures: 0, bytes: 0 },
      models: store
        .rows<PortableModel>(
          `SELECT model_id AS id, hash, title FROM models
          WHERE EXISTS (SELECT 1 FROM images WHERE model = models.id) ORDER BY id`,
        )
        .all(),
      boards: listBoards(store)
        .toSorted((a, b) => a.id - b.id)
        .map(({ name }) => name),
      searches: portableSearches(store),
      read: (which) => pictures(store, which),
      recipe: (id) => imageDetail(store, id).recipe,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Jobs stay where they ran, so a search among the pictures of one means nothing elsewhere. */
function portableSearches(store: Store): readonly PortableSearch[] {
  return listSearches(store).flatMap(({ name, search: { filter, sort } }) => {
    const { board, parent, job, ...rest } = filter;
    const boardName =
      board === undefined
        ? undefined
        : store.column<string>('SELECT name FROM boards WHERE id = ?').get(board);
    const uid =
      parent === undefined
        ? undefined
        : store.column<string>('SELECT uid FROM masters WHERE image = ?').get(parent);
    const gone = (board !== undefined && boardName === undefined) || (parent !== undefined && !uid);
    if (job !== undefined || gone) return [];
    return [{ name, search: { filter: rest, sort }, board: boardName, parent: uid }];
  });
}

/** The search in the terms of this library; null when it names what is not here. */
export function localSearch(
  store: Store,
  { search, board, parent }: PortableSearch,
  boardOf: (name: string) => number,
): SearchImages | null {
  const parentId = parent === undefined ? undefined : imageByUid(store, parent);
  if (parentId === null) return null;
  const filter: ImageFilter = {
    ...search.filter,
    ...(board === undefined ? {} : { board: boardOf(board) }),
    ...(parentId === undefined ? {} : { parent: parentId }),
  };
  return { filter, sort: search.sort };
}

interface Row {
  readonly id: number;
  readonly createdAt: number;
  readonly deletedAt: number | null;
  readonly rating: number;
  readonly starred: number;
  readonly operation: Operation;
  readonly file: FileState;
  readonly size: number;
  readonly bytes: number;
  readonly uid: string;
  readonly path: string;
  readonly note: string;
  readonly representation: number;
  readonly tokens: number;
  readonly pixels: number;
  readonly tokenHash: Buffer;
  readonly tags: string;
  readonly boards: string;
  readonly parents: string;
}

/** A file that lies elsewhere than a picture of that uid does was put there by hand. */
const USUAL_PATH = `'images/' || strftime('%Y-%m', i.created_at / 1000, 'unixepoch') || '/' || m.uid || '.png'`;
const MARKED = `AND (i.rating > 0 OR i.starred = 1 OR i.deleted_at IS NOT NULL
  OR i.file_state <> 'present' OR m.note <> '' OR m.path <> ${USUAL_PATH}
  OR EXISTS (SELECT 1 FROM image_tags l WHERE l.image = i.id)
  OR EXISTS (SELECT 1 FROM board_images l WHERE l.image = i.id))`;
const SELECT = `SELECT i.id, i.created_at AS createdAt, i.deleted_at AS deletedAt, i.rating, i.starred,
  i.operation, i.file_state AS file, i.size, i.bytes, m.uid, m.path, m.note,
  m.time_representation AS representation, m.time_tokens AS tokens, m.time_pixels AS pixels,
  m.token_hash AS tokenHash,
  (SELECT json_group_array(t.name ORDER BY t.key) FROM image_tags l JOIN tags t ON t.id = l.tag
    WHERE l.image = i.id) AS tags,
  (SELECT json_group_array(b.name ORDER BY b.id) FROM board_images l JOIN boards b ON b.id = l.board
    WHERE l.image = i.id) AS boards,
  (SELECT json_group_array(json_object('uid', o.uid, 'operation', p.operation) ORDER BY p.parent)
    FROM parents p JOIN masters o ON o.image = p.parent WHERE p.child = i.id) AS parents
  FROM images i JOIN masters m ON m.image = i.id WHERE i.id > ? AND i.id <= ?`;

function* pictures(store: Store, which: 'all' | 'marked'): Iterable<readonly PortablePicture[]> {
  const last = store.column<number>(
    'SELECT max(id) FROM (SELECT id FROM images WHERE id > ? ORDER BY id LIMIT ?)',
  );
  const rows = store.rows<Row>(`${SELECT} ${which === 'all' ? '' : MARKED} ORDER BY i.id`);
  let after = 0;
  for (;;) {
    const end = last.get(after, AT_ONCE) ?? null;
    if (end === null) return;
    yield rows.all(after, end).map(toPicture);
    after = end;
  }
}

function toPicture(row: Row): PortablePicture {
  const { starred, representation, tokens, pixels, tokenHash, tags, boards, parents, ...rest } =
    row;
  return {
    ...rest,
    starred: starred === 1,
    times: { representation, tokens, pixels },
    tokenHash: tokenHash.toString('hex'),
    tags: JSON.parse(tags) as string[],
    boards: JSON.parse(boards) as string[],
    parents: JSON.parse(parents) as Parent[],
  };
}
