/** Address of a picture's pixels. `version` changes with them, so answers can be kept for ever. */
export function fullAddress(image: { readonly id: number; readonly version: string }): string {
  return `/images/${image.id}/full?v=${encodeURIComponent(image.version)}`;
}

/** Address of a picture's thumbnail, at most 256 pixels wide. */
export function thumbAddress(image: { readonly id: number; readonly version: string }): string {
  return `/images/${image.id}/thumb?v=${encodeURIComponent(image.version)}`;
}
