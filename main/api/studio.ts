import type { MadeImage } from './images.ts';
import type { Job, Progress, QueueState } from './jobs.ts';
import type { LibraryState } from './library.ts';
import type { Reason } from './reasons.ts';
import type { ResolvedTarget } from './recipe.ts';

/** What the interface is told without asking. */
export type StudioEvent =
  | ({ readonly kind: 'jobs'; readonly jobs: readonly Job[] } & QueueState)
  | { readonly kind: 'progress'; readonly progress: Progress }
  /** How the studio is has changed: more of it than its meters. */
  | { readonly kind: 'status'; readonly status: StudioStatus }
  /** The meters have changed, as far as a status strip shows them. */
  | ({ readonly kind: 'meters' } & Meters)
  /**
   * Rows were added or changed; `ids` null when too many to list. With `made`, pictures of a job were
   * kept, and nothing else happened: their rows. Those of `ids` that are not in it are their parents.
   */
  | {
      readonly kind: 'images';
      readonly ids: readonly number[] | null;
      readonly made?: readonly MadeImage[];
    }
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

/** One line of the doctor's report; `code` is a message key, `values` fill it in. */
export interface DoctorCheck {
  readonly code: string;
  readonly state: 'ok' | 'note' | 'warn' | 'fail';
  readonly values: Readonly<Record<string, string | number>>;
  /** What the value `detail` says, for an interface that has the words. */
  readonly reason?: Reason;
}

/** Bytes. */
export interface Meters {
  readonly memory: { readonly used: number; readonly total: number };
  /** Null where the library's disk cannot be asked: it may be away. */
  readonly diskFree: number | null;
}

/** What the status strip shows. */
export interface StudioStatus extends Meters {
  readonly version: string;
  readonly state: LibraryState;
  readonly libraryFolder: string;
  readonly target: ResolvedTarget;
  readonly cpu: string;
  readonly paused: boolean;
}
