import type { ImageDetail } from '#api/images';
import type { Manifest } from '#bundle/manifest';
import type { StoredImage } from '#history/types';

/** The class that a picture was asked for, among its recipe's model's; null for "any". */
export function labelOf({ recipe }: StoredImage): number | null {
  return recipe.source.kind === 'sample' ? recipe.source.label : null;
}

/** A picture as windows know it. @param maker the model that made it, where that is here */
export function imageDetail(image: StoredImage, maker: Manifest | undefined): ImageDetail {
  const { uid: _, ...rest } = image;
  const label = labelOf(image);
  return { ...rest, className: label === null ? null : (maker?.classes[label] ?? null) };
}
