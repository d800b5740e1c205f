import type { ImageFilter, SearchImages, SearchResult } from '#api/gallery';
import { lowest, type Columns } from './columns.ts';
import { matching } from './filter.ts';
import type { Store } from './store.ts';

/** The local day of a time, as `YYYY-MM-DD`. */
export type DayOf = (time: number) => string;

/** The day in the system's time zone. */
export function localDay(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** What a search reads. */
export interface Library {
  readonly store: Store;
  readonly columns: Columns;
}

/**
 * All pictures that a search finds, in its order and then by id. Those that have no value of the
 * field come last in either direction. By date it also says how many each local day has.
 */
export function searchIds(
  { store, columns }: Library,
  { filter, sort }: SearchImages,
  dayOf: DayOf,
): SearchResult {
  const mask = matching(store, columns, filter);
  const values = columns.column(sort.by);
  const rows: number[] = [];
  const without: number[] = [];
  const order = columns.order(sort.by);
  const last = order.length - 1;
  for (let i = 0; i <= last; i++) {
    const row = order[sort.descending ? last - i : i] ?? 0;
    if (mask[row] === 1) (Number.isNaN(values[row]) ? without : rows).push(row);
  }
  const ids = columns.column('id');
  return {
    ids: [...rows, ...without].map((row) => ids[row] ?? 0),
    days: sort.by === 'createdAt' ? countDays(rows, values, dayOf) : [],
  };
}

/** Times are in order, so the end of each day is searched for, and few times become dates. */
function countDays(rows: readonly number[], times: Float64Array, dayOf: DayOf) {
  const days: { readonly day: string; readonly count: number }[] = [];
  const dayAt = (place: number): string => dayOf(times[rows[place] ?? 0] ?? 0);
  for (let start = 0; start < rows.length;) {
    const day = dayAt(start);
    const from = start;
    const count = lowest(rows.length - from, (ahead) => dayAt(from + ahead) !== day);
    days.push({ day, count });
    start += Math.max(1, count);
  }
  return days;
}

/** How many pictures a filter lets through. */
export function countImages({ store, columns }: Library, filter: ImageFilter): number {
  let count = 0;
  const mask = matching(store, columns, filter);
  // An index, because the iterator of an array takes ten times as long.
  for (let row = 0; row < mask.length; row++) count += mask[row] ?? 0;
  return count;
}
