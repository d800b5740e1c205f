import { expect } from 'vitest';
import { stage, story } from './app.ts';
import { done, everyImage } from './steps.ts';

const app = stage({ model: 'starter' });

story('from a fresh folder to the first pictures with Enter alone', async () => {
  const { page, shot } = await app.open();
  await page.getByText('Press Enter to make a picture').waitFor();
  await shot('first-run');

  await page.keyboard.press('Enter');
  await done(page, 4);
  await page.getByRole('img', { name: /^Seed 4, / }).waitFor();
  await shot('first-pictures');

  const images = await everyImage(app.client);
  expect(images.map(({ recipe }) => recipe.seed).toSorted()).toEqual([1, 2, 3, 4]);
  expect(images.map(({ recipe }) => recipe.model.id)).toEqual(Array(4).fill('starter'));
  expect(new Set(images.map(({ recipe }) => recipe.tokenHash)).size).toBe(4);
  const tiles = page.getByRole('region', { name: 'This batch' }).getByRole('button');
  expect(await tiles.count()).toBe(4);
  // A picture of something: white paper, and many colours on it.
  const colours = await page.evaluate(async () => {
    const picture = document.querySelector<HTMLImageElement>('.picture img');
    await picture?.decode();
    const canvas = new OffscreenCanvas(128, 128);
    const context = canvas.getContext('2d');
    if (!picture || !context) return 0;
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, 128, 128);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(colours).toBeGreaterThan(500);
});
