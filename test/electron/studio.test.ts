import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '#api/jobs';
import type { StudioEvent } from '#api/studio';
import { readText, RECIPE_KEYWORD } from '#pictures/png';
import { tinyBundle } from '../helpers/tiny-model.ts';
import { buildApp, start, until, type Start, type StudioClient } from './boot.ts';

/**
 * The whole way in the built desktop host: the renderer's client, the preload's port, the studio,
 * the engine process, and the pictures of `app:`. Not run in real Electron here: ports and utility
 * process are Node's, with Electron's face.
 */

let app = '';
let home = '';
let host: Start;
let studio: StudioClient;

beforeAll(async () => {
  app = await buildApp();
  home = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
  await mkdir(join(home, 'models'));
  await tinyBundle(join(home, 'models'));
  host = await start(app, home);
  ({ studio } = await host.connect());
});
afterAll(async () => {
  await host.quit();
  await rm(app, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
});

const settings = { model: 'tiny', count: 2, seed: 7, rdmSteps: 4, steps: 4 } as const;
const create = (client: StudioClient, change: object = {}) =>
  client.jobs.create({ source: { kind: 'sample' }, settings: { ...settings, ...change } });

/** The job as it is when it has come to an end. */
async function ended(client: StudioClient, id: number): Promise<Job> {
  const over = ['done', 'failed', 'cancelled', 'parked'];
  for (;;) {
    const job = (await client.jobs.list()).find((each) => each.id === id);
    if (job === undefined || over.includes(job.state)) return job ?? Promise.reject(new Error());
    await new Promise((done) => setTimeout(done, 20));
  }
}

test('calls and their errors cross the port', async () => {
  const status = await studio.studio.status();
  expect(status.state).toEqual({ kind: 'open' });
  expect(status.libraryFolder).toBe(join(home, 'library'));
  const models = await studio.models.list();
  expect(models.map(({ id, shipped }) => [id, shipped])).toEqual([
    ['starter', true],
    ['tiny', false],
  ]);
  await expect(studio.images.get({ id: 99 })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/99/) as string,
  });
  await expect(create(studio, { count: -1 })).rejects.toMatchObject({
    code: 'invalid-request',
    data: { field: 'settings.count' },
  });
  await expect(create(studio, { model: 'nobody' })).rejects.toMatchObject({
    code: 'model-not-found',
  });
});

test('a job makes pictures in the engine process, and app: serves them', async () => {
  const stream = await studio.studio.events();
  const { id: wanted } = await create(studio);
  const kinds = new Set<StudioEvent['kind']>();
  let job: Job | undefined;
  for await (const event of stream) {
    // How full the machine is may be told at any time.
    if (event.kind !== 'status' && event.kind !== 'meters') kinds.add(event.kind);
    if (event.kind === 'jobs') job = event.jobs.find(({ id }) => id === wanted);
    if (job?.state === 'done' || job?.state === 'failed') break;
  }
  expect(job).toMatchObject({ state: 'done', error: null });
  expect(job?.images).toHaveLength(2);
  expect([...kinds].sort()).toEqual(['images', 'jobs', 'progress']);

  const engine = host.electron.engines[0];
  expect(engine?.path).toMatch(/out[/\\]worker[/\\]entry\.js$/);
  expect(engine?.options).toMatchObject({ serviceName: 'RCG Studio engine' });

  const id = job?.images[0] ?? 0;
  const image = await studio.images.get({ id });
  const path = `/images/${id}/full?v=${image.version}`;
  const full = await host.fetch(path);
  const bytes = new Uint8Array(await full.arrayBuffer());
  expect(full.headers.get('content-type')).toBe('image/png');
  expect(full.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  expect(bytes).toEqual(new Uint8Array(await readFile(join(home, 'library', image.path))));
  const part = await host.fetch(path, { headers: { range: 'bytes=1-3' } });
  expect([part.status, await part.text()]).toEqual([206, 'PNG']);
  const beyond = await host.fetch(path, { headers: { range: `bytes=${bytes.length}-` } });
  expect(beyond.status).toBe(416);
  const etag = full.headers.get('etag') ?? '';
  expect((await host.fetch(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
  const thumb = await host.fetch(`/images/${id}/thumb?v=${image.version}`);
  expect(thumb.headers.get('content-type')).toBe('image/webp');
  expect(new Uint8Array(await thumb.arrayBuffer()).length).toBeGreaterThan(50);
});

test('files cross the port both ways', async () => {
  const { ids } = await studio.images.search({
    filter: {},
    sort: { by: 'createdAt', descending: true },
  });
  const id = ids[0] ?? 0;
  const { address, name, bytes } = await studio.images.export({ ids: [id], metadata: true });
  const fetched = await host.fetch(address);
  expect(fetched.headers.get('content-type')).toBe('image/png');
  const file = new File([Buffer.from(await fetched.arrayBuffer())], name);
  expect(file.size).toBe(bytes);
  await studio.images.remove({ ids: [id] });
  const { ids: again, refused } = await studio.images.import({ files: [file] });
  expect(refused).toEqual([]);
  expect(again).toHaveLength(1);
});

interface Dragged {
  readonly names: readonly string[];
  readonly failure: { readonly code: string; readonly message: string } | null;
}
/** Drags pictures out of the page, as the preload lets it. */
async function drag(ids: unknown, recipe: unknown = true): Promise<Dragged> {
  const { exposed } = await host.connect();
  const { dragOut } = exposed['studioHost'] as {
    dragOut: (ids: unknown, recipe: unknown) => Promise<Dragged>;
  };
  return dragOut(ids, recipe);
}
const contents = () => {
  const window = host.electron.windows[0];
  if (window === undefined) throw new Error('There is no window.');
  return window.webContents;
};

test('several files leave the window in one drag, as copies with names of their own', async () => {
  const { images } = await ended(studio, (await create(studio, { count: 3, seed: 40 })).id);
  const before = contents().drags.length;
  const dragged = await drag([...images, 9999], true);
  const names = ['tiny-40.png', 'tiny-41.png', 'tiny-42.png'];
  expect(dragged).toEqual({ names, failure: null });
  await until(() => contents().drags.length > before);
  const item = contents().drags.at(-1);
  const files = item?.files ?? [];
  expect(files.map((file) => basename(file))).toEqual(names);
  expect(item).toMatchObject({ file: files[0], icon: { path: files[0], width: 96 } });
  const paths = await Promise.all(images.map(async (id) => (await studio.images.get({ id })).path));
  for (const [index, file] of files.entries()) {
    // Whoever gets it may change it: the library's own file is another.
    expect(await readFile(file)).toEqual(await readFile(join(home, 'library', paths[index] ?? '')));
    expect(file.startsWith(join(home, 'library'))).toBe(false);
  }

  await drag([...images], false);
  await until(() => contents().drags.length > before + 1);
  const bare = await readFile(contents().drags.at(-1)?.files?.[0] ?? '');
  expect(readText(bare, RECIPE_KEYWORD, 'x')).toBeNull();
});

test.each([
  ['no pictures', []],
  ['too many', Array.from({ length: 101 }, (_, index) => index + 1)],
  ['a path', ['/etc/passwd']],
  ['an id that is none', [-1]],
  ['no list', 7],
])('a drag of %s is refused, and none begins', async (_what, ids) => {
  const before = contents().drags.length;
  const dragged = await drag(ids);
  expect(dragged).toMatchObject({ names: [], failure: { code: 'invalid-request' } });
  expect(await drag([1], 'yes')).toMatchObject({ failure: { code: 'invalid-request' } });
  expect(contents().drags).toHaveLength(before);
});

test('a drag of pictures without a file, or by a stranger, does not begin', async () => {
  const before = contents().drags.length;
  expect(await drag([9998, 9999])).toEqual({ names: [], failure: null });
  const stranger = { sender: contents(), senderFrame: { parent: {}, origin: 'app://studio' } };
  const asked = host.electron.ipcMain.invoke('drag-out', stranger, [1], true);
  await expect(asked).rejects.toThrow(/own page/);
  expect(contents().drags).toHaveLength(before);
});

test('a page that loads again gets a port of its own, and the old one is let go', async () => {
  const second = await host.connect();
  expect((await second.studio.studio.status()).state).toEqual({ kind: 'open' });
  const stream = await second.studio.studio.events();
  await stream.next();
  second.port.close();
  const third = await host.connect();
  expect(await third.studio.jobs.list()).toEqual(await studio.jobs.list());
});

test('an engine that is killed takes nothing with it', async () => {
  const engines = host.electron.engines.length;
  const job = await create(studio, { count: 6, seed: 100, rdmSteps: 200, steps: 64, chunk: 1 });
  await until(() => host.electron.engines.some((engine) => engine.pid !== undefined));
  const running = host.electron.engines.findLast((engine) => engine.pid !== undefined);
  if (running?.pid !== undefined) process.kill(running.pid, 'SIGKILL');
  expect(await ended(studio, job.id)).toMatchObject({ state: 'done', total: 6 });
  expect(host.electron.engines.length).toBeGreaterThan(engines);
});

test('quitting in the middle of a job asks nothing, and the next start ends the job', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
  await mkdir(join(folder, 'models'));
  await tinyBundle(join(folder, 'models'));
  const first = await start(app, folder);
  const before = await first.connect();
  const job = await create(before.studio, { count: 8, rdmSteps: 100, steps: 64, chunk: 1 });
  await until(() => first.electron.engines.some((engine) => engine.pid !== undefined));
  await first.quit();
  expect(first.electron.exitCode).toBe(0);
  expect(first.electron.engines.every((engine) => engine.pid === undefined)).toBe(true);
  expect(first.electron.log.filter((line) => line.startsWith('error'))).toEqual([]);

  const second = await start(app, folder);
  const after = await second.connect();
  expect(await ended(after.studio, job.id)).toMatchObject({ state: 'done', total: 8 });
  const found = await after.studio.images.search({
    filter: { job: job.id },
    sort: { by: 'seed', descending: false },
  });
  expect(found.ids).toHaveLength(8);
  await second.quit();
  await rm(folder, { recursive: true, force: true });
});
