import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually, stage, story } from './app.ts';
import { done, everyImage, jobWhen, setField } from './steps.ts';

// Long enough to meddle with: a few seconds of the tiny model on an idle machine.
const COUNT = 20;
const STEPS = 64;
const app = stage({ model: 'tiny' });

/** Seeds of a job's pictures, in order. */
async function seedsOf(job: number): Promise<readonly number[]> {
  const images = await everyImage(app.client, { job });
  return images.map(({ seed }) => seed).toSorted((a, b) => a - b);
}

/** Makes a job in the window, as a person does, and answers its number. */
async function start(page: Page, count: number, steps: number): Promise<number> {
  const before = await app.client.jobs.list();
  await setField(page, 'Steps', steps);
  await setField(page, 'Count', count);
  await page.keyboard.press('Control+Enter');
  let id = 0;
  await eventually(async () => {
    const jobs = await app.client.jobs.list();
    id = jobs.find((job) => before.every((old) => old.id !== job.id))?.id ?? 0;
    return id;
  }).toBeGreaterThan(0);
  return id;
}

/** Of more steps than the window lets a person ask for, so that it can be met in the middle. */
async function longJob(count: number): Promise<number> {
  const settings = { count, steps: 256, seed: 1 };
  const { id } = await app.client.jobs.create({ source: { kind: 'sample' }, settings });
  return id;
}

const row = (page: Page, id: number) =>
  page
    .getByRole('region', { name: 'Queue' })
    .getByRole('listitem')
    .filter({ hasText: `Job ${id}` });

story('a cancelled job keeps what is done, the queue goes on, and it can be resumed', async () => {
  const { page, shot } = await app.open();
  const first = await start(page, COUNT, STEPS);
  const second = await start(page, 2, 4);
  await jobWhen(app.client, first, (job) => job.images.length >= 3);
  await shot('queue-running');

  // From the key to a changed button: no round trip may lie between.
  const watch = await page.evaluateHandle(() => ({
    answer: new Promise<number>((resolve) => {
      let pressed = Number.NaN;
      addEventListener('keydown', () => (pressed = performance.now()), true);
      new MutationObserver(() => {
        const button = [...document.querySelectorAll('button')].find((each) =>
          each.textContent.includes('Stopping…'),
        );
        if (button?.ariaDisabled === 'true') resolve(performance.now() - pressed);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
      setTimeout(() => resolve(Number.POSITIVE_INFINITY), 20_000);
    }),
  }));
  // Only now: a key may overtake what the page is still to be told.
  await page.keyboard.press('Control+Shift+X');
  expect(await watch.evaluate(({ answer }) => answer)).toBeLessThan(200);

  const cancelled = await jobWhen(app.client, first, (job) => job.state === 'cancelled');
  expect(cancelled.images.length).toBeGreaterThanOrEqual(3);
  expect(cancelled.images.length).toBeLessThan(COUNT);
  await jobWhen(app.client, second, (job) => job.state === 'done');
  await done(page, 2);
  const kept = await everyImage(app.client, { job: first });
  expect(kept.map(({ id }) => id).toSorted()).toEqual(cancelled.images.toSorted());

  await page.getByRole('button', { name: /^Queue/ }).click();
  await row(page, first).getByText('cancelled').waitFor();
  await shot('queue-cancelled');
  await row(page, first).getByRole('button', { name: 'Resume' }).click();
  await jobWhen(app.client, first, (job) => job.state === 'done');
  const seeds = await seedsOf(first);
  expect(seeds).toEqual(Array.from({ length: COUNT }, (_, i) => (seeds[0] ?? 0) + i));
  await row(page, first).getByText('done').waitFor();
});

story('half-made pictures of a cancelled job go on from their step, or are discarded', async () => {
  const { page, shot } = await app.open();
  const batch = page.getByRole('region', { name: 'This batch' });
  const job = await longJob(3);
  await jobWhen(app.client, job, (each) => each.halfMade !== null);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  const cancelled = await jobWhen(app.client, job, (each) => each.state === 'cancelled');
  const step = cancelled.halfMade?.step ?? 0;
  expect(step).toBeGreaterThan(0);
  const resume = batch.getByRole('button', { name: `Resume from step ${step}` });
  await resume.waitFor();
  await shot('job-half-made');
  await batch.getByRole('button', { name: 'Discard' }).focus();
  await page.keyboard.press('Enter');
  await resume.waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false);
  await batch.getByRole('button', { name: 'Resume', exact: true }).click();
  await jobWhen(app.client, job, (each) => each.state === 'done');
});

story('the focus stays where it was when a job ends, and Enter there begins nothing', async () => {
  const { page } = await app.open();
  const focused = () =>
    page.evaluate(
      () =>
        document.activeElement?.getAttribute('aria-label') ??
        document.activeElement?.textContent.trim(),
    );
  for (const name of ['Cancel', 'Pause the queue', 'Cancel this job']) {
    const job = await start(page, 3, 64);
    await page.getByRole('button', { name, exact: true }).focus();
    await jobWhen(app.client, job, (each) => each.state === 'done');
    await done(page, 3);
    expect(await focused()).toBe(name);
    const before = (await app.client.jobs.list()).length;
    await page.keyboard.press('Enter');
    await page.waitForTimeout(300);
    expect((await app.client.jobs.list()).length).toBe(before);
    expect((await app.client.studio.status()).paused).toBe(false);
    await page.keyboard.press('Tab');
  }
});

story('ended jobs are cleared off the list, and come back with undo', async () => {
  const { page } = await app.open();
  await jobWhen(app.client, await start(page, 1, 4), (each) => each.state === 'done');
  await page.getByRole('button', { name: /^Queue/ }).click();
  const before = (await app.client.jobs.list()).length;
  await page.getByRole('button', { name: 'Clear ended' }).click();
  await page.getByText('The queue is empty.').waitFor();
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false);
  await page.keyboard.press('Control+Z');
  await eventually(async () => (await app.client.jobs.list()).length).toBe(before);
});

story('paused, the queue waits; it goes on when it is told', async () => {
  const { page } = await app.open();
  const job = await start(page, COUNT, STEPS);
  await jobWhen(app.client, job, (each) => each.images.length >= 1);
  await page.keyboard.press('Control+P');
  await page.getByRole('button', { name: /^Queue paused/ }).waitFor();
  const paused = await jobWhen(app.client, job, (each) => each.state !== 'running');
  await page.waitForTimeout(500);
  const later = await jobWhen(app.client, job, () => true);
  expect(later.images.length).toBe(paused.images.length);
  await page.keyboard.press('Control+P');
  await done(page, COUNT);
  expect(await seedsOf(job)).toHaveLength(COUNT);
});

story('reloading during a job loses nothing, and two windows see the same queue', async () => {
  const one = await app.open();
  const two = await app.open();
  const job = await start(one.page, COUNT, STEPS);
  for (const { page } of [one, two])
    await page.waitForFunction(() => /^\d+ %/.test(document.title));
  await two.page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();

  await setField(one.page, 'Temperature', 3.5);
  await one.page.reload();
  await one.page.waitForFunction(() => /^\d+ %/.test(document.title));
  expect(await one.page.getByRole('spinbutton', { name: 'Temperature' }).inputValue()).toBe('3.5');
  expect(await one.page.getByRole('spinbutton', { name: 'Steps', exact: true }).inputValue()).toBe(
    String(STEPS),
  );
  // What one window adds, the other sees; what one cancels, stops in both.
  const added = await start(two.page, 3, 4);
  await one.page.getByRole('button', { name: /^Queue/ }).click();
  await row(one.page, added).getByText('queued').waitFor();
  await row(one.page, added).getByRole('button', { name: 'Cancel' }).click();
  await two.page.getByRole('button', { name: /^Queue/ }).click();
  await row(two.page, added).getByText('cancelled').waitFor();

  await jobWhen(app.client, job, (each) => each.state === 'done');
  for (const { page } of [one, two]) await done(page, COUNT);
  expect(new Set(await seedsOf(job)).size).toBe(COUNT);
});

story('the engine is killed in the middle: the job goes on, and so does the page', async () => {
  const { page, shot } = await app.open();
  const job = await start(page, COUNT, STEPS);
  const before = await jobWhen(app.client, job, (each) => each.images.length >= 5);
  const engines = await app.host.engines();
  expect(engines.length).toBeGreaterThan(0);
  for (const engine of engines) process.kill(engine, 'SIGKILL');

  // Looking elsewhere meanwhile must work.
  await page.keyboard.press('Control+2');
  await page.getByRole('grid', { name: 'Pictures' }).waitFor();
  await page.keyboard.press('Control+1');
  const after = await jobWhen(app.client, job, (each) => each.state === 'done');
  await done(page, COUNT);
  await shot('engine-killed');
  expect(after.images.slice(0, before.images.length)).toEqual(before.images);
  const seeds = await seedsOf(job);
  expect(seeds).toEqual(Array.from({ length: COUNT }, (_, i) => (seeds[0] ?? 0) + i));
  expect(await app.host.engines()).not.toEqual(engines);
});

story('a job that kills the engine twice on one picture is set aside, in words', async () => {
  const { page, shot } = await app.open();
  const job = await longJob(1);
  const other = await start(page, 2, 4);
  let killed = 0;
  await eventually(async () => {
    const now = (await app.client.jobs.list()).find((each) => each.id === job);
    if (now?.state !== 'running') return now?.state;
    for (const engine of await app.host.engines()) {
      process.kill(engine, 'SIGKILL');
      killed += 1;
    }
    return now.state;
  }).toBe('parked');
  expect(killed).toBeGreaterThanOrEqual(2);
  await jobWhen(app.client, other, (each) => each.state === 'done');
  await page.getByRole('button', { name: /^Queue/ }).click();
  await row(page, job).getByText('set aside').waitFor();
  await row(page, job).getByText('Failed twice on the same picture').waitFor();
  await shot('job-parked');
  await row(page, job).getByRole('button', { name: 'Try again' }).click();
  await jobWhen(app.client, job, (each) => each.state === 'done');
});
