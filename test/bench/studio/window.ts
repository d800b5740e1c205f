import type { Browser, Page } from 'playwright-core';
import { row, timed, type StudioRow } from './rows.ts';
import { serveStudio, type Served } from './serve.ts';

const USABLE = { most: 2000 } as const;
const LONG_TASK = { most: 50 } as const;
const SIZE = { width: 1440, height: 900 };
/** How long a window may take before the bench gives up. */
const PATIENCE_MS = 60_000;
/** A cell has its name as soon as its row has come. */
const FIRST_ROW = '[role="grid"] [data-cell][aria-label^="Seed"]';
/** Resolves when a picture can be seen. */
const FIRST_PICTURE = `new Promise((resolve) => {
  const look = () => {
    const pictures = [...document.querySelectorAll('[data-cell] img, img[data-cell]')];
    if (pictures.some((img) => img.complete && img.naturalWidth > 0)) resolve();
    else requestAnimationFrame(look);
  };
  look();
})`;
const SCROLL_MS = 5000;
/** Pixels a second: about four screens. */
const SCROLL_SPEED = 3600;
/** Between the pictures of the plain page: about what the gallery has, captions counted. */
const COLUMN_GAP = 8;
const ROW_GAP = 26;

/** Opens a page of its own, with nothing remembered from another. */
export async function newPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: SIZE, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

/**
 * From the start of the program to the gallery's first row, and to its first picture. The browser
 * runs already, as it does where somebody opens an address.
 */
export async function benchStart(
  browser: Browser,
  home: string,
  runs: number,
): Promise<readonly StudioRow[]> {
  const served: number[] = [];
  const usable: number[] = [];
  const pictures: number[] = [];
  const reloads: number[] = [];
  for (let run = 0; run < runs; run++) {
    const page = await newPage(browser);
    const began = performance.now();
    const studio = await serveStudio(home);
    try {
      served.push(performance.now() - began);
      await page.goto(`${studio.url}#/gallery`, { waitUntil: 'commit' });
      await page.locator(FIRST_ROW).first().waitFor();
      usable.push(performance.now() - began);
      await page.evaluate(FIRST_PICTURE);
      pictures.push(performance.now() - began);
      const reload = async () => {
        await page.reload({ waitUntil: 'commit' });
        await page.locator(FIRST_ROW).first().waitFor();
      };
      reloads.push(...(await timed(2, reload)));
    } finally {
      await page.context().close();
      await studio.stop();
    }
  }
  return [
    row('start, to the address', served),
    row('start, to the first row of the gallery', usable, { target: USABLE }),
    row('start, to the first picture of the gallery', pictures, { target: USABLE }),
    row('reload, to the first row of the gallery', reloads),
  ];
}

/** What happened while a page was scrolled. */
interface Scrolled {
  /** Milliseconds of each task that held the page for 50 or more. */
  readonly tasks: readonly number[];
  /** The longest time from one frame to the next. */
  readonly frame: number;
  readonly frames: number;
  /** Pixels that were gone through. */
  readonly way: number;
}

/**
 * Scrolls the gallery and, in turn, a plain page of as many pictures as come by meanwhile. Without a
 * GPU the browser paints on the processor; what the plain page takes is that, and the rest is ours.
 */
export async function benchScroll(
  browser: Browser,
  { url, origin, client }: Served,
  runs: number,
): Promise<readonly StudioRow[]> {
  const { ids } = await client.images.search({
    filter: {},
    sort: { by: 'createdAt', descending: true },
  });
  const page = await newPage(browser);
  try {
    await page.goto(`${url}#/gallery`);
    await page.locator(FIRST_ROW).first().waitFor();
    const size = await page.locator('[role="grid"] [data-cell] .picture').first().boundingBox();
    const edge = Math.round(size?.width ?? 0);
    const sheet = plainPage(ids.slice(0, cellsPassed(edge)), edge);
    await page.route(`${origin}/plain`, (route) =>
      route.fulfill({ contentType: 'text/html', body: sheet }),
    );
    const plain: Scrolled[] = [];
    const gallery: Scrolled[] = [];
    for (let run = 0; run < runs; run++) {
      await page.goto(`${origin}/plain`);
      await page.evaluate(FIRST_PICTURE);
      plain.push(await scroll(page, '[data-sheet]'));
      await page.goto(`${origin}/#/gallery`);
      await page.locator(FIRST_ROW).first().waitFor();
      gallery.push(await scroll(page, '[role="grid"]'));
    }
    return scrollRows(plain, gallery);
  } finally {
    await page.context().close();
  }
}

function scrollRows(plain: readonly Scrolled[], gallery: readonly Scrolled[]): StudioRow[] {
  const longest = ({ tasks }: Scrolled) => Math.max(0, ...tasks);
  const beyond = gallery.map((one, run) => {
    const paint = plain[run];
    return Math.max(0, longest(one) - (paint === undefined ? 0 : longest(paint)));
  });
  const rate = ({ frames }: Scrolled) => frames / (SCROLL_MS / 1000);
  return [
    row('scroll 5 s: longest task of a plain page (0: none of 50 ms)', plain.map(longest)),
    row('scroll 5 s: longest task of the gallery', gallery.map(longest)),
    row('scroll 5 s: the gallery beyond the plain page', beyond, { target: LONG_TASK }),
    row(
      'scroll 5 s: longest frame of a plain page',
      plain.map(({ frame }) => frame),
    ),
    row(
      'scroll 5 s: longest frame of the gallery',
      gallery.map(({ frame }) => frame),
    ),
    row('scroll 5 s: frames of a plain page', plain.map(rate), { unit: 'a second' }),
    row('scroll 5 s: frames of the gallery', gallery.map(rate), { unit: 'a second' }),
  ];
}

/** Pictures that fit where the scroll comes by, and a screen more. */
function cellsPassed(edge: number): number {
  const way = (SCROLL_SPEED * SCROLL_MS) / 1000 + 2 * SIZE.height;
  return Math.ceil(way / (edge + ROW_GAP)) * Math.floor(SIZE.width / (edge + COLUMN_GAP));
}

/** Pictures and nothing but pictures. */
function plainPage(ids: readonly number[], edge: number): string {
  const cells = ids.map((id) => `<img data-cell loading=lazy src="/images/${id}/thumb?v=plain">`);
  return `<!doctype html><title>Plain</title><style>
    body { margin: 0 } main { position: absolute; inset: 0; overflow: auto }
    img { float: left; width: ${edge}px; height: ${edge}px; margin: 0 ${COLUMN_GAP}px ${ROW_GAP}px 0 }
    </style><main data-sheet>${cells.join('')}</main>`;
}

async function scroll(page: Page, selector: string): Promise<Scrolled> {
  const given = JSON.stringify({ selector, speed: SCROLL_SPEED, ms: SCROLL_MS });
  const result: unknown = await page.evaluate(`(${SCROLL})(${given})`);
  if (typeof result !== 'object' || result === null || !('tasks' in result)) {
    throw new Error('The page did not say how it scrolled.');
  }
  const scrolled = result as Scrolled;
  // A page that stands still has no long tasks either.
  if (scrolled.way < SCROLL_SPEED) throw new Error('The page did not scroll.');
  return scrolled;
}

/** Runs in the page, so it is text here: this program is compiled for Node, which has no pages. */
const SCROLL = `async ({ selector, speed, ms }) => {
  const sheet = document.querySelector(selector);
  const tasks = [];
  const note = (list) => tasks.push(...list.getEntries().map((entry) => entry.duration));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const observer = new PerformanceObserver(note);
  observer.observe({ type: 'longtask' });
  const from = sheet.scrollTop;
  const start = performance.now();
  let [last, frame, frames] = [start, 0, 0];
  await new Promise((resolve) => {
    const next = (now) => {
      frame = Math.max(frame, now - last);
      last = Math.max(last, now);
      frames += 1;
      sheet.scrollTop = from + (speed * (now - start)) / 1000;
      if (now - start < ms) requestAnimationFrame(next);
      else resolve();
    };
    requestAnimationFrame(next);
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  note({ getEntries: () => observer.takeRecords() });
  observer.disconnect();
  return { tasks, frame, frames, way: sheet.scrollTop - from };
}`;
