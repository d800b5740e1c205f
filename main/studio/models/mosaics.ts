import { join } from 'node:path';
import { PATCH_BYTES } from '#engine/mosaic';
import { makeFolder, readWhole, writeAtomic } from '#pictures/files';
import { modelRef, type Engine } from '../studio.ts';
import type { Workshop } from '../workshop.ts';

/** Grows when tables are made in another way: old files are then made again. */
const VERSION = 1;
const MAX_BYTES = 16 * 2 ** 20;

/** Tables of what each code of a model looks like (engine/mosaic), made when nobody waits. */
export interface Mosaics {
  /**
   * Address of a model's table; null while there is none. It is then made as soon as the engine has
   * nothing to do, and windows hear of it as a change of the models.
   */
  ask(id: string): Promise<{ readonly address: string | null }>;
  /** The table of the model with these weights, u8 [K,4,4,3]; null when there is none. */
  get(hash: string): Promise<Uint8Array | null>;
  /** Waits for tables that are being made or written; the shop's `closing` ends the making. */
  close(): Promise<void>;
}

/** @param engine for work that gives way to everything else */
export function createMosaics(shop: Workshop, engine: Engine): Mosaics {
  const made = new Map<string, Uint8Array>();
  const making = new Map<string, Promise<void>>();
  const fileOf = (hash: string): string => join(shop.home.cache, hash, `mosaic-v${VERSION}.bin`);

  const find = async (hash: string, codes?: number): Promise<Uint8Array | null> => {
    const known = made.get(hash);
    if (known !== undefined) return known;
    const bytes = await readWhole(fileOf(hash), MAX_BYTES).catch(() => null);
    // Anything else than whole patches is no table: it is made again.
    if (bytes === null || bytes.length === 0 || bytes.length % PATCH_BYTES !== 0) return null;
    if (codes !== undefined && bytes.length !== codes * PATCH_BYTES) return null;
    made.set(hash, bytes);
    return bytes;
  };
  const make = async (id: string): Promise<void> => {
    const model = await shop.library.find(id);
    const ref = modelRef(shop, model, shop.settings.get().target);
    const { patches } = await engine.call('mosaic', { model: ref }, { signal: shop.closing });
    const { hash } = model.manifest;
    made.set(hash, patches);
    shop.events.publish({ kind: 'models' });
    await makeFolder(join(shop.home.cache, hash));
    await writeAtomic(fileOf(hash), patches);
  };

  return {
    async ask(id) {
      const { manifest } = await shop.library.find(id);
      const { hash, networks } = manifest;
      if ((await find(hash, networks.vqgan?.codes)) !== null) {
        return { address: `/mosaics/${hash}?v=${VERSION}` };
      }
      if (networks.vqgan !== undefined && !making.has(hash)) {
        // Pictures come without it too; whoever asks next tries again.
        const table = make(id)
          .catch(() => undefined)
          .finally(() => making.delete(hash));
        making.set(hash, table);
      }
      return { address: null };
    },
    get: (hash) => find(hash),
    async close() {
      await Promise.all(making.values());
    },
  };
}
