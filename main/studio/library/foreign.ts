import { StudioError } from '#api/errors';
import type { StoredImage } from '#history/types';
import { cropSquare } from '#pictures/pictures';
import { makeRecipe } from '#pictures/recipe';
import type { RgbImage } from '#worker/protocol';
import { requireNetworks } from '../making/plan.ts';
import { savePicture, type Kept } from '../queue/picture-store.ts';
import type { InstalledModel } from '../models/installed.ts';
import { modelRef } from '../studio.ts';
import type { Workshop } from '../workshop.ts';

/** Whether a picture came from elsewhere: its tokens are what was seen, not what was made. */
export function isForeign({
  operation,
  recipe,
}: Pick<StoredImage, 'operation' | 'recipe'>): boolean {
  return operation === 'import' && recipe.source.kind === 'picture';
}

/** The model of the settings, if it can take in pictures that no RCG made. */
export async function encoderOf({ library, settings }: Workshop): Promise<InstalledModel> {
  const model = await library.find(settings.get().model);
  requireNetworks(model.manifest, ['encoder', 'mage', 'vqgan']);
  return model;
}

/**
 * Takes in a picture that no RCG made, with the model of the settings: its centre as the model sees
 * it, the representation of the whole, and the tokens that come nearest to it.
 */
export async function importForeign(shop: Workshop, image: RgbImage, name: string): Promise<Kept> {
  const model = await encoderOf(shop);
  const ref = modelRef(shop, model, shop.settings.get().target);
  const options = { signal: shop.closing };
  const opened = await shop.engine.call('open', ref, options);
  const square = await cropSquare(image, opened.sizes.imageSize);
  const encoded = await shop.engine.call('encode', { model: ref, images: [image] }, options);
  const read = await shop.engine.call('tokenize', { model: ref, images: [square] }, options);
  const [representation] = encoded.representations;
  const [tokens] = read.tokens;
  if (representation === undefined || tokens === undefined) {
    throw new StudioError('internal', 'The engine answered without a representation.');
  }
  const { recommended } = model.manifest;
  const times = { representation: 0, tokens: 0, pixels: 0 };
  const recipe = makeRecipe(
    {
      index: 0,
      seed: 0,
      label: null,
      representation,
      tokens,
      image: square.data,
      size: square.width,
      times,
    },
    {
      software: shop.software,
      model: model.manifest,
      target: opened.target,
      source: { kind: 'picture', name },
      decoding: {
        steps: recommended.steps,
        temperature: recommended.temperature,
        guidance: recommended.guidance,
        schedule: recommended.schedule,
      },
    },
  );
  return savePicture(shop, square, {
    recipe,
    modelTitle: model.manifest.title.en,
    operation: 'import',
    parents: [],
    times,
    job: null,
  });
}
