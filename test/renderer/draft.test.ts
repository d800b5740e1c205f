import { describe, expect, test } from 'vitest';
import { Draft, readDraft, valuesOf } from '../../renderer/state/draft.svelte.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';
import { Undo } from '../../renderer/state/undo.svelte.ts';
import { FAKE_MODELS } from './fake-model.ts';
import { openApp, until } from './helpers.ts';

const [starter, other] = FAKE_MODELS;
if (starter === undefined || other === undefined) throw new Error('Two models are needed.');

function setUp(kept: string | null = null) {
  let text = kept;
  const undo = new Undo({} as StudioClient);
  const store = { get: () => text, set: (next: string) => void (text = next) };
  const draft = new Draft(undo, store);
  draft.useModel(starter as NonNullable<typeof starter>);
  return { draft, undo, again: () => new Draft(undo, store), text: () => text };
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
    draft.useModel(other as NonNullable<typeof other>);
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
    const next = again();
    next.useModel(starter as NonNullable<typeof starter>);
    expect(next.value).toMatchObject({ guidance: 6.5, seed: 42 });
    expect(next.changed).toEqual(['guidance']);
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
  ])('drops a kept draft that is unsound: %s', (text) => {
    expect(readDraft(text)).toBeNull();
    expect(setUp(text).draft.value.steps).toBe(20);
  });

  test('makes a job of its values; an absent chunk is the studio’s', () => {
    const { draft } = setUp();
    expect(draft.toJob(null).settings).not.toHaveProperty('chunk');
    draft.set({ chunk: 2 });
    draft.startFrom(12);
    expect(draft.toJob(starter as NonNullable<typeof starter>)).toMatchObject({
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
    return { ...setUp(), recipe: picture.recipe, close };
  }

  test('copies what differs, as one undo step', async () => {
    const { draft, undo, recipe, close } = await withPicture();
    const before = draft.value;
    expect(draft.differences(recipe)).toEqual(['steps', 'temperature', 'guidance', 'seed']);
    draft.use(recipe);
    expect(draft.value).toMatchObject({ guidance: 9, temperature: 3, seed: 500 });
    expect(draft.differences(recipe)).toEqual([]);
    await undo.undo();
    expect(draft.value).toEqual(before);
    await undo.redo();
    expect(draft.value.guidance).toBe(9);
    await close();
  });

  test('copies only the fields that were chosen', async () => {
    const { draft, recipe, close } = await withPicture();
    const { seed } = draft.value;
    draft.use(recipe, ['guidance']);
    expect(draft.value).toMatchObject({ guidance: 9, temperature: 6, seed });
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
