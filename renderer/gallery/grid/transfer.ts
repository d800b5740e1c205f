import type { ImageRow } from '#api/types';
import { fullAddress } from '../../state/addresses.ts';
import { OUR_PICTURES } from '../../state/transfer.ts';
import { fileName } from './cell-words.ts';

/** Puts pictures on a drag: their ids for this window, the first one's file for the world outside. */
export function packPictures(
  data: DataTransfer,
  ids: readonly number[],
  { row, origin }: { readonly row: ImageRow | undefined; readonly origin: string },
): void {
  data.effectAllowed = 'copyMove';
  data.setData(OUR_PICTURES, ids.join(' '));
  if (row === undefined || row.file !== 'present') return;
  const address = `${origin}${fullAddress(row)}`;
  data.setData('DownloadURL', `image/png:${fileName(row)}:${address}`);
  data.setData('text/uri-list', address);
}
