import type { Page } from 'playwright-core';
import { cells } from './steps.ts';

/** The views, and what shows that each of them is there; without words, for every language. */
export const VIEWS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/generate': (page) => page.getByRole('img').first().waitFor(),
  '/gallery': (page) => cells(page).first().click(),
  '/models': (page) => page.getByRole('table').waitFor(),
  '/settings': (page) => page.getByRole('radio').first().waitFor({ state: 'attached' }),
};

/** Opens a view on a fresh page. */
export async function go(page: Page, at: string): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#${at}`);
  await page.reload();
  await page.locator('nav a[aria-current]').waitFor();
  await VIEWS[at]?.(page);
  await page.waitForTimeout(300);
}
