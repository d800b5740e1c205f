import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { tinyBundle, tinyCheckpoints, tinyRecipe } from '../helpers/tiny-model.ts';
import { eventually, stage, story } from './app.ts';
import { done, everyImage, make, setField } from './steps.ts';

const app = stage({ model: 'tiny' });

/** Drops addresses of files, as a file manager hands them over to a page. */
async function drop(page: Page, name: string, addresses: readonly string[]): Promise<void> {
  const dataTransfer = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    transfer.setData('text/uri-list', list);
    return transfer;
  }, addresses.join('\n'));
  await page.getByRole('button', { name }).dispatchEvent('drop', { dataTransfer });
}

story('the view lists what is installed, and verifying says so', async () => {
  const { page, shot } = await app.open({ at: '/models' });
  await page.getByText('Starter', { exact: true }).first().waitFor();
  const parts = page.getByRole('table', { name: 'Parts' });
  for (const part of ['Encoder', 'RDM', 'MAGE', 'Tokenizer']) {
    await parts.getByRole('rowheader', { name: new RegExp(`^${part}`) }).waitFor();
  }
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  await page
    .getByText(/Verified .*\d/)
    .last()
    .waitFor();
  await eventually(() => parts.getByText('Verified', { exact: true }).count()).toBe(4);
  await shot('models');

  const doctor = page.getByRole('complementary', { name: 'Doctor' });
  const run = doctor.getByRole('button', { name: /^Run/ });
  await run.click();
  await doctor.getByText('Same seed, same tokens').waitFor();
  await doctor.getByText('Database').waitFor();
});

story('a wrong path is told in words, and nothing is left behind', async () => {
  // The studio answers the question about the file with an error, which the browser logs.
  const { page, shot } = await app.open({ at: '/models', expects: /status of 4\d\d/ });
  await page.getByRole('button', { name: 'Import…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import a model' });
  await dialog.getByRole('textbox').fill(join(app.host.home, 'nowhere.pth'));
  await dialog.getByRole('button', { name: 'Look into the files' }).click();
  await dialog.getByText('nowhere.pth does not exist').waitFor();
  await dialog.getByText('Code file-unavailable').waitFor();
  await shot('import-bad-path');
  // The dialog is still there with what was typed, to be mended.
  expect(await dialog.getByRole('textbox').inputValue()).toContain('nowhere.pth');

  const text = join(app.host.home, 'text.pth');
  await writeFile(text, 'This is no checkpoint.');
  await dialog.getByRole('textbox').fill(text);
  await dialog.getByRole('button', { name: 'Look into the files' }).click();
  await dialog.getByText(/not a checkpoint that can be read/).waitFor();
  expect((await app.client.models.list()).map(({ id }) => id).toSorted()).toEqual([
    'starter',
    'tiny',
  ]);
});

story('in Japanese no reason is told in English', async () => {
  const bundle = await tinyBundle(join(app.host.home, 'models'), { name: 'odd' });
  await appendFile(join(bundle, 'mage.safetensors'), 'x');
  await rm(join(bundle, 'rdm.safetensors'));
  const { page, shot } = await app.open({
    at: '/models',
    language: 'ja',
    expects: /status of 4\d\d/,
  });
  await page.getByRole('button', { name: /^Tiny/ }).first().click();
  await page.getByRole('button', { name: '検証', exact: true }).click();
  const problems = page.getByRole('alert').filter({ hasText: 'mage.safetensors' });
  await problems.getByText(/^mage\.safetensors は [\d,]+ バイトですが/).waitFor();
  await problems.getByText('rdm.safetensors がありません').waitFor();

  await page.getByRole('button', { name: '読み込み…' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(join(app.host.home, 'nowhere.pth'));
  await dialog.getByRole('button', { name: 'ファイルを調べる' }).click();
  await dialog.getByText('nowhere.pth がありません').waitFor();
  await shot('models-reasons-ja');
  // Licences and cards are in the language they were written in.
  const shown = await page.getByRole('table').or(problems).or(dialog).allInnerTexts();
  expect(shown.join('\n').replaceAll(/\S*\/\S*/g, '')).not.toMatch(/\b[a-z]{2,} [a-z]{2,}\b/);
  await rm(bundle, { recursive: true });
});

story(
  'checkpoints are imported after their licence was accepted, and removed with undo',
  async () => {
    const folder = join(app.host.home, 'checkpoints');
    const files = await tinyCheckpoints(folder, { classes: 3 });
    const recipe = join(folder, 'recipe.json');
    await writeFile(recipe, JSON.stringify({ ...tinyRecipe({ name: 'second' }), title: 'Second' }));

    const { page, shot } = await app.open({ at: '/models' });
    await drop(
      page,
      'Drop a model folder',
      [...files, recipe].map((file) => `file://${file}`),
    );
    const dialog = page.getByRole('dialog', { name: 'Import a model' });
    await dialog.getByRole('button', { name: 'Look into the files' }).click();
    await dialog.getByText(/are copied into the library/).waitFor();
    const go = dialog.getByRole('button', { name: 'Import', exact: true });
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByRole('checkbox').check();
    await shot('import-offer');
    await go.click();
    await page
      .getByText(/^Model “.*” imported$/)
      .first()
      .waitFor();
    const second = (await app.client.models.list()).find(({ id }) => id === 'second');
    expect(second?.classes).toHaveLength(3);

    // The class is chosen last: from its field, too, Ctrl Enter is the page's.
    await page.keyboard.press('Control+1');
    await page.getByRole('combobox', { name: /^Model:/ }).click();
    await page.getByRole('option', { name: 'Second', exact: true }).click();
    await setField(page, 'Count', 1);
    await page.getByRole('combobox', { name: /^Class:/ }).click();
    await page.getByRole('option', { name: '2', exact: true }).click();
    await page.keyboard.press('Control+Enter');
    await done(page, 1);
    const [picture] = await everyImage(app.client, { models: ['second'] });
    expect(picture?.recipe).toMatchObject({
      model: { id: 'second', hash: second?.hash },
      source: { kind: 'sample', label: 2 },
    });
    await shot('import-generated');
    await page.keyboard.press('Control+5');
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page
      .getByText(/^Model “.*” removed$/)
      .first()
      .waitFor();
    expect((await app.client.models.list()).map(({ id }) => id)).not.toContain('second');
    await page.keyboard.press('Control+z');
    await eventually(async () => (await app.client.models.list()).map(({ id }) => id)).toContain(
      'second',
    );
    await app.client.studio.configure({ model: 'tiny' });
    await make(app.client, { source: { kind: 'sample' }, settings: { count: 1 } });
  },
);
