import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { stage, story } from './app.ts';
import { cells, furnish } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });

/** Words that stay Latin: the paper's own, units, names of keys, and names that people gave. */
const ALLOWED = new Set(
  [
    'RCG Studio RDM MAGE VQGAN UMAP RGB',
    'PNG ZIP JSON SHA MIT',
    'px s ms min h B kB MB GB TB η',
    'CPU RAM float int',
    'Ctrl Alt Shift Enter Esc Delete Space Left Right Up Down Home End Tab',
    'English Tiny Starter Harbours Stars Mine sky blue At dusk library',
  ].flatMap((words) => words.split(' ')),
);

interface Words {
  readonly text: string;
  readonly place: string;
}

/**
 * What a person reads or hears on the page: texts, names, placeholders. What is marked as another
 * language, as a licence is, and what is set in the font for numbers (paths, hashes), is left out.
 */
function readable(page: Page): Promise<readonly Words[]> {
  return page.evaluate(() => {
    const found: { text: string; place: string }[] = [];
    const foreign = '[lang]:not(html, [lang="ja"]), .num, .mono, kbd, script, style, pre, code';
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node as HTMLElement;
      if (element.closest(foreign)) continue;
      const place = `${element.tagName.toLowerCase()}.${element.className}`;
      const own = [...element.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE);
      const texts = own.map((child) => child.textContent ?? '');
      for (const name of ['aria-label', 'placeholder', 'alt', 'aria-valuetext']) {
        texts.push(element.getAttribute(name) ?? '');
      }
      found.push(...texts.filter((text) => text.trim() !== '').map((text) => ({ text, place })));
    }
    return found;
  });
}

/** Latin words that have no business there. */
async function strangers(page: Page): Promise<readonly string[]> {
  const words = await readable(page);
  const left = words.flatMap(({ text, place }) => {
    // A folder or an address is what it is in every language.
    const plain = text.replaceAll(/\S*[/\\]\S*/g, '').replaceAll(/\b[0-9a-f]{4,}\b/g, '');
    const latin = plain.match(/[A-Za-z]{2,}/g) ?? [];
    return latin
      .filter((word) => !ALLOWED.has(word))
      .map((word) => `${word} in “${text.trim()}” (${place})`);
  });
  return [...new Set(left)];
}

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
