import { describe, expect } from 'vitest';
import { stage, story } from './app.ts';
import { lengthen } from './pseudo.ts';
import { crowded } from './room.ts';
import { furnish } from './steps.ts';
import { go, VIEWS } from './views.ts';
import { strangers } from './words.ts';

const app = stage({ model: 'tiny', prepare: furnish });
/** What Intl writes into dates, not the catalogues. */
const DATES = ['AM', 'PM', ...Array.from({ length: 12 }, (_, month) => monthName(month))];
const NOTHING = Object.fromEntries(Object.keys(VIEWS).map((at) => [at, []]));

const SMALLEST = { width: 1080, height: 680 };
/** The window in which a language is tried with large text. */
const LARGE_IN = { en: SMALLEST, ja: { width: 1440, height: 900 } };

describe.each(['en', 'ja'] as const)('in %s', (language) => {
  story('at 1080 × 680 nothing scrolls sideways and no text is cut', async () => {
    const { page, shot } = await app.open({ language, size: SMALLEST });
    const found: Record<string, readonly string[]> = {};
    for (const at of Object.keys(VIEWS)) {
      await go(page, at);
      await shot(`small-${language}${at.replace('/', '-')}`);
      found[at] = await crowded(page);
    }
    expect(found).toEqual(NOTHING);
  });

  story('with text at 200 % nothing is cut or overlaps', async () => {
    await app.client.studio.configure({ textSize: 200 });
    const { page, shot } = await app.open({ language, size: LARGE_IN[language] });
    const found: Record<string, readonly string[]> = {};
    for (const at of Object.keys(VIEWS)) {
      await go(page, at);
      await shot(`large-${language}${at.replace('/', '-')}`);
      found[at] = await crowded(page);
    }
    // The strip has two lines now; the drawer stands on it.
    const strip = page.locator('footer[data-region]');
    await strip.locator('button[aria-expanded]').click();
    const drawer = page.locator('.drawer');
    await drawer.waitFor();
    await shot(`large-${language}-queue`);
    const [above, below] = [await drawer.boundingBox(), await strip.boundingBox()];
    if (above === null || below === null) throw new Error('Drawer or strip is not there.');
    expect(above.y).toBeGreaterThan(0);
    expect(above.y + above.height).toBeLessThanOrEqual(below.y);
    expect(await crowded(page)).toEqual([]);
    await app.client.studio.configure({ textSize: 100 });
    expect(found).toEqual(NOTHING);
  });
});

story('a language with longer words than any fits, and leaves none untranslated', async () => {
  const { page, shot } = await app.open();
  await lengthen(page);
  const found: Record<string, readonly string[]> = {};
  const look = async (name: string, bare: readonly string[]) => {
    await shot(`long-${name}`);
    found[name] = [...(await crowded(page)), ...bare];
  };
  for (const at of Object.keys(VIEWS)) {
    await go(page, at);
    // A model's card is written by its makers, in their language.
    await look(at.slice(1), at === '/models' ? [] : await strangers(page, DATES));
  }
  expect(await page.locator('nav').first().innerText()).toMatch(/^[^a-z]+$/i);
  await go(page, '/gallery');
  for (const [name, key] of [
    ['tagging', 't'],
    ['shortcuts', '?'],
    ['palette', 'Control+k'],
  ] as const) {
    await page.keyboard.press(key);
    await page.getByRole('dialog').waitFor();
    await look(name, await strangers(page, DATES));
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
  expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, []])));
});

story('written from the right, everything has its place too', async () => {
  const { page, shot } = await app.open();
  await page.addInitScript(() => {
    addEventListener('DOMContentLoaded', () => (document.documentElement.dir = 'rtl'));
  });
  await page.reload();
  const found: Record<string, readonly string[]> = {};
  for (const at of Object.keys(VIEWS)) {
    await go(page, at);
    await shot(`from-the-right${at.replace('/', '-')}`);
    found[at] = await crowded(page);
  }
  expect(found).toEqual(NOTHING);
  const rail = await page.locator('nav[data-region]').first().boundingBox();
  expect(rail?.x).toBeGreaterThan(1440 / 2);
});

story('at 1440 × 900 the regions have the sizes of the design', async () => {
  const { page } = await app.open();
  const size = async (selector: string, side: 'width' | 'height') =>
    (await page.locator(selector).first().boundingBox())?.[side] ?? 0;
  const SIDES = { '/generate': [304, 316], '/gallery': [232, 340], '/models': [316, 412] };
  for (const [at, [left = 0, right = 0]] of Object.entries(SIDES)) {
    await go(page, at);
    const measured = {
      top: await size('header[data-region]', 'height'),
      rail: await size('nav[data-region]', 'width'),
      strip: await size('footer[data-region]', 'height'),
      left: await size('main section[data-region]', 'width'),
      leftHead: await size('main section[data-region] .panel-head', 'height'),
      centreHead: await size('main .centre .panel-head', 'height'),
      right: await size('main aside[data-region]', 'width'),
      rightHead: await size('main aside .panel-head', 'height'),
    };
    const head = { leftHead: 44, centreHead: 44, rightHead: 44 };
    expect
      .soft(offBy(measured, { top: 44, rail: 72, strip: 32, left, right, ...head }))
      .toEqual({});
    expect.soft(await crowded(page)).toEqual([]);
  }
  await go(page, '/generate');
  const measured = {
    steps: await size('section[aria-label="Decode steps"]', 'height'),
    batch: await size('section[aria-label="This batch"]', 'height'),
  };
  expect(offBy(measured, { steps: 118, batch: 96 })).toEqual({});
});

/** What differs by more than the four pixels that the design leaves free. */
function offBy(
  measured: Readonly<Record<string, number>>,
  meant: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const off = Object.entries(measured).filter(
    ([name, value]) => Math.abs(value - (meant[name] ?? 0)) > 4,
  );
  return Object.fromEntries(off);
}

function monthName(month: number): string {
  return new Intl.DateTimeFormat('en', { month: 'short' }).format(new Date(2026, month, 1));
}
