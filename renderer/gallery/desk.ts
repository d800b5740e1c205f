import { copyPicture, saveAddress } from '../state/transfer.ts';
import { readPixels } from './compare/pixels.ts';
import type { Desk } from './gallery.svelte.ts';

const PATIENCE_MS = 20_000;

/** The page as the gallery's desk. */
export function pageDesk(): Desk {
  return {
    save: saveAddress,
    copyPicture,
    readPixels: (address) => readPixels(address, AbortSignal.timeout(PATIENCE_MS)),
  };
}
