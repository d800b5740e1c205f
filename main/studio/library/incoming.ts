import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeError, StudioError } from '#api/errors';
import { operationOf } from '#pictures/library-text';
import { readPicture } from '#pictures/pictures';
import { parseRecipe, recipeTokens } from '#pictures/recipe';
import { keepPng, savePicture, withTexts } from '../queue/picture-store.ts';
import { modelRef } from '../studio.ts';
import type { Workshop } from '../workshop.ts';
import { makerTitles } from '../models/titles.ts';
import {
  completeText,
  knownParents,
  readOurs,
  rowOf,
  underOwnName,
  type OurPicture,
} from './adopt.ts';
import { putAside } from './aside.ts';
import { importForeign } from './foreign.ts';

/** What became of files that a person brought in. */
export interface Incoming {
  readonly ids: readonly number[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** Brings pictures in, one after the other; each that cannot be read is told with its reason. */
export async function importPictures(shop: Workshop, files: readonly File[]): Promise<Incoming> {
  shop.checkWritable();
  const ids: number[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const file of files) {
    const name = plainName(file.name);
    try {
      ids.push(await importOne(shop, file, name));
    } catch (error) {
      const { code, message } = encodeError(error);
      // These would end every further file the same way.
      if (['disk-full', 'library-unavailable', 'cancelled'].includes(code)) throw error;
      refused.push({ name, reason: message });
    }
  }
  return { ids, refused };
}

async function importOne(shop: Workshop, file: File, name: string): Promise<number> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (name.endsWith('.json')) return importRecipe(shop, new TextDecoder().decode(bytes), name);
  const ours = readOurs(bytes, name);
  if (ours !== null) return importOurs(shop, bytes, ours);
  return importForeign(shop, await decode(bytes, name), name);
}

/** A recipe alone: its tokens become pixels again, with the model that made them. */
async function importRecipe(shop: Workshop, text: string, name: string): Promise<number> {
  const recipe = parseRecipe(text, name);
  const model = await shop.library.findMaker(recipe.model);
  const ref = modelRef(shop, model, recipe.target);
  const request = { model: ref, tokens: [recipeTokens(recipe)] };
  const { images } = await shop.engine.call('decode', request, { signal: shop.closing });
  const [image] = images;
  if (image === undefined) throw new StudioError('internal', 'The engine made no picture.');
  return savePicture(shop, image, {
    recipe,
    modelTitle: model.manifest.title.en,
    operation: operationOf(recipe.source.kind),
    parents: [],
    times: { representation: 0, tokens: 0, pixels: 0 },
    job: null,
  });
}

/** A picture of ours gets its row and its file back; one that is here already is brought to light. */
async function importOurs(shop: Workshop, bytes: Uint8Array, ours: OurPicture): Promise<number> {
  const { history, files } = shop;
  const image = rowOf(shop, ours);
  if (image !== null) {
    const { id } = image;
    if (image.deletedAt !== null) history().changes.restore([id]);
    if (image.file !== 'present') {
      if ((await files.check(image.path)) === 'damaged') await putAside(shop, image.path);
      const saved = await files.write(image.path, bytes);
      history().images.setFile(id, { state: 'present', ...saved });
    }
    shop.events.publish({ kind: 'images', ids: [id] });
    return id;
  }
  // The job that made it was another library's, or the picture was deleted for good since.
  const told = completeText(ours, { newId: shop.newId, createdAt: shop.now() });
  const named = { ...underOwnName(shop, told), job: null };
  // A file without a row that has its place keeps it: it gets its row at the next comparison.
  const free = (await files.check(files.pathOf(named.uid, named.createdAt))) === 'gone';
  const text = free ? named : { ...named, uid: shop.newId() };
  const { recipe, size } = ours;
  const titleOf = await makerTitles(shop);
  return keepPng(shop, withTexts(bytes, recipe, text), {
    recipe,
    text,
    size,
    modelTitle: titleOf(recipe.model.hash),
    operation: text.operation,
    parents: knownParents(shop, text),
    times: text.times,
    job: null,
  });
}

/** Any picture as pixels. The decoder reads files, so that it never has two copies in memory. */
async function decode(bytes: Uint8Array, name: string): ReturnType<typeof readPicture> {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-import-'));
  try {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return await readPicture(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file's name without folders, control characters or tricks; for messages and temporary files. */
function plainName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .replace(/[\p{Cc}\p{Cf}<>:"|?*]/gu, '')
    .replace(/^\.+/, '')
    .slice(-100);
  return plain === '' ? 'picture' : plain;
}
