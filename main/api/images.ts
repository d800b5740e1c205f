import { z } from 'zod';
import { imageIds, rowId } from './ids.ts';
import type { Recipe, ResolvedTarget } from './recipe.ts';

export type Operation = 'generate' | 'variation' | 'interpolation' | 'import';

/**
 * `missing`: the file is gone or damaged. `dropped`: the pixels were given up on purpose. Both can be
 * rebuilt.
 */
export type FileState = 'present' | 'missing' | 'dropped';

/** A cell of the grid. */
export interface ImageRow {
  readonly id: number;
  readonly seed: number;
  readonly createdAt: number;
  readonly rating: number;
  readonly starred: boolean;
  readonly operation: Operation;
  readonly children: number;
  readonly file: FileState;
  readonly size: number;
  readonly guidance: number;
  readonly deletedAt: number | null;
  /** Changes whenever the pixels do: part of the picture's address. */
  readonly version: string;
  /** The file that a picture from elsewhere was read from: its seed and guidance say nothing. */
  readonly importedAs?: string;
}

/** Everything about one picture. */
export interface ImageDetail extends ImageRow {
  readonly recipe: Recipe;
  readonly modelTitle: string | null;
  /** Of the label, in the languages of the model that made it; null where it has none. */
  readonly className: { readonly en: string; readonly ja?: string | undefined } | null;
  readonly path: string;
  readonly bytes: number;
  readonly note: string;
  readonly tags: readonly string[];
  readonly boards: readonly number[];
  readonly job: number | null;
  readonly parents: readonly { readonly id: number; readonly operation: Operation }[];
  readonly childIds: readonly number[];
  /** Milliseconds of each stage. */
  readonly times: {
    readonly representation: number;
    readonly tokens: number;
    readonly pixels: number;
  };
  /** What the newest replay showed; null where there was none. */
  readonly replay: Verdict | null;
}

/** Whether a fresh run gave a picture's tokens. */
export interface Verdict {
  /** Tokens that differ. */
  readonly differing: number;
  /** What the fresh run ran on. */
  readonly target: ResolvedTarget;
  readonly checkedAt: number;
}

/** A picture that a job has just made. */
export interface MadeImage extends ImageDetail {
  /** Its thumbnail as an address that holds all of it; null where it has to be fetched. */
  readonly thumb: string | null;
}

/** Characters of a picture's note. */
export const MAX_NOTE = 10_000;

export const updateImages = z
  .strictObject({
    ids: imageIds,
    rating: z.int().min(0).max(5).optional(),
    starred: z.boolean().optional(),
    /** Takes the place of each picture's note. */
    note: z.string().max(MAX_NOTE).optional(),
    /** Goes below each picture's note; refused when one of them would be too long then. */
    addNote: z.string().trim().min(1).max(MAX_NOTE).optional(),
    addTags: z.array(z.string().trim().min(1).max(100)).max(50).optional(),
    removeTags: z.array(z.string().max(100)).max(50).optional(),
    addToBoard: rowId.optional(),
    removeFromBoard: rowId.optional(),
  })
  .refine(({ note, addNote }) => note === undefined || addNote === undefined, {
    path: ['addNote'],
    error: 'a note is either replaced or added to',
  });

export type UpdateImages = z.infer<typeof updateImages>;

/** A step of a picture's decoding, made again from its recipe. */
export interface DecodeStep {
  readonly step: number;
  readonly guidance: number;
  /** [N], `mask` where open after this step. */
  readonly tokens: readonly number[];
  /** Bits [N] of what was open before it. */
  readonly entropy: readonly number[];
  /** Percent [N]: how likely the second choice was. */
  readonly second: readonly number[];
  readonly preview: string;
}

export interface DecodeSteps {
  readonly mask: number;
  readonly steps: readonly DecodeStep[];
}

/** What running a recipe again showed. */
export interface ReplayResult extends Verdict {
  readonly tokens: number;
  readonly recordedTarget: ResolvedTarget;
}
