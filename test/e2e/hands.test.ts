import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { cells, everyImage, furnish, ids } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });

const bar = (page: Page) => page.getByRole('toolbar', { name: 'Selection' });

/** Pastes as the browser does: with an event that carries the data. */
async function paste(page: Page, what: { text?: string; png?: string }): Promise<void> {
  await page.evaluate(({ text, png }) => {
    const data = new DataTransfer();
    if (text !== undefined) data.setData('text/plain', text);
    if (png !== undefined) {
      const bytes = Uint8Array.from(atob(png), (char) => char.charCodeAt(0));
      data.items.add(new File([bytes], 'pasted.png', { type: 'image/png' }));
    }
    const event = new ClipboardEvent('paste', {
      clipboardData: data,
      bubbles: true,
      cancelable: true,
    });
    document.body.dispatchEvent(event);
  }, what);
}

story('the parent is on the stage for as long as its key is held', async () => {
  const children = await everyImage(app.client, { operations: ['variation'] });
  const [child] = children;
  const { page, shot } = await app.open({ at: `/generate?image=${child?.id}` });
  const parent = page.getByRole('img', { name: 'The parent of this picture' });
  await page.getByRole('group', { name: 'Picture' }).focus();
  await page.getByText('Image', { exact: false }).first().waitFor();
  await eventually(async () => {
    // Until the picture is read there is no parent, and a key that is held on asks no second time.
    await page.keyboard.up('\\');
    await page.keyboard.down('\\');
    return parent.count();
  }).toBe(1);
  await shot('parent');
  await page.keyboard.up('\\');
  await eventually(() => parent.count()).toBe(0);
});

story(
  'in the gallery it is in the place of the chosen picture, and nothing else changes',
  async () => {
    const [child] = await everyImage(app.client, { operations: ['variation'] });
    const { page, shot } = await app.open({ at: `/gallery?image=${child?.id}` });
    const details = page.getByRole('complementary', { name: 'Details' });
    const parent = details.getByRole('img', { name: 'The parent of this picture' });
    await details.getByRole('heading', { name: /^Lineage/ }).waitFor();
    await cells(page).and(page.locator('[aria-selected="true"]')).focus();
    await page.keyboard.down('\\');
    await parent.waitFor();
    await details.getByText('Parent', { exact: true }).waitFor();
    expect(await parent.getAttribute('src')).toBe(`/images/${child?.parents[0]?.id}/full`);
    expect(await details.getByText(String(child?.seed), { exact: true }).first().isVisible()).toBe(
      true,
    );
    await shot('gallery-parent');
    await page.keyboard.up('\\');
    await parent.waitFor({ state: 'detached' });
  },
);

story('pixels are dropped and made again, in the bin and out of it', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  await cells(page).nth(2).click();
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: /^Bin/ }).first().click();
  await cells(page).first().click();
  await bar(page).getByRole('button', { name: 'Drop pixels, keep recipe' }).click();
  await page
    .getByText(/^Pixels of 1 image dropped/)
    .first()
    .waitFor();
  await cells(page).getByText('Pixels dropped').waitFor();
  await shot('bin-dropped');
  await bar(page).getByRole('button', { name: 'Rebuild' }).click();
  await page.getByText('1 image rebuilt').first().waitFor();
  await eventually(() => cells(page).getByText('Pixels dropped').count()).toBe(0);
  await bar(page).getByRole('button', { name: 'Restore' }).click();
  await eventually(() => ids(app.client, { bin: true })).toHaveLength(0);
});

story('deleting for good names how many, and takes only those', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  for (const index of [0, 1, 2]) {
    await cells(page)
      .nth(index)
      .click({ modifiers: ['Control'] });
  }
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: /^Bin/ }).first().click();
  await eventually(() => cells(page).count()).toBe(3);
  await cells(page).nth(0).click();
  await cells(page)
    .nth(1)
    .click({ modifiers: ['Control'] });
  await page.keyboard.press('Shift+Delete');
  const dialog = page.getByRole('dialog', { name: 'Delete 2 images for good?' });
  await dialog.getByText(/cannot be undone/).waitFor();
  await shot('purge');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await ids(app.client, { bin: true })).toHaveLength(3);
  await bar(page)
    .getByRole('button', { name: /^Delete for good/ })
    .click();
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await eventually(() => ids(app.client, { bin: true })).toHaveLength(1);
  await page.getByText('2 images deleted for good').first().waitFor();
  await page.keyboard.press('Control+z');
  await eventually(() => ids(app.client, { bin: true })).toHaveLength(0);
  expect(await ids(app.client)).toHaveLength(6);
});

story('a recipe and a picture come in by a paste, whatever the view', async () => {
  const { page } = await app.open();
  const before = (await ids(app.client)).length;
  const [image] = await everyImage(app.client);
  await paste(page, { text: 'just words' });
  await paste(page, { text: JSON.stringify(image?.recipe) });
  await page.getByText('Recipe without a picture: the picture is made again').waitFor();
  expect(await ids(app.client)).toHaveLength(before);
  await page.keyboard.press('Enter');
  await eventually(() => ids(app.client)).toHaveLength(before + 1);
  await page.getByRole('dialog', { name: 'Import' }).waitFor({ state: 'detached' });
  const png = await readFile(join(app.host.home, 'library', image?.path ?? ''));
  await app.client.images.remove({ ids: [image?.id ?? 0] });
  await paste(page, { png: png.toString('base64') });
  await page.getByText('In the bin: it is restored').waitFor();
  await page.keyboard.press('Enter');
  // It is ours and lies in the bin: it comes back rather than twice.
  await eventually(() => ids(app.client)).toHaveLength(before + 1);
});

story('a picture is shown larger where the pointer rests, and not by passing', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  const larger = page.locator('[data-hover-preview]');
  await cells(page).nth(1).hover();
  await larger.waitFor();
  await shot('hover');
  await page.mouse.down();
  await eventually(() => larger.count()).toBe(0);
  await page.mouse.up();
  await page.mouse.move(700, 20);
});

story('a picture dragged over Generate opens it, and is dropped on where to start', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  await cells(page).nth(1).hover();
  await page.mouse.down();
  await page.mouse.move(300, 300, { steps: 4 });
  await page.getByRole('navigation', { name: 'Views' }).getByText('Generate').hover();
  const source = page.getByRole('group', { name: 'Start from' });
  await source.waitFor();
  const box = await source.boundingBox();
  await page.mouse.move((box?.x ?? 0) + 60, (box?.y ?? 0) + 20, { steps: 5 });
  await page.getByText('Drop to start from this picture').waitFor();
  await shot('drop-source');
  await page.mouse.up();
  await page.getByText(/representation of image \d+/).waitFor();
});

/** Selects the first three and begins to drag the second of them. */
async function dragThree(page: Page): Promise<void> {
  await cells(page).first().click();
  await cells(page)
    .nth(2)
    .click({ modifiers: ['Shift'] });
  await page.getByText('3 selected', { exact: true }).waitFor();
  await cells(page).nth(1).hover();
  await page.mouse.down();
  await page.mouse.move(420, 330, { steps: 6 });
}

story('a drag of several says in a browser that one file can leave the window', async () => {
  const { page } = await app.open({ at: '/gallery' });
  await page.evaluate(() => {
    const set = Reflect.get(DataTransfer.prototype, 'setDragImage') as DataTransfer['setDragImage'];
    DataTransfer.prototype.setDragImage = function (label, x, y) {
      document.title = label.textContent;
      set.call(this, label, x, y);
    };
  });
  await dragThree(page);
  await eventually(() => page.title()).toMatch(/^3 images here · outside this window, the one/);
  expect(await page.locator('.drag-label').count()).toBe(0);
  await page.getByRole('button', { name: /^Harbours/ }).hover();
  await page.mouse.up();
  await page.getByText('3 images added to “Harbours”').first().waitFor();
  await page.keyboard.press('Control+z');
  await page.getByRole('button', { name: 'Harbours 2' }).waitFor();
});

story(
  'a drag of several files out of the desktop still is one of pictures in the window',
  async () => {
    const { page } = await app.open({ at: '/gallery' });
    // As the desktop's preload gives it; there the system then drags, and pages see that files come.
    await page.addInitScript(() => {
      const dragOut = (asked: readonly number[], recipe: boolean) => {
        document.body.dataset['dragged'] = `${asked.length} ${String(recipe)}`;
        return Promise.resolve({ names: asked.map((id) => `tiny-${id}.png`), failure: null });
      };
      Object.assign(globalThis, { studioHost: { dragOut } });
    });
    await page.reload();
    await cells(page).first().waitFor();
    const chosen = (await ids(app.client)).slice(0, 3);
    await dragThree(page);
    await eventually(() => page.locator('body').getAttribute('data-dragged')).toBe('3 true');
    const board = page.getByRole('button', { name: /^Harbours/ });
    const drop = (target: Element, names: readonly string[]) => {
      const dataTransfer = new DataTransfer();
      for (const name of names) dataTransfer.items.add(new File(['x'], name));
      const over = new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true });
      target.dispatchEvent(over);
      target.dispatchEvent(
        new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }),
      );
    };
    await board.evaluate(
      drop,
      chosen.map((id) => `tiny-${id}.png`),
    );
    await page.getByText('3 images added to “Harbours”').first().waitFor();
    await page.mouse.up();
    // What comes later with the same names is from elsewhere.
    await board.evaluate(drop, ['tiny-1.png']);
    await page.getByRole('dialog').getByText('tiny-1.png').first().waitFor();
  },
);

story('every key of the hand is in the sheet', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  await cells(page).nth(1).click();
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard' });
  for (const name of ['Paste a picture or a recipe', 'Delete for good', 'Copy the picture']) {
    await sheet.getByText(name, { exact: true }).first().waitFor();
  }
  await shot('sheet');
});

story('a panel that closes leaves the focus on what opens it again', async () => {
  const { page } = await app.open({ at: '/gallery' });
  const details = page.getByRole('complementary');
  await details.getByRole('button', { name: 'Hide the details' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('[data-panel-toggle]:focus[aria-expanded="false"]').waitFor();
  await page.keyboard.press('Enter');
  await details.locator('[data-panel-toggle]:focus[aria-expanded="true"]').waitFor();
});
