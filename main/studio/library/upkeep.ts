import { setTimeout as sleep } from 'node:timers/promises';
import type { Recovery } from '#api/library';
import { latestBackup } from '#history/backup';
import type { Models } from '../models/models.ts';
import type { Workshop } from '../workshop.ts';
import { believedTime } from './clock.ts';
import { discard } from './disposal.ts';
import { recover } from './recovery.ts';
import type { Exports } from './exports.ts';

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
  /** Compares files and rows once more. */
  reindex(): Promise<Recovery>;
  close(): Promise<void>;
}

export function startUpkeep(shop: Workshop, options: UpkeepOptions): Upkeep {
  const { models, exports, backupFolder, backUp, delayMs } = options;
  const since = shop.now();

  const emptyBin = async (before?: number): Promise<number> =>
    discard(shop, shop.history().bin.purge(before));

  const backUpWhenDue = async (): Promise<void> => {
    const latest = latestBackup(backupFolder, shop.now());
    const due = latest === null || shop.now() - latest.at >= DAY;
    if (due && shop.history().images.count({}) > 0) await backUp();
  };

  const routine = async (): Promise<void> => {
    // Each by itself: a full disk stops the backup, and an emptied bin may free it.
    await backUpWhenDue().catch(() => undefined);
    const time = believedTime(shop);
    if (time === null) return;
    const oldest = time - shop.settings.get().binDays * DAY;
    await emptyBin(oldest);
    await models.purge(oldest);
  };

  let running: Promise<void> = Promise.resolve();
  const look = (): void => {
    // What fails now (a full disk, a folder that is away) is tried again at the next look.
    running = running.then(routine).catch(() => undefined);
  };
  const recovered = sleep(delayMs, undefined, { signal: shop.closing }).then(() =>
    recover(shop, { since }),
  );
  running = recovered
    .then(() => exports.clear())
    .then(() => models.recordHidden())
    .catch(() => undefined);
  look();
  const timer = setInterval(look, LOOK_EVERY);
  timer.unref();
  return {
    recovered,
    emptyBin,
    reindex() {
      const compared = running.then(() => recover(shop, { since, thorough: true }));
      running = compared.then(
        () => undefined,
        () => undefined,
      );
      return compared;
    },
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
