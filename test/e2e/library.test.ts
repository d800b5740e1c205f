import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { ids, make } from './steps.ts';

const wish = (count: number, seed: number) =>
  ({ source: { kind: 'sample' }, settings: { count, seed } }) as const;
const app = stage({
  model: 'tiny',
  prepare: async (client) => void (await make(client, wish(3, 1))),
});

/** While the library changes its place, the page's calls may be told that it is closed. */
const expects = /503|library-unavailable/;

story(
  'the library is moved from Settings, and a wrong folder is refused beside the field',
  async () => {
    const { page, shot } = await app.open({ at: '/settings', expects: /400|503/ });
    const to = join(app.host.home, 'moved');
    await page.getByRole('button', { name: 'Move…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Move the library' });
    const field = dialog.getByLabel('New folder');
    const go = dialog.getByRole('button', { name: 'Move', exact: true });
    expect(await go.isDisabled()).toBe(true);
    await field.fill(join(to, 'deeper'));
    await go.click();
    await dialog.getByText('is not there; connect its drive').waitFor();
    await shot('library-move-refused');
    await field.fill(to);
    await page.keyboard.press('Enter');
    await page.getByText(`The library is in ${to} now.`).first().waitFor();
    await page.locator('#settings-library').getByText(to).waitFor();
    await shot('library-moved');
    expect(existsSync(join(app.host.home, 'library'))).toBe(false);
    expect(await ids(app.client)).toHaveLength(3);

    await page.getByRole('button', { name: 'Compare now' }).click();
    await page.getByText('0 added, 0 found again').first().waitFor();
  },
);

story('a damaged record is noticed, and its backup opened beside it', async () => {
  const { page, shot } = await app.open({ at: '/gallery', expects });
  const before = (await ids(app.client)).length;
  await app.client.studio.backup();
  await make(app.client, wish(2, 50));
  const { folder } = await app.client.library.place();
  const file = await open(join(folder, 'library.db'), 'r+');
  await file.write(Buffer.alloc(8192 * 6, 0x5a), 0, 8192 * 6, 8192 * 2);
  await file.close();
  // A move looks through the record before it trusts its copy.
  await expect(app.client.library.move({ folder: `${folder}-2` })).rejects.toThrow();
  expect(existsSync(`${folder}-2`)).toBe(false);

  await page.getByRole('heading', { name: 'The library’s record is damaged' }).waitFor();
  await shot('library-damaged');
  await page.getByRole('button', { name: 'Open backup beside it' }).click();
  await page.getByText('The backup is open').first().waitFor();
  await eventually(async () => (await ids(app.client)).length).toBe(before + 2);
  await page.getByRole('navigation', { name: 'Library' }).waitFor();
  await shot('library-repaired');
});
