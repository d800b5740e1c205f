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
import { completeText, knownParents, readOurs, type OurPicture } from './adopt.ts';
import { importForeign } from './foreign.ts';

/** What became of files that a person brought in. */
export interface Incoming {
  readonly ids: readonly number[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** Brings pictures in, one after the other; each that cannot be read is told with its reason. */
export async function importPictures(shop: Workshop, files: readonly File[]): Promise<Incoming> {
  shop.history();
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
  const known = ours.text === null ? null : history().images.byUid(ours.text.uid);
  if (known !== null) {
    const image = history().images.get(known);
    if (image.deletedAt !== null) history().changes.restore([known]);
    if (image.file !== 'present') {
      const saved = await files.write(image.path, bytes);
      history().images.setFile(known, { state: 'present', ...saved });
    }
    shop.events.publish({ kind: 'images', ids: [known] });
    return known;
  }
  // The job that made it was another library's, or the picture was deleted for good since.
  const text = { ...completeText(ours, { newId: shop.newId, createdAt: shop.now() }), job: null };
  const { recipe, size } = ours;
  const models = await shop.library.list();
  const maker = models.find(
    (model) => model.state === 'ready' && model.manifest.hash === recipe.model.hash,
  );
  return keepPng(shop, withTexts(bytes, recipe, text), {
    recipe,
    text,
    size,
    modelTitle: maker?.state === 'ready' ? maker.manifest.title.en : null,
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
