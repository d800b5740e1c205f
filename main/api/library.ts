import type { Reason } from './reasons.ts';

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
