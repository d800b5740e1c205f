import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recipeSchema, type Recipe } from '#api/recipe';
import {
  countDifferences,
  makeRecipe,
  parseRecipe,
  recipeRepresentation,
  recipeTexts,
  recipeTokens,
  replayPlan,
} from '#pictures/recipe';
import { failure, fakePicture } from '../studio/helpers.ts';

const making = {
  software: 'rcg-studio 0.1.0',
  model: { id: 'tiny', hash: 'a'.repeat(64) },
  target: 'cpu-int8',
  source: { kind: 'sample', rdmSteps: 250, eta: 1, label: null },
  decoding: { steps: 16, temperature: 1, guidance: 0.5, schedule: 'linear' },
} as const;
const picture = fakePicture(0, 5, 3);
const recipe = makeRecipe(picture, making);

describe('a recipe', () => {
  test('says everything, with the label that was really used', () => {
    expect(recipeSchema.parse(recipe)).toEqual(recipe);
    expect(recipe).toMatchObject({
      version: 1,
      seed: 5,
      target: 'cpu-int8',
      source: { kind: 'sample', label: 3 },
      guidance: 0.5,
    });
    expect(recipeTokens(recipe)).toEqual(picture.tokens);
    expect(recipeRepresentation(recipe)).toEqual(picture.representation);
  });

  test('comes back from its text', () => {
    const text = recipeTexts(recipe)[0]?.text ?? '';
    expect(parseRecipe(text, 'a.png')).toEqual(recipe);
  });

  test('numbers and tokens of any kind survive', () => {
    fc.assert(
      fc.property(
        fc.uint16Array({ minLength: 1, maxLength: 64 }),
        fc.float32Array({ minLength: 1, noNaN: true, noDefaultInfinity: true }),
        (tokens, representation) => {
          const made = makeRecipe(
            { ...picture, tokens: Int32Array.from(tokens), representation },
            making,
          );
          const back = parseRecipe(JSON.stringify(made), 'a.png');
          expect(recipeTokens(back)).toEqual(Int32Array.from(tokens));
          expect(recipeRepresentation(back)).toEqual(representation);
        },
      ),
    );
  });

  test('replays from the seed, or from the representation where that was given', () => {
    expect(replayPlan(recipe)).toEqual({
      seeds: [5],
      decoding: making.decoding,
      source: { kind: 'sample', steps: 250, eta: 1, labels: [3] },
    });
    const given = makeRecipe(picture, { ...making, source: { kind: 'picture', name: 'cat.jpg' } });
    expect(replayPlan(given).source).toEqual({ kind: 'given', values: picture.representation });
    const any = makeRecipe({ ...picture, label: null }, making);
    expect(replayPlan(any).source).toMatchObject({ labels: null });
  });

  test.each<[string, (recipe: Recipe) => unknown, RegExp]>([
    ['newer', (r) => ({ ...r, version: 2 }), /newer RCG Studio.*Update/s],
    ['without version', ({ version: _, ...r }) => r, /"version"/],
    ['of version 0', (r) => ({ ...r, version: 0 }), /"version"/],
    ['with an unknown field', (r) => ({ ...r, extra: 1 }), /"extra"/],
    ['with one inside', (r) => ({ ...r, model: { ...r.model, extra: 1 } }), /"model\.extra"/],
    ['with steps 0', (r) => ({ ...r, steps: 0 }), /"steps"/],
    ['with a seed of 1.5', (r) => ({ ...r, seed: 1.5 }), /"seed"/],
    ['with guidance as text', (r) => ({ ...r, guidance: '6' }), /"guidance"/],
    ['with no hash of its model', (r) => ({ ...r, model: { id: 'x', hash: '' } }), /"model.hash"/],
    ['with tokens that are not base64', (r) => ({ ...r, tokens: '!!!' }), /"tokens"/],
    ['with no tokens', (r) => ({ ...r, tokens: '' }), /broken array/],
    ['with an odd number of bytes', (r) => ({ ...r, tokens: 'AAAA' }), /broken array/],
    ['with changed tokens', (r) => ({ ...r, tokens: 'AQABAAEA' + 'AAA=' }), /hash/],
    [
      'with an infinite representation',
      (r) => ({ ...r, representation: Buffer.from('0000807f', 'hex').toString('base64') }),
      /broken array/,
    ],
    ['null', () => null, /chunk holds something else/],
    ['an array', () => [], /chunk holds something else/],
  ])('%s: refused', async (_, change, message) => {
    const text = JSON.stringify(change(recipe));
    expect(await failure(() => parseRecipe(text, 'a.png'))).toMatchObject({
      code: 'picture-unreadable',
      message: expect.stringMatching(message) as string,
    });
  });

  test('not JSON: refused', async () => {
    for (const text of ['', '{', 'steps: 20, seed: 7']) {
      expect((await failure(() => parseRecipe(text, 'a.png'))).message).toMatch(/not JSON/);
    }
  });

  test('a prototype in the text does no harm', async () => {
    const text = JSON.stringify(recipe).replace('{', '{"__proto__":{"version":1},');
    await failure(() => parseRecipe(text, 'a.png'));
    expect(({} as { version?: unknown }).version).toBeUndefined();
  });
});

test('differences are counted by position', () => {
  expect(countDifferences([1, 2, 3], [1, 2, 3])).toBe(0);
  expect(countDifferences([1, 2, 3], [3, 2, 1])).toBe(2);
  expect(countDifferences([1, 2, 3], [1])).toBe(3);
});
