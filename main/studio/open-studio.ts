import { type Assembly, type OpenStudioOptions } from './assembly.ts';
import { follow } from './follow.ts';
import { assembleAnyhow, createKeeper, type LibraryKeeper } from './library/keeper.ts';

export type { OpenStudioOptions } from './assembly.ts';

/** An open studio: what every host serves. Its parts stay good when the library is opened again. */
export interface OpenStudio extends Omit<Assembly, 'reindex'> {
  readonly library: LibraryKeeper;
}

/**
 * Opens a studio on a library. A library that is newer, locked, read-only, damaged or not to be
 * reached gives a studio too: its `state` says why, nothing of the library is changed, and what
 * needs it is refused.
 */
export async function openStudio(options: OpenStudioOptions): Promise<OpenStudio> {
  let current = await assembleAnyhow(options);
  const library = createKeeper(options, {
    current: () => current,
    replace: (next) => {
      current = next;
    },
  });
  return {
    shop: follow(() => current.shop),
    queue: follow(() => current.queue),
    gallery: follow(() => current.gallery),
    models: follow(() => current.models),
    mosaics: follow(() => current.mosaics),
    replays: follow(() => current.replays),
    exports: follow(() => current.exports),
    assets: {
      get: async (path) => {
        await library.settled();
        return current.assets.get(path);
      },
      download: async (path) => {
        await library.settled();
        return current.assets.download(path);
      },
    },
    engines: follow(() => current.engines),
    library,
    get state() {
      return current.state;
    },
    get ready() {
      return current.ready;
    },
    get trusted() {
      return current.trusted;
    },
    status: () => current.status(),
    summary: () => current.summary(),
    session: () => current.session(),
    doctor: () => current.doctor(),
    configure: (change) => current.configure(change),
    backup: () => current.backup(),
    emptyBin: () => current.emptyBin(),
    events: (signal) => current.events(signal),
    close: () => library.close(),
  };
}
