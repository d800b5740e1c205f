import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { stage, story } from './app.ts';
import { cells, furnish, setField } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });
const NUMBERS = [
  'Sampling steps',
  'Noise η',
  'Steps',
  'Temperature',
  'Final guidance',
  'Seed',
  'Count',
];
const CHOICES = ['Class', 'Guidance shape', 'Chunk', 'Live preview'];
type Fields = Readonly<Record<string, string>>;

/** Every setting of Generate, as it can be read there. */
async function fieldsOf(page: Page): Promise<Fields> {
  const numbers = NUMBERS.map(async (name) => {
    return [name, await page.getByRole('spinbutton', { name, exact: true }).inputValue()];
  });
  const choices = CHOICES.map(async (name) => {
    const label = await page.getByLabel(new RegExp(`^${name}: `)).getAttribute('aria-label');
    return [name, label ?? ''];
  });
  return Object.fromEntries(await Promise.all([...numbers, ...choices])) as Fields;
}

function changes(before: Fields, after: Fields): Fields {
  const changed = Object.entries(after).filter(([name, value]) => value !== before[name]);
  return Object.fromEntries(changed);
}

/** Other settings than those of every picture in the library. */
async function mySettings(page: Page): Promise<Fields> {
  await setField(page, 'Temperature', 7.5);
  await setField(page, 'Final guidance', 3);
  await setField(page, 'Steps', 12);
  await setField(page, 'Seed', 777);
  await setField(page, 'Count', 9);
  return fieldsOf(page);
}

const go = async (page: Page, key: string, name: string) => {
  await page.keyboard.press(key);
  await page.getByRole('link', { name, exact: true }).and(page.locator('[aria-current]')).waitFor();
};

story('the gallery compares with the model’s settings, Generate seen or not', async () => {
  const { page } = await app.open({ at: '/gallery' });
  // Made as the model recommends: only the seed is another.
  await cells(page).nth(2).click();
  await page.getByRole('button', { name: 'Use 1 difference' }).waitFor();
});

story('looking at pictures changes no setting', async () => {
  const { page } = await app.open();
  const mine = await mySettings(page);
  await go(page, 'Control+2', 'Gallery');
  await cells(page).nth(0).click();
  for (const key of ['ArrowRight', 'ArrowDown', 'Shift+ArrowLeft', 'Space', 'Home', 'End']) {
    await page.keyboard.press(key);
  }
  await cells(page)
    .nth(3)
    .click({ modifiers: ['Control'] });
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Escape');
  await cells(page).nth(2).click();
  await page.getByRole('button', { name: 'Replay' }).waitFor();
  await go(page, 'Control+1', 'Generate');
  expect(await fieldsOf(page)).toEqual(mine);
  // Nor does opening one on the stage, or picking others of its batch.
  await go(page, 'Control+2', 'Gallery');
  await cells(page).last().click();
  await page.keyboard.press('Enter');
  await page.getByRole('img', { name: /^Seed 1,/ }).waitFor();
  expect(await fieldsOf(page)).toEqual(mine);
});

story('“Use n differences” changes exactly n fields, and Ctrl Z takes them back', async () => {
  const { page, shot } = await app.open();
  const mine = await mySettings(page);
  await go(page, 'Control+2', 'Gallery');
  // The oldest picture is seed 1 at the model's own settings.
  await cells(page).last().click();
  const use = page.getByRole('button', { name: /^Use \d+ differences?$/ });
  await use.waitFor();
  await shot('recall');
  const promised = Number(/\d+/.exec(await use.innerText())?.[0]);
  await use.click();
  await page.getByRole('button', { name: 'No difference' }).waitFor();
  await go(page, 'Control+1', 'Generate');
  const now = await fieldsOf(page);
  const changed = changes(mine, now);
  expect(Object.keys(changed)).toHaveLength(promised);
  expect(changed).toEqual({ Temperature: '1.0', 'Final guidance': '1.00', Steps: '4', Seed: '1' });

  await page.keyboard.press('Control+z');
  expect(await fieldsOf(page)).toEqual(mine);
  await page.keyboard.press('Control+Shift+z');
  expect(await fieldsOf(page)).toEqual(now);
});

story('“Choose fields…” takes over only those that are ticked', async () => {
  const { page } = await app.open();
  const mine = await mySettings(page);
  await go(page, 'Control+2', 'Gallery');
  await cells(page).last().click();
  await page.getByRole('button', { name: 'Choose fields…' }).click();
  const dialog = page.getByRole('dialog');
  for (const name of ['Seed', 'MAGE steps', 'Final guidance']) {
    await dialog.getByRole('checkbox', { name, exact: true }).uncheck();
  }
  await dialog.getByRole('button', { name: 'Use 1 field' }).click();
  await go(page, 'Control+1', 'Generate');
  expect(changes(mine, await fieldsOf(page))).toEqual({ Temperature: '1.0' });
  await page.keyboard.press('Control+z');
  expect(await fieldsOf(page)).toEqual(mine);
});
