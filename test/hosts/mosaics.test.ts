import { mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { beforeAll, expect, test } from 'vitest';
import { createMosaics } from '#studio/models/mosaics';
import { createRouter } from '#studio/router';
import { fakeEngine } from '../studio/helpers.ts';
import { ended, sample } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

/** 64 codes of 4×4 pixels RGB. */
const BYTES = 64 * 48;

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

async function open() {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  const client = createRouterClient(createRouter(studio));
  /** Asks until the engine has had time for it. */
  const address = async (): Promise<string> => {
    let found: string | null = null;
    await expect
      .poll(async () => (found = (await client.models.mosaic({ id: 'tiny' })).address), {
        timeout: 30_000,
      })
      .not.toBeNull();
    return found ?? '';
  };
  const table = async () => studio.assets.get(new URL(await address(), 'http://studio').pathname);
  const [model] = await client.models.list();
  return { client, studio, table, file: join(home.cache, model?.hash ?? '', 'mosaic-v1.bin') };
}

test('what the codes look like is made when nobody waits, told of, and kept', async () => {
  const { client, studio, table, file } = await open();
  const stream = await client.studio.events();
  expect(await client.models.mosaic({ id: 'tiny' })).toEqual({ address: null });
  const made = await table();
  expect([made?.type, made?.bytes.length]).toEqual(['application/octet-stream', BYTES]);
  for await (const event of stream) if (event.kind === 'models') break;
  await expect
    .poll(() =>
      stat(file).then(
        (found) => found.size,
        () => 0,
      ),
    )
    .toBe(BYTES);
  expect(Uint8Array.from(await readFile(file))).toEqual(made?.bytes);

  // The next studio finds it at once, and makes it again where it is torn.
  await studio.close();
  expect((await (await open()).table())?.bytes).toEqual(made?.bytes);
  await truncate(file, BYTES - 10);
  expect((await (await open()).table())?.bytes).toEqual(made?.bytes);
});

test('it gives way to a job, and comes after it', async () => {
  const { client, table, file } = await open();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, '');
  const second = await open();
  await second.client.models.mosaic({ id: 'tiny' });
  const { id } = await second.client.jobs.create(sample({ count: 2 }));
  expect(await ended(second.client, id)).toMatchObject({ state: 'done', error: null });
  expect((await second.table())?.bytes).toHaveLength(BYTES);
  expect((await table())?.bytes).toHaveLength(BYTES);
  await expect(client.models.mosaic({ id: 'none' })).rejects.toMatchObject({
    code: 'model-not-found',
  });
});

test('one that is being written is on the disk when closing has ended', async () => {
  const { studio, file } = await open();
  const patches = new Uint8Array(BYTES).fill(3);
  const called = Promise.withResolvers<undefined>();
  const mosaics = createMosaics(studio.shop, {
    call: async (method, request, options) => {
      called.resolve(undefined);
      return fakeEngine({ mosaic: () => Promise.resolve({ patches }) }).call(
        method,
        request,
        options,
      );
    },
  });
  await rm(file, { force: true });
  expect(await mosaics.ask('tiny')).toEqual({ address: null });
  await called.promise;
  await mosaics.close();
  expect((await stat(file)).size).toBe(BYTES);
  await mosaics.close();

  // What fails is no reason not to close.
  await rm(file);
  const broken = createMosaics(studio.shop, fakeEngine());
  await broken.ask('tiny');
  await broken.close();
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each(['/mosaics/', `/mosaics/${'0'.repeat(64)}`, '/mosaics/../../etc/passwd', '/mosaics/xyz'])(
  'there is none at %s',
  async (path) => {
    const { studio } = await open();
    expect(await studio.assets.get(path)).toBeNull();
  },
);
