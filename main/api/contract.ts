import { eventIterator, oc, type as output } from '@orpc/contract';
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from './errors.ts';
import type { Reason } from './reasons.ts';
import {
  saveSearch,
  searchImages,
  type Board,
  type FilterChoices,
  type LibrarySummary,
  type SavedSearch,
  type SearchResult,
} from './gallery.ts';
import { sessionChange, type Session } from './session.ts';
import { settingsSchema, type Settings } from './settings.ts';
import type { ExportResult, ImportResult, InspectedFile } from './exchange.ts';
import { imageIds, rowId } from './ids.ts';
import {
  updateImages,
  type DecodeSteps,
  type ImageDetail,
  type ImageRow,
  type ReplayResult,
} from './images.ts';
import { createJob, type Job } from './jobs.ts';
import type {
  LibraryExported,
  LibraryImported,
  LibraryPlace,
  LibraryState,
  Recovery,
} from './library.ts';
import type { ModelInfo, PartKind } from './models.ts';
import type { DoctorCheck, StudioEvent, StudioStatus } from './studio.ts';
import type { UndoState, UndoSteps } from './undo.ts';

// The contract between the studio and whoever uses it: written once, served by every host
// (Electron's port, HTTP, the command line), and the only thing the renderer knows of the rest.

/** HTTP's word for each failure; what matters to callers is the code. */
export const ERROR_STATUS: Readonly<Record<ErrorCode, number>> = {
  'invalid-request': 400,
  'model-not-found': 404,
  'network-missing': 409,
  'bundle-damaged': 409,
  'checkpoint-unreadable': 422,
  'picture-unreadable': 422,
  'not-found': 404,
  'library-unavailable': 503,
  'file-unavailable': 409,
  'disk-full': 507,
  'engine-crashed': 500,
  'out-of-memory': 500,
  'studio-crashed': 500,
  cancelled: 499,
  internal: 500,
};

const reason = z.object({
  code: z.string(),
  values: z.record(z.string(), z.union([z.string(), z.number()])),
});
const data = z.object({ field: z.string().optional(), reason: reason.optional() });
const errors = Object.fromEntries(
  ERROR_CODES.map((code) => [code, { status: ERROR_STATUS[code], data }]),
) as Record<ErrorCode, { status: number; data: typeof data }>;
const base = oc.errors(errors);

const byId = z.strictObject({ id: rowId });
const byIds = z.strictObject({ ids: imageIds });
const path = z.string().min(1).max(4096);

const pictureFiles = z
  .array(z.file().max(100 * 2 ** 20))
  .min(1)
  .max(1000);

/** The files of an import: paths on the machine that the studio runs on. */
const importFiles = z.strictObject({
  files: z.array(path).min(1).max(20),
  recipe: path.optional(),
  card: path.optional(),
  statistics: path.optional(),
});

/** An import as it would be: the parts found, what is missing, licences, and its size. */
export interface ImportOffer {
  readonly id: string;
  readonly title: string;
  readonly parts: readonly {
    readonly kind: string;
    readonly from: string;
    readonly about: Reason;
  }[];
  readonly missing: readonly { readonly kind: PartKind }[];
  readonly warnings: readonly Reason[];
  readonly licences: ModelInfo['licences'];
  readonly bytes: number;
}

export const contract = {
  studio: {
    status: base.output(output<StudioStatus>()),
    /** Starts with the present state of the queue; ends when the caller stops listening. */
    events: base.output(eventIterator(output<StudioEvent>())),
    doctor: base.output(output<readonly DoctorCheck[]>()),
    settings: base.output(output<Settings>()),
    /** Changes the settings that are given; one undo step is the caller's affair. */
    configure: base.input(settingsSchema.partial()).output(output<Settings>()),
    undoState: base.output(output<UndoState>()),
    /** The newest steps that can be undone, and the next that can be redone. */
    undoSteps: base.output(output<UndoSteps>()),
    undo: base.output(output<UndoState>()),
    redo: base.output(output<UndoState>()),
    backup: base.output(output<{ readonly file: string }>()),
  },
  session: {
    /** Where the library's window was, however it ended. */
    get: base.output(output<Session>()),
    /** Keeps what changed; what it does not name stays. */
    put: base.input(sessionChange).output(output<{ readonly kept: boolean }>()),
  },
  library: {
    place: base.output(output<LibraryPlace>()),
    /** Copies all of it, verifies, goes on with the copy, and only then removes the old one. */
    move: base
      .input(z.strictObject({ folder: path }))
      .output(output<{ readonly folder: string; readonly left: string | null }>()),
    /** False when nothing is being moved, or too late. */
    cancelMove: base.output(output<{ readonly cancelled: boolean }>()),
    /** Tries again to open a library that is not open, or opens it for looking only. */
    reopen: base
      .input(z.strictObject({ readOnly: z.boolean() }))
      .output(output<{ readonly state: LibraryState }>()),
    /**
     * Opens the newest whole backup in place of a damaged or lost database, which is kept. `anew`
     * makes the database from the pictures instead; the backups stay.
     */
    repair: base.input(z.strictObject({ anew: z.boolean() }).optional()).output(
      output<{
        readonly state: LibraryState;
        /** Null when nothing was left of it. */
        readonly kept: string | null;
        readonly backup: string | null;
      }>(),
    ),
    /** Goes over to the library of another folder, or begins one there; this one stays as it is. */
    choose: base
      .input(z.strictObject({ folder: path }))
      .output(output<{ readonly state: LibraryState }>()),
    /** Compares files and rows now; pictures without a row get one. */
    reindex: base.output(output<Recovery>()),
    /** Writes all of it into a new folder, for another computer; models stay here. */
    export: base.input(z.strictObject({ folder: path })).output(output<LibraryExported>()),
    /** Takes an exported library in. All is verified first; an import cut short is done again. */
    import: base.input(z.strictObject({ folder: path })).output(output<LibraryImported>()),
    /** False when nothing is exported or imported. */
    cancelTransfer: base.output(output<{ readonly cancelled: boolean }>()),
  },
  jobs: {
    create: base.input(createJob).output(output<Job>()),
    /** All that have not ended, and the newest of those that have. */
    list: base.output(output<readonly Job[]>()),
    /** Also one that is not on the list. */
    get: base.input(byId).output(output<Job>()),
    cancel: base.input(byId).output(output<Job>()),
    retry: base.input(byId).output(output<Job>()),
    /** Gives up what is half made of a job that was stopped; its finished pictures stay. */
    discard: base.input(byId).output(output<Job>()),
    /** Puts a waiting job in front of another, or last. */
    move: base
      .input(z.strictObject({ id: rowId, before: rowId.nullable() }))
      .output(output<readonly Job[]>()),
    /** Takes an ended job off the list; its pictures stay. */
    dismiss: base.input(byId).output(output<readonly Job[]>()),
    /** Takes all ended jobs off the list; `unclear` with the mark puts them back until a restart. */
    clear: base.output(output<{ readonly count: number; readonly mark: number }>()),
    unclear: base
      .input(z.strictObject({ mark: z.int().min(2) }))
      .output(output<{ readonly count: number }>()),
    pause: base
      .input(z.strictObject({ paused: z.boolean() }))
      .output(output<{ paused: boolean }>()),
  },
  images: {
    summary: base.output(output<LibrarySummary>()),
    search: base.input(searchImages).output(output<SearchResult>()),
    choices: base.output(output<FilterChoices>()),
    /** Rows in the order asked for; ids that are gone are left out. */
    rows: base
      .input(z.strictObject({ ids: z.array(rowId).max(2000) }))
      .output(output<readonly ImageRow[]>()),
    get: base.input(byId).output(output<ImageDetail>()),
    update: base.input(updateImages).output(output<UndoState>()),
    remove: base.input(byIds).output(output<UndoState>()),
    restore: base.input(byIds).output(output<UndoState>()),
    /** Deletes for good what is in the bin. */
    emptyBin: base.output(output<{ readonly removed: number }>()),
    /** Deletes for good those of the pictures that are in the bin. */
    purge: base.input(byIds).output(output<{ readonly removed: number }>()),
    /**
     * Gives up files and keeps all else; `rebuild` makes them again. Pictures that could not be made
     * again here are `kept`; `gone` are not in the library any more.
     */
    dropPixels: base.input(byIds).output(
      output<{
        readonly dropped: number;
        readonly bytes: number;
        readonly kept: number;
        readonly gone: number;
      }>(),
    ),
    /** Nearest pictures by representation, cosine, best first. */
    similar: base
      .input(z.strictObject({ id: rowId, limit: z.int().min(1).max(500) }))
      .output(output<readonly { readonly id: number; readonly cosine: number }[]>()),
    replay: base.input(byId).output(output<ReplayResult>()),
    /** Makes a lost or dropped file again from its tokens. */
    rebuild: base.input(byId).output(output<ImageDetail>()),
    steps: base.input(byId).output(output<DecodeSteps>()),
    /** What files would be, read and not kept. */
    inspect: base
      .input(z.strictObject({ files: pictureFiles }))
      .output(output<readonly InspectedFile[]>()),
    /**
     * Brings pictures in: ours with their recipe, others as their representation and tokens. `into`
     * is the undo step of an import that this one goes on with.
     */
    import: base
      .input(z.strictObject({ files: pictureFiles, into: rowId.optional() }))
      .output(output<ImportResult>()),
    /** A ZIP of the pictures, or one PNG, to be fetched; files that are not whole are made again. */
    export: base
      .input(z.strictObject({ ids: imageIds, metadata: z.boolean() }))
      .output(output<ExportResult>()),
    createBoard: base
      .input(z.strictObject({ name: z.string().trim().min(1).max(100) }))
      .output(output<Board>()),
    renameBoard: base
      .input(z.strictObject({ id: rowId, name: z.string().trim().min(1).max(100) }))
      .output(output<Board>()),
    removeBoard: base.input(byId).output(output<{ readonly removed: boolean }>()),
    saveSearch: base.input(saveSearch).output(output<SavedSearch>()),
    removeSearch: base.input(byId).output(output<{ readonly removed: boolean }>()),
  },
  models: {
    list: base.output(output<readonly ModelInfo[]>()),
    /** Address of what each code looks like, u8 [K,4,4,3]; null until the engine had time for it. */
    mosaic: base
      .input(z.strictObject({ id: z.string().max(64) }))
      .output(output<{ readonly address: string | null }>()),
    offer: base.input(importFiles).output(output<ImportOffer>()),
    import: base
      .input(importFiles.extend({ acceptLicences: z.literal(true) }))
      .output(output<{ readonly id: string }>()),
    cancelImport: base.output(output<{ readonly cancelled: boolean }>()),
    verify: base
      .input(z.strictObject({ id: z.string().max(64) }))
      .output(output<{ readonly problems: readonly Reason[] }>()),
    remove: base.input(z.strictObject({ id: z.string().max(64) })).output(output<UndoState>()),
  },
};

/** The contract's type, for clients. */
export type Contract = typeof contract;
