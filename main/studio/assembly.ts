import { cpus, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { resolvedTarget } from '#api/recipe';
import type { LibrarySummary } from '#api/gallery';
import type { Session } from '#api/session';
import type { Settings } from '#api/settings';
import type { LibraryState, Recovery } from '#api/library';
import type { DoctorCheck, StudioEvent, StudioStatus } from '#api/studio';
import { backUp, latestBackup, verifyCopy, type Backup } from '#history/backup';
import { createHistory, type History } from '#history/history';
import { openImageFiles } from '#pictures/image-files';
import { openThumbnails } from '#pictures/thumbnails';
import { createAssets, type Assets } from './assets.ts';
import { examine, type LibraryFacts } from './doctor.ts';
import { createEngines, type EngineFactory, type Engines } from './engines.ts';
import { createEventHub, type EventStream } from './events.ts';
import { createExports, type Exports } from './library/exports.ts';
import { createGallery, type Gallery } from './gallery.ts';
import type { Home } from './home.ts';
import { openLibrary, type Library } from './models/installed.ts';
import type { Disks } from './library/network.ts';
import { openLibraryOf, type OpenedLibrary, type Opening } from './library/opening.ts';
import { BACKUPS } from './library/place.ts';
import { unavailable } from './library/state.ts';
import { startMeters } from './meters.ts';
import { createModels, type Models } from './models/models.ts';
import { createMosaics, type Mosaics } from './models/mosaics.ts';
import { createPreviews } from './queue/previews.ts';
import { openQueue, type Queue } from './queue/queue.ts';
import { createReplays, type Replays } from './queue/replays.ts';
import { nextSeed, openSession } from './session.ts';
import { startSidecar, type Sidecar } from './portable/sidecar.ts';
import { openSettings } from './settings.ts';
import { startUpkeep, type Upkeep } from './library/upkeep.ts';
import type { Workshop } from './workshop.ts';

/** What a studio is opened with: everything that it cannot know by itself. */
export interface OpenStudioOptions {
  readonly home: Home;
  /** Where pictures and their database are; `library` in the home folder by default. */
  readonly libraryFolder?: string;
  readonly engine: EngineFactory;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Lower-case letters and digits, 8 to 40, never the same again. */
  readonly newId: () => string;
  readonly newSeed: () => number;
  /** Program and version, as recipes name it. */
  readonly software: string;
  /** Installed models; those of the home folder and the shipped ones by default. */
  readonly models?: Library;
  /** Bytes that must be free before a picture is begun. */
  readonly minFreeBytes?: number;
  /** Milliseconds before files and rows of a library that was closed in order are compared. */
  readonly settleMs?: number;
  /** Opens the library for looking only. */
  readonly readOnly?: boolean;
  /** What tells of network drives; this machine by default. */
  readonly disks?: Disks;
  /** Jobs wait and no engine is started until somebody needs one: for a short visit. */
  readonly resting?: boolean;
}

/** A studio on one library, as long as that is open. */
export interface Assembly {
  readonly shop: Workshop;
  readonly queue: Queue;
  readonly gallery: Gallery;
  readonly models: Models;
  readonly mosaics: Mosaics;
  readonly replays: Replays;
  readonly exports: Exports;
  readonly assets: Assets;
  readonly engines: Engines;
  readonly state: LibraryState;
  /** Resolves when files and rows were compared and the queue has begun. */
  readonly ready: Promise<void>;
  /** Resolves at once, or when files and rows that may differ were compared. */
  readonly trusted: Promise<void>;
  status(): Promise<StudioStatus>;
  summary(): LibrarySummary;
  /** Where the window was, and the seed that is free. */
  session(): Session;
  doctor(): Promise<readonly DoctorCheck[]>;
  configure(change: Partial<Settings>): Settings;
  backup(): Promise<{ readonly file: string }>;
  emptyBin(): Promise<number>;
  /** Compares files and rows now. */
  reindex(): Promise<Recovery>;
  events(signal?: AbortSignal): EventStream;
  /** Stops after the step that runs; nothing is lost. */
  close(): Promise<void>;
}

const TARGET = 'engine.target';
/** By then a window shows what it shows first. */
const SETTLE_MS = 3000;

/** A library in a state that a person has to deal with is opened too: its `state` says why. */
export async function assemble(options: OpenStudioOptions, opening: Opening): Promise<Assembly> {
  const { home, now, newId, newSeed, software } = options;
  const { folder, suspect = false } = opening;
  const opened = await openLibraryOf(options, opening);
  const history = opened.database === null ? null : createHistory(opened.database, { now });
  const closing = new AbortController();
  const settings = openSettings(opened.state.kind === 'open' ? history : null);
  const engines = createEngines(options.engine, settings.get().idleMinutes);
  const files = openImageFiles(folder, options.minFreeBytes);
  const shop: Workshop = {
    home,
    library: options.models ?? openLibrary(home.models),
    engine: engines.main,
    newSeed,
    software,
    history: () => {
      if (history === null || closing.signal.aborted) throw unavailable(opened.state);
      return history;
    },
    checkWritable() {
      if (opened.state.kind !== 'open' || closing.signal.aborted) throw unavailable(opened.state);
    },
    files,
    thumbnails: openThumbnails(files, opened.state.kind === 'open'),
    settings,
    session: openSession(history, { writable: opened.state.kind === 'open' }),
    events: createEventHub(),
    now,
    newId,
    target: { known: knownTarget(history) },
    closing: closing.signal,
  };
  const { settleMs = SETTLE_MS } = options;
  const suspicious = suspect || isSuspect(opened);
  const { resting = false } = options;
  return putTogether({ shop, engines, opened, history, closing, suspicious, settleMs, resting });
}

interface Parts {
  readonly shop: Workshop;
  readonly engines: Engines;
  readonly opened: OpenedLibrary;
  readonly history: History | null;
  readonly closing: AbortController;
  /** Files and rows may differ. */
  readonly suspicious: boolean;
  readonly settleMs: number;
  readonly resting: boolean;
}

/** Files and rows may differ: the studio was killed, or the database is new and pictures may be there. */
function isSuspect(opened: OpenedLibrary): boolean {
  return isAfterCrash(opened) || ('created' in opened && opened.created);
}

/** The studio that had the library before did not close it. */
function isAfterCrash(opened: OpenedLibrary): boolean {
  return 'afterCrash' in opened && opened.afterCrash;
}

function putTogether(parts: Parts): Assembly {
  const { shop, engines, opened, history, closing, suspicious, settleMs, resting } = parts;
  const previews = createPreviews();
  const queue = openQueue(shop, previews);
  const models = createModels(shop, engines.side);
  const mosaics = createMosaics(shop, engines.spare);
  const replays = createReplays(shop);
  const exports = createExports(shop, replays);
  const backupFolder = join(shop.files.folder, BACKUPS);
  const { state, database } = opened;

  /** One at a time: each clears up after itself. */
  let lastBackup: Promise<Backup | null> = Promise.resolve(null);
  const backup = async (): Promise<{ file: string }> => {
    shop.checkWritable();
    if (database === null) throw unavailable(state);
    const keep = shop.settings.get().backups;
    const writing = lastBackup
      .catch(() => undefined)
      .then(() => backUp(database, backupFolder, { now: shop.now, keep }));
    lastBackup = writing;
    return { file: (await writing).file };
  };
  const upkeep: Upkeep | null =
    state.kind === 'open'
      ? startUpkeep(shop, {
          models,
          exports,
          backupFolder,
          backUp: backup,
          delayMs: suspicious ? 0 : settleMs,
        })
      : null;
  const sidecar: Sidecar | null = state.kind === 'open' ? startSidecar(shop, suspicious) : null;
  const facts: LibraryFacts | null = database && {
    // All of it, indexes too: a start looks only through the quick part, and each backup through all.
    integrity: () => String(database.pragma('integrity_check(1)', { simple: true })),
    backup: () => {
      const latest = latestBackup(backupFolder, shop.now());
      return latest === null ? null : { at: latest.at, problem: verifyCopy(latest.file) };
    },
  };
  const learnTarget = async (): Promise<void> => {
    const { cpuTarget } = await engines.main.call('doctor', {}, { signal: shop.closing });
    shop.target.known = cpuTarget;
    if (state.kind === 'open' && history?.settings.get(TARGET) !== cpuTarget) {
      history?.settings.set(TARGET, cpuTarget);
    }
  };
  const status = (): Promise<StudioStatus> =>
    statusOf(shop, state, history !== null && queue.isPaused());
  const meters = startMeters(shop.events, status);
  const begin = (): void => {
    if (resting) return;
    if (state.kind === 'open' && !closing.signal.aborted) queue.start(isAfterCrash(opened));
  };
  // What a kill left behind may be a picture that a job would make again.
  if (!suspicious) begin();
  // A library that cannot be compared with its files can still be worked with.
  const ready = (upkeep?.recovered ?? Promise.resolve()).then(
    () => begin(),
    () => begin(),
  );
  // Whoever needs the engine hears of its trouble.
  if (!resting) learnTarget().catch(() => undefined);

  return {
    shop,
    queue,
    gallery: createGallery(shop, models),
    models,
    mosaics,
    replays,
    exports,
    assets: createAssets(shop, { previews, replays, mosaics, exports }),
    engines,
    state,
    ready,
    trusted: suspicious ? ready : Promise.resolve(),
    backup,
    status,
    summary: () => ({
      ...shop.history().images.summary(),
      folder: shop.files.folder,
      lastBackup: latestBackup(backupFolder, shop.now())?.at ?? null,
    }),
    session: () => ({
      entries: shop.session.get(),
      nextSeed: nextSeed(
        history?.images.highestSeed() ?? null,
        history === null ? [] : queue.list().jobs,
      ),
    }),
    doctor: () => examine(shop, facts),
    configure(change) {
      if (state.kind === 'read-only') throw unavailable(state);
      const settings = shop.settings.change(change);
      engines.setIdle(settings.idleMinutes);
      shop.events.publish({ kind: 'settings' });
      return settings;
    },
    emptyBin: () => (upkeep === null ? Promise.reject(unavailable(state)) : upkeep.emptyBin()),
    reindex: () => (upkeep === null ? Promise.reject(unavailable(state)) : upkeep.reindex()),
    events: (signal) => {
      const first: StudioEvent[] = history === null ? [] : [{ kind: 'jobs', ...queue.list() }];
      return shop.events.subscribe(first, signal);
    },
    async close() {
      if (closing.signal.aborted) return;
      meters.close();
      await queue.close();
      await sidecar?.close();
      closing.abort();
      shop.events.close();
      await engines.close();
      await mosaics.close();
      await upkeep?.close();
      if (opened.database !== null) opened.close();
    },
  };
}

async function statusOf(
  { software, files, settings, target }: Workshop,
  state: LibraryState,
  paused: boolean,
): Promise<StudioStatus> {
  const chosen = settings.get().target;
  return {
    version: software.replace(/^\S+ /, ''),
    state,
    libraryFolder: files.folder,
    target: chosen === 'cpu' ? target.known : chosen,
    cpu: cpus()[0]?.model.trim() ?? '',
    memory: { used: totalmem() - freemem(), total: totalmem() },
    diskFree: await files.freeBytes().catch(() => null),
    paused,
  };
}

/** What `cpu` meant at the last start, until the engine has said what it means now. */
function knownTarget(history: History | null) {
  const parsed = resolvedTarget.safeParse(history?.settings.get(TARGET));
  return parsed.success ? parsed.data : 'cpu-float32';
}
