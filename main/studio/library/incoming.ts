import { StudioError } from '#api/errors';
import type { Recipe } from '#api/recipe';
import type { ImportResult, Refusal } from '#api/exchange';
import { operationOf } from '#pictures/library-text';
import { recipeTokens } from '#pictures/recipe';
import { keepPng, savePicture, withTexts, type Kept } from '../queue/picture-store.ts';
import { modelRef } from '../studio.ts';
import type { Workshop } from '../workshop.ts';
import { makerTitles } from '../models/titles.ts';
import { completeText, knownParents, rowOf, underOwnName, type OurPicture } from './adopt.ts';
import { putAside } from './aside.ts';
import { importForeign } from './foreign.ts';
import { plainName, readIncoming, refusalOf, type IncomingFile } from './incoming-files.ts';

/** A picture that came in. */
interface Brought extends Pick<Kept, 'id' | 'changed'> {
  /** It was not in the library, or lay in the bin. */
  readonly fresh: boolean;
}

/**
 * Brings pictures in, one after the other; each that cannot be read is told with its reason. All of
 * it is one step of undo, with what came in the step `into` before.
 */
export async function importPictures(
  shop: Workshop,
  files: readonly File[],
  into?: number,
): Promise<ImportResult> {
  shop.checkWritable();
  const { changes } = shop.history();
  const brought: Brought[] = [];
  const refused: Refusal[] = [];
  try {
    for (const file of files) {
      const name = plainName(file.name);
      try {
        const one = await importOne(shop, await readIncoming(file, name));
        brought.push(one);
        shop.events.publish({ kind: 'images', ids: one.changed });
      } catch (error) {
        refused.push(refusalOf(error, name));
      }
    }
  } finally {
    const fresh = brought.filter((one) => one.fresh).map(({ id }) => id);
    changes.recordImport(fresh, into);
    if (brought.length > 0) shop.events.publish({ kind: 'images', ids: idsOf(brought) });
  }
  return { ids: idsOf(brought), refused, undo: changes.state() };
}

const idsOf = (brought: readonly Brought[]): readonly number[] => brought.map(({ id }) => id);

async function importOne(shop: Workshop, file: IncomingFile): Promise<Brought> {
  switch (file.kind) {
    case 'recipe':
      return { ...(await importRecipe(shop, file.recipe)), fresh: true };
    case 'ours':
      return importOurs(shop, file.bytes, file.ours);
    case 'foreign':
      return { ...(await importForeign(shop, file.image, file.name)), fresh: true };
  }
}

/** A recipe alone: its tokens become pixels again, with the model that made them. */
async function importRecipe(shop: Workshop, recipe: Recipe): Promise<Kept> {
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
async function importOurs(shop: Workshop, bytes: Uint8Array, ours: OurPicture): Promise<Brought> {
  const { history, files } = shop;
  const image = rowOf(shop, ours);
  if (image !== null) {
    const { id } = image;
    if (image.file !== 'present') {
      if ((await files.check(image.path)) === 'damaged') await putAside(shop, image.path);
      const saved = await files.write(image.path, bytes);
      history().images.setFile(id, { state: 'present', ...saved });
    }
    return { id, changed: [id], fresh: image.deletedAt !== null };
  }
  // The job that made it was another library's, or the picture was deleted for good since.
  const told = completeText(ours, { newId: shop.newId, createdAt: shop.now() });
  const named = { ...underOwnName(shop, told), job: null };
  // A file without a row that has its place keeps it: it gets its row at the next comparison.
  const free = (await files.check(files.pathOf(named.uid, named.createdAt))) === 'gone';
  const text = free ? named : { ...named, uid: shop.newId() };
  const { recipe, size } = ours;
  const titleOf = await makerTitles(shop);
  const kept = await keepPng(shop, withTexts(bytes, recipe, text), {
    recipe,
    text,
    size,
    modelTitle: titleOf(recipe.model.hash),
    operation: text.operation,
    parents: knownParents(shop, text),
    times: text.times,
    job: null,
  });
  return { ...kept, fresh: true };
}
