import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { stage, story } from './app.ts';
import { cells, furnish } from './steps.ts';

const app = stage({ model: 'tiny', prepare: furnish });

const VIEWS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/generate': (page) => page.getByRole('img').first().waitFor(),
  '/gallery': (page) => cells(page).first().click(),
  '/models': (page) => page.getByRole('table').waitFor(),
  '/settings': (page) => page.getByRole('radio').first().waitFor({ state: 'attached' }),
};

async function go(page: Page, at: string): Promise<void> {
  await page.goto(`${app.host.origin}/#${at}`);
  await page.reload();
  await page.locator('nav a[aria-current]').waitFor();
  await VIEWS[at]?.(page);
  await page.waitForTimeout(300);
}

/** Whether the page or one of its regions can be scrolled sideways. */
function sideways(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const places = [document.documentElement, ...document.querySelectorAll('[data-region], main')];
    return places.flatMap((place) => {
      const over = place.scrollWidth - place.clientWidth;
      return over > 1
        ? [`${place.tagName} ${place.getAttribute('aria-label') ?? ''}: ${over} px`]
        : [];
    });
  });
}

/**
 * Texts that are cut: wider or taller than the box that hides the rest. Where a text ends in an
 * ellipsis on purpose its whole must be at hand, as a title or an accessible name.
 */
function cut(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const range = document.createRange();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node as HTMLElement;
      const hasText = [...element.childNodes].some(
        (child) => child.nodeType === Node.TEXT_NODE && (child.textContent ?? '').trim() !== '',
      );
      if (!hasText || element.closest('.visually-hidden, svg, [hidden], option')) continue;
      const style = getComputedStyle(element);
      const hides = (axis: string) => axis === 'hidden' || axis === 'clip';
      const wide = element.scrollWidth - element.clientWidth;
      const told = element.closest('[title], [aria-label]') !== null;
      const short = style.textOverflow === 'ellipsis' && told;
      const text = (element.textContent ?? '').trim().slice(0, 60);
      const place = `${element.tagName.toLowerCase()}.${element.className} “${text}”`;
      if (element.clientWidth > 0 && hides(style.overflowX) && wide > 1 && !short) {
        found.push(`${place}: ${wide} px too wide`);
      }
      // By the letters, not by the lines: those may be taller than their box and lose nothing.
      const box = element.getBoundingClientRect();
      range.selectNodeContents(element);
      const letters = [...range.getClientRects()].some(
        ({ bottom, height }) => bottom - box.bottom > height / 5 && hides(style.overflowY),
      );
      if (element.clientHeight > 0 && letters) found.push(`${place}: cut below`);
      // What sticks out of the window cannot be read either.
      if (box.width > 0 && (box.left < -1 || box.right > innerWidth + 1)) {
        found.push(`${place}: outside of the window`);
      }
    }
    return [...new Set(found)];
  });
}

/** Texts that lie over another one of the same view. */
function overlapping(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const range = document.createRange();
    const texts: { readonly text: string; readonly box: DOMRect; readonly of: Element }[] = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const of = node.parentElement;
      const text = (node.textContent ?? '').trim();
      if (!of || text === '' || of.closest('.visually-hidden, [role="grid"], [role="toolbar"]'))
        continue;
      if (!of.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        // Scrolled out, or behind something that covers all of it on purpose.
        if (top === null || !(top === of || of.contains(top) || top.contains(of))) continue;
        texts.push({ text, box, of });
      }
    }
    return texts.flatMap((a, i) =>
      texts.slice(i + 1).flatMap((b) => {
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const tall = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        return wide > 3 && tall > 4 && a.of !== b.of ? [`“${a.text}” over “${b.text}”`] : [];
      }),
    );
  });
}

describe.each(['en', 'ja'] as const)('in %s', (language) => {
  story('at 1080 × 680 nothing scrolls sideways and no text is cut', async () => {
    const { page, shot } = await app.open({ language, size: { width: 1080, height: 680 } });
    const found: Record<string, readonly string[]> = {};
    for (const at of Object.keys(VIEWS)) {
      await go(page, at);
      await shot(`small-${language}${at.replace('/', '-')}`);
      found[at] = [...(await sideways(page)), ...(await cut(page)), ...(await overlapping(page))];
    }
    expect(found).toEqual({ '/generate': [], '/gallery': [], '/models': [], '/settings': [] });
  });

  story('with text at 200 % nothing is cut or overlaps', async () => {
    await app.client.studio.configure({ textSize: 200 });
    const { page, shot } = await app.open({ language });
    const found: Record<string, readonly string[]> = {};
    for (const at of Object.keys(VIEWS)) {
      await go(page, at);
      await shot(`large-${language}${at.replace('/', '-')}`);
      found[at] = [...(await sideways(page)), ...(await cut(page)), ...(await overlapping(page))];
    }
    await app.client.studio.configure({ textSize: 100 });
    expect(found).toEqual({ '/generate': [], '/gallery': [], '/models': [], '/settings': [] });
  });
});
