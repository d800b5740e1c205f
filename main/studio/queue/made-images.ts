import type { MadeImage } from '#api/images';
import type { Manifest } from '#bundle/manifest';
import { imageDetail } from '../detail.ts';
import type { Workshop } from '../workshop.ts';
import type { Kept } from './picture-store.ts';

/** Larger thumbnails are left to those who really show them. */
const MOST_BYTES = 16_384;

/**
 * What windows are spared to ask for of a picture that was just kept. Nothing where none is open, or
 * where it cannot be read just now: they ask then.
 */
export async function madeImages(
  {
    events,
    history,
    thumbnails,
    settings,
  }: Pick<Workshop, 'events' | 'history' | 'thumbnails' | 'settings'>,
  kept: Kept,
  maker: Manifest,
): Promise<{ readonly made?: readonly MadeImage[] }> {
  if (events.listeners === 0) return {};
  try {
    const bytes = await thumbnails.get(kept, settings.get().thumbnailEdge).catch(() => null);
    const thumb =
      bytes === null || bytes.length > MOST_BYTES
        ? null
        : `data:image/webp;base64,${Buffer.from(bytes).toString('base64')}`;
    return { made: [{ ...imageDetail(history().images.get(kept.id), maker), thumb }] };
  } catch {
    return {};
  }
}
