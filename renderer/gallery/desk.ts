import { copyPicture, saveAddress } from '../state/transfer.ts';
import { readPixels } from './compare/pixels.ts';
import type { Desk } from './gallery.svelte.ts';

const KEY = 'gallery.look';
const PATIENCE_MS = 20_000;

/** The page as the gallery's desk. */
export function pageDesk(): Desk {
  return {
    look: {
      get: () => stored(() => localStorage.getItem(KEY)),
      set: (text) => void stored(() => localStorage.setItem(KEY, text)),
    },
    save: saveAddress,
    copyPicture,
    readPixels: (address) => readPixels(address, AbortSignal.timeout(PATIENCE_MS)),
  };
}

/** A private window may refuse its store: the look is then the usual one. */
function stored<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}
