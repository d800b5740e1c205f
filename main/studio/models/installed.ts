import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StudioError } from '#api/errors';
import { reasonText, type Reason } from '#api/reasons';
import type { Manifest } from '#bundle/manifest';
import { fileError, readWhole, systemCode } from '#pictures/files';
import { bundleReason } from '#worker/reasons';
import { openVerdicts, type Verdict } from './verdicts.ts';

/** Bundles being removed are renamed to this first, so that none is ever half there. */
const REMOVED = '.removed-';
/** Characters of a model's name that a message shows, where a picture says it. */
const SHOWN_LENGTH = 64;
const ID = /^[a-z0-9][a-z0-9.-]{0,63}$/;

interface Place {
  readonly id: string;
  /** Absolute path. */
  readonly folder: string;
  /** Whether it came with the program, and so cannot be removed. */
  readonly shipped: boolean;
}

/** A bundle whose manifest is sound. */
export interface InstalledModel extends Place {
  readonly state: 'ready';
  readonly manifest: Manifest;
  /** What verifying it last showed; null when that was never done. */
  readonly verdict: Verdict | null;
}

/** A bundle whose manifest cannot be read. */
export interface DamagedModel extends Place {
  readonly state: 'damaged';
  /** A sentence. */
  readonly reason: string;
  /** The same for an interface that has the words. */
  readonly problem: Reason;
}

export type LibraryEntry = InstalledModel | DamagedModel;

/** Installed bundles: those that came with the program, and those in the person's own folder. */
export interface Library {
  /** Shipped ones first, then by id. A damaged bundle is listed as such. */
  list(): Promise<readonly LibraryEntry[]>;
  /**
   * One that may be used, or `model-not-found` (which lists what there is) or `bundle-damaged`: one
   * whose files were found changed is blocked until it is verified again or imported anew.
   */
  find(id: string): Promise<InstalledModel>;
  /** The one with the very weights that a recipe names, or `model-not-found`. */
  findMaker(model: { readonly id: string; readonly hash: string }): Promise<InstalledModel>;
  /** Keeps what verifying a model showed; null forgets it, as after an import. */
  judge(id: string, verdict: Verdict | null): Promise<void>;
  /** Removes an imported bundle, damaged or not. */
  remove(id: string): Promise<void>;
  /** Refuses an id that is taken or malformed, with field `id`. */
  checkNewId(id: string): Promise<void>;
}

/** Folders of the bundles that come with the program. Their names are their ids. */
export function shippedModels(): readonly string[] {
  return [fileURLToPath(new URL('../../../models/starter', import.meta.url))];
}

/** The library over some shipped bundles and a folder of imported ones, which need not exist yet. */
export function openLibrary(folder: string, shipped = shippedModels()): Library {
  const shippedPlaces = shipped.map((path) => ({
    id: basename(path),
    folder: path,
    shipped: true,
  }));

  async function locate(id: string): Promise<Place | undefined> {
    const own = ID.test(id) ? [{ id, folder: join(folder, id), shipped: false }] : [];
    for (const place of [...shippedPlaces.filter((one) => one.id === id), ...own]) {
      if (await isFolder(place.folder)) return place;
    }
    return undefined;
  }

  async function places(): Promise<readonly Place[]> {
    const names = (await readFolder(folder)).filter((name) => !name.startsWith('.')).sort();
    const found: Place[] = [];
    for (const place of [
      ...shippedPlaces,
      ...names.map((id) => ({ id, folder: join(folder, id), shipped: false })),
    ]) {
      if (await isFolder(place.folder)) found.push(place);
    }
    return found;
  }

  const verdicts = openVerdicts(folder);
  const read = async (place: Place): Promise<LibraryEntry> => {
    const entry = await readBundle(place);
    if (entry.state === 'damaged') return entry;
    return { ...entry, verdict: await verdicts.of(entry.id, entry.manifest.hash) };
  };

  async function list(): Promise<readonly LibraryEntry[]> {
    const found = await places();
    return Promise.all(found.map(read));
  }

  async function require(id: string): Promise<Place> {
    const place = await locate(id);
    if (place !== undefined) return place;
    const names = (await places()).map((one) => one.id);
    const installed =
      names.length === 0 ? 'none is installed' : `installed are ${names.join(', ')}`;
    throw new StudioError(
      'model-not-found',
      `There is no model ${id}: ${installed}. Import one with: rcg-studio models import FILE...`,
      { field: 'model' },
    );
  }

  return {
    list,
    find: async (id) => {
      const entry = await read(await require(id));
      if (entry.state === 'ready') return unblocked(entry);
      throw new StudioError('bundle-damaged', entry.reason);
    },
    findMaker: async ({ id, hash }) => {
      const ready = (await list()).filter((entry) => entry.state === 'ready');
      const same = ready.filter(({ manifest }) => manifest.hash === hash);
      const found = same.find((entry) => entry.id === id) ?? same[0];
      if (found !== undefined) return unblocked(found);
      const why = ready.some((entry) => entry.id === id)
        ? `the installed ${id} has other weights`
        : 'it is not installed';
      throw new StudioError(
        'model-not-found',
        `The picture was made with model ${shown(id)} (weights ${hash.slice(0, 12)}…), but ${why}. Import the files it was made with.`,
      );
    },
    judge: (id, verdict) => verdicts.keep(id, verdict),
    remove: async (id) => {
      const place = await require(id);
      if (place.shipped) {
        throw new StudioError(
          'invalid-request',
          `Model ${id} came with RCG Studio and cannot be removed; only imported models can.`,
          { field: 'model' },
        );
      }
      await removeFolder(folder, place.folder);
      await verdicts.keep(id, null);
    },
    checkNewId: async (id) => {
      if (!ID.test(id)) {
        throw new StudioError(
          'invalid-request',
          `id must be 1 to 64 lower-case letters, digits, dots or dashes, not ${id.slice(0, 60)}.`,
          { field: 'id', reason: { code: 'import-id', values: {} } },
        );
      }
      if ((await locate(id)) === undefined) return;
      throw new StudioError(
        'invalid-request',
        `A model ${id} is installed already; remove it first, or choose another name with --id.`,
        { field: 'id', reason: { code: 'import-installed', values: { id } } },
      );
    },
  };
}

/** The model, unless its files are not those that were imported. */
function unblocked(model: InstalledModel): InstalledModel {
  const [problem] = model.verdict?.problems ?? [];
  if (problem === undefined) return model;
  const reason: Reason = {
    code: 'model-blocked',
    values: { model: model.id, file: problem.values['file'] ?? 'manifest.json' },
  };
  throw new StudioError('bundle-damaged', reasonText(reason), { field: 'model', reason });
}

/** A name from a picture, on one line and not too long. */
function shown(id: string): string {
  return id.slice(0, SHOWN_LENGTH).replace(/\p{Cc}/gu, '?');
}

/** Renames, then deletes; and sweeps up what an earlier removal that was cut short left over. */
async function removeFolder(library: string, bundle: string): Promise<void> {
  try {
    await rename(bundle, join(library, `${REMOVED}${randomBytes(6).toString('hex')}`));
    for (const name of await readFolder(library)) {
      if (name.startsWith(REMOVED)) await rm(join(library, name), { recursive: true, force: true });
    }
  } catch (error) {
    throw fileError(error, 'remove', bundle);
  }
}

async function readBundle(place: Place): Promise<LibraryEntry> {
  const damaged = (why: string, problem: Reason): DamagedModel => ({
    ...place,
    state: 'damaged',
    reason: `Model ${place.id} cannot be used: ${why}`,
    problem,
  });
  try {
    // Loaded only now: the engine starts faster than the schema is built.
    const { readManifest, MANIFEST_FILE, MAX_MANIFEST_BYTES } = await import('#bundle/reader');
    const bytes = await readWhole(join(place.folder, MANIFEST_FILE), MAX_MANIFEST_BYTES);
    const manifest = readManifest(new TextDecoder().decode(bytes));
    if (manifest.id === place.id) return { ...place, state: 'ready', manifest, verdict: null };
    return damaged(
      `its folder is called ${place.id}, but its manifest says ${manifest.id}. Rename the folder back.`,
      { code: 'folder-renamed', values: { folder: place.id, id: manifest.id } },
    );
  } catch (error) {
    return damaged(
      error instanceof Error ? error.message : String(error),
      await problemOf(error, place.id),
    );
  }
}

/** Why a manifest cannot be read. */
async function problemOf(error: unknown, folder: string): Promise<Reason> {
  const { BundleError, MANIFEST_FILE } = await import('#bundle/reader');
  if (error instanceof BundleError) return bundleReason(error, MANIFEST_FILE);
  const told = error instanceof StudioError ? error.reason : undefined;
  return told ?? { code: 'model-unreadable', values: { folder } };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Names in a folder; none when it is not there. */
async function readFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw fileError(error, 'read', path);
  }
}
