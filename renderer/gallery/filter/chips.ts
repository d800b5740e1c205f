import { numberField, type ImageFilter, type NumberField } from '#api/gallery';

/** The parts of a filter that have a chip. The text has its own field; the bin is a place. */
export type FilterKind =
  | `range.${NumberField}`
  | 'models'
  | 'schedules'
  | 'operations'
  | 'labels'
  | 'classes'
  | 'targets'
  | 'software'
  | 'hashes'
  | 'files'
  | 'replays'
  | 'sources'
  | 'tags'
  | 'board'
  | 'starred'
  | 'unrated'
  | 'job'
  | 'parent';

/** One condition of a filter. */
export interface Chip {
  readonly kind: FilterKind;
}

const LISTED = [
  'models',
  'schedules',
  'operations',
  'labels',
  'classes',
  'targets',
  'software',
  'hashes',
  'files',
  'replays',
  'sources',
  'tags',
] as const satisfies readonly (FilterKind & keyof ImageFilter)[];
type Listed = (typeof LISTED)[number];
const SINGLE = ['board', 'starred', 'unrated', 'job', 'parent'] as const;

/**
 * Every condition that can be added, in the order of the menu. `labels` is only in searches that were
 * saved before: it means whatever model has such a label.
 */
export const FILTER_KINDS: readonly FilterKind[] = [
  'range.rating',
  'starred',
  'unrated',
  'tags',
  'board',
  'range.createdAt',
  'range.guidance',
  'range.temperature',
  'range.steps',
  'range.rdmSteps',
  'range.eta',
  'range.seed',
  'schedules',
  'classes',
  'models',
  'hashes',
  'targets',
  'software',
  'operations',
  'sources',
  'files',
  'replays',
  'parent',
  'job',
];

/** The field of a range's kind; null for the others. */
export function rangeField(kind: FilterKind): NumberField | null {
  return kind.startsWith('range.') ? numberField.parse(kind.slice('range.'.length)) : null;
}

export function isListed(kind: FilterKind): kind is Listed {
  return LISTED.some((name) => name === kind);
}

/** The conditions of a filter, in the order in which it names them. */
export function chipsOf(filter: ImageFilter): readonly Chip[] {
  const ranges = (filter.ranges ?? []).map((range): Chip => ({ kind: `range.${range.field}` }));
  const rest = [...LISTED, ...SINGLE].filter((kind) => filter[kind] !== undefined);
  return [...ranges, ...rest.map((kind): Chip => ({ kind }))];
}

export function withoutChip(filter: ImageFilter, { kind }: Chip): ImageFilter {
  const field = rangeField(kind);
  if (field === null) {
    return Object.fromEntries(Object.entries(filter).filter(([name]) => name !== kind));
  }
  const ranges = (filter.ranges ?? []).filter((range) => range.field !== field);
  const { ranges: _, ...rest } = filter;
  return ranges.length === 0 ? rest : { ...rest, ranges };
}

/** Sets the bounds of a range; the chip stays where it is. */
export function withRange(
  filter: ImageFilter,
  field: NumberField,
  bounds: { readonly min?: number | undefined; readonly max?: number | undefined },
): ImageFilter {
  const range = {
    field,
    ...(bounds.min === undefined ? {} : { min: bounds.min }),
    ...(bounds.max === undefined ? {} : { max: bounds.max }),
  };
  const ranges = filter.ranges ?? [];
  const there = ranges.some((other) => other.field === field);
  return {
    ...filter,
    ranges: there
      ? ranges.map((other) => (other.field === field ? range : other))
      : [...ranges, range],
  };
}

/** The bounds that a filter has for a field. */
export function boundsOf(filter: ImageFilter, field: NumberField) {
  const { min, max } = filter.ranges?.find((range) => range.field === field) ?? {};
  return { min, max };
}

/** What a new condition can begin with. */
export interface Beginnings {
  /** The picture that is looked at, and its job. */
  readonly image: number | null;
  readonly job: number | null;
  readonly board: number | null;
}

/** A filter with one more condition, which lets through as much as it can; null when it cannot be. */
export function withChip(
  filter: ImageFilter,
  kind: FilterKind,
  { image, job, board }: Beginnings,
): ImageFilter | null {
  const field = rangeField(kind);
  if (field !== null) return withRange(filter, field, field === 'rating' ? { min: 1 } : {});
  if (isListed(kind)) return { ...filter, [kind]: [] };
  if (kind === 'starred' || kind === 'unrated') return { ...filter, [kind]: true };
  const value = { board, job, parent: image }[kind as 'board' | 'job' | 'parent'];
  return value === null ? null : { ...filter, [kind]: value };
}

/** Adds a value to a condition's list, or takes it out. */
export function toggleListed(
  filter: ImageFilter,
  kind: Listed,
  value: string | number | null,
): ImageFilter {
  const values: readonly (string | number | null)[] = filter[kind] ?? [];
  const next = values.includes(value)
    ? values.filter((other) => other !== value)
    : [...values, value];
  return { ...filter, [kind]: next } as ImageFilter;
}

/** Whether two filters ask for the same. */
export function sameFilter(a: ImageFilter, b: ImageFilter): boolean {
  return canonical(a) === canonical(b);
}

function canonical(filter: ImageFilter): string {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
