import { parseClassKey, type ImageFilter } from '#api/gallery';
import { STATE, type Columns, type Field } from './columns.ts';
import type { Store } from './store.ts';
import { nameKey, queryWords, type Word } from './words.ts';

/** What `differs` holds for each answer of a replay. */
const VERDICTS = { match: 0, differ: 1, unchecked: NaN } as const;
/** A word that more tags than this begin with says nothing. */
const MAX_TAGS = 500;

/**
 * u8 [rows of the columns]: 1 for the pictures that a filter lets through. A list that is empty
 * asks for nothing.
 */
export function matching(store: Store, columns: Columns, filter: ImageFilter): Uint8Array {
  const mask = new Uint8Array(columns.length).fill(1);
  const between = (field: Field, min = -Infinity, max = Infinity): void =>
    keepBetween(mask, columns.column(field), { min, max });
  const exactly = (field: Field, value: number): void => between(field, value, value);
  const among = (field: Field, wanted: readonly number[] | undefined): void => {
    if (wanted !== undefined) keepAmong(mask, columns.column(field), wanted);
  };
  const codes = (words: readonly string[] | undefined): readonly number[] | undefined =>
    given(words)?.flatMap((word) => columns.code(word) ?? []);

  exactly('state', filter.bin === true ? STATE.bin : STATE.live);
  for (const { field, min, max } of filter.ranges ?? []) {
    if (min !== undefined || max !== undefined) between(field, min, max);
  }
  const models = given(filter.models);
  among('model', models === undefined ? undefined : modelRows(store, 'model_id', models));
  const hashes = given(filter.hashes);
  among('model', hashes === undefined ? undefined : modelRows(store, 'hash', hashes));
  among('file', codes(filter.files));
  among('source', codes(filter.sources));
  const classes = given(filter.classes);
  if (classes !== undefined) keepClasses(mask, columns, classRows(store, classes));
  among('schedule', codes(filter.schedules));
  among('operation', codes(filter.operations));
  among('target', codes(filter.targets));
  among('software', codes(filter.software));
  among(
    'differs',
    given(filter.replays)?.map((verdict) => VERDICTS[verdict]),
  );
  among(
    'label',
    given(filter.labels)?.map((label) => label ?? NaN),
  );
  if (filter.starred !== undefined) exactly('starred', Number(filter.starred));
  if (filter.unrated !== undefined) between('rating', ...(filter.unrated ? [0, 0] : [1, 5]));
  if (filter.job !== undefined) exactly('job', filter.job);

  for (const ids of linked(store, filter)) intersect(mask, setOf(columns, ids));
  for (const word of queryWords(filter.text ?? '')) {
    intersect(mask, havingWord(store, columns, word));
  }
  return mask;
}

/** A list, or undefined when it is empty and so asks for nothing. */
const given = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list === undefined || list.length === 0 ? undefined : list;

/** Drops rows outside the bounds, both of which belong; rows without a value are outside. */
function keepBetween(
  mask: Uint8Array,
  values: Float64Array,
  { min, max }: { readonly min: number; readonly max: number },
): void {
  for (let row = 0; row < mask.length; row++) {
    const value = values[row] ?? NaN;
    if (!(value >= min && value <= max)) mask[row] = 0;
  }
}

/** Codes below this are looked up in a table. */
const SMALL = 65_536;

/** Drops rows whose value is not among some whole numbers; NaN is found like any other. */
function keepAmong(mask: Uint8Array, values: Float64Array, wanted: readonly number[]): void {
  const table = new Uint8Array(SMALL + 1);
  const large = new Set(wanted.filter((value) => value >= SMALL));
  for (const value of wanted) if (!(value >= SMALL)) table[place(value)] = 1;
  for (let row = 0; row < mask.length; row++) {
    const value = values[row] ?? NaN;
    if (table[place(value)] !== 1 && (large.size === 0 || !large.has(value))) mask[row] = 0;
  }
}

const place = (value: number): number => (Number.isNaN(value) ? SMALL : value);

function modelRows(
  store: Store,
  field: 'model_id' | 'hash',
  names: readonly string[],
): readonly number[] {
  return store
    .column<number>(`SELECT id FROM models WHERE ${field} IN (SELECT value FROM json_each(?))`)
    .all(JSON.stringify(names));
}

/** The labels that are asked for of each model's row; NaN stands for "any". */
function classRows(store: Store, keys: readonly string[]): ReadonlyMap<number, Set<number>> {
  const wanted = new Map<number, Set<number>>();
  for (const key of keys) {
    const named = parseClassKey(key);
    if (named === null) continue;
    for (const row of modelRows(store, 'model_id', [named.model])) {
      const labels = wanted.get(row) ?? new Set();
      wanted.set(row, labels.add(named.label ?? NaN));
    }
  }
  return wanted;
}

/** Keeps what was drawn as one of the classes, each of its own model. */
function keepClasses(
  mask: Uint8Array,
  columns: Columns,
  wanted: ReadonlyMap<number, ReadonlySet<number>>,
): void {
  const [models, labels] = [columns.column('model'), columns.column('label')];
  const [sources, sampled] = [columns.column('source'), columns.code('sample')];
  for (let row = 0; row < mask.length; row++) {
    const ofModel = wanted.get(models[row] ?? NaN);
    const there = sources[row] === sampled && ofModel?.has(labels[row] ?? NaN) === true;
    if (!there) mask[row] = 0;
  }
}

/** The pictures of each tag, of the board and of the parent that are asked for. */
function linked(store: Store, { tags, board, parent }: ImageFilter): readonly number[][] {
  const ids = (sql: string, value: number | string): number[] =>
    store.column<number>(sql).all(value);
  return [
    ...(tags ?? []).map((tag) =>
      ids(
        'SELECT image FROM image_tags WHERE tag = (SELECT id FROM tags WHERE key = ?)',
        nameKey(tag),
      ),
    ),
    ...(board === undefined ? [] : [ids('SELECT image FROM board_images WHERE board = ?', board)]),
    ...(parent === undefined ? [] : [ids('SELECT child FROM parents WHERE parent = ?', parent)]),
  ];
}

/** A word in the note, in a tag, in the model's name, or as the seed. */
function havingWord(store: Store, columns: Columns, { match, seed }: Word): Uint8Array {
  const wordRows = (table: string): readonly number[] =>
    store
      .column<number>(`SELECT rowid FROM ${table} WHERE ${table} MATCH ? LIMIT ${MAX_TAGS}`)
      .all(match);
  const found = setOf(
    columns,
    store.column<number>('SELECT rowid FROM note_words WHERE note_words MATCH ?').all(match),
  );
  const tagged = store
    .column<number>('SELECT image FROM image_tags WHERE tag IN (SELECT value FROM json_each(?))')
    .all(JSON.stringify(wordRows('tag_words')));
  for (const id of tagged) mark(columns, found, id);
  const seeds = columns.column('seed');
  for (let row = 0; seed !== null && row < found.length; row++) {
    if (seeds[row] === seed) found[row] = 1;
  }
  const models = wordRows('model_words');
  if (models.length === 0) return found;
  const owned = new Uint8Array(columns.length).fill(1);
  keepAmong(owned, columns.column('model'), models);
  for (let row = 0; row < found.length; row++) if (owned[row] === 1) found[row] = 1;
  return found;
}

function setOf(columns: Columns, ids: readonly number[]): Uint8Array {
  const set = new Uint8Array(columns.length);
  for (const id of ids) mark(columns, set, id);
  return set;
}

function mark(columns: Columns, set: Uint8Array, id: number): void {
  const row = columns.rowOf(id);
  if (row >= 0) set[row] = 1;
}

function intersect(mask: Uint8Array, other: Uint8Array): void {
  for (let row = 0; row < mask.length; row++) {
    if (other[row] !== 1) mask[row] = 0;
  }
}
