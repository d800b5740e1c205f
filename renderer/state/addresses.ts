import type { ImageRow } from '#api/images';
import type { ThumbnailEdge } from '#api/settings';

/** Address of a picture's pixels. `version` changes with them, so answers can be kept for ever. */
export function fullAddress(image: { readonly id: number; readonly version: string }): string {
  return `/images/${image.id}/full?v=${encodeURIComponent(image.version)}`;
}

/** The same of a picture that may not be read yet, or whose file may be gone: null then. */
export function presentAddress(image: ImageRow | null | undefined): string | null {
  return image?.file === 'present' ? fullAddress(image) : null;
}

/** Address of a picture as it is given away: with its recipe in it, or without. */
export function givenAddress(
  image: { readonly id: number; readonly version: string },
  { recipe }: { readonly recipe: boolean },
): string {
  return recipe
    ? fullAddress(image)
    : `/images/${image.id}/bare?v=${encodeURIComponent(image.version)}`;
}

/**
 * Address of the pixels of a picture of which only the id is known, such as a parent. Without a
 * version the answer may not be kept: the host is asked each time, and says by its ETag whether the
 * pixels are still the same. So it is never out of date, and costs a question.
 */
export function currentAddress(id: number): string {
  return `/images/${id}/full`;
}

/** Address of a picture's thumbnail: it names the edge, so that none of another is shown for it. */
export function thumbAddress(
  image: { readonly id: number; readonly version: string },
  edge: ThumbnailEdge,
): string {
  const kind = edge === 512 ? 'thumb-512' : 'thumb';
  return `/images/${image.id}/${kind}?v=${encodeURIComponent(image.version)}`;
}
