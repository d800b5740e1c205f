import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { cells, furnish, setField } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });
const kept = async (name: string) => (await app.client.session.get()).entries[name] ?? '';

story('a window that was killed comes back with its fields, search and selection', async () => {
  const first = await app.open();
  await setField(first.page, 'Temperature', 7.5);
  await setField(first.page, 'Seed', 777);
  await first.page.keyboard.press('Control+2');
  await first.page.locator('#gallery-search').fill('dusk');
  await cells(first.page).nth(1).waitFor();
  await expect.poll(() => cells(first.page).count()).toBe(2);
  await cells(first.page).nth(0).click();
  await cells(first.page)
    .nth(1)
    .click({ modifiers: ['Control'] });
  // Nothing is written when it goes: what is kept is what a kill would leave.
  await eventually(async () => JSON.parse((await kept('gallery')) || '{}').selected?.length).toBe(
    2,
  );
  await eventually(() => kept('draft')).toContain('7.5');
  await first.close();

  const next = await app.open({ goesOn: true });
  await next.page.locator('nav a[aria-current]', { hasText: 'Gallery' }).waitFor();
  await expect.poll(() => cells(next.page).count()).toBe(2);
  await eventually(() => next.page.locator('[data-cell][aria-selected="true"]').count()).toBe(2);
  await next.page.keyboard.press('Control+1');
  const field = (name: string) => next.page.getByRole('spinbutton', { name, exact: true });
  await eventually(() => field('Temperature').inputValue()).toBe('7.5');
  expect(await field('Seed').inputValue()).toBe('777');
});

story('a window that was never open offers a seed that no picture has', async () => {
  const { page } = await app.open();
  const seed = page.getByRole('spinbutton', { name: 'Seed', exact: true });
  // The highest of the furnished library is 51.
  expect(await seed.inputValue()).toBe('52');
});
