import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StudioError } from '#api/errors';
import { THUMBNAIL_EDGES, type ThumbnailEdge } from '#api/settings';
import type { ImageFiles } from './image-files.ts';
import { makeFolder, readWhole, writeAtomic } from './files.ts';

/** Of WebP, 1 to 100. */
const QUALITY = 82;
/** A kept thumbnail that is larger is made again. */
const MAX_BYTES = 1 << 20;
/** Pictures that are scaled at once: one core stays with the engine. */
const AT_ONCE = 2;
const FOLDER = 'thumbs';

/** A picture as thumbnails know it. */
export interface Pictured {
  readonly uid: string;
  readonly version: string;
  readonly path: string;
}

/** Small WebP copies in `thumbs/`, made when first asked for. Deleting them is always safe. */
export interface Thumbnails {
  /**
   * WebP bytes, `edge` pixels at most; one of another edge where the picture itself is gone. A
   * StudioError when there is neither, or the picture is damaged.
   */
  get(picture: Pictured, edge: ThumbnailEdge): Promise<Uint8Array>;
  /** Deletes those of every version of these pictures. */
  remove(uids: readonly string[]): Promise<void>;
}

/**
 * Thumbnails beside the pictures of a library; nothing is read or written yet.
 * @param keep false where nothing may be written
 */
export function openThumbnails(files: ImageFiles, keep = true): Thumbnails {
  const making = new Map<string, Promise<Uint8Array>>();
  const turns = createTurns(AT_ONCE);
  const folderOf = (uid: string) => join(files.folder, FOLDER, uid.slice(0, 2));

  const fileOf = ({ uid, version }: Pictured, edge: ThumbnailEdge) =>
    join(folderOf(uid), `${uid}-${version}${edge === THUMBNAIL_EDGES[0] ? '' : `-${edge}`}.webp`);
  const kept = async (picture: Pictured, edge: ThumbnailEdge): Promise<Uint8Array | null> => {
    const bytes = await readWhole(fileOf(picture, edge), MAX_BYTES).catch(() => null);
    return bytes !== null && isWebp(bytes) ? bytes : null;
  };
  const others = (edge: ThumbnailEdge) => THUMBNAIL_EDGES.filter((other) => other !== edge);

  const make = async (picture: Pictured, edge: ThumbnailEdge): Promise<Uint8Array> => {
    const png = await files.read(picture.path);
    const webp = await scale(png, picture.path, edge);
    if (!keep) return webp;
    const file = fileOf(picture, edge);
    // A thumbnail that cannot be kept is still a thumbnail. Each picture has one, whatever its edge.
    await makeFolder(dirname(file))
      .then(() => writeAtomic(file, webp))
      .then(() =>
        Promise.all(others(edge).map((other) => rm(fileOf(picture, other), { force: true }))),
      )
      .catch(() => undefined);
    return webp;
  };
  /** Where the pixels were given up, the thumbnail that was kept is all there is. */
  const makeOrFind = async (picture: Pictured, edge: ThumbnailEdge): Promise<Uint8Array> => {
    try {
      return await make(picture, edge);
    } catch (error) {
      for (const other of others(edge)) {
        const found = await kept(picture, other);
        if (found !== null) return found;
      }
      throw error;
    }
  };

  return {
    async get(picture, edge) {
      const found = await kept(picture, edge);
      if (found !== null) return found;
      const file = fileOf(picture, edge);
      const running = making.get(file);
      if (running !== undefined) return running;
      const made = turns(() => makeOrFind(picture, edge)).finally(() => making.delete(file));
      making.set(file, made);
      return made;
    },
    async remove(uids) {
      for (const uid of uids) {
        const folder = folderOf(uid);
        const names = await readdir(folder).catch(() => []);
        for (const name of names) {
          if (name.startsWith(`${uid}-`)) await rm(join(folder, name), { force: true });
        }
      }
    },
  };
}

/** sharp works on threads of its own, one for each picture. */
async function scale(png: Uint8Array, path: string, edge: ThumbnailEdge): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  try {
    return await sharp(png, { failOn: 'error' })
      .resize({ width: edge, height: edge, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: QUALITY })
      .toBuffer();
  } catch (cause) {
    throw damagedPicture(path, cause);
  }
}

/** A picture of the library whose file is there and not whole. */
export function damagedPicture(path: string, cause?: unknown): StudioError {
  return new StudioError(
    'picture-unreadable',
    `${path} is damaged. Its recipe is safe: rebuild the picture from its tokens.`,
    { cause },
  );
}

function isWebp(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  return head.startsWith('RIFF') && head.endsWith('WEBP');
}

/**
 * Runs at most `limit` of the works given to it at once, the newest first: it is on screen.
 * @internal
 */
export function createTurns(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.pop()?.();
    }
  };
}
