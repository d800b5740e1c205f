import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { cells, furnish, ids, make } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });

const found = (page: Page, count: number) => page.getByText(`${count} found`).waitFor();
const chips = (page: Page) => page.getByRole('list', { name: 'Filters' });

async function search(page: Page, words: string): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search pictures' }).fill(words);
}

async function addFilter(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('menuitem', { name, exact: true }).click();
  await page.getByRole('dialog', { name }).waitFor();
}

story('words, a seed, a tag and a board each find their pictures', async () => {
  const { page } = await app.open({ at: '/gallery' });
  await found(page, 8);
  await search(page, 'dusk');
  await found(page, 2);
  await search(page, '51');
  await found(page, 1);
  await search(page, '');
  await found(page, 8);
  await page.getByRole('button', { name: /^sky/ }).click();
  await found(page, 1);
  await page.getByRole('button', { name: /^Harbours/ }).click();
  await found(page, 2);
  await page.getByRole('button', { name: /^All images/ }).click();
  await found(page, 8);
});

story('filters are edited in place, and an empty result names the one to loosen', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  await addFilter(page, 'Seed');
  const editor = page.getByRole('dialog', { name: 'Seed' });
  await editor.getByRole('textbox', { name: 'From' }).fill('2');
  await editor.getByRole('textbox', { name: 'To' }).fill('6');
  await page.keyboard.press('Escape');
  await found(page, 5);
  await addFilter(page, 'Made by');
  await page.getByRole('dialog', { name: 'Made by' }).getByLabel('variation').check();
  const generated = page.getByRole('dialog', { name: 'Made by' }).getByLabel('generated');
  if (await generated.isChecked()) await generated.uncheck();
  await page.keyboard.press('Escape');
  await page.getByText('Nothing matches').waitFor();
  await shot('nothing-matches');
  await page.getByText(/^Loosest filter: Made by/).waitFor();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await found(page, 5);
  await chips(page)
    .getByRole('button', { name: /^Remove the filter/ })
    .click();
  await found(page, 8);
});

story('what a replay showed is remembered over a reload, and found', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  await found(page, 8);
  await cells(page).nth(2).click();
  await page.getByText('Tokens not compared yet').waitFor();
  await page.getByRole('button', { name: 'Replay' }).click();
  const details = page.getByRole('complementary', { name: 'Details' });
  const match = details.getByText(/^256 of 256 tokens match, checked \w+ \d+, \d{4} on CPU/);
  await match.waitFor();
  await page.reload();
  await found(page, 8);
  await cells(page).nth(2).click();
  await match.waitFor();

  await addFilter(page, 'Replay');
  const verdicts = page.getByRole('dialog', { name: 'Replay' });
  await verdicts.getByLabel('Tokens match').check();
  await found(page, 1);
  await verdicts.getByLabel('Not compared yet').check();
  await found(page, 8);
  await verdicts.getByLabel('Tokens match').uncheck();
  await found(page, 7);
  await page.keyboard.press('Escape');
  await chips(page)
    .getByRole('button', { name: /^Change the filter “Replay Not compared yet”/ })
    .waitFor();

  await addFilter(page, 'Software');
  const [name = ''] = (await app.client.images.choices()).software.map((one) => one.name);
  const versions = page.getByRole('dialog', { name: 'Software' });
  await versions.getByLabel(`${name} 8`).check();
  await shot('software');
  await found(page, 7);
  for (const _ of [1, 2]) {
    await page.keyboard.press('Escape');
    await chips(page)
      .getByRole('button', { name: /^Remove the filter/ })
      .first()
      .click();
  }
  await found(page, 8);
});

story('a saved search keeps its filter and order, over a reload too', async () => {
  const { page } = await app.open({ at: '/gallery' });
  await addFilter(page, 'Seed');
  await page.getByRole('textbox', { name: 'To' }).fill('3');
  await page.keyboard.press('Escape');
  await found(page, 3);
  await page.getByRole('button', { name: /^Sort:/ }).click();
  await page.getByRole('menuitem', { name: 'Seed, lowest first' }).click();
  await page.getByRole('button', { name: 'Save search' }).last().click();
  await page.getByRole('dialog').getByRole('textbox').fill('Early ones');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Early ones/ }).waitFor();

  await page.reload();
  await page.getByRole('button', { name: /^All images/ }).click();
  await found(page, 8);
  await page.getByRole('button', { name: /^Early ones/ }).click();
  await found(page, 3);
  const names = await cells(page).evaluateAll((all) =>
    all.map((cell) => cell.getAttribute('aria-label')?.split(',')[0]),
  );
  expect(names).toEqual(['Seed 1', 'Seed 2', 'Seed 3']);
  await page.getByRole('button', { name: 'Sort: Seed, lowest first' }).waitFor();
  await page.getByRole('button', { name: 'Actions for “Early ones”' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  await page.getByRole('button', { name: /^Early ones/ }).waitFor({ state: 'detached' });
});

story(
  'two pictures are compared four ways, by keys, and the recipes show what differs',
  async () => {
    const { page, shot } = await app.open({ at: '/gallery' });
    await found(page, 8);
    await cells(page).nth(3).click();
    await cells(page)
      .nth(4)
      .click({ modifiers: ['Control'] });
    await page.keyboard.press('c');
    await page.getByText('Compare 2', { exact: true }).waitFor();
    const recipes = page.getByRole('region', { name: 'Recipes' });
    await eventually(() => recipes.getByRole('rowheader').allInnerTexts()).toEqual([
      'Seed',
      'Tokens',
    ]);

    const divider = page.getByRole('slider', { name: 'Divider' });
    await page.getByRole('radio', { name: 'Slider' }).check({ force: true });
    const before = Number(await divider.inputValue());
    await page.getByRole('application').focus();
    await page.keyboard.press('ArrowLeft');
    expect(Number(await divider.inputValue())).toBeLessThan(before);
    // Enlarged, arrows and pointer still move it; Shift and arrows move the picture.
    for (const key of ['+', '+', '+', 'ArrowLeft']) await page.keyboard.press(key);
    const enlarged = Number(await divider.inputValue());
    expect(enlarged).toBeLessThan(before - 1);
    const picture = page.getByRole('application').getByRole('img').first();
    const place = await picture.getAttribute('style');
    await page.keyboard.press('Shift+ArrowLeft');
    expect(Number(await divider.inputValue())).toBe(enlarged);
    expect(await picture.getAttribute('style')).not.toBe(place);
    const line = (await page.locator('.divider').boundingBox()) ?? { x: 0, y: 0, width: 0 };
    await page.mouse.move(line.x + line.width / 2, line.y + 100);
    await page.mouse.down();
    await page.mouse.move(line.x + 120, line.y + 100);
    await page.mouse.up();
    expect(Number(await divider.inputValue())).toBeGreaterThan(enlarged);
    await divider.focus();
    await shot('compare-divider-focus');
    await page.getByRole('application').focus();
    await shot('compare-slider');
    await page.keyboard.press('4');
    await page.getByText(/% of the pixels differ/).waitFor();
    await shot('compare-difference');
    await page.keyboard.press('3');
    await page.getByRole('button', { name: /^Show the other one/ }).click();
    await page.keyboard.press('Escape');
    await cells(page).first().waitFor();
    await page.getByText('2 selected', { exact: true }).waitFor();
  },
);

story('rating, star and bin of many at once, each taken back by one Ctrl Z', async () => {
  const { page } = await app.open({ at: '/gallery' });
  await found(page, 8);
  const starred = await ids(app.client, { starred: true });
  await cells(page).first().click();
  await page.keyboard.press('Control+a');
  await page.getByText('8 selected', { exact: true }).waitFor();
  await page.keyboard.press('3');
  await eventually(async () => ratings()).toEqual(Array(8).fill(3));
  await page.keyboard.press('s');
  await eventually(async () => (await ids(app.client, { starred: true })).length).toBe(8);
  await page.keyboard.press('Delete');
  await page.getByText('8 images moved to the bin').first().waitFor();
  await page.getByText('No pictures yet').waitFor();

  // Over a reload the way back is still there.
  await page.reload();
  await page.getByText('No pictures yet').waitFor();
  await page.keyboard.press('Control+z');
  await found(page, 8);
  await page.keyboard.press('Control+z');
  await eventually(() => ids(app.client, { starred: true })).toEqual(starred);
  await page.keyboard.press('Control+z');
  await eventually(async () => (await ratings()).filter((rating) => rating > 0)).toEqual([4]);
});

story(
  'a note is written on many at once, by keys alone, and one Ctrl Z takes it away',
  async () => {
    const { page, shot } = await app.open({ at: '/gallery', expects: /400/ });
    const { keyboard } = page;
    await found(page, 8);
    const notes = async () =>
      Promise.all(
        (await ids(app.client)).map(async (id) => (await app.client.images.get({ id })).note),
      );
    const before = await notes();
    await cells(page).first().click();
    await keyboard.press('Control+a');
    await keyboard.press('n');
    const dialog = page.getByRole('dialog', { name: 'Note on 8 images' });
    await dialog.waitFor();
    const save = dialog.getByRole('button', { name: 'Save' });
    expect(await save.isDisabled()).toBe(true);
    await keyboard.type('low tide');
    await shot('note');
    await save.focus();
    await keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await eventually(notes).toEqual(
      before.map((note) => (note === '' ? 'low tide' : `${note}\nlow tide`)),
    );
    await search(page, 'tide');
    await found(page, 8);

    // What is refused stays in the dialog.
    await cells(page).first().click();
    await keyboard.press('Control+a');
    await keyboard.press('n');
    await dialog.getByLabel('Note', { exact: true }).fill('x'.repeat(9_999));
    await save.click();
    await dialog.getByText('Nothing was written: the note of 8 of the images').waitFor();
    await shot('note-refused');
    await keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('searchbox', { name: 'Search pictures' }).fill('');
    await cells(page).first().click();
    await keyboard.press('Control+z');
    await eventually(notes).toEqual(before);
  },
);

story('the history goes down to a step and up again, by keys alone', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  const { keyboard } = page;
  await found(page, 8);
  const before = await ratings();
  await cells(page).first().click();
  for (const stars of ['1', '2', '3']) {
    await keyboard.press(stars);
    const rated = [Number(stars), ...before.slice(1)];
    await eventually(ratings).toEqual(rated);
  }
  const history = page.getByRole('button', { name: 'History of steps' });
  const lines = page.getByRole('menuitem');
  const undone = page.getByRole('menuitem', { name: /^Redo up to: 1 rating, / });

  await history.focus();
  await keyboard.press('Enter');
  await lines.first().waitFor();
  await eventually(() => page.locator('[role=menuitem]:focus').count()).toBe(1);
  expect(await lines.nth(0).evaluate((line) => line === document.activeElement)).toBe(true);
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await eventually(ratings).toEqual([1, ...before.slice(1)]);
  await page.getByText('2 steps undone').first().waitFor({ state: 'attached' });

  // Two stand above now, and the list begins at what would be undone next.
  await history.focus();
  await keyboard.press('Enter');
  await undone.first().waitFor();
  await eventually(() => lines.nth(2).evaluate((line) => line === document.activeElement)).toBe(
    true,
  );
  await shot('history');
  await keyboard.press('Escape');
  await lines.first().waitFor({ state: 'detached' });
  await eventually(() => history.evaluate((one) => one === document.activeElement)).toBe(true);
  expect(await ratings()).toEqual([1, ...before.slice(1)]);

  await history.hover();
  await page.getByRole('tooltip').or(page.locator('.float-tip')).first().waitFor();
  await history.click();
  await undone.first().waitFor();
  await page.locator('.float-tip').waitFor({ state: 'detached' });
  await undone.first().click();
  await eventually(ratings).toEqual([3, ...before.slice(1)]);
});

story('thumbnails are shown in the size that is chosen, and one Ctrl Z goes back', async () => {
  const { page, shot } = await app.open({ at: '/settings' });
  const { keyboard } = page;
  const size = page.getByRole('group', { name: 'Thumbnail size' });
  await size.scrollIntoViewIfNeeded();
  await shot('settings-thumbnails');
  expect(await size.getByRole('radio', { name: '256 px' }).isChecked()).toBe(true);
  await size.getByRole('radio', { name: '256 px' }).focus();
  await keyboard.press('ArrowRight');
  await eventually(async () => (await app.client.studio.settings()).thumbnailEdge).toBe(512);
  const pictures = () =>
    cells(page)
      .locator('img')
      .evaluateAll((images: HTMLImageElement[]) =>
        images.map(({ src, naturalWidth }) => `${/thumb[^?]*/.exec(src)?.[0]} ${naturalWidth}`),
      );
  await keyboard.press('Control+2');
  await eventually(pictures).toEqual(Array(8).fill('thumb-512 32'));
  await keyboard.press('Control+z');
  await eventually(pictures).toEqual(Array(8).fill('thumb 32'));
  expect((await app.client.studio.settings()).thumbnailEdge).toBe(256);
});

async function ratings(): Promise<readonly number[]> {
  const rows = await app.client.images.rows({ ids: [...(await ids(app.client))] });
  return rows.map(({ rating }) => rating);
}

story('a large family: links lead to the children that are not drawn, in the bin too', async () => {
  const sort = { by: 'seed', descending: false } as const;
  const [parent = 0] = (await app.client.images.search({ filter: {}, sort })).ids;
  const settings = { count: 4, seed: 900 };
  const children = await make(app.client, { source: { kind: 'image', image: parent }, settings });
  await app.client.images.remove({ ids: children.slice(-1) });
  const { page, shot } = await app.open({ at: `/gallery?image=${parent}` });
  const lineage = page.getByRole('region', { name: /^Lineage/ });
  await lineage.getByRole('button', { name: 'and 2 more children' }).waitFor();
  await shot('lineage-rest');
  await lineage.getByRole('button', { name: 'and 1 more child in the bin' }).click();
  await found(page, 1);
  await page.getByRole('button', { name: 'Empty bin…' }).waitFor();
  await page.getByRole('button', { name: /^All images/ }).click();
  await found(page, 11);
  await cells(page).last().click();
  await lineage.getByRole('button', { name: 'and 2 more children' }).press('Enter');
  await found(page, 5);
  await chips(page).getByText('Children of image').first().waitFor();
});
