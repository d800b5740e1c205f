import type { ImageRow } from '#api/images';
import { givenAddress } from './addresses.ts';
import { isRecord } from './is-record.ts';

/** Ids of pictures that are dragged within the window. */
export const OUR_PICTURES = 'application/x-rcg-studio-images';

/** Whether a drag brings pictures of this window. */
export function bringsPictures(data: DataTransfer | null): boolean {
  return data?.types.includes(OUR_PICTURES) ?? false;
}

/** Whether a drag brings files from outside. */
export function bringsFiles(data: DataTransfer | null): boolean {
  return !bringsPictures(data) && (data?.types.includes('Files') ?? false);
}

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
  data.setData('DownloadURL', `image/png:${row.seed}-${row.id}.png:${address}`);
  data.setData('text/uri-list', address);
}

/** The ids that a drag brought. */
export function unpackPictures(data: DataTransfer | null): readonly number[] {
  const ids = (data?.getData(OUR_PICTURES) ?? '').split(' ').map(Number);
  return ids.filter((id) => Number.isSafeInteger(id) && id > 0);
}

/** What a paste offers: files, and its text. */
export type Pasted = Pick<DataTransfer, 'getData'> & { readonly files: Iterable<File> };

/** Pictures of a paste, or the text of a recipe as a file; nothing for any other text. */
export function pastedFiles(data: Pasted | null): readonly File[] {
  if (data === null) return [];
  const files = [...data.files];
  if (files.length > 0) return files;
  const text = data.getData('text/plain').trim();
  return isRecipe(text) ? [new File([text], 'recipe.json', { type: 'application/json' })] : [];
}

/** Whether a text looks like a recipe; the studio judges whether it is a sound one. */
function isRecipe(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && 'tokens' in value && 'model' in value;
  } catch {
    return false;
  }
}

/** Saves what is at an address of our own, as the browser saves files. */
export function saveAddress(address: string, name: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
}

/** Puts a picture of our own address on the clipboard, as a PNG. */
export async function copyPicture(address: string): Promise<void> {
  const picture = fetch(address).then((response) => {
    if (!response.ok) throw new TypeError(`No picture: ${response.status}`);
    return response.blob();
  });
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
}
