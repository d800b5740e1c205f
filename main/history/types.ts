import type { Recipe } from '#api/recipe';
import type { LibrarySummary } from '#api/gallery';
import type { FileState, ImageDetail, Operation } from '#api/images';
import type { Job } from '#api/jobs';

/** A finished picture whose file is in place, as it enters the history. */
export interface NewImage {
  /** Names the picture for good: a second insert of the same uid changes nothing. */
  readonly uid: string;
  /** Of the file, relative to the library's folder, with `/`. */
  readonly path: string;
  readonly createdAt: number;
  readonly recipe: Recipe;
  readonly modelTitle: string | null;
  readonly operation: Operation;
  /** Edge in pixels. */
  readonly size: number;
  /** Of the file. */
  readonly bytes: number;
  readonly version: string;
  /** Milliseconds of each stage. */
  readonly times: ImageDetail['times'];
  readonly fileState?: FileState;
  /** Index of the picture in the job that made it. */
  readonly job?: { readonly id: number; readonly index: number };
  /** Those that are gone are left out. */
  readonly parents?: ImageDetail['parents'];
}

/** Everything that the history knows of a picture: the class's name comes from the model. */
export type StoredImage = Omit<ImageDetail, 'className'> & { readonly uid: string };

/** What a picture's file is now. */
export interface FileChange {
  readonly state: FileState;
  /** When the pixels are new. */
  readonly version?: string;
  readonly bytes?: number;
  readonly path?: string;
}

/** What the gallery's side panel needs of the history; folder and backups are others' affair. */
export type Summary = Omit<LibrarySummary, 'folder' | 'lastBackup'>;

/** A job as it is kept. How long it will still take is known only to who runs it. */
export type StoredJob = Omit<Job, 'timeLeft' | 'together'> & {
  /** Indexes of the pictures that are done, ascending. */
  readonly doneIndexes: readonly number[];
  /** How often the engine died over it since it last got on. */
  readonly crashes: number;
  /** How often the studio itself did. */
  readonly strikes: number;
};

export type NewJob = Pick<Job, 'source' | 'settings' | 'total'>;

/** A picture in the making, so that it can go on after a restart. */
export interface Resume {
  /** Index of the picture in its job. */
  readonly index: number;
  /** Steps done. */
  readonly step: number;
  /** Hash of the model's bundle, and the kind of arithmetic, that made them. */
  readonly model: string;
  readonly target: string;
  /** f32 [D] */
  readonly representation: ArrayLike<number>;
  /** u16 [N], the mask's id where still open. */
  readonly tokens: ArrayLike<number>;
}
