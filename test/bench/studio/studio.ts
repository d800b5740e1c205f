import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { BROWSER, launch } from '../../e2e/window.ts';
import { line, markdown } from '../table.ts';
import { benchHistory } from './history.ts';
import { benchHttp } from './http.ts';
import { benchJobs, makeJob } from './jobs.ts';
import { buildLibrary } from './library.ts';
import { cellsOf, HEAD, type StudioRow } from './rows.ts';
import { serveStudio } from './serve.ts';
import { benchScroll, benchStart } from './window.ts';

export interface StudioOptions {
  /** Empty folder for everything that the studio writes. */
  readonly folder: string;
  /** Fewer pictures and runs: shows that all of it works, and about how fast. */
  readonly quick: boolean;
  readonly say: (message: string) => void;
  /** Shows a line of the report; each comes as it is known, so that an end half-way loses none. */
  readonly show: (text: string) => void;
}

/** What was measured of the studio, and what could not be. */
export interface StudioBench {
  /** Pictures of the library. */
  readonly pictures: number;
  readonly rows: readonly StudioRow[];
  /** Why rows are missing; null when none is. */
  readonly skipped: string | null;
}

const FULL = { pictures: 100_000, questions: 30, starts: 5, scrolls: 3, pairs: 10, job: 16 };
const QUICK = { pictures: 10_000, questions: 5, starts: 1, scrolls: 1, pairs: 2, job: 8 };

/** What all parts share. */
interface Measuring extends StudioOptions {
  readonly size: typeof FULL;
  /** Chromium; null where start, scrolling and pace cannot be measured. */
  readonly browser: Browser | null;
  readonly take: (rows: readonly StudioRow[]) => void;
}

/** Measures the studio on a large library: its history, its server, and its window. */
export async function benchStudio(options: StudioOptions): Promise<StudioBench> {
  const { folder, say, show } = options;
  const size = options.quick ? QUICK : FULL;
  const { pictures } = size;
  const library = join(folder, 'library');
  say(`making a library of ${pictures} pictures`);
  await buildLibrary(library, pictures);
  show(`A library of ${pictures} pictures; what people wait for:\n`);
  show(markdown(HEAD, []));
  const rows: StudioRow[] = [];
  const take = (more: readonly StudioRow[]): void => {
    rows.push(...more);
    for (const one of more) show(line(cellsOf(one)));
  };
  take(await benchHistory({ folder: library, runs: size.questions, say }));
  const skipped = whyNoWindow();
  const browser = skipped === null ? await launch() : null;
  try {
    await benchHost({ ...options, size, browser, take });
  } finally {
    await browser?.close();
  }
  if (skipped !== null) show(`\n${skipped}`);
  return { pictures, rows, skipped };
}

async function benchHost({ size, browser, folder, say, take }: Measuring): Promise<void> {
  if (browser !== null) {
    say('using the studio before');
    await useBefore(folder);
    say('starting the studio');
    take(await benchStart(browser, folder, size.starts));
  }
  const studio = await serveStudio(folder);
  try {
    say('asking it over HTTP');
    take(await benchHttp(studio.client, size.questions));
    if (browser === null) return;
    say('scrolling the gallery');
    take(await benchScroll(browser, studio, size.scrolls));
    take(await benchJobs({ studio, browser, pairs: size.pairs, pictures: size.job, say }));
  } finally {
    await studio.stop();
  }
}

/**
 * Whoever has a large library has made pictures here before: the first start compiles graphs, and
 * the next one keeps compiled code beside them.
 */
async function useBefore(home: string): Promise<void> {
  for (let time = 0; time < 2; time++) {
    const studio = await serveStudio(home);
    try {
      await makeJob(studio.client, 1);
    } finally {
      await studio.stop();
    }
  }
}

function whyNoWindow(): string | null {
  if (!existsSync(resolve(import.meta.dirname, '../../../out/renderer/index.html'))) {
    return 'The window is not built (npm run build): start, scrolling and pace were not measured.';
  }
  if (existsSync(BROWSER)) return null;
  return `There is no ${BROWSER}: start, scrolling and pace were not measured.`;
}
