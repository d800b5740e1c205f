import { expect } from 'vitest';
import type { LibraryState } from '#api/library';
import { stage, story } from './app.ts';
import { faults } from './faults.ts';

const app = stage({ model: 'tiny' });

/** What a library that is not open says, and what its page lets a person do. */
const PAGES: readonly (readonly [
  name: string,
  state: LibraryState,
  heading: string,
  buttons: readonly string[],
])[] = [
  ['newer', { kind: 'newer', version: '9.1' }, 'Made by version 9.1', ['Open read-only']],
  ['locked', { kind: 'locked', by: 'process 7' }, 'The library is open elsewhere', []],
  ['read-only', { kind: 'read-only' }, 'The library is read-only', ['Look at the pictures']],
  [
    'full',
    { kind: 'read-only', reason: { code: 'library-disk-full', values: {} } },
    'The disk is full',
    ['Look at the pictures'],
  ],
  [
    'network',
    { kind: 'network', filesystem: 'NFS' },
    'The library is on a network drive',
    ['Open read-only'],
  ],
  [
    'missing',
    {
      kind: 'missing',
      reason: { code: 'library-none', values: { folder: '/disk/library' } },
      detail: 'There is no library in /disk/library.',
    },
    'The library cannot be reached',
    [],
  ],
  [
    'lost',
    {
      kind: 'damaged',
      backup: '/disk/library/backups/library-2026-11-23T12-00-00-000Z.db',
      reason: { code: 'record-lost', values: { file: 'library.db' } },
      detail: null,
    },
    'The library’s record is gone',
    ['Open backup beside it', 'Make the record again'],
  ],
  [
    'damaged',
    {
      kind: 'damaged',
      backup: null,
      reason: { code: 'record-unsound', values: { file: 'library.db' } },
      detail: 'Tree 5 page 9: btreeInitPage() returns error code 11',
    },
    'The library’s record is damaged',
    ['Make the record again'],
  ],
];

/** The studio tells once how it is, and then only what changes: that must not come in between. */
const told = () => new Promise((resolve) => setTimeout(resolve, 2500));

story('a library that is not open has a page for each state, with a way on', async () => {
  const window = await app.open({ at: '/gallery' });
  const { page } = window;
  const found: Record<string, readonly string[]> = {};
  await told();
  for (const [name, state, heading, buttons] of PAGES) {
    await page.route('**/rpc/studio/status', async (route) => {
      const response = await route.fetch();
      const body = (await response.json()) as { readonly json: object };
      await route.fulfill({ response, json: { ...body, json: { ...body.json, state } } });
    });
    await page.reload();
    await page.getByRole('heading', { name: heading }).waitFor();
    for (const button of [...buttons, 'Try again', 'Choose another…']) {
      expect(await page.getByRole('button', { name: button }).isEnabled()).toBe(true);
    }
    const here = await faults(window, `library-${name}`);
    if (here.length > 0) found[name] = here;
    await page.unroute('**/rpc/studio/status');
  }
  expect(found).toEqual({});
});

story('another library is begun in a folder, by the keyboard alone', async () => {
  const { page } = await app.open({ at: '/gallery', expects: /400|503|library-unavailable/ });
  await told();
  await page.route('**/rpc/studio/status', async (route) => {
    const response = await route.fetch();
    const body = (await response.json()) as { readonly json: object };
    const state: LibraryState = { kind: 'newer', version: '9.1' };
    await route.fulfill({ response, json: { ...body, json: { ...body.json, state } } });
  });
  await page.reload();
  await page.getByRole('button', { name: 'Choose another…' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Choose a library' });
  await dialog.waitFor();
  await page.keyboard.type('not a whole path');
  await page.keyboard.press('Enter');
  await dialog.getByText('is not a whole path').first().waitFor();
  const to = `${app.host.home}/another`;
  await page.keyboard.press('Control+A');
  await page.keyboard.type(to);
  await page.unroute('**/rpc/studio/status');
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Library' }).waitFor();
  expect((await app.client.library.place()).folder).toBe(to);
});
