import type { Page } from 'playwright-core';

/** What has the focus, in the places of what it scrolls with as if nothing were scrolled. */
export interface Stop {
  readonly name: string;
  /** The region that it lies in. */
  readonly region: string;
  /** Whether the ring of the focus is drawn, on it or on what stands for it. */
  readonly ring: boolean;
  /** Between two regions, to make one wider. */
  readonly splitter: boolean;
  readonly scroller: string;
  /** It had the focus before. */
  readonly again: boolean;
  readonly box: {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  };
}

/** More than any view has. */
const MOST_STOPS = 250;

/** What has the focus now; null where nothing of the page has it. */
export function focused(page: Page): Promise<Stop | null> {
  return page.evaluate(() => {
    const RING = 'rgb(255, 255, 255)'; // --c-focus of the dark theme
    const element = document.activeElement;
    if (element === null || element === document.body) return null;
    const hidden = element.classList.contains('visually-hidden');
    const { nextElementSibling: next, parentElement } = element;
    const drawn = hidden ? [next] : [element, parentElement, ...element.querySelectorAll('*')];
    const ring = drawn.some((one) => {
      if (one === null) return false;
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(one);
      return (
        outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && outlineColor === RING
      );
    });
    let scrolled = 0;
    let scroller = '';
    for (let around = parentElement; around; around = around.parentElement) {
      scrolled += around.scrollTop;
      if (around.scrollHeight > around.clientHeight) scroller += ` ${around.className}`;
    }
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const again = element.hasAttribute('data-tabbed');
    element.setAttribute('data-tabbed', '');
    return {
      name: element.getAttribute('aria-label') ?? element.outerHTML.slice(0, 160),
      region: element.closest('[data-region]')?.getAttribute('aria-label') ?? '',
      ring,
      splitter: element.role === 'separator',
      scroller,
      again,
      box: { left, right, top: top + scrolled, bottom: bottom + scrolled },
    };
  });
}

/** Everything that Tab stops at, from the top of the page until it leaves it or comes round. */
export async function tabStops(page: Page): Promise<readonly Stop[]> {
  await page.locator('[data-region]').first().focus();
  const stops: Stop[] = [];
  for (let press = 0; press < MOST_STOPS; press++) {
    await page.keyboard.press('Tab');
    const stop = await focused(page);
    if (stop === null || stop.again) return stops;
    stops.push(stop);
  }
  throw new Error('Tab does not come out of the page.');
}

/** Neighbours of one region where the later one lies above, or to the left in the same line. */
export function unreadable(stops: readonly Stop[]): readonly string[] {
  return stops.flatMap((b, i) => {
    const a = stops[i - 1];
    if (a?.region !== b.region || a.scroller !== b.scroller) return [];
    const above = b.box.bottom <= a.box.top && b.box.left < a.box.right;
    const sameLine = b.box.top < a.box.bottom && a.box.top < b.box.bottom;
    const before = sameLine && b.box.right <= a.box.left;
    return above || before ? [`${a.name} then ${b.name}`] : [];
  });
}
