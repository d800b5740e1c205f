import { expect, onTestFinished, test } from 'vitest';
import { GALLERY_COMMANDS } from '../../renderer/gallery/command-table.ts';
import { paletteGroups } from '../../renderer/shell/palette.ts';
import { furnish } from './gallery-world.ts';
import { openApp, until } from './helpers.ts';

async function setUp() {
  const { app, fake, close } = openApp({ images: 48 });
  furnish(fake);
  onTestFinished(close);
  await until(() => app.library.summary !== null && app.models.loaded);
  app.commands.know(...GALLERY_COMMANDS);
  const items = (text: string) => paletteGroups(app, text).flatMap((group) => group.items);
  const titles = (text: string) => items(text).map(({ title }) => title);
  /** Runs the one line of that title. */
  const choose = (text: string, title: string) => {
    const found = items(text).find((item) => item.title === title);
    if (found === undefined) throw new Error(`No ${title} in ${titles(text).join(', ')}`);
    found.run();
  };
  return { app, items, titles, choose };
}

test('with no text it lists commands alone, those of other views too', async () => {
  const { items, app } = await setUp();
  expect(items('').every(({ id }) => app.commands.list.some((command) => command.id === id))).toBe(
    true,
  );
  expect(items('').find(({ id }) => id === 'gallery.compare')).toMatchObject({
    ...{ title: 'Compare the selected pictures', hint: 'Gallery', combo: 'C' },
  });
});

test('a command of another view goes there and waits for it', async () => {
  const { app, choose } = await setUp();
  choose('', 'Select all');
  expect(app.navigation.view).toBe('gallery');
  let selected = 0;
  app.commands.bind({ 'gallery.selectAll': { run: () => selected++ } });
  expect(selected).toBe(1);
});

test('one that cannot be used there is told', async () => {
  const { app, choose } = await setUp();
  choose('', 'Compare the selected pictures');
  app.commands.bind({ 'gallery.compare': { run: () => {}, enabled: () => false } });
  expect(app.toasts.list.map(({ text }) => text)).toEqual([
    expect.stringContaining('“Compare the selected pictures” cannot be used now.') as string,
  ]);
});

test('a number is a seed: to set, or to find pictures by', async () => {
  const { app, titles, choose } = await setUp();
  for (const text of ['20428', 'seed 20428', 'SEED 20428', ' seed20428 ']) {
    expect(titles(text)).toContain('Pictures with seed 20428');
  }
  choose('20428', 'Set Seed to 20428');
  expect(app.draft.value.seed).toBe(20428);
  choose('seed 20428', 'Pictures with seed 20428');
  expect(app.navigation.view).toBe('gallery');
  expect(app.navigation.place.find?.filter).toEqual({
    ranges: [{ field: 'seed', min: 20428, max: 20428 }],
  });
  for (const text of ['-1', '1.5', '1e20', 'steps 7', 'x', 'seed', 'seed x']) {
    expect(titles(text).filter((title) => title.startsWith('Pictures with'))).toEqual([]);
  }
  expect(titles('seed 7').filter((title) => title === 'Set Seed to 7')).toHaveLength(1);
});

test('a setting is set, and one of the studio is gone to', async () => {
  const { app, choose } = await setUp();
  choose('temperature 8', 'Set Temperature to 8');
  expect(app.draft.value.temperature).toBe(8);
  choose('backup', 'Backups to keep');
  expect([app.navigation.view, app.navigation.place.part]).toEqual(['settings', 'library']);
});

test('saved searches, boards, tags and models are found by their names', async () => {
  const { app, items, choose } = await setUp();
  const [search] = app.library.summary?.searches ?? [];
  const [board] = app.library.summary?.boards ?? [];
  if (search === undefined || board === undefined) throw new Error('Nothing to find.');
  choose(search.name.toLowerCase(), search.name);
  expect(app.navigation.place.find).toEqual(search.search);
  choose('plan', board.name);
  expect(app.navigation.place.find?.filter).toEqual({ board: board.id });
  choose('fru', 'fruit');
  expect(app.navigation.place.find?.filter).toEqual({ tags: ['fruit'] });
  choose('starter', 'Use the model Starter');
  await until(() => app.settings.value.model === 'starter');
  expect(items('no such thing').every(({ id }) => app.commands.list.some((c) => c.id === id))).toBe(
    true,
  );
});
