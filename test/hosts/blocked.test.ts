import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { expect, test } from 'vitest';
import { createRouter } from '#studio/router';
import { ended, sample } from './conformance.ts';
import { libraryFolder, testHome, testStudio } from './studio.ts';

const home = await testHome();
const reason = { code: 'model-blocked', values: { model: 'tiny', file: 'mage.safetensors' } };

test('a model whose files were changed is blocked until it is verified again, also over a restart', async () => {
  const folder = await libraryFolder();
  const file = join(home.models, 'tiny', 'mage.safetensors');
  const whole = await readFile(file);
  const first = await testStudio(home, { libraryFolder: folder });
  const client = createRouterClient(createRouter(first));
  expect(await client.models.list()).toMatchObject([{ id: 'tiny', verified: null }]);
  const { id } = await client.jobs.create(sample({ count: 1, seed: 3 }));
  const { images } = await ended(client, id);

  const handle = await open(file, 'r+');
  await handle.write(Buffer.from([whole.at(-1) === 0 ? 1 : 0]), 0, 1, whole.length - 1);
  await handle.close();
  const { problems } = await client.models.verify({ id: 'tiny' });
  expect(problems.map(({ code }) => code)).toEqual(['content-changed']);
  const blocked = { code: 'bundle-damaged', data: { reason } };
  await expect(client.jobs.create(sample({ count: 1 }))).rejects.toMatchObject(blocked);
  await expect(client.images.replay({ id: images[0] ?? 0 })).rejects.toMatchObject(blocked);
  // What was made with it can be looked at.
  expect(await client.images.get({ id: images[0] ?? 0 })).toMatchObject({ file: 'present' });
  await first.close();

  const again = await testStudio(home, { libraryFolder: folder });
  const later = createRouterClient(createRouter(again));
  expect(await later.models.list()).toMatchObject([{ id: 'tiny', verified: { problems } }]);
  await writeFile(file, whole);
  // Nobody has looked at the mended file yet.
  await expect(later.jobs.create(sample({ count: 1 }))).rejects.toMatchObject(blocked);
  expect(await later.models.verify({ id: 'tiny' })).toEqual({ problems: [] });
  const job = await later.jobs.create(sample({ count: 1, seed: 9 }));
  expect(await ended(later, job.id)).toMatchObject({ state: 'done' });
});

test('a list of verdicts that was damaged blocks nothing', async () => {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  const client = createRouterClient(createRouter(studio));
  for (const text of ['{', '[]', '{"tiny":7}', '{"tiny":{"hash":"x","at":1,"problems":[null]}}']) {
    await writeFile(join(home.models, '.verified.json'), text);
    const fresh = await testStudio(home, { libraryFolder: await libraryFolder() });
    const models = await createRouterClient(createRouter(fresh)).models.list();
    expect(models).toMatchObject([{ id: 'tiny', verified: null }]);
  }
  expect(await client.models.verify({ id: 'tiny' })).toEqual({ problems: [] });
});
