import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app } from 'electron';

/** The page that the window shows, and the origin that alone may speak to us. */
export const ORIGIN = 'app://studio';
export const PAGE = `${ORIGIN}/index.html`;

const built = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** What Electron is given when it runs from sources: an argument, and no file of a person. */
export const PROGRAM = built('main/main.js');

/** Compiled, this module is in `out/main`; what it needs is built beside it. */
export const RENDERER = built('renderer');
export const PRELOAD = built('preload/index.cjs');
export const ENGINE = built('worker/entry.js');

/** The licences of what the program is made of. */
export const LICENCES = app.isPackaged
  ? join(process.resourcesPath, 'licences')
  : built('licences');

/**
 * The bundles that came with the program. Packed, they lie beside the archive and not in it: the
 * engine reads ranges of large files, which an archive could only give by copying them out.
 */
export function shipped(): readonly string[] {
  return [
    app.isPackaged ? join(process.resourcesPath, 'models', 'starter') : built('../models/starter'),
  ];
}
