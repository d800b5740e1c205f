import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { cells, done, everyImage, ids, tabTo } from './steps.ts';

const app = stage({ model: 'tiny' });

story('one picture’s whole life by keyboard alone', async () => {
  const { page, shot } = await app.open();
  const { keyboard } = page;
  const search = page.getByRole('searchbox', { name: 'Search pictures' });
  /** From anywhere in the gallery: the search field, emptied, then the words. */
  const find = async (words: string, count: number) => {
    await tabTo(page, search);
    await keyboard.press('Control+A');
    await keyboard.press('Delete');
    await keyboard.type(words);
    await eventually(() => cells(page).count()).toBe(count);
  };

  // Two jobs of four: each takes the seeds after the one before.
  await page.getByText('Press Enter to make a picture').waitFor();
  await keyboard.press('Enter');
  await done(page, 4);
  await keyboard.press('Enter');
  await eventually(async () => (await ids(app.client)).length).toBe(8);

  await keyboard.press('Control+2');
  await eventually(() => cells(page).count()).toBe(8);
  await find('6', 1);
  await tabTo(page, cells(page));
  await keyboard.press('t');
  await page.getByRole('dialog', { name: 'Tag 1 image' }).waitFor();
  await keyboard.type('blue hour');
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await find('', 8);
  await find('blue hour', 1);
  await tabTo(page, cells(page));
  await keyboard.press('5');
  await page.getByRole('gridcell', { name: /^Seed 6, .*5 stars/ }).waitFor();
  await shot('keyboard-found');
  const [before] = await everyImage(app.client, { tags: ['blue hour'] });
  expect(before).toMatchObject({ seed: 6, rating: 5, tags: ['blue hour'] });

  // Export writes the PNG that comes back later.
  const exporting = page.getByRole('button', { name: 'Export' });
  await tabTo(page, exporting);
  const downloading = page.waitForEvent('download');
  await keyboard.press('Enter');
  const png = await readFile(await (await downloading).path());

  // To the bin and back, with all that it had.
  await tabTo(page, cells(page));
  await keyboard.press('Delete');
  await page.getByText('1 image moved to the bin').first().waitFor();
  await page.getByText('Nothing matches').waitFor();
  expect(await ids(app.client)).toHaveLength(7);
  await keyboard.press('Control+Z');
  await eventually(() => cells(page).count()).toBe(1);
  const [back] = await everyImage(app.client, { tags: ['blue hour'] });
  expect(back).toMatchObject({ id: before?.id, rating: 5, tags: ['blue hour'], file: 'present' });

  // Deleted for good, then brought back from its file.
  await tabTo(page, cells(page));
  await keyboard.press('Delete');
  await page.getByText('Nothing matches').waitFor();
  await tabTo(page, page.getByRole('button', { name: /^Bin/ }));
  await keyboard.press('Enter');
  await eventually(() => cells(page).count()).toBe(1);
  await tabTo(page, page.getByRole('button', { name: 'Empty bin…' }));
  await keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Delete for good' }));
  await keyboard.press('Enter');
  await page.getByText('The bin is empty').waitFor();

  const choosing = page.waitForEvent('filechooser');
  await tabTo(page, page.getByRole('button', { name: 'Import pictures…' }).first());
  await keyboard.press('Enter');
  const chooser = await choosing;
  await chooser.setFiles({ name: 'kept.png', mimeType: 'image/png', buffer: png });
  // What it is comes first; nothing is saved before Enter.
  await page.getByText('Picture of RCG Studio, with its recipe').waitFor();
  expect(await ids(app.client)).toHaveLength(7);
  await shot('keyboard-import');
  await page.getByRole('button', { name: 'Import 1' }).waitFor();
  await keyboard.press('Enter');
  await page.getByText('1 image imported').first().waitFor();
  const again = (await everyImage(app.client, { text: '6' })).find(({ seed }) => seed === 6);
  expect(again?.id).not.toBe(before?.id);
  expect(again?.recipe).toEqual(before?.recipe);
  const tokens = Buffer.from(again?.recipe.tokens ?? '', 'base64');
  expect(createHash('sha256').update(tokens).digest('hex')).toBe(before?.recipe.tokenHash);

  // Its recipe makes the same tokens once more.
  await page.getByRole('button', { name: 'Replay' }).waitFor();
  await tabTo(page, page.getByRole('button', { name: 'Replay' }));
  await keyboard.press('Enter');
  await page
    .getByText(/^256 of 256 tokens match/)
    .first()
    .waitFor();
});

story('a PNG that is dropped on the gallery lights up the picture that it was', async () => {
  const { page } = await app.open({ at: '/gallery' });
  await eventually(() => cells(page).count()).toBeGreaterThan(0);
  const [newest] = await everyImage(app.client);
  if (newest === undefined) throw new Error('There is no picture to drop.');
  await app.client.images.remove({ ids: [newest.id] });

  const drop = async (address: string) => {
    const response = await fetch(address);
    const file = new File([await response.arrayBuffer()], 'dropped.png', { type: 'image/png' });
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(file);
    const target = document.querySelector('[role="grid"]');
    for (const type of ['dragenter', 'dragover', 'drop']) {
      target?.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
  };
  await page.evaluate(drop, `/images/${newest.id}/full?v=${newest.version}`);
  await page.getByText('In the bin: it is restored').waitFor();
  expect((await app.client.images.get({ id: newest.id })).deletedAt).not.toBeNull();
  await page.keyboard.press('Enter');
  await page.getByText('1 image imported').first().waitFor();
  const back = await app.client.images.get({ id: newest.id });
  expect(back).toMatchObject({ deletedAt: null, file: 'present' });
  expect(back.recipe.tokenHash).toBe(newest.recipe.tokenHash);
  // One Ctrl Z puts it where it came from.
  await page.keyboard.press('Control+Z');
  const deletedAt = async () => (await app.client.images.get({ id: newest.id })).deletedAt;
  await eventually(deletedAt).not.toBeNull();
});
