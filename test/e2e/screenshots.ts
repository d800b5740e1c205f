import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { startHost } from './host.ts';
import { cells, done, ids, make, setField } from './steps.ts';
import { launch, openWindow } from './window.ts';

// Takes the README's pictures of the real studio with the starter model:
//   node test/e2e/screenshots.ts

const FOLDER = fileURLToPath(new URL('../../.readme', import.meta.url));
const MOST_BYTES = 300_000;
/** Of so many, this one is looked at while the others are made. */
const COUNT = 48;
const INDEX = 8;
/** Steps that are taken back from the last one: then most is decided and some is open. */
const BACK = 4;

const host = await startHost({ model: 'starter', settings: { previews: 'every' } });
const browser = await launch();

async function save(page: Page, name: string): Promise<void> {
  const file = join(FOLDER, `${name}.png`);
  await mkdir(FOLDER, { recursive: true });
  // Away from everything that would answer the pointer.
  await page.mouse.move(720, 20);
  const picture = await page.screenshot();
  await sharp(picture).png({ palette: true, quality: 100, effort: 10 }).toFile(`${file}.new`);
  await rename(`${file}.new`, file);
  const { size } = await stat(file);
  if (size > MOST_BYTES) throw new Error(`${name}.png is too large for the README: ${size} bytes.`);
  console.log(`${file}: ${size} bytes`);
}

/** Says something of the pictures, so that the gallery has what a used one has. */
async function furnishGallery(): Promise<void> {
  const { images } = host.client;
  const all = await ids(host.client);
  const some = (every: number, from = 0) => all.filter((_, index) => index % every === from);
  await images.update({ ids: some(3), rating: 4 });
  await images.update({ ids: some(5, 1), rating: 5, starred: true });
  await images.update({ ids: some(7, 2), rating: 3 });
  await images.update({ ids: some(4), addTags: ['faces'] });
  await images.update({ ids: some(6, 1), addTags: ['signs', 'keep'] });
  const round = await images.createBoard({ name: 'Round faces' });
  await images.update({ ids: some(4), addToBoard: round.id });
  const signs = await images.createBoard({ name: 'Sign set' });
  await images.update({ ids: some(6, 1), addToBoard: signs.id });
  const sort = { by: 'rating', descending: true } as const;
  await images.saveSearch({ name: 'Best of all', search: { filter: { starred: true }, sort } });
  const parent = all[1] ?? 1;
  await make(host.client, {
    source: { kind: 'image', image: parent },
    settings: { count: 3, seed: 900 },
  });
  await host.client.studio.backup();
}

try {
  const { page, close } = await openWindow(browser, host);
  await setField(page, 'Seed', 20);
  await setField(page, 'Count', COUNT);
  await setField(page, 'Final guidance', 1);
  await page.getByRole('group', { name: 'Picture' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText(/^1\d saved/).waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: `Image ${INDEX}, seed ${19 + INDEX}` }).click();
  await page.getByLabel('Decode steps').getByRole('button', { name: 'Show decode steps' }).click();
  const steps = page.getByRole('slider', { name: 'Decode steps' });
  // It goes when every step is there.
  const running = page.getByRole('button', { name: 'Running again…' });
  await running.waitFor({ state: 'detached', timeout: 120_000 });
  await steps.focus();
  for (let back = 0; back < BACK; back++) await page.keyboard.press('ArrowLeft');
  await steps.blur();
  await page.waitForTimeout(1000);
  await save(page, 'generate');
  await done(page, COUNT);
  await close();

  await make(host.client, { source: { kind: 'sample' }, settings: { count: 20, seed: 100 } });
  await furnishGallery();
  for (const theme of ['dark', 'light'] as const) {
    const gallery = await openWindow(browser, host, { theme, at: '/gallery' });
    const grid = cells(gallery.page);
    await grid.nth(4).click();
    for (const index of [9, 14]) await grid.nth(index).click({ modifiers: ['Control'] });
    await grid.nth(4).click({ modifiers: ['Control'] });
    await grid.nth(4).click({ modifiers: ['Control'] });
    await gallery.page.getByRole('button', { name: 'Replay' }).click();
    await gallery.page
      .getByText(/^256 of 256 tokens match/)
      .first()
      .waitFor();
    await gallery.page.getByRole('button', { name: 'Replay', exact: true }).waitFor();
    await gallery.page.waitForTimeout(500);
    await save(gallery.page, `gallery-${theme}`);
    await gallery.close();
  }
} finally {
  await browser.close();
  await host.stop();
}
