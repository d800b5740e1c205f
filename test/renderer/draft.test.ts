import { describe, expect, test } from 'vitest';
import { Draft } from '../../renderer/state/draft.svelte.ts';
import { readDraft } from '../../renderer/state/draft-kept.ts';
import { boundsOf, valuesOf } from '../../renderer/state/draft-values.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';
import { Undo } from '../../renderer/state/undo.svelte.ts';
import { FAKE_MODELS } from './fake-model.ts';
import { memoryKept, openApp, until } from './helpers.ts';

const [starter, other] = FAKE_MODELS;
if (starter === undefined || other === undefined) throw new Error('Two models are needed.');
const [whole, partial] = [starter, other];

function setUp(text: string | null = null, nextSeed = 1, mayChooseModel = () => true) {
  const kept = memoryKept(text === null ? {} : { draft: text }, nextSeed);
  const undo = new Undo({} as StudioClient);
  const chosen: string[] = [];
  const make = () =>
    new Draft({
      undo,
      kept,
      modelById: (id) => FAKE_MODELS.find((model) => model.id === id) ?? null,
      mayChooseModel,
      chooseModel: async (id) => void chosen.push(id),
      ownTarget: () => 'cpu-int8',
    });
  const draft = make();
  draft.useModel(whole);
  return { draft, undo, chosen, again: make };
}

describe('the draft', () => {
  test('begins with what the model recommends', () => {
    const { draft } = setUp();
    expect(draft.value).toMatchObject({ steps: 20, guidance: 4, temperature: 6, rdmSteps: 250 });
    expect(draft.changed).toEqual([]);
  });

  test('marks what differs, until it is reset', () => {
    const { draft } = setUp();
    draft.set({ guidance: 6, seed: 77 });
    expect(draft.changed).toEqual(['guidance']);
    draft.reset('guidance');
    expect(draft.changed).toEqual([]);
    expect(draft.value.seed).toBe(77);
  });

  test('takes another model’s recommendation, and keeps seed and count', () => {
    const { draft } = setUp();
    draft.set({ seed: 5, count: 9, guidance: 11, label: 3 });
    draft.useModel(partial);
    expect(draft.value).toMatchObject({ seed: 5, count: 9, guidance: 1, label: null });
  });

  test('moves an unlocked seed past the pictures of a job, never a locked one', () => {
    const { draft } = setUp();
    draft.set({ seed: 100, count: 16 });
    draft.advance();
    expect(draft.value.seed).toBe(116);
    draft.setLocked(true);
    draft.advance();
    expect(draft.value.seed).toBe(116);
  });

  test('starts again at zero before seeds run out', () => {
    const { draft } = setUp();
    draft.set({ seed: Number.MAX_SAFE_INTEGER - 3, count: 4 });
    draft.advance();
    expect(draft.value.seed).toBe(0);
  });

  test('outlives the window', () => {
    const { draft, again } = setUp();
    draft.set({ guidance: 6.5, seed: 42 });
    draft.startFrom(7);
    const next = again();
    next.useModel(whole);
    expect(next.value).toMatchObject({ guidance: 6.5, seed: 42 });
    expect(next.changed).toEqual(['guidance']);
    expect(next.source).toEqual({ kind: 'image', image: 7 });
  });

  test('outlives the window with a preset, and still compares with that', () => {
    const { draft, again } = setUp();
    draft.usePreset('Wild', { guidance: 7 }, whole);
    draft.set({ temperature: 2 });
    const next = again();
    next.useModel(whole);
    expect([next.preset, next.base.guidance, next.changed]).toEqual(['Wild', 7, ['temperature']]);
  });

  test('begins with the seed that is free, unless another was kept', () => {
    expect(setUp(null, 421).draft.value.seed).toBe(421);
    const { draft, again } = setUp(null, 421);
    draft.set({ seed: 9 });
    expect(again().value.seed).toBe(9);
  });

  test('takes a preset back whole, as one undo step', async () => {
    const { draft, undo } = setUp();
    draft.set({ guidance: 5 });
    draft.usePreset('Wild', { guidance: 7 }, whole);
    // What is done by hand afterwards is no part of the step.
    draft.set({ seed: 88 });
    await undo.undo();
    expect([draft.preset, draft.base.guidance, draft.value.guidance]).toEqual([null, 4, 5]);
    expect(draft.value.seed).toBe(88);
    await undo.redo();
    expect([draft.preset, draft.base.guidance, draft.value.guidance]).toEqual(['Wild', 7, 7]);
  });

  test('gives each model its own fields back', async () => {
    const { draft, undo, again } = setUp();
    draft.usePreset('Wild', { guidance: 7 }, whole);
    draft.set({ label: 3, seed: 5 });
    draft.useModel(partial);
    expect([draft.value.guidance, draft.value.label, draft.preset]).toEqual([1, null, null]);
    draft.set({ guidance: 2, seed: 6 });
    const next = again();
    next.useModel(whole);
    expect(next.value).toMatchObject({ guidance: 7, label: 3, seed: 6 });
    expect([next.preset, next.changed]).toEqual(['Wild', ['label']]);
    next.useModel(partial);
    expect([next.value.guidance, next.preset]).toEqual([2, null]);
    // A step of a model that is gone changes what it comes back with, not what is here.
    await undo.undo();
    draft.useModel(whole);
    expect(draft.preset).toBeNull();
  });

  test('counts variations for themselves', () => {
    const { draft } = setUp();
    draft.set({ count: 40, seed: 10 });
    draft.startFrom(3);
    expect(draft.toJob(whole).settings).toMatchObject({ count: 4 });
    draft.set({ variations: 16 });
    expect(draft.toJob(whole).settings).toMatchObject({ count: 16 });
    expect(draft.toJob(whole).settings).not.toHaveProperty('variations');
    draft.advance();
    expect(draft.value.seed).toBe(26);
    draft.startFromNoise();
    expect(draft.toJob(whole).settings).toMatchObject({ count: 40 });
  });

  test.each([
    null,
    '',
    'not json',
    '[]',
    '7',
    '{"value":null}',
    '{"value":{"seed":-1}}',
    '{"value":{"seed":"1"}}',
    '{"value":{"count":100000}}',
    '{"value":{"steps":null}}',
    '{"value":{"steps":2.5}}',
    '{"value":{"label":"x"}}',
    '{"value":{"schedule":"odd"}}',
    '{"value":{"chunk":0}}',
    '{"value":{"target":"gpu"}}',
    '{"value":{"variations":17}}',
  ])('drops a kept draft that is unsound: %s', (text) => {
    expect(readDraft(text)).toBeNull();
    expect(setUp(text).draft.value.steps).toBe(20);
  });

  test('keeps what is sound of the rest of a kept draft', () => {
    const text = JSON.stringify({
      ...{ value: { seed: 3 }, source: { kind: 'image', image: 'x' }, preset: 'Lost', base: 7 },
      others: [['rcg-b', { values: { guidance: 'x' } }], 7, null, ['a'], [1, {}]],
    });
    const { draft } = setUp(text);
    expect([draft.value.seed, draft.source.kind, draft.preset]).toEqual([3, 'sample', null]);
    draft.useModel(partial);
    expect(draft.value.guidance).toBe(1);
  });

  test('makes a job of its values; an absent chunk is the studio’s', () => {
    const { draft } = setUp();
    expect(draft.toJob(null).settings).not.toHaveProperty('chunk');
    draft.set({ chunk: 2 });
    draft.startFrom(12);
    expect(draft.toJob(whole)).toMatchObject({
      source: { kind: 'image', image: 12 },
      settings: { chunk: 2, model: 'starter' },
    });
  });
});

describe('recall', () => {
  async function withPicture() {
    const { app, fake, close } = openApp();
    const made = await app.jobs.create({
      source: { kind: 'sample' },
      settings: { count: 1, seed: 500, guidance: 9, temperature: 3, steps: 4 },
    });
    await until(() => app.jobs.byId(made.id)?.state === 'done');
    const picture = [...fake.library.images.values()].at(-1);
    if (picture === undefined) throw new Error('No picture was made.');
    return { ...setUp(), picture, recipe: picture.recipe, close };
  }

  test('copies what differs, as one undo step', async () => {
    const { draft, undo, picture, close } = await withPicture();
    const before = draft.value;
    expect(draft.differences(picture)).toEqual(['steps', 'temperature', 'guidance', 'seed']);
    draft.use(picture);
    expect(draft.value).toMatchObject({ guidance: 9, temperature: 3, seed: 500 });
    expect(draft.differences(picture)).toEqual([]);
    await undo.undo();
    expect(draft.value).toEqual(before);
    await undo.redo();
    expect(draft.value.guidance).toBe(9);
    await close();
  });

  test('copies only the fields that were chosen', async () => {
    const { draft, picture, close } = await withPicture();
    const { seed } = draft.value;
    draft.use(picture, ['guidance']);
    expect(draft.value).toMatchObject({ guidance: 9, temperature: 6, seed });
    await close();
  });

  test('brings model, source and target along, in the same step', async () => {
    const { draft, undo, chosen, picture, close } = await withPicture();
    const source = { kind: 'representation' as const, name: 'a' };
    const model = { ...picture.recipe.model, id: 'rcg-b' };
    const recipe = { ...picture.recipe, source, model, target: 'portable' as const };
    const child = { ...picture, recipe, parents: [{ id: 99, operation: 'variation' as const }] };
    draft.startFrom(5);
    draft.set({ seed: 500, guidance: 3 });
    expect(draft.differences(child)).toEqual([
      ...['source', 'model', 'steps', 'temperature', 'guidance', 'target'],
    ]);
    draft.use(child);
    expect(chosen).toEqual(['rcg-b']);
    expect(draft.toJob(partial)).toMatchObject({
      source: { kind: 'image', image: 99 },
      settings: { guidance: 9, steps: 4, target: 'portable' },
    });
    await undo.undo();
    expect(chosen).toEqual(['rcg-b', 'starter']);
    expect([draft.source, draft.value.guidance, draft.value.target]).toEqual([
      ...[{ kind: 'image', image: 5 }, 3, null],
    ]);
    draft.useModel(partial);
    expect(draft.value.guidance).toBe(1);
    await undo.redo();
    expect(draft.value).toMatchObject({ guidance: 9, target: 'portable' });
    await close();
  });

  test('of a mix or a lost parent starts from the picture itself', async () => {
    const { draft, picture, close } = await withPicture();
    const mix = { kind: 'interpolation', from: 'a', to: 'b', mode: 'slerp', at: 0.5 } as const;
    const parents = [{ id: 98, operation: 'interpolation' as const }];
    draft.use({ ...picture, parents, recipe: { ...picture.recipe, source: mix } });
    expect(draft.source).toEqual({ kind: 'image', image: picture.id });
    const alone = { kind: 'representation' as const, name: 'a' };
    expect(
      draft.differences({ ...picture, parents: [], recipe: { ...picture.recipe, source: alone } }),
    ).toEqual([]);
    await close();
  });

  test('has nothing of a model that is not installed, or of a foreign picture', async () => {
    const { draft, picture, close } = await withPicture();
    const model = { ...picture.recipe.model, id: 'gone' };
    expect(draft.differences({ ...picture, recipe: { ...picture.recipe, model } })).not.toContain(
      'model',
    );
    const source = { kind: 'picture' as const, name: 'cat.jpg' };
    const made = { ...picture, recipe: { ...picture.recipe, source } };
    // One that was made here from a file has a recipe.
    expect(draft.differences(made)).toContain('guidance');
    expect(draft.differences({ ...made, operation: 'import' })).toEqual([]);
    await close();
  });

  test('takes no model over that cannot be chosen in a library that is only looked at', async () => {
    const { picture, close } = await withPicture();
    const { draft } = setUp(null, 1, () => false);
    const recipe = { ...picture.recipe, model: { ...picture.recipe.model, id: 'rcg-b' } };
    const differing = draft.differences({ ...picture, recipe });
    expect(differing).not.toContain('model');
    expect(differing).toContain('guidance');
    await close();
  });

  test('keeps what lies beyond the bounds of a field, which reach to it', async () => {
    const { draft, picture, close } = await withPicture();
    const recipe = { ...picture.recipe, temperature: 45.5, guidance: 30, steps: 200 };
    draft.use({ ...picture, recipe }, ['temperature', 'guidance', 'steps']);
    expect(draft.value).toMatchObject({ temperature: 45.5, guidance: 30, steps: 200 });
    for (const field of ['temperature', 'guidance', 'steps'] as const) {
      expect(boundsOf(field, draft.value[field], draft.base[field]).max).toBe(recipe[field]);
    }
    await close();
  });

  test('says nothing of the first stage for a picture that was not sampled', async () => {
    const { recipe, close } = await withPicture();
    const values = valuesOf({ ...recipe, source: { kind: 'representation', name: 'a' } });
    expect(values).not.toHaveProperty('rdmSteps');
    expect(values).not.toHaveProperty('label');
    await close();
  });
});

describe('the bounds of a field', () => {
  test('are those of the interface', () => {
    expect(boundsOf('temperature', 6, 11)).toEqual({ min: 0, max: 20 });
    expect(boundsOf('guidance', 0)).toEqual({ min: 0, max: 12 });
    expect(boundsOf('steps', 64)).toEqual({ min: 1, max: 64 });
  });

  test('reach to a default that lies beyond them, so that it can be returned to', () => {
    expect(boundsOf('guidance', 3, 15).max).toBe(15);
  });
});
