import { expect } from 'vitest';
import { stage, story } from './app.ts';
import { jobWhen } from './steps.ts';

const app = stage({ model: 'tiny', settings: { previews: 'every' } });
/** A message a tenth of a second at most, and the one that was on its way. */
const MOST_A_SECOND = 10;
const WATCHED_MS = 4000;

story('while a job runs nothing moves but the progress, ten times a second at most', async () => {
  const { page } = await app.open();
  const job = await app.client.jobs.create({
    source: { kind: 'sample' },
    settings: { count: 300, steps: 32, seed: 1 },
  });
  await jobWhen(app.client, job.id, ({ images }) => images.length > 0);
  const seen = await page.evaluate(
    (ms) =>
      new Promise<{ animations: number; bar: number; writes: number }>((resolve) => {
        const bar = document.querySelector('footer [role="progressbar"]');
        if (bar === null) throw new Error('There is no progress bar.');
        let [animations, changes, frames] = [0, 0, 0];
        // A change of the bar is one record for its name and one for its width: counted by frame.
        let last = -1;
        const watch = new MutationObserver(() => {
          if (last === frames) return;
          last = frames;
          changes += 1;
        });
        watch.observe(bar, { attributes: true, subtree: true });
        let all = 0;
        new MutationObserver(() => (all += 1)).observe(document.body, {
          subtree: true,
          childList: true,
          attributes: true,
          characterData: true,
        });
        const begun = performance.now();
        const look = () => {
          frames += 1;
          animations = Math.max(animations, document.getAnimations().length);
          if (performance.now() - begun < ms) requestAnimationFrame(look);
          else resolve({ animations, bar: changes, writes: all });
        };
        requestAnimationFrame(look);
      }),
    WATCHED_MS,
  );
  expect(seen.animations).toBe(0);
  expect(seen.bar).toBeGreaterThan(0);
  expect(seen.bar).toBeLessThanOrEqual((MOST_A_SECOND * WATCHED_MS) / 1000 + 4);
  expect(await page.evaluate(() => document.documentElement.dataset['busy'])).toBeDefined();
  // Somebody who listens hears of quarters, not of steps.
  const heard = await page.locator('[data-live="polite"]').innerText();
  expect(heard).not.toMatch(/step/i);
  await app.client.jobs.cancel({ id: job.id });
  await page.waitForFunction(() => !('busy' in document.documentElement.dataset));
});

story('with previews off no preview is made or fetched', async () => {
  await app.client.studio.configure({ previews: 'off' });
  const { page } = await app.open();
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  const job = await app.client.jobs.create({
    source: { kind: 'sample' },
    settings: { count: 8, steps: 32, seed: 1 },
  });
  await jobWhen(app.client, job.id, ({ state }) => state === 'done');
  await page.waitForFunction(() => document.title.startsWith('Done, 8'));
  expect(fetched.filter((path) => path.startsWith('/previews/'))).toEqual([]);
});
