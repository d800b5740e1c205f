import type { ImageRow } from '#api/types';
import { givenAddress } from '../../state/addresses.ts';
import { OUR_PICTURES } from '../../state/transfer.ts';
import { fileName } from './cell-words.ts';

/** The picture whose file a drag offers to other programs. */
interface OutsideFile {
  readonly row: ImageRow | undefined;
  readonly origin: string;
  /** Whether the file keeps its recipe. */
  readonly recipe: boolean;
}

/** Puts pictures on a drag: their ids for this window, the first one's file for the world outside. */
export function packPictures(
  data: DataTransfer,
  ids: readonly number[],
  { row, origin, recipe }: OutsideFile,
): void {
  data.effectAllowed = 'copyMove';
  data.setData(OUR_PICTURES, ids.join(' '));
  if (row === undefined || row.file !== 'present') return;
  const address = `${origin}${givenAddress(row, { recipe })}`;
  data.setData('DownloadURL', `image/png:${fileName(row)}:${address}`);
  data.setData('text/uri-list', address);
}
