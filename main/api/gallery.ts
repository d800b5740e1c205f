import { z } from 'zod';
import { guidanceSchedule } from './recipe.ts';
import { rowId } from './ids.ts';

// What the gallery asks for and lists: filters, orders, searches, boards, tags.

/** A number field that pictures can be filtered and sorted by. */
export const numberField = z.enum([
  'createdAt',
  'seed',
  'guidance',
  'temperature',
  'steps',
  'rdmSteps',
  'eta',
  'rating',
]);
export type NumberField = z.infer<typeof numberField>;

export const imageFilter = z.strictObject({
  /** Words in notes, tags, model names; a number also matches a seed. */
  text: z.string().max(500).optional(),
  ranges: z
    .array(
      z.strictObject({
        field: numberField,
        min: z.number().optional(),
        max: z.number().optional(),
      }),
    )
    .max(20)
    .optional(),
  models: z.array(z.string().max(64)).max(100).optional(),
  schedules: z.array(guidanceSchedule).optional(),
  operations: z.array(z.enum(['generate', 'variation', 'interpolation', 'import'])).optional(),
  labels: z.array(z.int().nonnegative().nullable()).max(1000).optional(),
  targets: z.array(z.string().max(32)).max(10).optional(),
  /** Programs that made pictures, as `FilterChoices` names them. */
  software: z.array(z.string().max(200)).max(100).optional(),
  /** Whether a fresh run gave the same tokens, the last time that anybody looked. */
  replays: z.array(z.enum(['match', 'differ', 'unchecked'])).optional(),
  /** Labels of models, as `classKey` writes them: a number means another class in each model. */
  classes: z
    .array(z.string().regex(/^[^:]{1,64}:(\d{1,9}|any)$/))
    .max(1000)
    .optional(),
  /** Weights that pictures were made with. */
  hashes: z.array(z.string().max(64)).max(100).optional(),
  files: z.array(z.enum(['present', 'missing', 'dropped'])).optional(),
  sources: z.array(z.enum(['sample', 'picture', 'representation', 'interpolation'])).optional(),
  /** All of these. */
  tags: z.array(z.string().max(100)).max(50).optional(),
  board: rowId.optional(),
  starred: z.boolean().optional(),
  unrated: z.boolean().optional(),
  /** Pictures of one job. */
  job: rowId.optional(),
  /** Children of this picture. */
  parent: rowId.optional(),
  /** The bin's content instead of the library's. */
  bin: z.boolean().optional(),
});
export type ImageFilter = z.infer<typeof imageFilter>;

export const imageSort = z.strictObject({ by: numberField, descending: z.boolean() });
export type ImageSort = z.infer<typeof imageSort>;

export const searchImages = z.strictObject({
  filter: imageFilter,
  sort: imageSort,
  /** How large the pictures are shown; a search itself has no use for it. */
  size: z.int().min(16).max(1024).optional(),
});
export type SearchImages = z.infer<typeof searchImages>;

/** All matches, so that a grid of any length needs no paging. */
export interface SearchResult {
  readonly ids: readonly number[];
  /** When sorted by date: how many pictures each day has, in the order of `ids`. Days are local. */
  readonly days: readonly { readonly day: string; readonly count: number }[];
}

/** What there is among the library's pictures, to choose conditions from. */
export interface FilterChoices {
  /** Models that made pictures, whether they are installed or not; one for each of its weights. */
  readonly models: readonly {
    readonly id: string;
    readonly hash: string;
    readonly title: string | null;
  }[];
  readonly classes: readonly { readonly model: string; readonly label: number | null }[];
  /** Programs and versions, the newest first; with the pictures of each that are not in the bin. */
  readonly software: readonly { readonly name: string; readonly count: number }[];
}

/** A class of a model, in a filter. */
export function classKey(model: string, label: number | null): string {
  return `${model}:${label ?? 'any'}`;
}

/** What a key of `classKey` names; null when it is none. */
export function parseClassKey(
  key: string,
): { readonly model: string; readonly label: number | null } | null {
  const [, model, label] = /^(.+):(\d+|any)$/.exec(key) ?? [];
  if (model === undefined) return null;
  return { model, label: label === 'any' ? null : Number(label) };
}

export interface Board {
  readonly id: number;
  readonly name: string;
  readonly count: number;
}
export interface TagCount {
  readonly name: string;
  readonly count: number;
}
export const saveSearch = z.strictObject({
  name: z.string().trim().min(1).max(100),
  search: searchImages,
});
export interface SavedSearch {
  readonly id: number;
  readonly name: string;
  readonly search: SearchImages;
  readonly count: number;
}

/** The gallery's side panel. */
export interface LibrarySummary {
  readonly folder: string;
  readonly total: number;
  readonly starred: number;
  readonly unrated: number;
  readonly imported: number;
  readonly bin: number;
  /** Bytes of pictures. */
  readonly bytes: number;
  readonly boards: readonly Board[];
  readonly tags: readonly TagCount[];
  readonly searches: readonly SavedSearch[];
  readonly lastBackup: number | null;
}
