import type { Page } from 'playwright-core';

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
      // A box of one pixel is for those who listen.
      if (element.clientWidth > 1 && hides(style.overflowX) && wide > 1 && !short) {
        found.push(`${place}: ${wide} px too wide`);
      }
      // By the letters, not by the lines: those may be taller than their box and lose nothing.
      const box = element.getBoundingClientRect();
      range.selectNodeContents(element);
      const letters = [...range.getClientRects()].some(
        ({ bottom, height }) => bottom - box.bottom > height / 5 && hides(style.overflowY),
      );
      if (element.clientHeight > 1 && letters) found.push(`${place}: cut below`);
      // What sticks out of the window cannot be read either.
      if (box.width > 0 && (box.left < -1 || box.right > innerWidth + 1)) {
        found.push(`${place}: outside of the window`);
      }
      // A box around it may hide a part as well, unless it can be scrolled.
      const { left, right } = hides(style.overflowX) ? box : range.getBoundingClientRect();
      if (right - left <= 1) continue;
      for (let around = element.parentElement; around; around = around.parentElement) {
        const { overflowX } = getComputedStyle(around);
        const { left: from, right: to, width } = around.getBoundingClientRect();
        if (hides(overflowX) && width > 1 && (left < from - 1 || right > to + 1)) {
          found.push(`${place}: cut by ${around.tagName.toLowerCase()}.${around.className}`);
        }
        if (overflowX !== 'visible') break;
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
      if (!of || text === '' || of.closest('.visually-hidden, [role="grid"], [data-selection-bar]'))
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

/** All that has not enough room. */
export async function crowded(page: Page): Promise<readonly string[]> {
  return [...(await sideways(page)), ...(await cut(page)), ...(await overlapping(page))];
}
