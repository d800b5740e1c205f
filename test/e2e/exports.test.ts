import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stage, story } from './app.ts';
import { cells, furnish } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });

const ONE_PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

story('an export makes lost files again, and says what it had to leave out', async () => {
  const { client, host } = app;
  const file = new File([Buffer.from(ONE_PIXEL, 'base64')], 'dot.png');
  const [foreign = 0] = (await client.images.import({ files: [file] })).ids;
  const pathOf = async (id: number) =>
    join(host.home, 'library', (await client.images.get({ id })).path);
  const { ids } = await client.images.search({
    filter: {},
    sort: { by: 'createdAt', descending: true },
  });
  const lost = ids.find((id) => id !== foreign) ?? 0;
  await rm(await pathOf(foreign));
  await rm(await pathOf(lost));

  const { page, shot } = await app.open({ at: '/gallery', expects: /404/ });
  await page.getByText('9 found').waitFor();
  await cells(page).first().click();
  await page.keyboard.press('Control+a');
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('rcg-studio-8.zip');
  expect((await stat(await download.path())).size).toBeGreaterThan(8 * 1000);
  await page.getByText('8 images exported').first().waitFor();
  await page
    .getByText(/^1 left out. It came from elsewhere/)
    .first()
    .waitFor();
  await shot('export-left-out');

  // Asked each time, the button offers both.
  await client.studio.configure({ exportMetadata: 'ask' });
  await page.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('menuitem', { name: 'Without recipe' }).waitFor();
});
