import { z } from 'zod';
import {
  guidanceSchedule,
  LIMITS,
  requestedTarget,
  type Recipe,
  type ResolvedTarget,
} from './recipe.ts';
import type { ErrorCode } from './errors.ts';
import type { Reason } from './reasons.ts';

// Plain data that crosses a boundary. Inputs are schemas, because hosts check them; outputs are
// types, because they come from us. Times are milliseconds since 1970, unless a name says otherwise.

const id = z.int().positive();
const ids = z.array(id).min(1).max(200_000);
const bounded = (bounds: { readonly min: number; readonly max: number }) =>
  z.number().min(bounds.min).max(bounds.max);
const whole = (bounds: { readonly min: number; readonly max: number }) =>
  z.int().min(bounds.min).max(bounds.max);

/** The settings of the Generate view. What is absent comes from the model's recommendation. */
export const generateSettings = z.strictObject({
  model: z.string().max(64).optional(),
  target: requestedTarget.optional(),
  count: whole(LIMITS.count).optional(),
  seed: whole(LIMITS.seed).optional(),
  /** Index of a class; null is "any". */
  label: z.int().nonnegative().nullable().optional(),
  rdmSteps: whole(LIMITS.rdmSteps).optional(),
  eta: bounded(LIMITS.eta).optional(),
  steps: whole(LIMITS.steps).optional(),
  temperature: bounded(LIMITS.temperature).optional(),
  guidance: bounded(LIMITS.guidance).optional(),
  schedule: guidanceSchedule.optional(),
  chunk: whole(LIMITS.chunk).optional(),
});
export type GenerateSettings = z.infer<typeof generateSettings>;

/** What a job starts from: noise, or the representation of a picture in the library. */
export const jobSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sample') }),
  /** New pictures from a library picture's representation. */
  z.strictObject({ kind: z.literal('image'), image: id }),
]);
export type JobSource = z.infer<typeof jobSource>;

export const createJob = z.strictObject({ source: jobSource, settings: generateSettings });
export type CreateJob = z.infer<typeof createJob>;

/** Settings with every number filled in. `label` null is "any". */
export type ResolvedSettings = {
  readonly [K in keyof GenerateSettings]-?: Exclude<GenerateSettings[K], undefined>;
};

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed' | 'parked';

/** A job of the queue: pictures of one recipe. */
export interface Job {
  readonly id: number;
  readonly state: JobState;
  readonly createdAt: number;
  readonly source: JobSource;
  /** Every setting resolved: what will run. */
  readonly settings: ResolvedSettings;
  readonly total: number;
  /** Pictures saved, in the order they were made. */
  readonly images: readonly number[];
  /** The index in the job of each of `images`. */
  readonly indexes: readonly number[];
  /** Indexes of pictures that were made and then deleted for good, ascending. */
  readonly deleted: readonly number[];
  /** The furthest of the pictures that were left half decoded: a retry goes on from there. */
  readonly halfMade: { readonly index: number; readonly step: number } | null;
  /** Pictures decoded together, where memory allows fewer than the settings ask for; else null. */
  readonly together: number | null;
  /** Why it failed or was parked. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** Milliseconds still to go, by this run's own pace; null when not known yet. */
  readonly timeLeft: number | null;
}

/** The queue as a whole. */
export interface QueueState {
  readonly paused: boolean;
  /** Why it stopped by itself; null when it did not. */
  readonly trouble: Job['error'];
  /**
   * The job that ran when the studio ended without being closed, until it gets on; with the picture
   * that was half made, if one was.
   */
  readonly interrupted: (Pick<Job, 'halfMade'> & { readonly job: number }) | null;
}

/** How far the picture that is being made is. */
export interface Progress {
  readonly job: number;
  /** Index of the picture in its job. */
  readonly index: number;
  readonly seed: number;
  readonly stage: 'representation' | 'tokens' | 'pixels';
  readonly done: number;
  readonly total: number;
  /** u16 [N] of the step, `mask` where still open; absent before decoding. */
  readonly tokens?: readonly number[];
  /** Bits [N], one decimal. */
  readonly entropy?: readonly number[];
  readonly mask?: number;
  /** Address of a preview of this step, when previews are on and this step has one. */
  readonly preview?: string;
}

/** What the interface is told without asking. */
export type StudioEvent =
  | ({ readonly kind: 'jobs'; readonly jobs: readonly Job[] } & QueueState)
  | { readonly kind: 'progress'; readonly progress: Progress }
  /** Rows were added or changed; `ids` null when too many to list. */
  | { readonly kind: 'images'; readonly ids: readonly number[] | null }
  | { readonly kind: 'models' }
  | { readonly kind: 'settings' }
  | {
      readonly kind: 'import';
      readonly done: number;
      readonly total: number;
      readonly file: string;
    }
  /** The library is being moved: bytes copied, and the file that is copied now. */
  | {
      readonly kind: 'move';
      readonly done: number;
      readonly total: number;
      readonly file: string;
    }
  /** The library goes to another computer, or another one comes in: in steps of one picture. */
  | {
      readonly kind: 'transfer';
      readonly way: 'export' | 'import';
      readonly done: number;
      readonly total: number;
    };

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
}

export const updateImages = z.strictObject({
  ids,
  rating: z.int().min(0).max(5).optional(),
  starred: z.boolean().optional(),
  note: z.string().max(10_000).optional(),
  addTags: z.array(z.string().trim().min(1).max(100)).max(50).optional(),
  removeTags: z.array(z.string().max(100)).max(50).optional(),
  addToBoard: id.optional(),
  removeFromBoard: id.optional(),
});
export type UpdateImages = z.infer<typeof updateImages>;

/** Something done that can be undone: survives a restart. */
export interface UndoState {
  /** What Ctrl Z would take back: a message key and its numbers; null when nothing. */
  readonly undo: UndoItem | null;
  readonly redo: UndoItem | null;
}
export interface UndoItem {
  readonly id: number;
  readonly kind:
    | 'rate'
    | 'star'
    | 'note'
    | 'tag'
    | 'board'
    | 'delete'
    | 'restore'
    | 'import'
    | 'search'
    | 'model';
  readonly count: number;
}

/** A step of a picture's decoding, made again from its recipe. */
export interface DecodeStep {
  readonly step: number;
  readonly guidance: number;
  /** [N], `mask` where open after this step. */
  readonly tokens: readonly number[];
  /** Bits [N] of what was open before it. */
  readonly entropy: readonly number[];
  readonly preview: string;
}
export interface DecodeSteps {
  readonly mask: number;
  readonly steps: readonly DecodeStep[];
}

/** What running a recipe again showed. */
export interface ReplayResult {
  readonly differing: number;
  readonly tokens: number;
  readonly target: ResolvedTarget;
  readonly recordedTarget: ResolvedTarget;
}

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

/** The networks that a model can have. */
export type PartKind = 'encoder' | 'rdm' | 'mage' | 'vqgan';

/** A model of the library, or one that is damaged. */
export interface ModelInfo {
  readonly id: string;
  readonly title: { readonly en: string; readonly ja?: string | undefined };
  readonly state: 'ready' | 'incomplete' | 'damaged';
  /** Why it is damaged. */
  readonly problem: Reason | null;
  /** What verifying it last showed; with problems it is blocked. Null when that was never done. */
  readonly verified: { readonly at: number; readonly problems: readonly Reason[] } | null;
  /** Where its files are. */
  readonly folder: string;
  readonly shipped: boolean;
  readonly hash: string;
  readonly bytes: number;
  readonly imageSize: number;
  readonly classes: readonly { readonly en: string; readonly ja?: string | undefined }[];
  readonly unconditionalClass: number | null;
  readonly parts: readonly {
    readonly kind: PartKind;
    readonly present: boolean;
    /** Its sizes; null where it is not there. */
    readonly about: Reason | null;
    readonly sha256: string | null;
    readonly bytes: number;
  }[];
  readonly recommended: RecommendedSettings;
  readonly preview: RecommendedSettings;
  readonly licences: readonly {
    readonly id: string;
    readonly title: string;
    readonly covers: string;
    readonly text: string;
    readonly nonCommercial: boolean;
  }[];
  /** The model card, Markdown, or null. */
  readonly card: string | null;
}
export interface RecommendedSettings {
  readonly rdmSteps: number;
  readonly eta: number;
  readonly steps: number;
  readonly guidance: number;
  readonly schedule: z.infer<typeof guidanceSchedule>;
  readonly temperature: number;
}

/** One line of the doctor's report; `code` is a message key, `values` fill it in. */
export interface DoctorCheck {
  readonly code: string;
  readonly state: 'ok' | 'note' | 'warn' | 'fail';
  readonly values: Readonly<Record<string, string | number>>;
  /** What the value `detail` says, for an interface that has the words. */
  readonly reason?: Reason;
}

/** What the status strip shows. */
export interface StudioStatus {
  readonly version: string;
  readonly state: LibraryState;
  readonly libraryFolder: string;
  readonly target: ResolvedTarget;
  readonly cpu: string;
  readonly memory: { readonly used: number; readonly total: number };
  readonly diskFree: number;
  readonly paused: boolean;
}
/** Why the library is open as it is, or not. */
export type LibraryState =
  | { readonly kind: 'open' }
  | { readonly kind: 'newer'; readonly version: string }
  | { readonly kind: 'locked'; readonly by: string }
  /** `reason` where it is not simply that its folder allows no writing. */
  | { readonly kind: 'read-only'; readonly reason?: Reason | null }
  /** On a network drive, where its database would not be safe. */
  | { readonly kind: 'network'; readonly filesystem: string }
  | {
      readonly kind: 'damaged';
      readonly backup: string | null;
      readonly reason: Reason;
      /** What the database says of itself, in English; null where it says no more. */
      readonly detail: string | null;
    }
  /** Its folder cannot be reached: a drive that is not connected, perhaps. */
  | {
      readonly kind: 'missing';
      /** Null where `detail`, which is English, is all that is known. */
      readonly reason: Reason | null;
      readonly detail: string;
    };

/** Where the library is, and what moves of it left behind. */
export interface LibraryPlace {
  readonly folder: string;
  /** False when this start was given a folder: only the usual one can be moved. */
  readonly movable: boolean;
  /** The whole copy that a move could not remove, or did not come to. */
  readonly left: string | null;
  /** The half copy of a move that was cut short. */
  readonly unfinished: string | null;
}

/** What the export of a library wrote. */
export interface LibraryExported {
  readonly folder: string;
  readonly pictures: number;
  /** Pictures that had no file to copy: their recipes went along. */
  readonly withoutFile: number;
  readonly bytes: number;
}

/** What the import of an exported library did. */
export interface LibraryImported {
  /** Pictures that are new here. */
  readonly added: number;
  /** Pictures that were here already; what was not noted of them is. */
  readonly known: number;
  /** Of those, how many have their lost file again. */
  readonly found: number;
  readonly boards: number;
  readonly searches: number;
  /** Models that made some of the pictures and are not installed here. */
  readonly missingModels: readonly { readonly id: string; readonly title: string | null }[];
}

/** What comparing files and rows did. */
export interface Recovery {
  /** Files that no write finished, deleted. */
  readonly unfinished: number;
  /** Files without a row that have one again. */
  readonly adopted: number;
  /** Files that nobody can make sense of, moved to `quarantine`. */
  readonly quarantined: readonly string[];
  /** Files without a row that the system did not let us read; they stay where they are. */
  readonly unreadable: readonly string[];
  /** Rows whose file is not there, or is damaged. */
  readonly missing: number;
  /** Rows whose file is there again. */
  readonly found: number;
  /** Pictures whose ratings, tags and the like came back from the document beside them. */
  readonly restored: number;
  /** Why that document was not used. */
  readonly note: Reason | null;
}

export { id as imageId, ids as imageIds };
