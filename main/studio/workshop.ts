import type { ResolvedTarget } from '#api/recipe';
import type { History } from '#history/history';
import type { ImageFiles } from '#pictures/image-files';
import type { Thumbnails } from '#pictures/thumbnails';
import type { EventHub } from './events.ts';
import type { SessionStore } from './session.ts';
import type { SettingsStore } from './settings.ts';
import type { Studio } from './studio.ts';

/** What the parts of an open studio share. One function puts it together: `openStudio`. */
export interface Workshop extends Studio {
  /** The library's history, or a StudioError `library-unavailable` that says why there is none. */
  readonly history: () => History;
  /** Refuses, before anything is written, where the library may only be looked at or is not open. */
  readonly checkWritable: () => void;
  readonly files: ImageFiles;
  readonly thumbnails: Thumbnails;
  readonly settings: SettingsStore;
  readonly session: SessionStore;
  readonly events: EventHub;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A name that no picture had before: lower-case letters and digits. */
  readonly newId: () => string;
  /** What `cpu` means on this machine, as far as is known. */
  readonly target: { known: ResolvedTarget };
  /** Aborted when the studio closes. */
  readonly closing: AbortSignal;
}
