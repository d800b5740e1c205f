import { join } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText } from '#api/reasons';
import type {
  LibraryExported,
  LibraryImported,
  LibraryPlace,
  LibraryState,
  Recovery,
} from '#api/library';
import type { StudioEvent } from '#api/studio';
import { restoreBackup } from '#history/restore';
import { assemble, type Assembly, type OpenStudioOptions } from '../assembly.ts';
import { exportLibrary, type TransferOptions } from '../portable/export.ts';
import { importLibrary } from '../portable/import.ts';
import { moveLibrary, type Moved } from './move.ts';
import { networkDrive } from './network.ts';
import { checkChoice } from './choose.ts';
import type { Opening } from './opening.ts';
import { DATABASE, readPlace, usualFolder, whereLibrary, writePlace } from './place.ts';
import type { Workshop } from '../workshop.ts';
import { unavailable } from './state.ts';

/** Windows are told of progress no more often than this. */
const TELL_MS = 100;

/** What happens to a library as a whole, and needs it closed. */
export interface LibraryKeeper {
  /** Resolves at once, or when the library that is closed just now is open again. */
  settled(): Promise<void>;
  place(): Promise<LibraryPlace>;
  move(folder: string): Promise<Moved>;
  /** False when nothing is being moved, or when it is too late: the copy is or becomes the library. */
  cancelMove(): boolean;
  /** Writes the library into a new folder, for another computer. */
  export(folder: string): Promise<LibraryExported>;
  /** Takes in what another computer exported. */
  import(folder: string): Promise<LibraryImported>;
  /** False when nothing is exported or imported. */
  cancelTransfer(): boolean;
  reopen(readOnly: boolean): Promise<{ readonly state: LibraryState }>;
  /** @param anew from the pictures, also where there is a backup */
  repair(anew?: boolean): Promise<{
    readonly state: LibraryState;
    readonly kept: string | null;
    readonly backup: string | null;
  }>;
  /** Goes over to the library of another folder, or begins one there; this one stays as it is. */
  choose(folder: string): Promise<{ readonly state: LibraryState }>;
  reindex(): Promise<Recovery>;
  /** Closes the studio, after whatever it does to the library now. */
  close(): Promise<void>;
}

/** The studio's present assembly, and how another takes its place. */
interface Held {
  readonly current: () => Assembly;
  readonly replace: (next: Assembly) => void;
}

/** The library that a start is for: the one it was given, or the one that is written down. */
async function findPlace({
  home,
  libraryFolder,
  readOnly = false,
}: OpenStudioOptions): Promise<Opening> {
  if (libraryFolder !== undefined) return { folder: libraryFolder, readOnly };
  const { folder } = await readPlace(home);
  if (folder === null) return { folder: usualFolder(home), readOnly };
  return { folder, mustExist: true, readOnly };
}

/** Opens the library where it is; what fails leaves a studio that says so. */
export async function assembleAnyhow(
  options: OpenStudioOptions,
  how: Partial<Opening> = {},
): Promise<Assembly> {
  let opening: Opening = { folder: options.libraryFolder ?? usualFolder(options.home), ...how };
  try {
    opening = { ...(await findPlace(options)), ...how };
    return await assemble(options, opening);
  } catch (error) {
    if (!(error instanceof StudioError)) throw error;
    return assemble(options, { ...opening, trouble: error });
  }
}

export function createKeeper(options: OpenStudioOptions, held: Held): LibraryKeeper {
  const { home, now, libraryFolder } = options;
  const { current, replace } = held;
  /** What is being done to the library as a whole: one thing at a time. */
  let work: Promise<unknown> | undefined;
  let moving: AbortController | undefined;
  let transferring: AbortController | undefined;
  let ended = false;
  /** While the library is closed to be opened again, whoever asks something of it waits. */
  let turn: PromiseWithResolvers<void> | undefined;

  const alone = async <T>(task: () => Promise<T>): Promise<T> => {
    if (work !== undefined || ended) {
      throw new StudioError(
        'invalid-request',
        'The library is being moved, copied or opened just now. Wait until that is done, then try again.',
      );
    }
    const running = task();
    work = running.catch(() => undefined);
    try {
      return await running;
    } finally {
      work = undefined;
    }
  };

  const shut = async (): Promise<void> => {
    turn ??= Promise.withResolvers();
    await current().close();
  };
  /** Opens the library where it is now; what fails leaves a studio that says so. */
  const open = async (how: Partial<Opening> = {}): Promise<void> => {
    try {
      replace(await assembleAnyhow(options, how));
    } finally {
      turn?.resolve();
      turn = undefined;
    }
  };

  /** Tells windows how far something is, not too often, and that it is at its end. */
  const teller = () => {
    const { events } = current().shop;
    let told = -Infinity;
    return (event: Extract<StudioEvent, { done: number }>): void => {
      if (now() - told < TELL_MS && event.done < event.total) return;
      told = now();
      events.publish(event);
    };
  };
  const transfer = <T>(
    way: 'export' | 'import',
    work: (shop: Workshop, options: TransferOptions) => Promise<T>,
  ): Promise<T> =>
    alone(async () => {
      const { shop, state } = current();
      const able = state.kind === 'open' || (way === 'export' && state.kind === 'read-only');
      if (!able) throw unavailable(state);
      const abort = new AbortController();
      transferring = abort;
      const tell = teller();
      const onProgress = (done: number, total: number) =>
        tell({ kind: 'transfer', way, done, total });
      try {
        return await work(shop, { signal: abort.signal, onProgress });
      } finally {
        transferring = undefined;
      }
    });

  const move = async (to: string): Promise<Moved> => {
    const { shop, state } = current();
    if (state.kind !== 'open') throw unavailable(state);
    if (libraryFolder !== undefined) throw notOurs(libraryFolder);
    const abort = new AbortController();
    moving = abort;
    let closed = false;
    const tell = teller();
    try {
      const filesystem = await networkDrive(to, options.disks);
      if (filesystem !== null) throw toNetwork(to, filesystem);
      return await moveLibrary({
        home,
        from: shop.files.folder,
        to,
        now,
        signal: abort.signal,
        onProgress: (done, total, file) => tell({ kind: 'move', done, total, file }),
        close: async () => {
          closed = true;
          await shut();
        },
        onTurn: () => {
          moving = undefined;
        },
        moved: async () => {
          await open();
          closed = false;
          // A copy that does not open is no reason to remove what did.
          if (current().state.kind !== 'open') throw unavailable(current().state);
        },
      });
    } finally {
      moving = undefined;
      if (closed) await open();
    }
  };

  return {
    settled: async () => turn?.promise,
    async place() {
      const { folder } = current().shop.files;
      if (libraryFolder !== undefined) {
        return { folder, movable: false, left: null, unfinished: null };
      }
      // The one that is open: a move writes the next one down a little earlier.
      return { ...(await whereLibrary(home)), folder };
    },
    move: (to) => alone(() => move(to)),
    cancelMove() {
      moving?.abort();
      return moving !== undefined;
    },
    export: (to) =>
      transfer('export', (shop, transferOptions) => exportLibrary(shop, to, transferOptions)),
    import: (from) =>
      transfer('import', (shop, transferOptions) => importLibrary(shop, from, transferOptions)),
    cancelTransfer() {
      transferring?.abort();
      return transferring !== undefined;
    },
    reopen: (readOnly) =>
      alone(async () => {
        const { kind } = current().state;
        if (kind !== 'open' && !(readOnly && kind === 'read-only')) {
          await shut();
          await open(readOnly ? { readOnly: true, acceptNewer: true } : {});
        }
        return { state: current().state };
      }),
    repair: (anew = false) =>
      alone(async () => {
        const { state, shop } = current();
        if (state.kind !== 'damaged') throw unavailable(state);
        const backup = anew ? null : state.backup;
        await shut();
        try {
          const file = join(shop.files.folder, DATABASE);
          const { kept } = restoreBackup(file, backup, { now });
          // Pictures that were made after the backup have no rows yet.
          await open({ suspect: true, mustExist: false, anew: backup === null });
          return { state: current().state, kept, backup };
        } catch (error) {
          await open();
          throw error;
        }
      }),
    choose: (folder) =>
      alone(async () => {
        if (libraryFolder !== undefined) throw notOurs(libraryFolder);
        await checkChoice(folder);
        // What cannot be read says nothing of moves, and is replaced by what a person said now.
        const known = await readPlace(home).catch(() => ({ left: null, unfinished: null }));
        await shut();
        let chosen = false;
        try {
          await writePlace(home, { ...known, folder });
          chosen = true;
        } finally {
          await open(chosen ? { mustExist: false } : {});
        }
        return { state: current().state };
      }),
    reindex: () => current().reindex(),
    async close() {
      ended = true;
      moving?.abort();
      transferring?.abort();
      await work;
      await current().close();
    },
  };
}

function toNetwork(folder: string, filesystem: string): StudioError {
  const reason = { code: 'move-network', values: { folder, filesystem } } as const;
  return new StudioError('invalid-request', reasonText(reason), { field: 'folder', reason });
}

function notOurs(folder: string): StudioError {
  return new StudioError(
    'invalid-request',
    `This start was given the library ${folder}, so another place cannot be chosen from here. Start RCG Studio without naming a library, or move the folder by hand while it is closed.`,
    { field: 'folder' },
  );
}
