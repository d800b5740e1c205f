import { basename } from 'node:path';
import { StudioError } from '#api/errors';
import { LIMITS } from '#api/recipe';
import type { Manifest } from '#bundle/manifest';
import { readWhole } from '#pictures/files';
import { isNpy, MAX_NPY_BYTES, parseNpy, representationsOf } from '#pictures/npy';
import { readPicture, readPngText } from '#pictures/pictures';
import { parseRecipe, recipeRepresentation } from '#pictures/recipe';
import type { ModelRef, RgbImage } from '#worker/protocol';
import type { Engine } from '../studio.ts';
import { wholeNumber } from './numbers.ts';
import { requireNetworks } from './plan.ts';

/** Something that a representation can be had of. `name` is what recipes call it. */
export type Endpoint =
  | { readonly kind: 'seed'; readonly name: string; readonly seed: number }
  | { readonly kind: 'picture'; readonly name: string; readonly image: RgbImage }
  | { readonly kind: 'representation'; readonly name: string; readonly values: Float32Array };

/**
 * Reads one end of an interpolation: a seed, an .npy with one representation, a picture of ours
 * (which carries its representation, good for the model that made it), or any other picture.
 */
export async function readEndpoint(given: string, manifest: Manifest): Promise<Endpoint> {
  if (/^[+-]?[\d.]+$/.test(given)) {
    const seed = wholeNumber('seed', given, LIMITS.seed);
    return { kind: 'seed', name: `seed ${seed}`, seed };
  }
  const name = basename(given);
  if (given.toLowerCase().endsWith('.npy')) {
    const [values, ...others] = await readRepresentations(given, manifest);
    if (values === undefined || others.length > 0) {
      throw new StudioError(
        'invalid-request',
        `${name} holds ${others.length + 1} representations; an end of an interpolation is one.`,
      );
    }
    return { kind: 'representation', name, values };
  }
  const text = (await readPngText(given).catch(ignoreForeign))?.recipe ?? null;
  if (text !== null) {
    const recipe = parseRecipe(text, name);
    if (recipe.model.hash === manifest.hash) {
      return { kind: 'representation', name, values: recipeRepresentation(recipe) };
    }
  }
  requireNetworks(manifest, ['encoder']);
  return { kind: 'picture', name, image: await readPicture(given) };
}

/** A PNG that is not quite whole may still be readable as a picture; the decoder has the say. */
function ignoreForeign(error: unknown): null {
  if (error instanceof StudioError && error.code === 'picture-unreadable') return null;
  throw error;
}

/** Representations f32 [D] of an .npy file, one a row. */
export async function readRepresentations(
  path: string,
  manifest: Manifest,
): Promise<readonly Float32Array[]> {
  const name = basename(path);
  const bytes = await readWhole(path, MAX_NPY_BYTES);
  if (!isNpy(bytes)) {
    throw new StudioError('invalid-request', `${name} is not an .npy file; write one with encode.`);
  }
  const { rdm, mage, encoder } = manifest.networks;
  const length = mage?.representation ?? encoder?.representation ?? rdm?.representation ?? 0;
  return representationsOf(parseNpy(bytes, name), length, name);
}

/** How the representations of seeds are to be drawn. */
export interface Drawing {
  readonly rdmSteps: number;
  readonly eta: number;
  readonly label: number | null;
}

/** The representation f32 [D] of an end. */
export async function representationOf(
  end: Endpoint,
  engine: Engine,
  { model, drawing, signal }: { model: ModelRef; drawing: Drawing; signal: AbortSignal },
): Promise<Float32Array> {
  if (end.kind === 'representation') return end.values;
  if (end.kind === 'picture') {
    const { representations } = await engine.call(
      'encode',
      { model, images: [end.image] },
      { signal },
    );
    return one(representations[0]);
  }
  let values: Float32Array | undefined;
  // The engine draws representations only on the way to pictures: one step makes the cheapest.
  const decoding = { steps: 1, temperature: 0, guidance: 0, schedule: 'none' } as const;
  const { rdmSteps: steps, eta, label } = drawing;
  const source = { kind: 'sample', steps, eta, labels: label === null ? null : [label] } as const;
  await engine.call(
    'generate',
    { model, plan: { seeds: [end.seed], decoding, source }, chunk: 1, steps: false },
    {
      signal,
      onEvent: (event) => {
        if (event.kind === 'picture') values = event.picture.representation;
      },
    },
  );
  return one(values);
}

function one(values: Float32Array | undefined): Float32Array {
  if (values !== undefined) return values;
  throw new StudioError('internal', 'The engine answered without a representation.');
}
