import { join } from 'node:path';
import { StudioError } from '#api/errors';
import type { Reason } from '#api/reasons';
import type { LibraryState } from '#api/library';
import { openDatabase, type Opened } from '#history/database';
import { makeFolder } from '#pictures/files';
import { freeBytes } from './new-folder.ts';
import { networkDrive, type Disks } from './network.ts';
import { DATABASE, holdsLibrary } from './place.ts';
import { noLibrary } from './state.ts';

/** How a library is opened, beyond what the studio was started with. */
export interface Opening {
  /** Where it is. */
  readonly folder: string;
  /** It was there before, so an empty folder is a drive that is away, and no place for a new one. */
  readonly mustExist?: boolean;
  readonly readOnly?: boolean;
  /** With `readOnly`: also a library of a newer format. */
  readonly acceptNewer?: boolean;
  /** A database that is gone is made anew, also where it has backups. */
  readonly anew?: boolean;
  /** Files and rows may differ: they are compared before the queue begins. */
  readonly suspect?: boolean;
  /** Why it was not opened just before: it is not tried again, only said. */
  readonly trouble?: StudioError;
}

/** An open library, or why it is not. */
export type OpenedLibrary =
  | Opened
  | {
      readonly state: Extract<LibraryState, { kind: 'missing' | 'network' }>;
      readonly database: null;
    };

/** What SQLite makes beside a database, and a little more. */
const ROOM = 256 * 1024;

interface Surroundings {
  readonly now: () => number;
  readonly software: string;
  readonly disks?: Disks;
}

/**
 * Opens the library of a folder. One that cannot be written to just now, as on a full disk, is
 * opened for looking where that goes.
 */
export async function openLibraryOf(
  { now, software, disks }: Surroundings,
  { folder, mustExist, readOnly = false, acceptNewer, anew, trouble }: Opening,
): Promise<OpenedLibrary> {
  if (trouble !== undefined) {
    const reason = await whyNot(trouble, folder);
    return { state: { kind: 'missing', reason, detail: trouble.message }, database: null };
  }
  if (mustExist === true && !(await holdsLibrary(folder))) {
    return { state: noLibrary(folder), database: null };
  }
  const filesystem = await networkDrive(folder, disks);
  if (filesystem !== null && !readOnly)
    return { state: { kind: 'network', filesystem }, database: null };
  if (!readOnly) await makeFolder(folder).catch(() => undefined);
  const file = join(folder, DATABASE);
  const options = {
    now,
    appVersion: software,
    acceptNewer: acceptNewer === true,
    // Even a look through SQLite would make a log there.
    detached: filesystem !== null,
  };
  try {
    return openDatabase(file, { ...options, readOnly, anew: anew === true });
  } catch (error) {
    if (readOnly || !(error instanceof StudioError)) throw error;
    const looked = look(() => openDatabase(file, { ...options, readOnly: true, detached: true }));
    if (looked?.state.kind !== 'read-only') throw error;
    return { ...looked, state: { kind: 'read-only', reason: await whyNot(error, folder) } };
  }
}

function look(open: () => Opened): Extract<Opened, { state: { kind: 'read-only' } }> | null {
  try {
    const opened = open();
    return opened.state.kind === 'read-only' && 'close' in opened && !('created' in opened)
      ? opened
      : null;
  } catch {
    // Why it could not be written to is what counts.
    return null;
  }
}

/** Why a library could not be opened, where an interface has words for it. */
async function whyNot(error: StudioError, folder: string): Promise<Reason | null> {
  if (error.reason !== undefined) return error.reason;
  // SQLite has several ways to say that it could make no room.
  const free = await freeBytes(folder).catch(() => Infinity);
  const full = error.code === 'disk-full' || free < ROOM;
  return full ? { code: 'library-disk-full', values: {} } : null;
}
