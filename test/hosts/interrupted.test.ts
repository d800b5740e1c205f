import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import Sqlite from 'better-sqlite3';
import { beforeAll, describe, expect, test } from 'vitest';
import type { StudioEvent } from '#api/studio';
import { createRouter } from '#studio/router';
import { ended, sample, type StudioClient } from './conformance.ts';
import { listen } from './events.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

const SLOW = { count: 3, chunk: 1, steps: 200, rdmSteps: 100, seed: 500 };

async function open(folder: string) {
  const studio = await testStudio(home, { libraryFolder: folder });
  const client: StudioClient = createRouterClient(createRouter(studio));
  return { studio, client };
}

/** Leaves a library as a studio does that is killed while a job runs. */
async function asKilled(folder: string, job: number): Promise<void> {
  const file = join(folder, 'library.db');
  const database = new Sqlite(file);
  database.prepare("UPDATE jobs SET state = 'running', ended_at = NULL WHERE id = ?").run(job);
  database.close();
  await writeFile(`${file}.owner`, '{}');
}

/** A library with a job that was not begun, and one behind it, closed. */
async function waiting(): Promise<{ folder: string; first: number; second: number }> {
  const folder = await libraryFolder();
  const { studio, client } = await open(folder);
  await client.jobs.pause({ paused: true });
  const first = (await client.jobs.create(sample(SLOW))).id;
  const second = (await client.jobs.create(sample({ seed: 9 }))).id;
  // What a person paused is not paused any more when the job is to run.
  studio.shop.history().settings.set('queue.paused', false);
  await studio.close();
  return { folder, first, second };
}

describe('a job over which the studio itself ended', () => {
  test('goes on after once, and windows are told where it was', async () => {
    const { folder, first } = await waiting();
    await asKilled(folder, first);
    const { studio, client } = await open(folder);
    await studio.ready;
    const told = await listen(client);
    await told.last('jobs', { interrupted: { job: first, halfMade: null } });
    expect(await ended(client, first)).toMatchObject({ state: 'done', error: null });
    // A picture was kept: that it was interrupted is of no more interest.
    await told.last('jobs', { interrupted: null });
    await told.stop();
  });

  test('is set aside after twice at the same place; the rest of the queue goes on', async () => {
    const { folder, first, second } = await waiting();
    for (const strikes of [1, 2]) {
      const database = new Sqlite(join(folder, 'library.db'));
      expect(database.prepare('SELECT max(strikes) FROM jobs').pluck().get()).toBe(strikes - 1);
      // Nothing of it is made: that is what the same place means.
      database.exec('DELETE FROM resumes');
      database.close();
      await asKilled(folder, first);
      const { studio, client } = await open(folder);
      // Whatever was made between would be progress.
      await studio.ready;
      if (strikes === 2) {
        const told = await listen(client);
        await told.last('jobs', { interrupted: { job: first } });
        expect(await ended(client, first)).toMatchObject({
          ...{ state: 'parked', images: [], error: { code: 'studio-crashed' } },
        });
        expect(await ended(client, second)).toMatchObject({ state: 'done' });
        await client.jobs.retry({ id: first });
        expect(await ended(client, first)).toMatchObject({ state: 'done', error: null });
        await told.last('jobs', { interrupted: null });
        await told.stop();
      }
      await studio.close();
    }
  });

  test('has no strike when the studio was closed as it should be', async () => {
    const { folder, first } = await waiting();
    for (let i = 0; i < 3; i++) {
      const { studio, client } = await open(folder);
      await studio.ready;
      expect(studio.shop.history().jobs.get(first).strikes).toBe(0);
      const stream = await client.studio.events();
      const { value } = await stream.next();
      expect((value as StudioEvent & { kind: 'jobs' }).interrupted).toBeNull();
      await stream.return();
      await studio.close();
    }
  });
});

test('a job that is off the list is found by its number', async () => {
  const { client } = await open(await libraryFolder());
  const { id } = await client.jobs.create(sample({}));
  const job = await ended(client, id);
  const cleared = await client.jobs.clear();
  expect(cleared.count).toBe(1);
  expect(await client.jobs.list()).toEqual([]);
  expect(await client.jobs.get({ id })).toEqual(job);
  expect(await client.jobs.unclear({ mark: cleared.mark })).toEqual({ count: 1 });
  expect(await client.jobs.list()).toEqual([job]);
  expect((await client.jobs.clear()).count).toBe(1);
});
