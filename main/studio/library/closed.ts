import { join } from 'node:path';
import type { Recovery } from '#api/library';
import { openDatabase, type Opened } from '#history/database';
import { createHistory } from '#history/history';
import { openImageFiles } from '#pictures/image-files';
import { createEventHub } from '../events.ts';
import { openSettings } from '../settings.ts';
import type { Home } from '../home.ts';
import { openLibrary as openModels } from '../models/installed.ts';
import { moveLibrary, type Moved } from './move.ts';
import { DATABASE, holdsLibrary, usualFolder, whereLibrary } from './place.ts';
import { noLibrary, unavailable } from './state.ts';
import { recover } from './recovery.ts';

// What can be done to the library of a data folder while no studio has it open.

/** What such work is done with. */
export interface ClosedLibrary {
  readonly home: Home;
  readonly software: string;
  readonly now: () => number;
  readonly newId: () => string;
  readonly signal: AbortSignal;
}

/** Moves the library to a folder, given as an absolute path. */
export async function moveClosed(
  closed: ClosedLibrary,
  to: string,
  onProgress: (done: number, total: number, file: string) => void,
): Promise<Moved> {
  const { home, now, signal } = closed;
  const { folder: from } = await whereLibrary(home);
  // Opened once: what is not whole, or is in use, is not moved.
  (await open(closed, from)).close();
  const done = (): Promise<void> => Promise.resolve();
  const onTurn = (): void => undefined;
  return moveLibrary({ home, from, to, now, signal, onProgress, close: done, onTurn, moved: done });
}

/** Compares files and rows; pictures without a row get one. */
export async function reindexClosed(closed: ClosedLibrary): Promise<Recovery> {
  const { home, now, newId, signal } = closed;
  const { folder } = await whereLibrary(home);
  const { database, close } = await open(closed, folder);
  try {
    const history = createHistory(database, { now });
    const files = openImageFiles(folder);
    const shop = {
      history: () => history,
      files,
      library: openModels(home.models),
      newId,
      events: createEventHub(),
      settings: openSettings(history),
      closing: signal,
    };
    return await recover(shop, { since: now(), thorough: true });
  } finally {
    close();
  }
}

async function open(
  { home, now, software }: ClosedLibrary,
  folder: string,
): Promise<Extract<Opened, { state: { kind: 'open' } }>> {
  if (folder !== usualFolder(home) && !(await holdsLibrary(folder))) {
    throw unavailable(noLibrary(folder));
  }
  const opened = openDatabase(join(folder, DATABASE), { now, appVersion: software });
  if (opened.state.kind === 'open' && 'created' in opened) return opened;
  if (opened.database !== null) opened.close();
  throw unavailable(opened.state);
}
