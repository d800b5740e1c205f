import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import type { SearchImages } from '#api/gallery';
import { stage, story } from './app.ts';
import { faults } from './faults.ts';
import { cells, furnish, ids, jobWhen } from './steps.ts';

const app = stage({
  model: 'tiny',
  prepare: async (client) => {
    await furnish(client);
    // Something for the bin, so that it can be emptied.
    await client.images.remove({ ids: (await ids(client)).slice(3, 4) });
  },
});

interface Scene {
  readonly name: string;
  readonly at: string;
  readonly set: (page: Page) => Promise<void>;
}

const click = (name: string | RegExp) => (page: Page) =>
  page.getByRole('button', { name }).first().click();
const dialogOf = (open: (page: Page) => Promise<void>) => async (page: Page) => {
  await open(page);
  await page.getByRole('dialog').waitFor();
};
const selected = async (page: Page) => {
  await cells(page).first().click();
  await page.getByRole('toolbar', { name: 'Selection' }).waitFor();
  await page.getByRole('button', { name: 'Replay' }).waitFor();
};
/** What a key opens for the selected picture. */
const dialogOfKey = (key: string) =>
  dialogOf(async (page) => {
    await selected(page);
    await page.keyboard.press(key);
  });
const compared = (mode: string) => async (page: Page) => {
  await cells(page).nth(0).click();
  await cells(page)
    .nth(1)
    .click({ modifiers: ['Control'] });
  await page.keyboard.press('c');
  await page.getByRole('radio', { name: mode }).check({ force: true });
};

const NOWHERE: SearchImages = {
  filter: { text: 'nowhere' },
  sort: { by: 'createdAt', descending: true },
};

const GENERATE: readonly Scene[] = [
  {
    name: 'Generate',
    at: '/generate',
    set: (page) => page.getByRole('img', { name: /^Seed/ }).first().waitFor(),
  },
  {
    name: 'Generate, a choice open',
    at: '/generate',
    set: async (page) => {
      await page.getByLabel(/^Live preview:/).click();
      await page.getByRole('option', { name: 'off' }).waitFor();
    },
  },
  { name: 'Generate, presets open', at: '/generate', set: click(/^Tiny default|^Presets/) },
  {
    name: 'Generate, uncertainty',
    at: '/generate',
    set: async (page) => {
      await page.getByRole('button', { name: 'Show decode steps' }).first().click();
      await page.getByRole('radio', { name: 'Uncertainty' }).check({ force: true });
      await page.getByText('256 of 256 tokens decided').waitFor();
    },
  },
];

const OVERLAYS: readonly Scene[] = [
  {
    name: 'the palette',
    at: '/generate',
    set: dialogOf((page) => page.keyboard.press('Control+k')),
  },
  { name: 'the shortcuts', at: '/gallery', set: dialogOf((page) => page.keyboard.press('?')) },
  { name: 'the queue', at: '/generate', set: click(/^Queue/) },
  {
    name: 'the history',
    at: '/gallery',
    set: async (page) => {
      await selected(page);
      await page.keyboard.press('s');
      await click(/^Undo: Star/)(page);
      await page.getByRole('button', { name: /^Redo: Star/ }).waitFor();
      await click('History of steps')(page);
      await page.getByRole('menuitem', { name: /^Redo up to: / }).waitFor();
    },
  },
];
const GALLERY: readonly Scene[] = [
  { name: 'Gallery', at: '/gallery', set: (page) => cells(page).first().waitFor() },
  { name: 'Gallery, one selected', at: '/gallery', set: selected },
  {
    name: 'Gallery, as a list',
    at: '/gallery',
    set: async (page) => {
      await click('List')(page);
      await cells(page).first().click();
    },
  },
  { name: 'Gallery, tagging', at: '/gallery', set: dialogOfKey('t') },
  {
    name: 'Gallery, a filter open',
    at: '/gallery',
    set: async (page) => {
      await click('Filter')(page);
      await page.getByRole('menuitem', { name: 'Rating' }).click();
      await page.getByRole('dialog', { name: 'Rating' }).waitFor();
    },
  },
  {
    name: 'Gallery, choosing fields',
    at: '/gallery',
    set: dialogOf(async (page) => {
      // The newest: the first one's seed is the one that Generate begins with.
      await cells(page).first().click();
      await click('Choose fields…')(page);
    }),
  },
  // The last one: the gallery remembers what it looked for.
  {
    name: 'Gallery, nothing found',
    at: `/gallery?find=${encodeURIComponent(JSON.stringify(NOWHERE))}`,
    set: (page) => page.getByText('Nothing matches').waitFor(),
  },
];
const COMPARE: readonly Scene[] = [
  { name: 'compare, side by side', at: '/gallery', set: compared('Side by side') },
  { name: 'compare, slider', at: '/gallery', set: compared('Slider') },
  { name: 'compare, difference', at: '/gallery', set: compared('Difference') },
];
const OTHERS: readonly Scene[] = [
  {
    name: 'Models',
    at: '/models',
    set: async (page) => {
      await click('Verify')(page);
      await page
        .getByText(/Verified .*\d/)
        .last()
        .waitFor();
    },
  },
  { name: 'Models, importing', at: '/models', set: dialogOf(click('Import…')) },
  {
    name: 'Settings',
    at: '/settings',
    set: (page) => page.getByText('Library folder').first().waitFor(),
  },
];

const DIALOGS: readonly Scene[] = [
  { name: 'moving the library', at: '/settings', set: dialogOf(click('Move…')) },
  {
    name: 'exporting the library',
    at: '/settings',
    set: dialogOf((page) =>
      page.locator('#settings-library').getByRole('button', { name: 'Export…' }).click(),
    ),
  },
  { name: 'Gallery, a board', at: '/gallery', set: dialogOfKey('m') },
  { name: 'Gallery, a note', at: '/gallery', set: dialogOfKey('n') },
  {
    name: 'Gallery, deleting for good',
    at: '/gallery',
    set: dialogOf(async (page) => {
      await click(/^Bin/)(page);
      await click('Empty bin…')(page);
    }),
  },
];

/** What shows that a view is there, while a job runs. */
const SHOWN: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  Generate: (page) => page.getByRole('button', { name: 'Cancel', exact: true }).waitFor(),
  Gallery: (page) => cells(page).first().waitFor(),
  Models: (page) => page.getByRole('table', { name: 'Parts' }).waitFor(),
  Settings: (page) => page.getByText('Library folder').first().waitFor(),
};

/** Scenes of one story: one window shows them after each other, each on a fresh page. */
const STORIES: Readonly<Record<string, readonly Scene[]>> = {
  Generate: GENERATE,
  'what lies over the views': OVERLAYS,
  Gallery: GALLERY,
  compare: COMPARE,
  'Models and Settings': OTHERS,
  'what asks': DIALOGS,
};

describe('in both themes axe finds nothing in', () => {
  story.each(Object.entries(STORIES))('%s', async (_, scenes) => {
    const window = await app.open();
    const { page } = window;
    const found: Record<string, readonly string[]> = {};
    for (const { name, at, set } of scenes) {
      await page.goto(`${app.host.origin}/#${at}`);
      await page.reload();
      // The page asks where it was before it listens to keys.
      await page.getByRole('navigation', { name: 'Views' }).waitFor();
      await set(page);
      const here = await faults(window, `axe-${name.replaceAll(/[ ,]+/g, '-').toLowerCase()}`);
      if (here.length > 0) found[name] = here;
    }
    expect(found).toEqual({});
  });

  story('every view, while a job runs', async () => {
    const window = await app.open({ at: '/generate' });
    const { page } = window;
    const job = await app.client.jobs.create({
      source: { kind: 'sample' },
      settings: { count: 1000, steps: 64, seed: 1000 },
    });
    await jobWhen(app.client, job.id, ({ images }) => images.length > 0);
    const found: Record<string, readonly string[]> = {};
    for (const [view, shown] of Object.entries(SHOWN)) {
      await page.getByRole('link', { name: view, exact: true }).click();
      await shown(page);
      const here = await faults(window, `axe-running-${view.toLowerCase()}`);
      if (here.length > 0) found[view] = here;
      expect(await page.evaluate(() => 'busy' in document.documentElement.dataset)).toBe(true);
    }
    expect(found).toEqual({});
    await app.client.jobs.cancel({ id: job.id });
    await jobWhen(app.client, job.id, ({ state }) => state === 'cancelled');
    await app.client.images.remove({ ids: [...(await ids(app.client, { job: job.id }))] });
  });
});
