import type { ImageRow } from '#api/images';
import type { App } from '../state/app.svelte.ts';
import { packPictures } from '../state/transfer.ts';

/** Lets a picture of this view be dragged onto the recipe, and out of the window as its file. */
export function dragPicture(
  { settings }: Pick<App, 'settings'>,
  event: DragEvent,
  row: ImageRow,
): void {
  if (event.dataTransfer === null) return;
  const recipe = settings.value.exportMetadata !== 'none';
  packPictures(event.dataTransfer, [row.id], { row, origin: window.location.origin, recipe });
}
