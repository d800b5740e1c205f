import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { encodeError, StudioError } from '#api/errors';
import { reasonText, type Reason } from '#api/reasons';
import type { ExportResult } from '#api/exchange';
import type { StoredImage } from '#history/types';
import { fileError } from '#pictures/files';
import { readText, RECIPE_KEYWORD, stripTexts } from '#pictures/png';
import { writeZip, type ZipEntry } from '#pictures/zip-writer';
import type { Replays } from '../queue/replays.ts';
import type { Workshop } from '../workshop.ts';
import { isForeign } from './foreign.ts';

const FOLDER = 'exports';
/** An export that nobody fetches is deleted after this. */
const KEPT_MS = 15 * 60_000;

export interface ExportOptions {
  /** Whether the pictures keep their recipes. */
  readonly metadata: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** An export that waits to be fetched. */
export interface Download {
  readonly name: string;
  readonly type: 'image/png' | 'application/zip';
  readonly bytes: number;
  /** Both ends are inclusive. When the last byte was read, the file is deleted. */
  read(start: number, end: number): ReadableStream<Uint8Array>;
}

/** Hands out pictures as files. */
export interface Exports {
  /**
   * One PNG, or a ZIP of several. What has no whole file is made again from its tokens; what cannot
   * be made is left out with its reason. Nothing at all is an error.
   */
  make(ids: readonly number[], options: ExportOptions): Promise<ExportResult>;
  /**
   * Paths of plain files for other programs, kept for a while, of those of the pictures that have a
   * whole one: nothing is made again, because a person holds them in the hand meanwhile.
   */
  copies(ids: readonly number[], options: ExportOptions): Promise<readonly string[]>;
  /** The export of an address such as `/exports/1f2e/starter-42.png`; null when there is none. */
  open(path: string): Download | null;
  /** Deletes what earlier exports left. */
  clear(): Promise<void>;
}

type LeftOut = ExportResult['leftOut'][number];

export function createExports(shop: Workshop, replays: Pick<Replays, 'png'>): Exports {
  const folder = join(shop.home.cache, FOLDER);
  const waiting = new Map<string, Download>();
  /** Files of this studio, the one that is being written too. */
  const ours = new Set<string>();

  /** A picture's bytes, or why there are none. */
  const bytesOf = async (id: number, metadata: boolean) => {
    const image = present(shop, id);
    if (image === null) return why('export-gone');
    const png = (await wholeFile(shop, image)) ?? (await again(image));
    if ('code' in png) return png;
    return { image, bytes: metadata ? png : stripTexts(png, basename(image.path)) };
  };
  const again = async (image: StoredImage): Promise<Uint8Array | Reason> => {
    // Tokens of a picture from elsewhere are what was seen of it: it would be another picture.
    if (isForeign(image)) return why('export-foreign');
    try {
      return await replays.png(image);
    } catch (error) {
      const { code } = encodeError(error);
      if (code === 'cancelled' || code === 'library-unavailable') throw error;
      const model = image.modelTitle ?? image.recipe.model.id;
      return code === 'model-not-found' ? why('export-no-model', { model }) : why('export-failed');
    }
  };
  async function* entries(
    ids: readonly number[],
    leftOut: LeftOut[],
    { metadata, signal }: ExportOptions,
  ): AsyncGenerator<ZipEntry> {
    const used = new Set<string>();
    for (const id of ids) {
      signal?.throwIfAborted();
      const found = await bytesOf(id, metadata);
      if ('code' in found) leftOut.push({ id, reason: found });
      else {
        const { image, bytes } = found;
        yield { name: unique(used, exportName(image)), bytes, time: image.createdAt };
      }
    }
  }

  /** What is held open cannot be deleted everywhere; the next start clears the folder. */
  const discard = async (uid: string): Promise<void> => {
    await rm(join(folder, uid), { recursive: true, force: true }).catch(() => undefined);
    ours.delete(uid);
  };

  /** Lets a finished file be fetched, for a while. */
  const offer = async (
    uid: string,
    { name, type }: Pick<Download, 'name' | 'type'>,
  ): Promise<Pick<ExportResult, 'address' | 'name' | 'bytes'>> => {
    const file = join(folder, uid);
    const { size: bytes } = await stat(file);
    const address = `/${FOLDER}/${uid}/${name}`;
    const remove = (): void => {
      clearTimeout(timer);
      waiting.delete(address);
      void discard(uid);
    };
    const timer = setTimeout(remove, KEPT_MS).unref();
    const read: Download['read'] = (start, end) => {
      const stream = createReadStream(file, { start, end });
      if (end === bytes - 1) stream.once('end', remove);
      return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
    };
    waiting.set(address, { name, type, bytes, read });
    return { address, name, bytes };
  };

  return {
    async make(ids, options) {
      const uid = shop.newId();
      const file = join(folder, uid);
      const leftOut: LeftOut[] = [];
      ours.add(uid);
      try {
        await mkdir(folder, { recursive: true });
        const all = entries(ids, leftOut, options);
        if (ids.length === 1) {
          const { value } = await all.next();
          if (value === undefined) throw nothing(leftOut);
          await writeFile(file, value.bytes);
          const offered = await offer(uid, { name: value.name, type: 'image/png' });
          return { ...offered, exported: 1, leftOut };
        }
        const { entries: exported } = await writeZip(file, all);
        if (exported === 0) throw nothing(leftOut);
        const name = `rcg-studio-${exported}.zip`;
        const offered = await offer(uid, { name, type: 'application/zip' });
        return { ...offered, exported, leftOut };
      } catch (error) {
        await discard(uid);
        if (options.signal?.aborted === true) {
          throw new StudioError('cancelled', 'The export was cancelled; nothing was changed.');
        }
        throw fileError(error, 'write', file);
      }
    },
    async copies(ids, { metadata }) {
      const uid = shop.newId();
      const into = join(folder, uid);
      const used = new Set<string>();
      const copies: string[] = [];
      ours.add(uid);
      try {
        await mkdir(into, { recursive: true });
        for (const id of ids) {
          const image = present(shop, id);
          const png = image && (await wholeFile(shop, image));
          if (image === null || png === null) continue;
          const copy = join(into, unique(used, exportName(image)));
          await writeFile(copy, metadata ? png : stripTexts(png, basename(image.path)));
          copies.push(copy);
        }
      } catch (error) {
        await discard(uid);
        throw fileError(error, 'write', into);
      }
      setTimeout(() => void discard(uid), KEPT_MS).unref();
      return copies;
    },
    open: (path) => waiting.get(path) ?? null,
    async clear() {
      const names = await readdir(folder).catch(() => []);
      const left = names.filter((name) => !ours.has(name));
      await Promise.all(
        left.map((name) => rm(join(folder, name), { recursive: true, force: true })),
      );
    },
  };
}

function why(code: Reason['code'], values: Reason['values'] = {}): Reason {
  return { code, values };
}

function present({ history }: Workshop, id: number): StoredImage | null {
  try {
    return history().images.get(id);
  } catch (error) {
    if (error instanceof StudioError && error.code === 'not-found') return null;
    throw error;
  }
}

/** The file of a picture; null when it is not there or not as it was written. */
async function wholeFile({ files }: Workshop, { path }: StoredImage): Promise<Uint8Array | null> {
  try {
    const png = await files.read(path);
    // Reads every chunk with its checksum.
    readText(png, RECIPE_KEYWORD, basename(path));
    return png;
  } catch (error) {
    const { code } = encodeError(error);
    if (code === 'file-unavailable' || code === 'picture-unreadable') return null;
    throw error;
  }
}

function nothing(leftOut: readonly LeftOut[]): StudioError {
  const reason = leftOut[0]?.reason;
  const why = reason === undefined ? '' : ` ${reasonText(reason)}`;
  return new StudioError('file-unavailable', `Nothing was exported.${why}`, { reason });
}

/** `starter-42`: the model and the seed, as the command line names files. */
function exportName({ recipe }: StoredImage): string {
  return `${recipe.model.id.replace(/[^a-z0-9.-]/g, '')}-${recipe.seed}`;
}

function unique(used: Set<string>, name: string): string {
  let free = name;
  for (let copy = 2; used.has(free); copy++) free = `${name}-${copy}`;
  used.add(free);
  return `${free}.png`;
}
