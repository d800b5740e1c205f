import { basename } from 'node:path';
import { nativeImage, type WebContents } from 'electron';
import { z } from 'zod';
import { encodeError, StudioError, type WireError } from '#api/errors';
import { rowId } from '#api/ids';
import type { OpenStudio } from '#studio/open-studio';

/** What the page asks for: the pictures, and whether their files keep their recipes. */
const asked = z.tuple([z.array(rowId).min(1).max(100), z.boolean()]);
/** Pixels of what hangs at the pointer. */
const ICON = 96;

/** The names of the files that are dragged now, or why there are none. */
export interface DraggedFiles {
  readonly names: readonly string[];
  readonly failure: Pick<WireError, 'code' | 'message'> | null;
}

/**
 * Begins a drag of files out of a page. A browser's own drag takes one file at most; the system's
 * takes many, and has to begin while the button is still held.
 */
export async function dragOut(
  sender: WebContents,
  studio: Pick<OpenStudio, 'exports' | 'library'>,
  input: readonly unknown[],
): Promise<DraggedFiles> {
  try {
    const { success, data } = asked.safeParse(input);
    if (!success)
      throw new StudioError('invalid-request', 'One to a hundred pictures leave in one drag.');
    const [ids, metadata] = data;
    await studio.library.settled();
    const files = await studio.exports.copies(ids, { metadata });
    const [file] = files;
    if (file === undefined) return { names: [], failure: null };
    const icon = nativeImage.createFromPath(file).resize({ width: ICON });
    // The page hears the names first: on some systems the call lasts as long as the drag.
    setImmediate(() => {
      if (!sender.isDestroyed()) sender.startDrag({ file, files: [...files], icon });
    });
    return { names: files.map((path) => basename(path)), failure: null };
  } catch (error) {
    const { code, message } = encodeError(error);
    return { names: [], failure: { code, message } };
  }
}
