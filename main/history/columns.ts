import type { NumberField } from '#api/gallery';
import type { Store } from './store.ts';

// What pictures are filtered and sorted by, held in memory column by column. At 100,000 pictures a
// scan of an array takes a fraction of a millisecond, where SQLite's best index takes tens, and
// every field can be combined with every order. The database stays the truth: this is read from it
// at the first question and told of every change.

/** Fields with codes in place of words; `state` is one of `STATE`. */
export type Field =
  | NumberField
  | 'id'
  | 'state'
  | 'starred'
  | 'model'
  | 'label'
  | 'file'
  | 'source'
  | 'job'
  | 'target'
  | 'software'
  | 'differs'
  | 'schedule'
  | 'operation';

/** Where a picture is: in the library, in the bin, or deleted for good. */
export const STATE = { live: 0, bin: 1, gone: 2 } as const;

const SOURCES: Readonly<Record<Field, string>> = {
  id: 'id',
  createdAt: 'created_at',
  seed: 'seed',
  guidance: 'guidance',
  temperature: 'temperature',
  steps: 'steps',
  rdmSteps: 'rdm_steps',
  eta: 'eta',
  rating: 'rating',
  starred: 'starred',
  state: 'deleted_at IS NOT NULL',
  model: 'model',
  label: 'label',
  file: 'file_state',
  source: 'source',
  job: 'job',
  target: 'target',
  software: 'software',
  differs: 'differing > 0',
  schedule: 'schedule',
  operation: 'operation',
};
const FIELDS = Object.keys(SOURCES) as readonly Field[];
const SELECT = `SELECT ${FIELDS.map((field) => SOURCES[field]).join(', ')} FROM images`;

type Cells = readonly (number | string | null)[];

/** The columns; row r of each belongs to one picture, and rows are in the order of ids. */
export interface Columns {
  readonly length: number;
  /** f64 [length at least]: NaN for none. */
  column(field: Field): Float64Array;
  /** The code of a word; undefined when no picture has it. */
  code(word: string): number | undefined;
  /** The word of a code; the empty one for none. */
  word(code: number): string;
  /** The row of a picture, or -1. */
  rowOf(id: number): number;
  /** All rows in ascending order of a field and then of id; those without a value are first. */
  order(by: NumberField): readonly number[];
}

export interface LiveColumns {
  /** The columns as they are now. */
  read(): Columns;
  insert(id: number): void;
  /** Reads again what of these pictures can change; gives those in the library and in the bin. */
  refresh(ids: readonly number[]): {
    readonly live: readonly number[];
    readonly bin: readonly number[];
  };
  remove(ids: readonly number[]): void;
}

export function createColumns(store: Store): LiveColumns {
  let loaded: Table | undefined;
  return {
    read: () => (loaded ??= loadTable(store)),
    insert(id) {
      if (loaded === undefined) return;
      const cells = store.tuples<Cells>(`${SELECT} WHERE id = ?`).get(id);
      if (cells !== undefined) loaded.append(cells);
    },
    refresh(ids) {
      const rows = store
        .tuples<
          [
            id: number,
            state: number,
            rating: number,
            starred: number,
            file: string,
            differs: number | null,
          ]
        >(
          `SELECT i.id, i.deleted_at IS NOT NULL, i.rating, i.starred, i.file_state, i.differing > 0
          FROM json_each(?) AS asked CROSS JOIN images AS i ON i.id = asked.value`,
        )
        .all(JSON.stringify(ids));
      for (const [id, state, rating, starred, file, differs] of rows) {
        const code = loaded?.codeOf(file) ?? NaN;
        loaded?.change(id, { state, rating, starred, file: code, differs: differs ?? NaN });
      }
      const within = (wanted: number) =>
        rows.filter(([, state]) => state === wanted).map(([id]) => id);
      return { live: within(STATE.live), bin: within(STATE.bin) };
    },
    remove(ids) {
      for (const id of ids) loaded?.change(id, { state: STATE.gone });
    },
  };
}

type Table = ReturnType<typeof createTable>;

function loadTable(store: Store): Table {
  const count = store.column<number>('SELECT count(*) FROM images').get() ?? 0;
  const table = createTable(count + 1000);
  for (const cells of store.tuples<Cells>(`${SELECT} ORDER BY id`).iterate()) table.append(cells);
  return table;
}

function createTable(capacity: number) {
  const data = new Map(FIELDS.map((field) => [field, new Float64Array(capacity)]));
  const codes = new Map<string, number>();
  const words: string[] = [];
  const orders = new Map<NumberField, { readonly rows: number[]; stale: boolean }>();
  let length = 0;

  const column = (field: Field): Float64Array => data.get(field) ?? new Float64Array(0);
  const codeOf = (word: string): number => {
    const known = codes.get(word);
    if (known !== undefined) return known;
    codes.set(word, words.length);
    return words.push(word) - 1;
  };

  const grow = (): void => {
    for (const [field, values] of data) {
      const wider = new Float64Array(Math.ceil(values.length * 1.5));
      wider.set(values);
      data.set(field, wider);
    }
  };

  const rowOf = (id: number): number => {
    const ids = column('id');
    const row = lowest(length, (at) => (ids[at] ?? 0) >= id);
    return row < length && ids[row] === id ? row : -1;
  };

  return {
    get length() {
      return length;
    },
    column,
    code: (word: string) => codes.get(word),
    word: (code: number) => words[code] ?? '',
    codeOf,
    rowOf,

    append(cells: Cells): void {
      if (length === column('id').length) grow();
      FIELDS.forEach((field, i) => {
        const cell = cells[i] ?? null;
        column(field)[length] =
          cell === null ? NaN : typeof cell === 'string' ? codeOf(cell) : cell;
      });
      const row = length++;
      for (const [field, { rows }] of orders) {
        const compare = comparing(column(field));
        rows.splice(
          lowest(rows.length, (at) => compare(rows[at] ?? 0, row) > 0),
          0,
          row,
        );
      }
    },

    change(id: number, values: Partial<Record<Field, number>>): void {
      const row = rowOf(id);
      if (row < 0) return;
      for (const field of FIELDS) {
        const value = values[field];
        if (value === undefined || column(field)[row] === value) continue;
        column(field)[row] = value;
        const order = field === 'rating' ? orders.get(field) : undefined;
        if (order !== undefined) order.stale = true;
      }
    },

    order(by: NumberField): readonly number[] {
      const known = orders.get(by);
      if (known?.stale === false) return known.rows;
      const rows = known?.rows ?? Array.from({ length }, (_, row) => row);
      rows.sort(comparing(column(by)));
      orders.set(by, { rows, stale: false });
      return rows;
    },
  };
}

/** By value with NaN first, then by row. */
function comparing(values: Float64Array): (a: number, b: number) => number {
  return (a, b) => {
    const [left, right] = [values[a] ?? NaN, values[b] ?? NaN];
    if (left < right) return -1;
    if (left > right) return 1;
    if (left === right) return a - b;
    return Number(Number.isNaN(right)) - Number(Number.isNaN(left)) || a - b;
  };
}

/** The lowest of 0 … length for which `holds`, which from there on always does. */
export function lowest(length: number, holds: (at: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
