import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { row, type StudioRow } from './rows.ts';
import type { Served } from './serve.ts';
import { newPage } from './window.ts';

const SHARE = { least: 95 } as const;
/** How often it is asked whether a job is done: rarely, so that asking costs nothing. */
const ASK_MS = 250;
/** After which a window has nothing more to do. */
const REST_MS = 2000;

export interface JobsOptions {
  readonly studio: Served;
  readonly browser: Browser;
  /** Pairs of a job without and with a window. */
  readonly pairs: number;
  /** Pictures of each job; whole batches. */
  readonly pictures: number;
  readonly say: (message: string) => void;
}

/**
 * Makes the same pictures without and with a window that watches them, in turn, so that whatever
 * else the machine does falls on both. The program and the browser run all the time.
 */
export async function benchJobs(options: JobsOptions): Promise<readonly StudioRow[]> {
  const { studio, pairs, say } = options;
  say('making pictures, for warmth');
  await makeJob(studio.client, 4);
  const alone: number[] = [];
  const watched: number[] = [];
  let previews = 0;
  for (let pair = 0; pair < pairs; pair++) {
    say(`making pictures without and with a window, ${pair + 1} of ${pairs}`);
    const legs = [
      async () => void alone.push(await makeJob(studio.client, options.pictures)),
      async () => {
        const seen = await watch(options);
        watched.push(seen.rate);
        previews += seen.previews;
      },
    ];
    // Every other pair the other way round: a machine that grows slower is nobody's fault.
    for (const leg of pair % 2 === 0 ? legs : legs.toReversed()) await leg();
  }
  // Not in each: they have a small part of the time of all jobs together.
  if (previews === 0) throw new Error('The windows showed no preview, so they watched nothing.');
  const shares = watched.map((rate, pair) => (100 * rate) / (alone[pair] ?? NaN));
  // A pair of short jobs says how uneven the machine is; all of them together say what a window costs.
  const share = (100 * timeOf(alone)) / timeOf(watched);
  return [
    row('pictures without a window', alone, { unit: 'a minute' }),
    row('pictures with a window on Generate, previews on', watched, { unit: 'a minute' }),
    row('pace with a window against without, pair by pair', shares, { unit: '%' }),
    row('pace with a window against without, all jobs', [share], { unit: '%', target: SHARE }),
  ];
}

/** Minutes that jobs of one picture each took together, by their paces. */
function timeOf(rates: readonly number[]): number {
  return rates.reduce((sum, rate) => sum + 1 / rate, 0);
}

async function watch({ studio, browser, pictures }: JobsOptions) {
  const page = await newPage(browser);
  let previews = 0;
  page.on('response', (response) => {
    if (response.ok() && new URL(response.url()).pathname.startsWith('/previews/')) previews += 1;
  });
  try {
    await page.goto(`${studio.url}#/generate`);
    await page.locator('button.primary:enabled').first().waitFor();
    // The window is open, not opening: it has shown a picture before, and is at rest.
    await makeJob(studio.client, 1);
    await sleep(REST_MS);
    const rate = await makeJob(studio.client, pictures);
    return { rate, previews };
  } finally {
    await page.context().close();
  }
}

/** Pictures a minute of a job of the starter, from its being asked for to its last picture's being kept. */
export async function makeJob(client: Served['client'], count: number): Promise<number> {
  const settings = { model: 'starter', count, seed: 1 };
  const { id, createdAt } = await client.jobs.create({ source: { kind: 'sample' }, settings });
  for (;;) {
    await sleep(ASK_MS);
    const job = (await client.jobs.list()).find((one) => one.id === id);
    if (job?.state === 'done') break;
    if (job?.state !== 'queued' && job?.state !== 'running') {
      throw new Error(`The job ended as ${job?.state ?? 'nothing'}: ${job?.error?.message ?? ''}`);
    }
  }
  const sort = { by: 'createdAt', descending: true } as const;
  const { ids } = await client.images.search({ filter: { job: id }, sort });
  const last = await client.images.get({ id: ids[0] ?? 0 });
  return (count * 60_000) / (last.createdAt - createdAt);
}
