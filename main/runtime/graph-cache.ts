import { mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '#api/errors';
import type { EncodedModel } from '#graph/onnx';
import { graphFileNames, writeGraph } from './graph-files.ts';
import { makeFolders } from './folders.ts';

/** Where compiled graphs of one bundle for one target are kept, and how they are made. */
export interface GraphCacheOptions {
  /** Folder for all bundles. Created when needed; deleting it is always safe. */
  readonly root: string;
  /** The bundle's hash. */
  readonly hash: string;
  readonly target: string;
  /** Version of the graph builder: graphs of another one are not used. */
  readonly version: number;
  readonly compile: Compile;
}

/**
 * Builds a graph whose weights are to lie in `weightsFile` beside it, and hands it to `write`. What
 * the weights are read from stays open until that is done.
 */
export type Compile = (
  graph: string,
  weightsFile: string,
  write: (encoded: EncodedModel) => Promise<void>,
) => Promise<void>;

/** A compiled graph on disk. */
export interface CachedGraph {
  /** The .onnx file; its weights lie beside it. */
  readonly path: string;
  /** Whether it was made just now, so that damage cannot be the reason if it does not open. */
  readonly built: boolean;
}

/** Compiled graphs of one bundle for one target. */
export interface GraphCache {
  /** The graph, from disk if whole, else compiled. */
  find(graph: string): Promise<CachedGraph>;
  /** The graph, compiled anew in place of one that does not open. */
  rebuild(graph: string): Promise<CachedGraph>;
}

/** What a whole entry's files measure: a crash of the machine can leave shorter ones. */
const SIZES_FILE = 'sizes.json';
/** A folder of a compilation that did not end is removed after this time. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/**
 * Compiled graphs under `<root>/<hash>/<target>-v<version>/<graph>/`. A graph is compiled into a
 * folder beside and renamed, so an entry is whole or absent whoever else does the same meanwhile.
 * Nothing is synced to disk: the sizes tell a torn entry, and it is made again.
 */
export function graphCache(options: GraphCacheOptions): GraphCache {
  const bundle = path.join(options.root, options.hash);
  const home = path.join(bundle, `${options.target}-v${options.version}`);
  const build = async (graph: string): Promise<CachedGraph> => {
    const entry = path.join(home, graph);
    try {
      await makeFolders(home);
      await sweep(bundle, home, options.version);
      const temporary = await mkdtemp(path.join(home, `.${graph}-`));
      try {
        await options.compile(graph, graphFileNames(graph).weights, async (encoded) => {
          await writeGraph(temporary, graph, encoded);
          await writeSizes(temporary, graph, encoded);
        });
        await moveIntoPlace(temporary, entry, graph);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    } catch (error) {
      throw forPeople(error, options.root);
    }
    return { path: path.join(entry, graphFileNames(graph).model), built: true };
  };
  return {
    async find(graph) {
      const entry = path.join(home, graph);
      if (!(await isWhole(entry, graph))) return build(graph);
      return { path: path.join(entry, graphFileNames(graph).model), built: false };
    },
    async rebuild(graph) {
      await discard(path.join(home, graph));
      return build(graph);
    },
  };
}

async function writeSizes(folder: string, graph: string, encoded: EncodedModel): Promise<void> {
  const names = graphFileNames(graph);
  const sizes = {
    [names.model]: encoded.proto.byteLength,
    [names.weights]: encoded.weightsSize,
  };
  await writeFile(path.join(folder, SIZES_FILE), JSON.stringify(sizes));
}

async function isWhole(entry: string, graph: string): Promise<boolean> {
  try {
    const sizes: unknown = JSON.parse(await readFile(path.join(entry, SIZES_FILE), 'utf8'));
    for (const name of Object.values(graphFileNames(graph))) {
      const { size } = await stat(path.join(entry, name));
      if ((sizes as Record<string, unknown>)[name] !== size) return false;
    }
    return true;
  } catch {
    // Missing or unreadable: not whole.
    return false;
  }
}

async function moveIntoPlace(temporary: string, entry: string, graph: string): Promise<void> {
  try {
    await rename(temporary, entry);
  } catch (error) {
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EACCES')) throw error;
    // Another process was quicker; its graph is the same. If it is torn instead, ours replaces it.
    if (await isWhole(entry, graph)) return;
    await discard(entry);
    await rename(temporary, entry);
  }
}

/** Takes an entry out of the way in one step, so that nobody sees half of it. */
async function discard(entry: string): Promise<void> {
  try {
    const grave = await mkdtemp(path.join(path.dirname(entry), '.discarded-'));
    await rename(entry, path.join(grave, 'entry')).catch(ignoreMissing);
    await rm(grave, { recursive: true, force: true });
  } catch (error) {
    ignoreMissing(error);
  }
}

/** Removes what older builders made for this bundle, and what unfinished compilations left. */
async function sweep(bundle: string, home: string, version: number): Promise<void> {
  try {
    for (const name of await readdir(bundle)) {
      const theirs = /-v(\d+)$/.exec(name);
      if (theirs && Number(theirs[1]) < version) {
        await rm(path.join(bundle, name), { recursive: true, force: true });
      }
    }
    for (const name of await readdir(home)) {
      if (!name.startsWith('.')) continue;
      const leftover = path.join(home, name);
      const age = Date.now() - (await stat(leftover)).mtimeMs;
      if (age > ABANDONED_AFTER_MS) await rm(leftover, { recursive: true, force: true });
    }
  } catch {
    // Tidying up is not worth failing for.
  }
}

function forPeople(error: unknown, root: string): unknown {
  if (isCode(error, 'ENOSPC', 'EDQUOT')) {
    return new StudioError(
      'disk-full',
      `There is no room on the disk for the compiled model (${root}). Nothing was lost; free some space and try again.`,
      { cause: error },
    );
  }
  if (isCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST')) {
    return new StudioError(
      'file-unavailable',
      `The compiled model cannot be written to ${root}. Allow writing to that folder, or choose another data folder.`,
      { cause: error },
    );
  }
  return error;
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => error.code === code);
}

function ignoreMissing(error: unknown): void {
  if (!isCode(error, 'ENOENT')) throw error;
}
