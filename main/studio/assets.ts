import { basename } from 'node:path';
import { StudioError } from '#api/errors';
import type { ThumbnailEdge } from '#api/settings';
import { isWholePng, stripTexts } from '#pictures/png';
import type { Download, Exports } from './library/exports.ts';
import type { Mosaics } from './models/mosaics.ts';
import type { Previews } from './queue/previews.ts';
import type { Replays } from './queue/replays.ts';
import { damagedPicture } from '#pictures/thumbnails';
import type { Workshop } from './workshop.ts';

/** Bytes of a picture, for whoever shows it. */
export interface Asset {
  readonly type: 'image/png' | 'image/webp' | 'application/octet-stream';
  readonly bytes: Uint8Array;
  /** Names the content; null when it changes all the time and must not be kept. */
  readonly etag: string | null;
}

/** Pictures by address, the same in every host. */
export interface Assets {
  /** The asset of a path such as `/images/12/thumb`; null when there is none. */
  get(path: string): Promise<Asset | null>;
  /** The export of a path such as `/exports/1f2e/starter-42.png`; null when there is none. */
  download(path: string): Promise<Download | null>;
}

const IMAGE = /^\/images\/(\d{1,15})\/(full|bare|thumb|thumb-512)$/;
const PREVIEW = /^\/previews\/(\d{1,15})\/(\d{1,6})$/;
const MOSAIC = /^\/mosaics\/([0-9a-f]{64})$/;
const STEP = /^\/steps\/(\d{1,15})\/(\d{1,6})$/;

export function createAssets(
  shop: Workshop,
  {
    previews,
    replays,
    mosaics,
    exports,
  }: {
    readonly previews: Previews;
    readonly replays: Replays;
    readonly mosaics: Mosaics;
    readonly exports: Exports;
  },
): Assets {
  const note = async (id: number, path: string): Promise<void> => {
    const found = await shop.files.check(path);
    if (found !== 'gone' && found !== 'damaged') return;
    shop.history().images.setFile(id, { state: 'missing' });
    shop.events.publish({ kind: 'images', ids: [id] });
  };
  const image = async (id: number, kind: string): Promise<Asset> => {
    const { uid, path, version, file } = shop.history().images.get(id);
    const etag = `"${uid}-${version}-${kind}"`;
    try {
      if (kind.startsWith('thumb')) {
        const edge = edgeFor(kind);
        const bytes = await shop.thumbnails.get({ uid, path, version }, edge);
        return { type: 'image/webp', bytes, etag: `"${uid}-${version}-${edge}"` };
      }
      const png = await shop.files.read(path);
      if (!isWholePng(png)) throw damagedPicture(path);
      const bytes = kind === 'bare' ? stripTexts(png, basename(path)) : png;
      return { type: 'image/png', bytes, etag };
    } catch (error) {
      // Noted, so that every window shows the picture as one that can be rebuilt.
      if (file === 'present') await note(id, path).catch(() => undefined);
      throw error;
    }
  };

  /**
   * A page that does not know the settings yet asks for the small one: it gets what is kept, so that
   * nothing is made to and fro. One that asks for the large one may be ahead of the settings.
   */
  const edgeFor = (kind: string): ThumbnailEdge =>
    kind === 'thumb-512' ? 512 : shop.settings.get().thumbnailEdge;

  const find = async (path: string): Promise<Asset | null> => {
    const [, id, kind = ''] = IMAGE.exec(path) ?? [];
    if (id !== undefined) return image(Number(id), kind);
    const [, job, index] = PREVIEW.exec(path) ?? [];
    if (job !== undefined) {
      const bytes = await previews.get(Number(job), Number(index));
      return bytes && { type: 'image/png', bytes, etag: null };
    }
    const [, hash] = MOSAIC.exec(path) ?? [];
    if (hash !== undefined) {
      const bytes = await mosaics.get(hash);
      return bytes && { type: 'application/octet-stream', bytes, etag: `"mosaic-${hash}"` };
    }
    const [, of, step] = STEP.exec(path) ?? [];
    if (of === undefined) return null;
    const bytes = await replays.stepImage(Number(of), Number(step));
    return bytes && { type: 'image/png', bytes, etag: null };
  };

  return {
    async get(path) {
      try {
        return await find(path);
      } catch (error) {
        const gone = error instanceof StudioError && GONE.includes(error.code);
        if (gone) return null;
        throw error;
      }
    },
    download: (path) => Promise.resolve(exports.open(path)),
  };
}

/** Failures that mean: there is no such picture to be had now. */
const GONE: readonly string[] = ['not-found', 'file-unavailable', 'picture-unreadable'];
