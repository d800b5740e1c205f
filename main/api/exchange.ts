import type { ErrorCode } from './errors.ts';
import type { Reason } from './reasons.ts';
import type { Recipe } from './recipe.ts';
import type { UndoState } from './undo.ts';

/** Why a file was not brought in. */
export interface Refusal {
  readonly name: string;
  readonly code: ErrorCode;
  /** In English, for where there are no words for the reason. */
  readonly message: string;
  readonly reason: Reason | null;
}

export interface ImportResult {
  readonly ids: readonly number[];
  readonly refused: readonly Refusal[];
  readonly undo: UndoState;
}

/** What a file would be to the library. */
export interface InspectedFile {
  readonly name: string;
  /**
   * `ours`: a picture with its recipe; `recipe`: one without pixels, which are made; `here`,
   * `binned`, `lost`: a picture of this library, that lies in the bin or lost its file; `foreign`:
   * any other picture, which is encoded.
   */
  readonly kind: 'ours' | 'recipe' | 'here' | 'binned' | 'lost' | 'foreign' | 'refused';
  /** The picture that it is in this library. */
  readonly id: number | null;
  /** What its recipe says, where it has one. */
  readonly recipe: Omit<Recipe, 'tokens' | 'representation'> | null;
  readonly refusal: Refusal | null;
}

/** A file to fetch, with the pictures of an export. */
export interface ExportResult {
  /** Good for one download, and for a quarter of an hour. */
  readonly address: string;
  readonly name: string;
  readonly bytes: number;
  /** How many pictures it holds. */
  readonly exported: number;
  readonly leftOut: readonly { readonly id: number; readonly reason: Reason }[];
}
