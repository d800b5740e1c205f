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
}

/** Work that nobody asks for: comparing files with rows, emptying the bin, backups. */
export interface Upkeep {
  /** Compares files and rows; the queue begins after it. */
  readonly recovered: Promise<Recovery>;
  /** Deletes for good what is in the bin, or only what has been there for too long. */
  emptyBin(before?: number): Promise<number>;
  close(): Promise<void>;
}

export function startUpkeep(shop: Workshop, options: UpkeepOptions): Upkeep {
  const { models, exports, backupFolder, backUp } = options;

  const emptyBin = async (before?: number): Promise<number> => {
    const { bin, images } = shop.history();
    const uids = (ids: readonly number[]) => ids.map((id) => images.get(id).uid);
    const bound = before ?? Number.MAX_SAFE_INTEGER;
    const doomed = images
      .search({ filter: { bin: true }, sort: { by: 'createdAt', descending: false } })
      .ids.filter((id) => (images.rows([id])[0]?.deletedAt ?? Infinity) < bound);
    const thumbs = uids(doomed);
    const { ids, paths } = bin.purge(before);
    await shop.files.remove(paths);
    bin.filesDeleted(paths);
    await shop.thumbnails.remove(thumbs);
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
  const recovered = recover(shop);
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
