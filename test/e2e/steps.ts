import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { ImageDetail, ImageFilter, Job } from '#api/types';
import type { Host } from './host.ts';

type Client = Host['client'];

/** Waits until the window says that its job of `count` pictures is done. */
export async function done(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (title) => document.title === title,
    `Done, ${count} · RCG Studio`,
    { timeout: 60_000 },
  );
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

/** The job as it is when `holds` is true of it. */
export async function jobWhen(
  client: Client,
  id: number,
  holds: (job: Job) => boolean,
): Promise<Job> {
  const read = async () => (await client.jobs.list()).find((job) => job.id === id);
  let last: Job | undefined;
  await expect
    .poll(
      async () => {
        last = await read();
        return last !== undefined && holds(last);
      },
      { timeout: 60_000, interval: 20 },
    )
    .toBe(true);
  if (last === undefined) throw new Error(`There is no job ${id}.`);
  return last;
}

/** Types a number into a field of the recipe, by its name. */
export async function setField(page: Page, name: string, value: number): Promise<void> {
  const field = page.getByRole('spinbutton', { name, exact: true });
  await field.fill(String(value));
  await field.press('Enter');
}
