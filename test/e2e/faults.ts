import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import type { Window } from './window.ts';

/** Rules about colours. All others look at what is there, which is the same in both themes. */
const COLOURS = ['color-contrast', 'link-in-text-block'];
const MODAL = '[role="dialog"][aria-modal="true"]';

/**
 * What axe finds fault with on the page as it stands, in both themes: one line for each element. A
 * dialog hides the page from everybody, and the page was looked at without it: then only that.
 * @param name of the screenshots
 */
export async function faults(
  { page, shot }: Pick<Window, 'page' | 'shot'>,
  name: string,
): Promise<readonly string[]> {
  const modal = (await page.locator(MODAL).count()) > 0;
  const found: string[] = [];
  for (const theme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.locator(`html[data-theme="${theme}"]`).waitFor();
    await shot(`${name}-${theme}`);
    // In legacy mode axe stays in this page: it has no frames.
    const axe = new AxeBuilder({ page }).setLegacyMode();
    if (modal) axe.include(MODAL);
    const { violations } = await (theme === 'dark' ? axe : axe.withRules(COLOURS)).analyze();
    const lines = violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, html }) => `${id}: ${help}: ${target.join(' ')} ${html.slice(0, 200)}`),
    );
    found.push(...lines.map((line) => `${theme}: ${line}`));
  }
  return found;
}
