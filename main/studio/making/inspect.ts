import { basename, resolve } from 'node:path';
import type { Recipe } from '#api/recipe';
import { readHead } from '#pictures/files';
import { readPngText } from '#pictures/pictures';
import { isPng } from '#pictures/png';
import { parseRecipe } from '#pictures/recipe';
import type { Methods } from '#worker/protocol';
import type { Studio } from '../studio.ts';

/** What a file holds. */
export type Inspection =
  | { readonly kind: 'png'; readonly recipe: Recipe | null }
  | ({ readonly kind: 'checkpoint' } & Methods['inspect']['result']);

/** Says what a PNG or a checkpoint holds; which of the two is told by its first bytes. */
export async function inspectFile(
  { engine }: Studio,
  file: string,
  signal: AbortSignal,
): Promise<Inspection> {
  if (!isPng(await readHead(file, 8))) {
    const found = await engine.call('inspect', { file: resolve(file) }, { signal });
    return { kind: 'checkpoint', ...found };
  }
  const text = (await readPngText(file))?.recipe ?? null;
  return { kind: 'png', recipe: text === null ? null : parseRecipe(text, basename(file)) };
}
