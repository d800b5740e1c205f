import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listBackups } from '#history/backup';
import { recover, type Recovery } from './recovery.ts';
import type { Exports } from './exports.ts';
import type { Models } from './models.ts';
import type { Workshop } from './workshop.ts';

const DAY = 24 * 60 * 60 * 1000;
/** How often the studio looks whether something is due. */
const LOOK_EVERY = 60 * 60 * 1000;

/** What upkeep works on beside the shop. */
export interface UpkeepOptions {
  readonly models: Models;
  readonly exports: Exports;
  readonly backupFolder: string;
  /** Writes a backup. */
  readonly backUp: () => Promise<unknown>;
  /** Milliseconds before files and rows are compared; a window that opens has better to do. */
  readonly delayMs: number;
}

/** Work that nobody asks for: comparing files with rows, emptying the bin, backups. */
export interface Upkeep {
  /** Resolves when files and rows were compared. */
  readonly recovered: Promise<Recovery>;
  /** Deletes for good what is in the bin, or only what has been there for too long. */
  emptyBin(before?: number): Promise<number>;
  close(): Promise<void>;
}

export function startUpkeep(shop: Workshop, options: UpkeepOptions): Upkeep {
  const { models, exports, backupFolder, backUp, delayMs } = options;
  const since = shop.now();

  const emptyBin = async (before?: number): Promise<number> => {
    const { bin } = shop.history();
    const { ids, paths } = bin.purge(before);
    await shop.files.remove(paths);
    bin.filesDeleted(paths);
    // A file is called by its picture's uid, as its thumbnail is.
    await shop.thumbnails.remove(paths.map((path) => basename(path, '.png')));
    if (ids.length > 0) shop.events.publish({ kind: 'images', ids: null });
    return ids.length;
  };

  const routine = async (): Promise<void> => {
    const oldest = shop.now() - shop.settings.get().binDays * DAY;
    await emptyBin(oldest);
    await models.purge(oldest);
    const [latest] = listBackups(backupFolder);
    const due = latest === undefined || shop.now() - latest.at >= DAY;
    if (due && shop.history().images.count({}) > 0) await backUp();
  };

  let running: Promise<void> = Promise.resolve();
  const look = (): void => {
    // What fails now (a full disk, a folder that is away) is tried again at the next look.
    running = running.then(routine).catch(() => undefined);
  };
  const recovered = sleep(delayMs, undefined, { signal: shop.closing }).then(() =>
    recover(shop, since),
  );
  running = recovered.then(
    () => exports.clear(),
    () => undefined,
  );
  look();
  const timer = setInterval(look, LOOK_EVERY);
  timer.unref();
  return {
    recovered,
    emptyBin,
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
