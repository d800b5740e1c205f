import type { ImageRow } from '#api/types';
import { fullAddress } from '../../state/addresses.ts';
import { fileName } from './cell-words.ts';

/** Ids of pictures that are dragged within the window. */
const OURS = 'application/x-rcg-studio-images';

/** Puts pictures on a drag: their ids for this window, the first one's file for the world outside. */
export function packPictures(
  data: DataTransfer,
  ids: readonly number[],
  { row, origin }: { readonly row: ImageRow | undefined; readonly origin: string },
): void {
  data.effectAllowed = 'copyMove';
  data.setData(OURS, ids.join(' '));
  if (row === undefined || row.file !== 'present') return;
  const address = `${origin}${fullAddress(row)}`;
  data.setData('DownloadURL', `image/png:${fileName(row)}:${address}`);
  data.setData('text/uri-list', address);
}

/** Whether a drag brings pictures of this window. */
export function bringsPictures(data: DataTransfer | null): boolean {
  return data?.types.includes(OURS) ?? false;
}

/** Whether a drag brings files from outside. */
export function bringsFiles(data: DataTransfer | null): boolean {
  return !bringsPictures(data) && (data?.types.includes('Files') ?? false);
}

/** The ids that a drag brought. */
export function unpackPictures(data: DataTransfer | null): readonly number[] {
  const ids = (data?.getData(OURS) ?? '').split(' ').map(Number);
  return ids.filter((id) => Number.isSafeInteger(id) && id > 0);
}
