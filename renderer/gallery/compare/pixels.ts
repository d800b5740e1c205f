/** Fetches a picture of our own origin and reads its pixels, RGBA. */
export async function readPixels(address: string, signal: AbortSignal): Promise<ImageData> {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new TypeError(`No picture: ${response.status}`);
  const bitmap = await createImageBitmap(await response.blob());
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw new Error('This window cannot draw.');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}
