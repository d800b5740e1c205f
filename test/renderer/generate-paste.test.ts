import { describe, expect, test } from 'vitest';
import { Generate } from '../../renderer/generate/generate.svelte.ts';
import { openApp, until } from './helpers.ts';

const PICTURE = new File(['x'], 'cat.png', { type: 'image/png' });
const RECIPE = new File(['{}'], 'recipe.json', { type: 'application/json' });

function setUp() {
  const asked: unknown[] = [];
  const taken = { ids: [12], refused: [], undo: { undo: null, redo: null } };
  const opened = openApp(
    {},
    { 'images.import': (input) => (asked.push(input), Promise.resolve(taken)) },
  );
  return { ...opened, asked, generate: new Generate(opened.app, async () => {}) };
}

describe('a paste', () => {
  test('of a picture while Generate is shown is what the next job starts from', async () => {
    const { app, asked, generate, close } = setUp();
    app.navigation.go('generate');
    expect(generate.takePasted([RECIPE, PICTURE])).toBe(true);
    await until(() => app.draft.source.kind === 'image');
    expect([asked, app.draft.source]).toEqual([
      [{ files: [PICTURE] }],
      { kind: 'image', image: 12 },
    ]);
    expect(app.navigation.view).toBe('generate');
    await close();
  });

  test.each([
    ['a picture in another view', 'gallery', [PICTURE]],
    ['a recipe', 'generate', [RECIPE]],
    ['nothing', 'generate', []],
  ] as const)('of %s is left to the gallery', async (_, view, files) => {
    const { app, asked, generate, close } = setUp();
    app.navigation.go(view);
    expect(generate.takePasted(files)).toBe(false);
    expect([asked, generate.importing]).toEqual([[], false]);
    await close();
  });
});
