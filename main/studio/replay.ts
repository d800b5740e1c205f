import { basename } from 'node:path';
import { StudioError } from '#api/errors';
import type { Picture } from '#worker/protocol';
import { readPicture, readPngText } from './pictures.ts';
import { countDifferences, noRecipe, parseRecipe, recipeTokens, replayPlan } from './recipe.ts';
import { modelRef, type Studio } from './studio.ts';

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
