import type { MadeImage } from '#api/images';
import type { Workshop } from '../workshop.ts';

/** Larger thumbnails are left to those who really show them. */
const MOST_BYTES = 16_384;

/**
 * What windows are spared to ask for of a picture that was just kept. Nothing where none is open, or
 * where it cannot be read just now: they ask then.
 */
export async function madeImages(
  { events, history, thumbnails }: Pick<Workshop, 'events' | 'history' | 'thumbnails'>,
  id: number,
): Promise<{ readonly made?: readonly MadeImage[] }> {
  if (events.listeners === 0) return {};
  try {
    const { images } = history();
    const bytes = await thumbnails.get(images.get(id)).catch(() => null);
    const thumb =
      bytes === null || bytes.length > MOST_BYTES
        ? null
        : `data:image/webp;base64,${Buffer.from(bytes).toString('base64')}`;
    return { made: images.rows([id]).map((row) => ({ ...row, thumb })) };
  } catch {
    return {};
  }
}
