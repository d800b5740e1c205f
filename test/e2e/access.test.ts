import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { cells, done, furnish, tabTo } from './steps.ts';
import { focused, tabStops, unreadable } from './tabbing.ts';
import { go, VIEWS } from './views.ts';

const app = stage({ model: 'tiny', prepare: furnish });

/** Presses a key so many times; answers the regions that have the focus after each. */
async function regionsBy(page: Page, key: string, times: number): Promise<readonly string[]> {
  const visited: string[] = [];
  for (let press = 0; press < times; press++) {
    await page.keyboard.press(key);
    const at = await focused(page);
    visited.push(at?.name === at?.region && at?.ring === true ? at.name : `dull: ${at?.name}`);
  }
  return visited;
}

story('F6 goes round the regions of every view, and back', async () => {
  const { page } = await app.open();
  for (const at of Object.keys(VIEWS)) {
    await go(page, at);
    const names = await page
      .locator('[data-region]:visible')
      .evaluateAll((regions) => regions.map((region) => region.getAttribute('aria-label')));
    const forth = await regionsBy(page, 'F6', names.length);
    const from = names.indexOf(forth[0] ?? '');
    expect(forth, at).toEqual([...names.slice(from), ...names.slice(0, from)]);
    // The last one has the focus: back leads to the one before it.
    const back = await regionsBy(page, 'Shift+F6', names.length);
    expect(back, at).toEqual([...forth.slice(0, -1).toReversed(), forth.at(-1)]);
  }
});

story('Tab goes through every view in reading order, with a ring, and comes out', async () => {
  const { page } = await app.open();
  for (const at of Object.keys(VIEWS)) {
    await go(page, at);
    const all = await tabStops(page);
    const stops = all.filter(({ splitter }) => !splitter);
    const regions = await page
      .locator('[data-region]:visible')
      .evaluateAll((places) => places.map((place) => place.getAttribute('aria-label') ?? ''));
    const visited = new Set(stops.map(({ region }) => region));
    expect.soft([...visited].toSorted(), at).toEqual(regions.toSorted());
    const dull = all.filter(({ ring }) => !ring).map(({ name }) => name);
    expect.soft(dull, `${at}: no ring`).toEqual([]);
    expect.soft(unreadable(stops), `${at}: order`).toEqual([]);
  }
});

/** What is chosen, pressed or here but looks like the rest where the system has its own colours. */
function unmarked(page: Page): Promise<{ readonly all: number; readonly bare: readonly string[] }> {
  return page.evaluate(() => {
    const CHOSEN = [
      '[aria-selected="true"]',
      '[aria-pressed="true"]',
      '[aria-current]:not([aria-current="false"])',
      '[data-highlighted]',
      '[data-selected]',
      'fieldset input:checked + span:not([aria-hidden])',
    ].join();
    const marks = (element: Element): boolean => {
      const { outlineStyle, outlineWidth, forcedColorAdjust } = getComputedStyle(element);
      const line =
        ['solid', 'double'].includes(outlineStyle) && Number.parseFloat(outlineWidth) > 0;
      return line || forcedColorAdjust === 'none';
    };
    const chosen = [...document.querySelectorAll(CHOSEN)].filter((one) => one.checkVisibility());
    const bare = chosen.filter((one) => ![one, ...one.querySelectorAll('*')].some(marks));
    return { all: chosen.length, bare: bare.map((one) => one.outerHTML.slice(0, 200)) };
  });
}

story('in forced colours what is chosen, pressed or here is still told from the rest', async () => {
  const { page, shot } = await app.open({ at: '/gallery' });
  await page.emulateMedia({ forcedColors: 'active' });
  const found: Record<string, readonly string[]> = {};
  const look = async (name: string, atLeast: number) => {
    await shot(`forced-${name}`);
    const { all, bare } = await unmarked(page);
    expect(all, name).toBeGreaterThanOrEqual(atLeast);
    found[name] = bare;
  };
  await cells(page).first().click();
  await look('gallery', 3);
  await page.getByRole('button', { name: /^sky/ }).click();
  await cells(page).first().click();
  await look('tag', 3);
  await page.keyboard.press('t');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'sky' }).click();
  await look('tagging', 1);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Rate', exact: true }).click();
  await page.keyboard.press('ArrowDown');
  await page.locator('[data-highlighted]').waitFor();
  await look('menu', 3);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').locator('[data-selected]').first().waitFor();
  await look('palette', 1);
  await page.keyboard.press('Escape');
  // What is chosen and has the focus looks like neither alone.
  const here = page.getByRole('link', { name: 'Gallery', exact: true });
  const line = () => here.evaluate((element) => getComputedStyle(element).outlineStyle);
  expect(await line()).toBe('solid');
  await tabTo(page, here);
  expect(await line()).toBe('double');
  for (const at of ['/generate', '/models', '/settings']) {
    await go(page, at);
    await look(at.slice(1), 2);
  }
  expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, []])));
});

story('with reduced motion nothing moves, whatever is done', async () => {
  const { page } = await app.open({ reducedMotion: true });
  const moved = await page.evaluateHandle(() => {
    const seen = new Set<string>();
    const look = () => {
      for (const { effect } of document.getAnimations()) {
        const target = effect instanceof KeyframeEffect ? effect.target : null;
        seen.add(target?.outerHTML.slice(0, 200) ?? 'something');
      }
      requestAnimationFrame(look);
    };
    look();
    return {
      get all() {
        return [...seen];
      },
    };
  });
  await page.keyboard.press('Control+6');
  const toggle = page.getByRole('switch').first();
  await toggle.click();
  await toggle.click();
  await page.keyboard.press('Control+2');
  await cells(page).first().click();
  await page.getByRole('button', { name: 'Rate', exact: true }).click();
  await page.keyboard.press('Escape');
  await cells(page).first().click();
  await page.keyboard.press('Delete');
  await page.getByText('1 image moved to the bin').first().waitFor();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^Queue/ }).click();
  await page.keyboard.press('Control+1');
  await page.keyboard.press('Control+Enter');
  await done(page, 4);
  expect(await moved.evaluate(({ all }) => all)).toEqual([]);
});

/** The names of the toolbars of a page that Tab stops at more than once, or never. */
async function uneven(page: Page): Promise<readonly string[]> {
  await page
    .locator('[data-tabbed]')
    .evaluateAll((all) => all.map((one) => one.removeAttribute('data-tabbed')));
  await tabStops(page);
  return page.getByRole('toolbar').evaluateAll((bars) =>
    bars.flatMap((bar) => {
      const stops = [...bar.querySelectorAll<HTMLElement>('[data-tabbed]')];
      // A slider needs the arrows for itself.
      const own = stops.filter((stop) => !stop.matches('[type="range"]'));
      return own.length === 1 ? [] : [`${bar.ariaLabel}: ${own.length}`];
    }),
  );
}

story('every toolbar is one stop of Tab, whose arrows walk it', async () => {
  const { page } = await app.open({ at: '/generate' });
  await page.getByRole('img').first().waitFor();
  expect(await uneven(page)).toEqual([]);
  // Within the tabs of the stage the arrows choose, and lead on behind the last.
  const zoom = page.getByRole('button', { name: /^Zoom/ });
  await page.getByRole('radio', { name: 'Picture' }).focus();
  for (const chosen of ['Tokens', 'Uncertainty']) {
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: chosen }).isChecked()).toBe(true);
  }
  await page.keyboard.press('ArrowRight');
  expect((await focused(page))?.name).toContain('zoom');
  expect(await zoom.getAttribute('tabindex')).toBe('0');

  await go(page, '/gallery');
  expect(await uneven(page)).toEqual([]);
  const bar = page.getByRole('toolbar', { name: 'Selection' });
  const at = async (key: string) => {
    await page.keyboard.press(key);
    return bar.locator(':focus').innerText();
  };
  await tabTo(page, bar.getByRole('button', { name: 'Rate' }));
  // What is off is no stop: one picture cannot be compared.
  const deselect = bar.getByRole('button', { name: 'Clear the selection' });
  await page.keyboard.press('ArrowLeft');
  expect(await deselect.evaluate((one) => one === document.activeElement)).toBe(true);
  expect([await at('Home'), await at('ArrowRight'), await at('ArrowDown')]).toEqual([
    'Rate',
    'Tag',
    'Tag',
  ]);
  // A menu that is open has the keys for itself, and the focus comes back to its button.
  await at('Home');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem').first().waitFor();
  await page.keyboard.press('End');
  await page.keyboard.press('Escape');
  expect(await bar.locator(':focus').innerText()).toBe('Rate');
  // Tab comes back to where it was left.
  expect(await at('ArrowRight')).toBe('Tag');
  await page.keyboard.press('Tab');
  expect(await bar.locator(':focus').count()).toBe(0);
  await page.keyboard.press('Shift+Tab');
  expect(await bar.locator(':focus').innerText()).toBe('Tag');

  await cells(page)
    .nth(1)
    .click({ modifiers: ['Control'] });
  await page.keyboard.press('c');
  await page.getByRole('toolbar', { name: 'Comparison tools' }).waitFor();
  expect(await uneven(page)).toEqual([]);
});

story('messages lie above the selection bar, however many lines that has', async () => {
  const { page, shot } = await app.open({ at: '/gallery', size: { width: 900, height: 800 } });
  await app.client.studio.configure({ textSize: 140 });
  await cells(page).first().click();
  await page.keyboard.press('s');
  await page.keyboard.press('s');
  const bar = page.getByRole('toolbar', { name: 'Selection' });
  await bar.getByRole('button', { name: 'Export' }).click();
  const toast = page.getByRole('region', { name: 'Messages' });
  await toast.getByText('1 image exported').waitFor();
  await shot('toast-over-bar');
  const [below, above] = [await bar.boundingBox(), await toast.boundingBox()];
  await app.client.studio.configure({ textSize: 100 });
  if (below === null || above === null) throw new Error('Not on screen.');
  // Two lines at least.
  expect(below.height).toBeGreaterThan(100);
  expect(above.y + above.height).toBeLessThanOrEqual(below.y);
  expect(above.y).toBeGreaterThan(0);
});

story('a section of the settings comes into view, and nothing around it moves', async () => {
  const { page, shot } = await app.open({ at: '/settings', size: { width: 1100, height: 560 } });
  const parts = page.getByRole('navigation', { name: 'Sections' });
  const places = () =>
    page.evaluate(() => {
      const around = [...document.querySelectorAll('header, footer, nav')];
      return [
        document.scrollingElement?.scrollTop,
        document.querySelector('.app')?.scrollTop,
        ...around.map((one) => Math.round(one.getBoundingClientRect().top)),
      ];
    });
  const before = await places();
  for (const name of ['About', 'Appearance', 'Keyboard', 'Library', 'Library']) {
    await parts.getByRole('button', { name }).press('Enter');
    expect(await places(), name).toEqual(before);
    const section = page.getByRole('region', { name, exact: true });
    expect(await section.evaluate((one) => one === document.activeElement)).toBe(true);
    const heading = await section.getByRole('heading', { name }).first().boundingBox();
    expect(heading?.y, name).toBeGreaterThan(40);
    expect(heading?.y, name).toBeLessThan(200);
  }
  // An address that names a part leads there too.
  await page.goto(`${app.host.origin}/#/settings?part=keys`);
  const keyboard = page.getByRole('region', { name: 'Keyboard', exact: true });
  await eventually(() => keyboard.evaluate((one) => one === document.activeElement)).toBe(true);
  await shot('settings-part');
  expect(await places()).toEqual(before);
  // One that is none leads nowhere.
  await page.goto(`${app.host.origin}/#/settings?part=elsewhere`);
  await page.reload();
  await page.getByRole('radio').first().waitFor({ state: 'attached' });
  expect(await places()).toEqual(before);
});
