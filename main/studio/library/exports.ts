import { openAsBlob } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StudioError } from '#api/errors';
import type { StoredImage } from '#history/types';
import { fileError } from '#pictures/files';
import { stripTexts } from '#pictures/png';
import { writeZip, type ZipEntry } from '#pictures/zip-writer';
import type { Workshop } from '../workshop.ts';

const FOLDER = 'exports';

/** Hands out pictures as files. */
export interface Exports {
  /** One PNG, or a ZIP of several. What has no file is left out; nothing at all is an error. */
  make(ids: readonly number[], metadata: boolean): Promise<File>;
  /** Deletes what earlier exports left. */
  clear(): Promise<void>;
}

export function createExports(shop: Workshop): Exports {
  const folder = join(shop.home.cache, FOLDER);

  const read = async (image: StoredImage, metadata: boolean): Promise<Uint8Array> => {
    const png = await shop.files.read(image.path);
    return metadata ? png : stripTexts(png, basename(image.path));
  };

  async function* entries(ids: readonly number[], metadata: boolean): AsyncGenerator<ZipEntry> {
    const names = new Map<string, number>();
    for (const id of ids) {
      const image = present(shop, id);
      if (image === null) continue;
      const bytes = await read(image, metadata).catch(() => null);
      if (bytes === null) continue;
      yield { name: unique(names, exportName(image)), bytes, time: image.createdAt };
    }
  }

  return {
    async make(ids, metadata) {
      const [only] = ids;
      if (ids.length === 1 && only !== undefined) {
        const image = shop.history().images.get(only);
        const png = await read(image, metadata);
        return new File([Buffer.from(png)], `${exportName(image)}.png`, { type: 'image/png' });
      }
      const path = join(folder, `${shop.newId()}.zip`);
      try {
        await mkdir(folder, { recursive: true });
        const { entries: count } = await writeZip(path, entries(ids, metadata));
        if (count === 0) throw gone();
        const blob = await openAsBlob(path, { type: 'application/zip' });
        return new File([blob], `rcg-studio-${count}.zip`, { type: 'application/zip' });
      } catch (error) {
        await rm(path, { force: true }).catch(() => undefined);
        throw fileError(error, 'write', path);
      }
    },
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

function present({ history }: Workshop, id: number): StoredImage | null {
  try {
    return history().images.get(id);
  } catch (error) {
    if (error instanceof StudioError && error.code === 'not-found') return null;
    throw error;
  }
}

function gone(): StudioError {
  return new StudioError(
    'file-unavailable',
    'None of these pictures has a file now. Rebuild them from their tokens, then export.',
  );
}

/** `starter-42`: the model and the seed, as the command line names files. */
function exportName({ recipe }: StoredImage): string {
  return `${recipe.model.id.replace(/[^a-z0-9.-]/g, '')}-${recipe.seed}`;
}

function unique(names: Map<string, number>, name: string): string {
  const used = names.get(name) ?? 0;
  names.set(name, used + 1);
  return used === 0 ? `${name}.png` : `${name}-${used + 1}.png`;
}
