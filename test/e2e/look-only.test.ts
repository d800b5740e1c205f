import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { LibraryState } from '#api/library';
import { stage, story } from './app.ts';
import { cells, furnish } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });
const WHY = 'Read-only library: nothing is written.';

/** Names of the controls on screen that are off because nothing may be written. */
async function off(page: Page): Promise<readonly string[]> {
  const names = await page.locator(`[title="${WHY}"]`).evaluateAll((all) =>
    all.map((one) => {
      const named = one.getAttribute('aria-label') ?? one.querySelector('legend')?.textContent;
      const name = (named ?? one.textContent).trim();
      return one.matches(':disabled, [readonly], [aria-disabled="true"]') ? name : `on: ${name}`;
    }),
  );
  return names.toSorted();
}

story(
  'a library that is only looked at: what writes is off and says why, the rest works',
  async () => {
    const { page, shot } = await app.open({ at: '/gallery' });
    // The studio tells once how it is, and then only what changes: that must not come in between.
    await page.waitForTimeout(2500);
    await page.route('**/rpc/studio/status', async (route) => {
      const response = await route.fetch();
      const body = (await response.json()) as { readonly json: object };
      const state: LibraryState = { kind: 'read-only' };
      await route.fulfill({ response, json: { ...body, json: { ...body.json, state } } });
    });
    await page.reload();
    await page.getByRole('button', { name: 'Look at the pictures' }).click();
    await cells(page).first().click();
    await page.getByRole('button', { name: 'Replay' }).waitFor();
    const everywhere = ['Nothing to redo', 'Nothing to undo'];
    expect(await off(page)).toEqual(
      [
        ...['Add tag', 'Bin', 'Board', 'Import pictures…', 'New board', 'Note', 'Note', 'Rate'],
        ...['Rating', 'Rebuild', 'Save search', 'Save search', 'Star', 'Tag', ...everywhere],
      ].toSorted(),
    );
    await page.getByRole('button', { name: 'Actions for “Harbours”' }).press('Enter');
    await page.getByRole('menuitem').first().waitFor();
    expect(await off(page)).toEqual(expect.arrayContaining(['Rename…', 'Remove']));
    await page.keyboard.press('Escape');
    await shot('look-only-gallery');
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByText('256 of 256 tokens match, checked').first().waitFor();

    const go = (view: string) =>
      page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
    await go('Generate');
    await page.getByLabel('Model: Tiny').waitFor();
    await page.getByRole('button', { name: 'Star' }).waitFor();
    expect(await off(page)).toEqual(
      ['Live preview: every 4', 'Model: Tiny', 'Star', ...everywhere].toSorted(),
    );

    await go('Models');
    await page.getByRole('button', { name: /^Starter/ }).click();
    await page.getByRole('heading', { name: /^Starter/ }).waitFor();
    expect(await off(page)).toEqual([...everywhere, 'Use in Generate', 'Use this model']);
    expect(await page.getByRole('button', { name: 'Verify' }).isEnabled()).toBe(true);
    await page.getByRole('button', { name: /^Tiny/ }).click();
    await page.getByRole('button', { name: 'More actions' }).press('Enter');
    await page.getByRole('menuitem').first().waitFor();
    expect(await off(page)).toEqual([...everywhere, 'Remove']);
    await page.keyboard.press('Escape');

    await go('Settings');
    await page.getByRole('radio').first().waitFor({ state: 'attached' });
    const settings = (await off(page)).filter((name) => !/ key/.test(name));
    expect(settings).toEqual(
      [
        ...['Language', 'Theme', 'Text size', 'Reduce motion', 'Chunk', 'Live previews'],
        ...['Device: Processor, fastest way', 'Give memory back after', 'Move…', 'Import…'],
        ...['Back up now', 'Backups to keep', 'Compare now', 'Keep the bin for'],
        ...['Recipe in exported pictures', ...everywhere],
      ].toSorted(),
    );
    for (const name of ['Copy path', 'Export…']) {
      expect(await page.getByRole('button', { name }).isEnabled()).toBe(true);
    }
  },
);
