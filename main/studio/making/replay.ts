import { basename } from 'node:path';
import { StudioError } from '#api/errors';
import type { Recipe } from '#api/recipe';
import type { Manifest } from '#bundle/manifest';
import { readPicture, readPngText } from '#pictures/pictures';
import {
  countDifferences,
  noRecipe,
  parseRecipe,
  recipeRepresentation,
  recipeTokens,
  replayPlan,
} from '#pictures/recipe';
import type { Picture } from '#worker/protocol';
import { modelRef, type Studio } from '../studio.ts';

/** How a picture compares with the one on file. */
export interface Comparison {
  readonly identical: boolean;
  /** Tokens of the picture. */
  readonly tokens: number;
  readonly tokensDiffer: number;
  /** Red, green and blue values that differ. */
  readonly valuesDiffer: number;
}

/** Makes a picture again from the recipe that it carries, and compares tokens and pixels. */
export async function replayFile(
  studio: Studio,
  file: string,
  signal: AbortSignal,
): Promise<Comparison> {
  const name = basename(file);
  const text = (await readPngText(file))?.recipe ?? null;
  if (text === null) throw noRecipe(name);
  const recipe = parseRecipe(text, name);
  const model = await studio.library.findMaker(recipe.model);
  checkFits(recipe, model.manifest, name);
  let again: Picture | undefined;
  await studio.engine.call(
    'generate',
    {
      model: modelRef(studio, model, recipe.target),
      plan: replayPlan(recipe),
      chunk: 1,
      steps: false,
    },
    {
      signal,
      onEvent: (event) => {
        if (event.kind === 'picture') again = event.picture;
      },
    },
  );
  if (again === undefined) throw new StudioError('internal', 'The engine made no picture.');
  const tokens = recipeTokens(recipe);
  const tokensDiffer = countDifferences(tokens, again.tokens);
  const valuesDiffer = countDifferences((await readPicture(file)).data, again.image);
  return {
    identical: tokensDiffer === 0 && valuesDiffer === 0,
    tokens: tokens.length,
    tokensDiffer,
    valuesDiffer,
  };
}

/** A recipe that somebody changed may be sound in form and still ask what its model cannot do. */
function checkFits(recipe: Recipe, { id, networks }: Manifest, name: string): void {
  const { rdm, mage } = networks;
  const label = recipe.source.kind === 'sample' ? (recipe.source.label ?? 0) : 0;
  const fits = [
    ['class', label < Math.max(1, rdm?.classes ?? 0)],
    ['representation', recipeRepresentation(recipe).length === mage?.representation],
    ['tokens', recipeTokens(recipe).length === mage?.tokens],
  ] as const;
  const bad = fits.find(([, good]) => !good);
  if (bad === undefined) return;
  throw new StudioError(
    'picture-unreadable',
    `${name} cannot be replayed: its recipe does not fit model ${id} at "${bad[0]}". Use another copy of the picture.`,
  );
}
