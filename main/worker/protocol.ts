import type { RequestedTarget, ResolvedTarget } from '#api/recipe';
import type { WireError } from '#api/errors';
import type { Reason } from '#api/reasons';
import type { PartKind } from '#api/models';
import type { GenerateEvent } from '#engine/events';
import type { RgbImage } from '#engine/picture';
import type { ModelSizes, Plan } from '#engine/types';

export type { Picture, StageTimes, StepReport } from '#engine/events';
export type { RgbImage } from '#engine/picture';

/** A model that the engine has opened. */
export interface OpenedModel {
  readonly target: ResolvedTarget;
  readonly sizes: ModelSizes;
}

/** Which bundle, and how to run it. Paths are absolute. */
export interface ModelRef {
  /** Folder of the bundle. */
  readonly bundle: string;
  readonly target: RequestedTarget;
  /** Folder where compiled graphs are kept; deleting it is always safe. */
  readonly cache: string;
}

export interface ImportRequest {
  /** Checkpoint files, absolute paths. */
  readonly files: readonly string[];
  /** Sizes and names that shapes cannot tell: a recipe file's parsed JSON. */
  readonly recipe: unknown;
  /** Statistics (safetensors), model card and the like: copied as they are under these names. */
  readonly attachments: readonly { readonly name: string; readonly path: string }[];
  readonly id: string | null;
  /** Library folder; the bundle becomes a folder in it, complete or not at all. */
  readonly library: string;
}

/** What an import would do: shown before it happens. */
export interface ImportPreview {
  readonly id: string;
  readonly title: string;
  /** Parts found, with their sizes. */
  readonly parts: readonly {
    readonly kind: string;
    readonly from: string;
    readonly about: Reason;
  }[];
  /** Parts not found. */
  readonly missing: readonly { readonly kind: PartKind }[];
  readonly warnings: readonly Reason[];
  readonly licences: readonly {
    readonly id: string;
    readonly title: string;
    readonly covers: string;
    readonly text: string;
    readonly nonCommercial: boolean;
  }[];
  /** Bytes that the bundle will take. */
  readonly bytes: number;
}

/** Pictures of unfinished tokens that a run makes on the side. */
export interface LivePreviews {
  /** Only of every so many steps, 1 or more. */
  readonly every: number;
  /** Least milliseconds between two. */
  readonly gapMs: number;
  /** Most of the run's time that they may take, 0…1. */
  readonly share: number;
}

/** A picture of a step's draws; comes after the step's report and before the next step's. */
export interface PreviewEvent {
  readonly kind: 'preview';
  readonly index: number;
  readonly step: number;
  /** u8 [S,S,3] RGB */
  readonly image: Uint8Array;
  readonly size: number;
  /** Milliseconds that it took. */
  readonly ms: number;
}

/** What the doctor found out about this machine by trying. */
export interface DoctorReport {
  readonly runtime: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  /** Whether this CPU has instructions that make int8 pay. */
  readonly int8: boolean;
  readonly cpuTarget: ResolvedTarget;
  /** Execution providers, whether each ran a tiny graph, and what to do if not. */
  readonly providers: readonly {
    readonly name: string;
    readonly works: boolean;
    readonly detail: string;
    /** The runtime's own words where one does not work, else empty. */
    readonly reason: string;
  }[];
}

/** Requests and what each resolves with. Events come before the result, in order. */
export interface Methods {
  open: { request: ModelRef; result: OpenedModel; event: never };
  /** Pictures arrive as events, each as soon as it is done. */
  generate: {
    request: {
      readonly model: ModelRef;
      readonly plan: Plan;
      readonly chunk: number;
      readonly steps: boolean;
      /** Needs `steps`. */
      readonly previews?: LivePreviews;
    };
    result: { readonly pictures: number };
    event: GenerateEvent | PreviewEvent;
  };
  /** Representations f32 [B,D] of pictures of any size (spec 2.1: short side resized, centre crop). */
  encode: {
    request: { readonly model: ModelRef; readonly images: readonly RgbImage[] };
    result: { readonly representations: readonly Float32Array[] };
    event: never;
  };
  /** Tokens i32 [N] of pictures of any size, and the cropped pictures. */
  tokenize: {
    request: { readonly model: ModelRef; readonly images: readonly RgbImage[] };
    result: { readonly tokens: readonly Int32Array[] };
    event: never;
  };
  /** Pictures of complete token grids. */
  decode: {
    request: { readonly model: ModelRef; readonly tokens: readonly Int32Array[] };
    result: { readonly images: readonly RgbImage[] };
    event: never;
  };
  /** What each code looks like at a glance, u8 [K,4,4,3]. */
  mosaic: {
    request: { readonly model: ModelRef };
    result: { readonly patches: Uint8Array };
    event: never;
  };
  previewImport: { request: ImportRequest; result: ImportPreview; event: never };
  import: {
    request: ImportRequest;
    result: { readonly id: string; readonly hash: string };
    event: { readonly done: number; readonly total: number; readonly file: string };
  };
  /** Reads every file of a bundle and compares hashes. */
  verify: {
    request: { readonly bundle: string };
    result: { readonly problems: readonly Reason[] };
    event: { readonly done: number; readonly total: number; readonly file: string };
  };
  /** Writes portable ONNX graphs with external data into an empty or new folder. */
  export: {
    request: { readonly bundle: string; readonly folder: string };
    result: { readonly files: readonly string[] };
    event: { readonly done: number; readonly total: number; readonly file: string };
  };
  /** What a checkpoint holds: format, dictionaries, tensors, which networks were recognised. */
  inspect: {
    request: { readonly file: string };
    result: {
      readonly format: string;
      readonly metadata: Readonly<Record<string, string | number | boolean | null>>;
      readonly parts: readonly { readonly kind: string; readonly about: string }[];
      readonly tensors: readonly {
        readonly name: string;
        readonly dtype: string;
        readonly shape: readonly number[];
      }[];
    };
    event: never;
  };
  doctor: { request: Record<string, never>; result: DoctorReport; event: never };
}

export type MethodName = keyof Methods;

/** Messages to the engine process. */
export type ToWorker =
  | {
      [M in MethodName]: {
        readonly kind: 'request';
        readonly id: number;
        readonly method: M;
        readonly request: Methods[M]['request'];
      };
    }[MethodName]
  | { readonly kind: 'cancel'; readonly id: number };

/** Messages from the engine process. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | {
      [M in MethodName]: {
        readonly kind: 'event';
        readonly id: number;
        readonly method: M;
        readonly event: Methods[M]['event'];
      };
    }[MethodName]
  | {
      [M in MethodName]: {
        readonly kind: 'result';
        readonly id: number;
        readonly method: M;
        readonly result: Methods[M]['result'];
      };
    }[MethodName]
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError };
