import { createRouterClient } from '@orpc/server';
import { beforeAll, expect, test } from 'vitest';
import type { MadeImage } from '#api/images';
import type { Progress } from '#api/jobs';
import { createRouter } from '#studio/router';
import { ended, sample } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

const LONG = { count: 4, chunk: 2, steps: 240, rdmSteps: 50, seed: 1 };

async function watched(previews: 'off' | 'every') {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  const client = createRouterClient(createRouter(studio));
  await client.studio.configure({ previews });
  const seen: Progress[] = [];
  const pictures: string[] = [];
  const times: number[] = [];
  const stream = await client.studio.events();
  const { id } = await client.jobs.create(sample(LONG));
  for await (const event of stream) {
    if (event.kind === 'progress') {
      seen.push(event.progress);
      times.push(performance.now());
      const asset =
        event.progress.preview &&
        (await studio.assets.get(new URL(event.progress.preview, 'http://studio').pathname));
      if (asset) pictures.push(asset.type);
    }
    if (event.kind === 'jobs' && event.jobs[0]?.state === 'done') break;
  }
  const job = await ended(client, id);
  return { job, seen, pictures, times };
}

test('a run is seen step by step, at most ten times a second, with pictures on the way', async () => {
  const { job, seen, pictures, times } = await watched('every');
  expect(job.images).toHaveLength(LONG.count);
  const steps = seen.filter((progress) => progress.stage === 'tokens');
  expect(steps.length).toBeGreaterThan(3);
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  expect(times.length).toBeLessThanOrEqual(seconds * 10 + 3);
  for (const { tokens = [], entropy = [], mask, seed, index } of steps) {
    expect([tokens.length, entropy.length, seed]).toEqual([256, 256, LONG.seed + index]);
    expect(tokens.every((token) => token === mask || token < 64)).toBe(true);
  }
  expect(pictures.length).toBeGreaterThan(0);
  expect(new Set(pictures)).toEqual(new Set(['image/png']));
});

test('windows are told all of what is made, thumbnails too,, and need not ask', async () => {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  const client = createRouterClient(createRouter(studio));
  const stream = await client.studio.events();
  const { id } = await client.jobs.create(sample({ ...LONG, steps: 4 }));
  const told: MadeImage[] = [];
  for await (const event of stream) {
    if (event.kind === 'images') {
      expect(event.ids).toEqual(event.made?.map((row) => row.id));
      told.push(...(event.made ?? []));
    }
    if (event.kind === 'jobs' && event.jobs[0]?.state === 'done') break;
  }
  const { images } = await ended(client, id);
  expect(told.map((row) => row.id)).toEqual(images);
  const details = await Promise.all(images.map((image) => client.images.get({ id: image })));
  expect(told.map(({ thumb: _, ...detail }) => detail)).toEqual(details);
  for (const { id: image, thumb } of told) {
    const bytes = Buffer.from(
      /^data:image\/webp;base64,(.+)$/.exec(thumb ?? '')?.[1] ?? '',
      'base64',
    );
    const kept = await studio.assets.get(`/images/${image}/thumb`);
    expect(kept && bytes.equals(kept.bytes)).toBe(true);
  }
});

test('without previews the same steps are told, and no picture is made for them', async () => {
  const { seen, pictures } = await watched('off');
  expect(seen.length).toBeGreaterThan(3);
  expect(seen.some((progress) => progress.preview !== undefined)).toBe(false);
  expect(pictures).toEqual([]);
});
