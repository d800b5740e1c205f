import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { beforeAll, expect, test } from 'vitest';
import { createRouter } from '#studio/router';
import { canMount, fill, smallDisk } from '../helpers/disk.ts';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { listen } from './events.ts';
import { testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

const SLOW = { count: 4, chunk: 2, steps: 200, rdmSteps: 100, seed: 500 };

test.runIf(canMount())(
  'a disk that fills to the last byte stops the queue in words, and loses nothing',
  { timeout: 60_000 },
  async () => {
    const disk = await smallDisk();
    const studio = await testStudio(home, {
      libraryFolder: join(disk, 'library'),
      // The studio's own reserve would stop it earlier: here the system itself refuses.
      minFreeBytes: 0,
    });
    const client: StudioClient = createRouterClient(createRouter(studio));
    const told = await listen(client);
    const { id } = await client.jobs.create(sample(SLOW));
    await expect
      .poll(() => studio.shop.history().jobs.loadResume(id).length, { interval: 5 })
      .toBeGreaterThan(0);
    const makeRoom = fill(disk);

    await told.last('jobs', { paused: true, trouble: { code: 'disk-full' } });
    await expect
      .poll(async () => (await client.jobs.list())[0], { timeout: 10_000 })
      .toMatchObject({ state: 'paused', error: { code: 'disk-full' } });
    expect((await client.studio.status()).paused).toBe(true);
    // There is still no room: what is asked for is refused in words, and the queue stays as it is.
    await fails(client.jobs.pause({ paused: false }), 'disk-full');
    expect((await client.studio.status()).paused).toBe(true);
    await told.last('jobs', { paused: true, trouble: { code: 'disk-full' } });

    makeRoom();
    await client.jobs.pause({ paused: false });
    await told.last('jobs', { paused: false, trouble: null });
    const job = await ended(client, id);
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(job.images).toHaveLength(SLOW.count);
    await told.stop();
  },
);
