import { setTimeout } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import type { ImageFilter } from '#api/gallery';
import type { ImageDetail } from '#api/images';
import type { CreateJob, Job } from '#api/jobs';
import type { Host } from './host.ts';

type Client = Host['client'];

/** Waits until the window says that its job of `count` pictures is done. */
export async function done(page: Page, count: number): Promise<void> {
  await page.waitForFunction((start) => document.title.startsWith(start), `Done, ${count} `, {
    timeout: 90_000,
  });
}

/** Ids of pictures, newest first. */
export async function ids(client: Client, filter: ImageFilter = {}): Promise<readonly number[]> {
  const sort = { by: 'createdAt', descending: true } as const;
  return (await client.images.search({ filter, sort })).ids;
}

/** All there is to know of pictures, newest first. */
export async function everyImage(
  client: Client,
  filter: ImageFilter = {},
): Promise<readonly ImageDetail[]> {
  const found = await ids(client, filter);
  return Promise.all(found.map((id) => client.images.get({ id })));
}

const PATIENCE_MS = 90_000;

/** The job as it is when `holds` is true of it. */
export async function jobWhen(
  client: Client,
  id: number,
  holds: (job: Job) => boolean,
): Promise<Job> {
  let last: Job | undefined;
  for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
    last = (await client.jobs.list()).find((job) => job.id === id);
    if (last !== undefined && holds(last)) return last;
    await setTimeout(20);
  }
  throw new Error(`Job ${id} did not come so far: ${JSON.stringify(last)}`);
}

/** Makes pictures without a window, and answers their ids. */
export async function make(client: Client, wish: CreateJob): Promise<readonly number[]> {
  const { id } = await client.jobs.create(wish);
  return (await jobWhen(client, id, ({ state }) => state === 'done')).images;
}

/** Gives a library something of everything: eight pictures, and all that can be said of them. */
export async function furnish(client: Client): Promise<void> {
  const { images, studio } = client;
  const [first = 0, second = 0] = await make(client, {
    source: { kind: 'sample' },
    settings: { count: 6, seed: 1 },
  });
  await images.update({ ids: [first], rating: 4, starred: true, addTags: ['sky', 'blue'] });
  const board = await images.createBoard({ name: 'Harbours' });
  await images.update({ ids: [first, second], addToBoard: board.id, note: 'At dusk' });
  const sort = { by: 'rating', descending: true } as const;
  await images.saveSearch({ name: 'Stars', search: { filter: { starred: true }, sort } });
  await make(client, { source: { kind: 'image', image: first }, settings: { count: 2, seed: 50 } });
  await studio.configure({ presets: [{ name: 'Mine', settings: { guidance: 3 } }] });
}

/** Types a number into a field of the recipe, by its name. */
export async function setField(page: Page, name: string, value: number): Promise<void> {
  // A model that is still being read brings its own settings when it comes.
  await page.locator('button.primary:enabled').first().waitFor();
  const field = page.getByRole('spinbutton', { name, exact: true });
  await field.fill(String(value));
  await field.press('Enter');
}

/** More than any view has tab stops. */
const MOST_STOPS = 120;

/** Goes to a control by Tab, and by an arrow within its toolbar, as somebody without a mouse does. */
export async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  await target.waitFor();
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    const way = await target.evaluate((element) => {
      const { activeElement: at } = document;
      if (element === at) return 'there';
      const walks = at instanceof HTMLElement && at.matches('button, a, [type="radio"]');
      const bar = element.closest('[role="toolbar"]');
      return walks && bar?.contains(at) === true ? 'along' : 'on';
    });
    if (way === 'there') return;
    await page.keyboard.press(way === 'along' ? 'ArrowRight' : key);
  }
  throw new Error(`Tab does not lead to ${target.toString()}.`);
}

/** The cells of the gallery. */
export function cells(page: Page): Locator {
  return page.getByRole('grid').getByRole('gridcell');
}
