/** The way in which files do not make a model. Stable: tests and callers match on it. */
export type ImportErrorCode =
  /** The file holds no dictionary of weights at all. */
  | 'no-weights'
  /** Nothing in the file is known to us. */
  | 'unknown-file'
  /** Known, but not something that this program can run. */
  | 'unsupported'
  /** A key that is neither used nor on the list of keys that may be left aside. */
  | 'unknown-key'
  /** Two keys of a file mean the same weight. */
  | 'duplicate-key'
  /** An RDM file without the averaged weights that sampling needs. */
  | 'no-ema'
  /** An RDM that was trained with another noise schedule. */
  | 'other-schedule'
  /** Weights of a known network that do not fit together. */
  | 'wrong-weights'
  /** Weights that are no numbers, found while they are read. */
  | 'not-finite'
  /** What weights cannot tell and no published size gives, so that a recipe file must. */
  | 'unknown-size'
  /** A part without which no picture can be made. */
  | 'missing-part'
  /** Two files hold the same part. */
  | 'conflict'
  /** Parts that do not belong together. */
  | 'size-mismatch'
  /** The recipe file is wrong, or contradicts the weights. */
  | 'recipe'
  /** An id that cannot be a folder name. */
  | 'id';

/** Where in the files an import failed. */
export interface ImportPlace {
  /** Name of the checkpoint file, where one is to blame. */
  readonly file?: string;
  /** The key in it, or the recipe's field, dotted. */
  readonly key?: string;
}

/** Files that do not make a model. The message is for people and names file and key. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
  readonly code: ImportErrorCode;
  readonly file: string | null;
  readonly key: string | null;

  constructor(code: ImportErrorCode, place: ImportPlace, message: string) {
    super(`${place.file === undefined ? '' : `${place.file}: `}${message}`);
    this.code = code;
    this.file = place.file ?? null;
    this.key = place.key ?? null;
  }
}
