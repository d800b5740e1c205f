import { StudioError } from '#api/errors';
import { recipeSchema, type Recipe, type ResolvedTarget } from '#api/recipe';
import type { FileState, ImageRow, Operation, Verdict } from '#api/images';
import { decodeFloats } from './encode.ts';
import { forgetGone } from './operations.ts';
import type { Store } from './store.ts';
import type { FileChange, StoredImage } from './types.ts';

interface Row {
  readonly id: number;
  readonly seed: number;
  readonly createdAt: number;
  readonly deletedAt: number | null;
  readonly rating: number;
  readonly starred: number;
  readonly operation: Operation;
  readonly children: number;
  readonly file: FileState;
  readonly size: number;
  readonly guidance: number;
  readonly version: string;
  readonly importedAs: string | null;
}
const ROW = `i.id, i.seed, i.created_at AS createdAt, i.deleted_at AS deletedAt, i.rating, i.starred,
  i.operation, i.file_state AS file, i.size, i.guidance, i.version,
  CASE i.operation WHEN 'import' THEN (SELECT json_extract(o.recipe, '$.source.name')
    FROM masters o WHERE o.image = i.id) END AS importedAs,
  (SELECT count(*) FROM parents p JOIN images c ON c.id = p.child
    WHERE p.parent = i.id AND c.deleted_at IS NULL) AS children`;

const toRow = ({ importedAs, starred, ...row }: Row): ImageRow => ({
  ...row,
  starred: starred === 1,
  ...(importedAs === null ? {} : { importedAs }),
});

/** Rows in the order of the ids; those that are gone are left out. */
export function imageRows(store: Store, ids: readonly number[]): readonly ImageRow[] {
  return store
    .rows<Row>(
      `SELECT ${ROW} FROM json_each(?) AS asked CROSS JOIN images AS i ON i.id = asked.value
      ORDER BY asked.key`,
    )
    .all(JSON.stringify(ids))
    .map(toRow);
}

interface DetailRow extends Row {
  readonly uid: string;
  readonly path: string;
  readonly bytes: number;
  readonly note: string;
  readonly job: number | null;
  readonly modelTitle: string | null;
  readonly timeRepresentation: number;
  readonly timeTokens: number;
  readonly timePixels: number;
  readonly tokenHash: Buffer;
  readonly recipe: string;
  readonly tokens: Buffer;
  readonly representation: Buffer;
  readonly differing: number | null;
  readonly checkedOn: ResolvedTarget | null;
  readonly checkedAt: number | null;
}

/** Everything about one picture; a StudioError `not-found` when it is gone. */
export function imageDetail(store: Store, id: number): StoredImage {
  const row = store
    .rows<DetailRow>(
      `SELECT ${ROW}, m.uid, m.path, i.bytes, m.note, i.job, o.title AS modelTitle,
        m.time_representation AS timeRepresentation, m.time_tokens AS timeTokens,
        m.time_pixels AS timePixels, m.token_hash AS tokenHash, m.recipe, m.tokens, m.representation,
        i.differing, m.checked_on AS checkedOn, m.checked_at AS checkedAt
      FROM images i JOIN masters m ON m.image = i.id JOIN models o ON o.id = i.model
      WHERE i.id = ?`,
    )
    .get(id);
  if (row === undefined) throw gone(id);
  const { uid, path, bytes, note, job, modelTitle, ...rest } = row;
  const { timeRepresentation, timeTokens, timePixels, differing, checkedOn, checkedAt, ...more } =
    rest;
  const { tokenHash, tokens, representation, ...cell } = more;
  return {
    ...toRow(cell),
    ...{ uid, path, bytes, note, job, modelTitle },
    recipe: wholeRecipe(row),
    times: { representation: timeRepresentation, tokens: timeTokens, pixels: timePixels },
    replay: verdictOf(row),
    tags: store
      .column<string>(
        'SELECT t.name FROM image_tags l JOIN tags t ON t.id = l.tag WHERE l.image = ? ORDER BY t.key',
      )
      .all(id),
    boards: store
      .column<number>('SELECT board FROM board_images WHERE image = ? ORDER BY board')
      .all(id),
    parents: store
      .rows<{ id: number; operation: Operation }>(
        'SELECT parent AS id, operation FROM parents WHERE child = ? ORDER BY parent',
      )
      .all(id),
    childIds: store
      .column<number>('SELECT child FROM parents WHERE parent = ? ORDER BY child')
      .all(id),
  };
}

function verdictOf({
  differing,
  checkedOn,
  checkedAt,
}: Pick<DetailRow, 'differing' | 'checkedOn' | 'checkedAt'>): Verdict | null {
  if (differing === null || checkedOn === null || checkedAt === null) return null;
  return { differing, target: checkedOn, checkedAt };
}

/** The complete recipe: its arrays are kept apart from the rest, without base64. */
function wholeRecipe(
  row: Pick<DetailRow, 'recipe' | 'tokens' | 'representation' | 'tokenHash'>,
): Recipe {
  const rest: unknown = JSON.parse(row.recipe);
  return recipeSchema.parse({
    ...(typeof rest === 'object' ? rest : null),
    representation: row.representation.toString('base64'),
    tokens: row.tokens.toString('base64'),
    tokenHash: row.tokenHash.toString('hex'),
  });
}

/** f32 [D]: the representation of a picture; a StudioError `not-found` when it is gone. */
export function imageRepresentation(store: Store, id: number): Float32Array<ArrayBuffer> {
  const bytes = store.column<Buffer>('SELECT representation FROM masters WHERE image = ?').get(id);
  if (bytes === undefined) throw gone(id);
  return decodeFloats(bytes);
}

/** The picture of this uid, if there is one. */
export function imageByUid(store: Store, uid: string): number | null {
  return store.column<number>('SELECT image FROM masters WHERE uid = ?').get(uid) ?? null;
}

/** The highest seed of a picture, in the bin or not; null where there is none. */
export function highestSeed(store: Store): number | null {
  return store.column<number | null>('SELECT max(seed) FROM images').get() ?? null;
}

/** Every picture's file, by id: what a check of the folder compares with. */
export function imageFiles(
  store: Store,
): Iterable<{ readonly id: number; readonly path: string; readonly state: FileState }> {
  return store
    .rows<{ id: number; path: string; state: FileState }>(
      'SELECT m.image AS id, m.path, i.file_state AS state FROM masters m JOIN images i ON i.id = m.image ORDER BY m.image',
    )
    .all();
}

/**
 * Notes what the newest replay of a picture showed. It is no step of undo: what was seen was seen.
 * False when the picture is gone.
 */
export function setReplay(store: Store, id: number, verdict: Verdict): boolean {
  const { differing, target, checkedAt } = verdict;
  return store.transact(() => {
    const { changes } = store
      .rows('UPDATE masters SET checked_on = ?, checked_at = ? WHERE image = ?')
      .run(target, checkedAt, id);
    store.rows('UPDATE images SET differing = ? WHERE id = ?').run(differing, id);
    return changes > 0;
  });
}

/** Notes what became of a picture's file. */
export function setFile(store: Store, id: number, change: FileChange): void {
  store.transact(() => {
    const { changes } = store
      .rows(
        `UPDATE images SET file_state = ?, version = coalesce(?, version), bytes = coalesce(?, bytes)
        WHERE id = ?`,
      )
      .run(change.state, change.version ?? null, change.bytes ?? null, id);
    if (changes === 0) throw gone(id);
    if (change.path !== undefined) {
      store.rows('UPDATE masters SET path = ? WHERE image = ?').run(change.path, id);
    }
  });
}

/** Notes that the files of many pictures are there, or are not, as one transaction. */
export function setFileStates(store: Store, ids: readonly number[], state: FileState): void {
  store
    .rows('UPDATE images SET file_state = ? WHERE id IN (SELECT value FROM json_each(?))')
    .run(state, JSON.stringify(ids));
}

/**
 * Deletes for good what has been in the bin since before `before`, of `only` where it is given. The
 * paths that it gives stay listed in `doomedFiles` until `filesDeleted` says that they are gone, so
 * that a crash between the two leaves no file without its row for ever.
 */
export function purgeBin(
  store: Store,
  before: number,
  only: readonly number[] | null = null,
): { readonly ids: readonly number[]; readonly paths: readonly string[] } {
  return store.transact(() => {
    const rows = store
      .rows<{ id: number; path: string }>(
        `SELECT i.id, m.path FROM images i JOIN masters m ON m.image = i.id
        WHERE i.deleted_at IS NOT NULL AND i.deleted_at < ?
          ${only === null ? '' : 'AND i.id IN (SELECT value FROM json_each(?))'} ORDER BY i.id`,
      )
      .all(...(only === null ? [before] : [before, JSON.stringify(only)]));
    const ids = rows.map(({ id }) => id);
    const paths = rows.map(({ path }) => path);
    const json = JSON.stringify(ids);
    doom(store, paths);
    store.rows('DELETE FROM note_words WHERE rowid IN (SELECT value FROM json_each(?))').run(json);
    store.rows('DELETE FROM images WHERE id IN (SELECT value FROM json_each(?))').run(json);
    forgetGone(store);
    return { ids, paths };
  });
}

/**
 * Notes that the files of these pictures were given up, where they have one; gives their paths. As
 * for a purge these stay listed in `doomedFiles` until they are gone.
 */
export function dropFiles(store: Store, ids: readonly number[]): readonly string[] {
  return store.transact(() => {
    const paths = store
      .column<string>(
        `SELECT m.path FROM images i JOIN masters m ON m.image = i.id
        WHERE i.file_state = 'present' AND i.id IN (SELECT value FROM json_each(?)) ORDER BY i.id`,
      )
      .all(JSON.stringify(ids));
    doom(store, paths);
    store
      .rows(
        `UPDATE images SET file_state = 'dropped'
        WHERE file_state = 'present' AND id IN (SELECT value FROM json_each(?))`,
      )
      .run(JSON.stringify(ids));
    return paths;
  });
}

function doom(store: Store, paths: readonly string[]): void {
  store
    .rows('INSERT OR IGNORE INTO doomed_files (path) SELECT value FROM json_each(?)')
    .run(JSON.stringify(paths));
}

/** Files that are given up for good, and which may still be there. */
export function doomedFiles(store: Store): readonly string[] {
  return store.column<string>('SELECT path FROM doomed_files ORDER BY path').all();
}

export function filesDeleted(store: Store, paths: readonly string[]): void {
  store
    .rows('DELETE FROM doomed_files WHERE path IN (SELECT value FROM json_each(?))')
    .run(JSON.stringify(paths));
}

const gone = (id: number): StudioError =>
  new StudioError('not-found', `Picture ${id} is not in the library any more.`);
