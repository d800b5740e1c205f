import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { cells, furnish } from './steps.ts';
import { strangers } from './words.ts';

const app = stage({ model: 'tiny', prepare: furnish });

const VIEWS: readonly {
  readonly at: string;
  readonly set: (page: Page) => Promise<unknown>;
}[] = [
  { at: '/generate', set: (page) => page.getByRole('img').first().waitFor() },
  { at: '/generate', set: (page) => page.keyboard.press('Control+k') },
  { at: '/gallery', set: (page) => cells(page).first().click() },
  { at: '/gallery', set: (page) => page.keyboard.press('?') },
  {
    at: '/gallery',
    set: async (page) => {
      await cells(page).first().click();
      await page.keyboard.press('t');
      await page.getByRole('dialog').waitFor();
    },
  },
  { at: '/settings', set: (page) => page.getByRole('radio').first().waitFor() },
];

story('a system in Japanese gets Japanese, with no other words left', async () => {
  const { page, shot } = await app.open({ language: 'ja' });
  await page.locator('html[lang="ja"]').waitFor();
  const found: Record<string, readonly string[]> = {};
  for (const [index, { at, set }] of VIEWS.entries()) {
    await page.goto(`${app.host.origin}/#${at}`);
    await page.reload();
    await page.locator('nav a[aria-current]').waitFor();
    await set(page);
    await page.waitForTimeout(300);
    await shot(`ja-${index}${at.replace('/', '-')}`);
    const here = await strangers(page);
    if (here.length > 0) found[`${index} ${at}`] = here;
  }
  expect(found).toEqual({});
});

/** How often a model's name is a text of the page, and how often it is not marked as English there. */
function namings(
  page: Page,
  name: string,
): Promise<{ readonly all: number; readonly bare: string[] }> {
  return page.evaluate((wanted) => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const bare: string[] = [];
    let all = 0;
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const around = node.parentElement;
      if (around === null || !(node.textContent ?? '').includes(wanted)) continue;
      all += 1;
      if (around.closest('[lang]')?.getAttribute('lang') !== 'en') bare.push(around.outerHTML);
    }
    return { all, bare };
  }, name);
}

story('the name of a model that has none in Japanese is read as English', async () => {
  const { page } = await app.open({ language: 'ja' });
  const places: readonly (readonly [string, number, (page: Page) => Promise<unknown>])[] = [
    // The list of models, the preset, and the recipe of the picture on the stage.
    ['/generate', 3, () => page.getByRole('img').first().waitFor()],
    ['/generate', 3, () => page.getByRole('button', { name: /^プリセット/ }).press('Enter')],
    ['/generate', 4, () => page.getByLabel(/^モデル: Tiny/).press('Enter')],
    ['/gallery', 1, () => cells(page).first().click()],
    ['/models', 2, () => page.getByRole('table').waitFor()],
    ['/settings', 1, () => page.getByRole('radio').first().waitFor({ state: 'attached' })],
  ];
  for (const [at, least, set] of places) {
    await page.goto(`${app.host.origin}/#${at}`);
    await page.reload();
    await page.locator('nav a[aria-current]').waitFor();
    await set(page);
    await eventually(async () => (await namings(page, 'Tiny')).all).toBeGreaterThanOrEqual(least);
    expect((await namings(page, 'Tiny')).bare, at).toEqual([]);
  }
});

story('switching the language changes every word at once, and back', async () => {
  const { page, shot } = await app.open({ at: '/settings' });
  await page.getByRole('radio', { name: '日本語' }).check({ force: true });
  await page.getByRole('link', { name: '生成' }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('ja');
  await shot('settings-ja');
  expect(await strangers(page)).toEqual([]);
  expect((await app.client.studio.settings()).language).toBe('ja');
  await page.getByRole('radio', { name: 'English' }).check({ force: true });
  await page.getByRole('link', { name: 'Generate' }).waitFor();
  expect(
    await page.evaluate(() =>
      /[぀-ヿ㐀-鿿]/.test(document.querySelector('main')?.innerText.replace('日本語', '') ?? ''),
    ),
  ).toBe(false);
  await app.client.studio.configure({ language: 'system' });
});
