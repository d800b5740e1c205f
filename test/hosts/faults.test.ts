import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import Sqlite from 'better-sqlite3';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '#api/jobs';
import type { OpenStudio, OpenStudioOptions } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { WorkerClient } from '#worker/client';
import { forkChannel } from '#worker/fork-channel';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

/** Slow enough to be caught in the middle. */
const SLOW = { count: 3, chunk: 2, steps: 200, rdmSteps: 100, seed: 500 };

async function open(folder: string, options: Partial<OpenStudioOptions> = {}) {
  const studio = await testStudio(home, { libraryFolder: folder, ...options });
  const client: StudioClient = createRouterClient(createRouter(studio));
  return { studio, client };
}

/** A library with some pictures, closed. */
async function filled(count = 3): Promise<string> {
  const folder = await libraryFolder();
  const { studio, client } = await open(folder);
  await ended(client, (await client.jobs.create(sample({ count, seed: 60 }))).id);
  await studio.close();
  return folder;
}

async function pngs(folder: string): Promise<string[]> {
  const found = await readdir(join(folder, 'images'), { recursive: true });
  return found.filter((name) => name.endsWith('.png')).map((name) => join(folder, 'images', name));
}

/** Everything in a folder, byte by byte, but for the lock that a start takes. */
async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(
    (entry) => entry.isFile() && !/lock|owner|-wal|-shm/.test(entry.name),
  );
  const pairs = files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return [
      path,
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

const newest = { filter: {}, sort: { by: 'createdAt', descending: true } } as const;

async function tokenHashes(client: StudioClient, job: Job): Promise<readonly string[]> {
  const details = await Promise.all(job.images.map((id) => client.images.get({ id })));
  return details
    .toSorted((a, b) => a.seed - b.seed)
    .map((image) => `${image.seed} ${image.recipe.tokenHash}`);
}

/** The pictures of SLOW without any interruption; made once. */
let whole: Promise<readonly string[]> | undefined;
function uninterrupted(): Promise<readonly string[]> {
  whole ??= (async () => {
    const { studio, client } = await open(await libraryFolder());
    const job = await ended(client, (await client.jobs.create(sample(SLOW))).id);
    const hashes = await tokenHashes(client, job);
    await studio.close();
    return hashes;
  })();
  return whole;
}

/** Waits until a picture of the job that runs is half decoded, and that is written down. */
async function halfDecoded({ shop }: OpenStudio, job: number): Promise<void> {
  await expect
    .poll(() => shop.history().jobs.loadResume(job).length, { interval: 5 })
    .toBeGreaterThan(0);
}

describe('a library that cannot be opened', () => {
  /** What every such library has in common. */
  async function expectRefused(folder: string, kind: string): Promise<void> {
    const before = await contents(folder);
    const { studio, client } = await open(folder);
    expect((await client.studio.status()).state.kind).toBe(kind);
    await fails(client.jobs.create(sample({})), 'library-unavailable');
    await fails(client.images.search(newest), 'library-unavailable');
    await fails(client.images.summary(), 'library-unavailable');
    await fails(client.studio.undo(), 'library-unavailable');
    await fails(client.images.import({ files: [new File(['x'], 'x.png')] }), 'library-unavailable');
    await fails(client.images.emptyBin(), 'library-unavailable');
    expect((await client.models.list()).map((model) => model.id)).toEqual(['tiny']);
    expect((await client.studio.doctor()).length).toBeGreaterThan(3);
    expect(
      await studio.assets.get('/images/1/full').catch((error: unknown) => error),
    ).toMatchObject({ code: 'library-unavailable' });
    await studio.close();
    expect(await contents(folder)).toEqual(before);
  }

  test('one of a newer version', async () => {
    const folder = await filled(1);
    const database = new Sqlite(join(folder, 'library.db'));
    database.pragma('user_version = 9000');
    database.close();
    await expectRefused(folder, 'newer');
  });

  test('one that is no database', async () => {
    const folder = await filled(1);
    await writeFile(
      join(folder, 'library.db'),
      'not a database at all, but long enough to look at',
    );
    await expectRefused(folder, 'damaged');
  });

  test('one with a torn page', async () => {
    const folder = await filled(3);
    const file = join(folder, 'library.db');
    const bytes = await readFile(file);
    bytes.fill(0x5a, 8192 * 2, 8192 * 6);
    await writeFile(file, bytes);
    await expectRefused(folder, 'damaged');
  });

  test('one that another studio has open', async () => {
    const folder = await filled(1);
    const first = await open(folder);
    const second = await open(folder);
    const { state } = await second.client.studio.status();
    expect(state.kind).toBe('locked');
    await fails(second.client.jobs.create(sample({})), 'library-unavailable');
    // The first one does not notice.
    await ended(first.client, (await first.client.jobs.create(sample({ seed: 9 }))).id);
    await first.studio.close();
    await second.studio.close();
    const third = await open(folder);
    expect((await third.client.images.search(newest)).ids).toHaveLength(2);
  });

  test('one that may only be looked at can be', async () => {
    const folder = await filled(2);
    const before = await contents(folder);
    const { studio, client } = await open(folder, { readOnly: true });
    expect((await client.studio.status()).state).toEqual({ kind: 'read-only' });
    const { ids } = await client.images.search(newest);
    expect(ids).toHaveLength(2);
    expect(await studio.assets.get(`/images/${ids[0]}/full`)).toMatchObject({ type: 'image/png' });
    await fails(client.images.update({ ids: [...ids], rating: 3 }), 'library-unavailable');
    await fails(client.images.remove({ ids: [...ids] }), 'library-unavailable');
    await fails(client.jobs.create(sample({ model: 'tiny' })), 'library-unavailable');
    await fails(client.studio.configure({ theme: 'dark' }), 'library-unavailable');
    const [id = 0] = ids;
    const search = newest;
    const refused = [
      () => client.images.rebuild({ id }),
      () => client.images.update({ ids: [id], note: 'x' }),
      () => client.images.restore({ ids: [id] }),
      () => client.images.emptyBin(),
      () => client.images.dropPixels({ ids: [id] }),
      () => client.images.createBoard({ name: 'x' }),
      () => client.images.saveSearch({ name: 'x', search }),
      () => client.models.remove({ id: 'tiny' }),
      () => client.jobs.pause({ paused: true }),
      () => client.jobs.clear(),
      () => client.library.reindex(),
      () => client.library.move({ folder: join(folder, 'elsewhere') }),
      () => client.library.import({ folder: join(folder, 'elsewhere') }),
      () => client.studio.backup(),
    ];
    for (const call of refused) await fails(call(), 'library-unavailable');
    // What needs no writing is done.
    expect((await client.images.replay({ id })).differing).toBe(0);
    // Whoever asked was told, and nothing is kept.
    expect((await client.images.get({ id })).replay).toBeNull();
    expect((await client.images.export({ ids: [id], metadata: true })).exported).toBe(1);
    expect((await client.models.verify({ id: 'tiny' })).problems).toEqual([]);
    const [own = ''] = await pngs(folder);
    const files = [new File([await readFile(own)], 'own.png'), new File(['x'], 'x.png')];
    await fails(client.images.import({ files }), 'library-unavailable');
    await studio.close();
    expect(await contents(folder)).toEqual(before);
  });
});

describe('files and rows that do not fit together', () => {
  test('pictures that were deleted by hand are shown as missing, and can be made again', async () => {
    const folder = await filled(3);
    const [lost = ''] = await pngs(folder);
    const whole = await readFile(lost);
    await rm(lost);
    const { studio, client } = await open(folder);
    await studio.ready;
    const rows = await client.images.rows({ ids: [1, 2, 3] });
    const missing = rows.find((row) => row.file === 'missing');
    expect(rows.filter((row) => row.file === 'present')).toHaveLength(2);
    const id = missing?.id ?? 0;
    expect(await studio.assets.get(`/images/${id}/full`)).toBeNull();
    const rebuilt = await client.images.rebuild({ id });
    expect(rebuilt.file).toBe('present');
    expect((await studio.assets.get(`/images/${id}/full`))?.type).toBe('image/png');
    expect(await client.images.replay({ id })).toMatchObject({ differing: 0 });
    expect((await readFile(lost)).length).toBeGreaterThan(whole.length / 2);
  });

  test('a picture that is deleted while the studio is open is noticed when it is shown', async () => {
    const folder = await filled(1);
    const { studio, client } = await open(folder);
    await studio.ready;
    const [file = ''] = await pngs(folder);
    await rm(file);
    expect(await studio.assets.get('/images/1/full')).toBeNull();
    expect((await client.images.rows({ ids: [1] }))[0]?.file).toBe('missing');
  });

  const pixelsOf = (png: Buffer): Promise<Buffer> => sharp(png).raw().toBuffer();
  /** Turns a bit in the pixels of a picture. */
  async function flip(file: string): Promise<Uint8Array> {
    const bytes = await readFile(file);
    const at = bytes.length - 40;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(file, bytes);
    return bytes;
  }

  test.each(['full', 'thumb'])(
    'a picture with a turned bit is noticed when it is shown (%s), and made again',
    async (kind) => {
      const folder = await filled(1);
      const [file = ''] = await pngs(folder);
      const whole = await readFile(file);
      const broken = await flip(file);
      const { studio, client } = await open(folder);
      await studio.ready;
      expect((await client.images.rows({ ids: [1] }))[0]?.file).toBe('present');
      expect(await studio.assets.get(`/images/1/${kind}`)).toBeNull();
      expect((await client.images.rows({ ids: [1] }))[0]?.file).toBe('missing');
      // It stays so until it is made again, and what was there is kept.
      expect(await client.library.reindex()).toMatchObject({ found: 0, missing: 0 });
      expect((await client.images.rebuild({ id: 1 })).file).toBe('present');
      expect(await pixelsOf(await readFile(file))).toEqual(await pixelsOf(whole));
      const [aside = ''] = await readdir(join(folder, 'quarantine'));
      expect(await readFile(join(folder, 'quarantine', aside))).toEqual(Buffer.from(broken));
    },
  );

  test('comparing reads every picture, so that a turned bit is found', async () => {
    const folder = await filled(2);
    const [file = ''] = await pngs(folder);
    await flip(file);
    const { client } = await open(folder);
    expect(await client.library.reindex()).toMatchObject({ missing: 1, quarantined: [] });
    expect(await client.library.reindex()).toMatchObject({ missing: 0, found: 0 });
  });

  test('a folder of pictures that was moved away, and back', async () => {
    const folder = await filled(2);
    await rename(join(folder, 'images'), join(folder, 'elsewhere'));
    const without = await open(folder);
    await without.studio.ready;
    const states = async (client: StudioClient) =>
      (await client.images.rows({ ids: [1, 2] })).map((row) => row.file);
    expect(await states(without.client)).toEqual(['missing', 'missing']);
    await without.studio.close();
    await rename(join(folder, 'elsewhere'), join(folder, 'images'));
    const again = await open(folder);
    await again.studio.ready;
    expect(await states(again.client)).toEqual(['present', 'present']);
  });

  test('renamed pictures, and pictures in other folders, are found again and put back', async () => {
    const folder = await filled(4);
    const first = await open(folder);
    await first.client.images.update({ ids: [1, 2, 3, 4], rating: 4 });
    await first.studio.close();
    const before = await pngs(folder);
    const [a = '', b = '', c = ''] = before;
    const other = join(folder, 'images', 'Holiday', 'best of');
    await mkdir(other, { recursive: true });
    await rename(a, join(a, '..', 'a nice one (1).png'));
    await rename(b, join(other, 'cat.PNG'));
    await rename(c, join(folder, 'images', 'c.png'));
    await writeFile(join(other, 'mine.png'), 'not of ours');
    const { studio, client } = await open(folder);
    await studio.ready;
    expect((await pngs(folder)).toSorted()).toEqual(
      [...before, join(other, 'mine.png')].toSorted(),
    );
    const rows = await client.images.rows({ ids: [1, 2, 3, 4] });
    expect(rows.map(({ file, rating }) => [file, rating])).toEqual(Array(4).fill(['present', 4]));
    await studio.close();

    // The same without the database: all of them come from their files.
    for (const name of await readdir(folder)) {
      if (name.startsWith('library.db') || name === 'backups') {
        await rm(join(folder, name), { recursive: true });
      }
    }
    await rename(a, join(other, 'a.png'));
    const again = await open(folder);
    await again.studio.ready;
    expect((await pngs(folder)).toSorted()).toEqual(
      [...before, join(other, 'mine.png')].toSorted(),
    );
    const filter = { text: 'tiny' };
    const { ids } = await again.client.images.search({ ...newest, filter });
    expect(ids).toHaveLength(4);
    expect(existsSync(join(folder, 'quarantine'))).toBe(false);
  });

  test('a picture that goes by the name of another is one of its own', async () => {
    const folder = await filled(2);
    const [a = '', b = ''] = await pngs(folder);
    const { readText, insertTexts } = await import('#pictures/png');
    const keyword = 'rcg-studio-library';
    const text = readText(await readFile(a), keyword, 'a') ?? '';
    const posing = Buffer.from(insertTexts(await readFile(b), [{ keyword, text }]));
    const { studio, client } = await open(folder);
    await studio.ready;
    const bytes = await Promise.all([a, b].map((file) => readFile(file)));
    const { ids } = await client.images.import({ files: [new File([posing], 'posing.png')] });
    expect(ids).toEqual([3]);
    await writeFile(join(a, '..', 'posing.png'), posing);
    expect(await client.library.reindex()).toMatchObject({ adopted: 1, quarantined: [] });
    expect(await Promise.all([a, b].map((file) => readFile(file)))).toEqual(bytes);
    const details = await Promise.all([1, 2, 3, 4].map((id) => client.images.get({ id })));
    expect(new Set(details.map(({ path }) => path)).size).toBe(4);
    expect(new Set(details.map(({ recipe }) => recipe.tokenHash)).size).toBe(2);
  });

  test('a lost database is made again from the pictures', async () => {
    const folder = await libraryFolder();
    const first = await open(folder);
    const { images } = await ended(first.client, (await first.client.jobs.create(sample({}))).id);
    const child = await first.client.jobs.create({
      source: { kind: 'image', image: images[0] ?? 0 },
      settings: { seed: 3, count: 2 },
    });
    await ended(first.client, child.id);
    const before = await first.client.images.get({ id: 2 });
    await first.studio.close();
    for (const name of await readdir(folder)) {
      if (name.startsWith('library.db')) await rm(join(folder, name));
    }
    const { studio, client } = await open(folder);
    await studio.ready;
    expect((await client.images.search(newest)).ids).toHaveLength(3);
    const after = await client.images.get({ id: 2 });
    expect(after.recipe).toEqual(before.recipe);
    expect(after).toMatchObject({
      createdAt: before.createdAt,
      operation: 'variation',
      path: before.path,
      times: before.times,
      parents: [{ id: 1, operation: 'variation' }],
    });
  });

  test('unfinished files are cleared, strange ones put aside, copies not taken twice', async () => {
    const folder = await filled(1);
    const [file = ''] = await pngs(folder);
    const month = join(file, '..');
    await writeFile(join(month, '.abcdef.png.0123456789ab.tmp'), 'half a picture');
    await writeFile(join(month, 'holiday.png'), 'not a picture');
    await copyFile(file, join(month, 'copyofpicture.png'));
    const { studio, client } = await open(folder);
    await studio.ready;
    expect(await pngs(folder)).toEqual([file]);
    expect((await readdir(join(folder, 'quarantine'))).length).toBe(2);
    expect((await client.images.search(newest)).ids).toHaveLength(1);
  });

  test('what the system does not let us read stays where it is, and is reported', async () => {
    const folder = await filled(1);
    const [file = ''] = await pngs(folder);
    // No permission and a fault of the disk come as system errors too, as these links do.
    const round = join(file, '../round.png');
    const away = join(file, '../away.png');
    await symlink(round, round);
    await symlink(join(folder, 'a drive that is away.png'), away);
    await writeFile(join(file, '../empty.png'), '');
    const { studio, client } = await open(folder);
    await studio.ready;
    expect((await readdir(join(file, '..'))).toSorted()).toEqual(
      [basename(file), 'away.png', 'round.png'].toSorted(),
    );
    expect(await client.library.reindex()).toEqual({
      adopted: 0,
      unfinished: 0,
      quarantined: [],
      unreadable: [away, round],
      missing: 0,
      found: 0,
      restored: 0,
      note: null,
    });
    expect((await readdir(join(folder, 'quarantine'))).length).toBe(1);
    // Once it can be read it is judged by its content.
    await rm(round);
    await writeFile(round, 'not a picture');
    expect(await client.library.reindex()).toMatchObject({ unreadable: [away] });
    expect((await readdir(join(folder, 'quarantine'))).length).toBe(2);
  });

  test('a picture whose row was not written yet takes its place in its job', async () => {
    const folder = await filled(2);
    const database = new Sqlite(join(folder, 'library.db'));
    database.pragma('foreign_keys = ON');
    database.exec('DELETE FROM images WHERE id = 2; DELETE FROM job_images WHERE idx = 1');
    database.exec("UPDATE jobs SET state = 'running'");
    database.close();
    const { studio, client } = await open(folder);
    await studio.ready;
    const job = await ended(client, 1);
    expect(job).toMatchObject({ state: 'done' });
    expect(job.images).toHaveLength(2);
    expect(await pngs(folder)).toHaveLength(2);
  });
});

describe('pictures from outside', () => {
  test.each([
    ['a recipe that is no JSON', '{"version":1,', 'recipe'],
    ['a recipe of a newer version', '{"version":99}', 'newer'],
    ['a recipe with wrong fields', '{"version":1,"steps":-4}', 'wrong'],
  ])('%s is refused in words', async (_, text, word) => {
    const { client } = await open(await libraryFolder());
    const { insertTexts } = await import('#pictures/png');
    const { encodePng } = await import('#pictures/pictures');
    const image = { width: 8, height: 8, data: new Uint8Array(192) };
    const png = insertTexts(await encodePng(image, []), [{ keyword: 'rcg-studio', text }]);
    const result = await client.images.import({ files: [new File([Buffer.from(png)], 'x.png')] });
    expect(result.ids).toEqual([]);
    expect(result.refused[0]?.name).toBe('x.png');
    expect(result.refused[0]?.message).toContain(word);
  });

  test('a file name cannot lead out of a folder', async () => {
    const { client } = await open(await libraryFolder());
    const result = await client.images.import({
      files: [new File(['x'], '../../../../tmp/evil.png'), new File(['y'], '..')],
    });
    expect(result.refused.map((one) => one.name)).toEqual(['evil.png', 'picture']);
  });
});

describe('the queue', () => {
  test('goes on after a restart where it was, to the very same pictures', async () => {
    const expected = await uninterrupted();
    const folder = await libraryFolder();
    const first = await open(folder);
    const { id } = await first.client.jobs.create(sample(SLOW));
    await first.client.jobs.create(sample({ seed: 900 }));
    await halfDecoded(first.studio, id);
    await first.studio.close();
    const second = await open(folder);
    const job = await ended(second.client, id);
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(await tokenHashes(second.client, job)).toEqual(expected);
    expect((await second.client.jobs.list()).map((one) => one.id)).toEqual([id, id + 1]);
  });

  test('paused and resumed in the middle gives the very same pictures', async () => {
    const expected = await uninterrupted();
    const { studio, client } = await open(await libraryFolder());
    const { id } = await client.jobs.create(sample(SLOW));
    await halfDecoded(studio, id);
    await client.jobs.pause({ paused: true });
    const [job] = await client.jobs.list();
    expect(job).toMatchObject({ state: 'paused' });
    expect(job?.images.length).toBeLessThan(SLOW.count);
    await client.jobs.pause({ paused: false });
    expect(await tokenHashes(client, await ended(client, id))).toEqual(expected);
  });

  test('an engine that is killed once is started again, and nothing differs', async () => {
    const expected = await uninterrupted();
    const { studio, client } = await open(await libraryFolder());
    const { id } = await client.jobs.create(sample(SLOW));
    await halfDecoded(studio, id);
    process.kill(studio.engines.pid ?? 0, 'SIGKILL');
    const job = await ended(client, id);
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(await tokenHashes(client, job)).toEqual(expected);
  });

  test('a job that ends the engine twice is put aside with its reason; the next one runs', async () => {
    const folder = await libraryFolder();
    await mkdir(join(folder, 'bin'));
    const entry = join(folder, 'bin', 'engine.mjs');
    await writeFile(entry, "console.error('fatal error: the driver is gone'); process.exit(7);");
    const { client } = await open(folder, {
      engine: () => new WorkerClient({ channel: forkChannel({ entry }) }),
    });
    const first = await client.jobs.create(sample({ seed: 1 }));
    const second = await client.jobs.create(sample({ seed: 2 }));
    const job = await ended(client, first.id);
    expect(job).toMatchObject({ state: 'parked', error: { code: 'engine-crashed' } });
    expect(job.error?.message).toContain('the driver is gone');
    expect(await ended(client, second.id)).toMatchObject({ state: 'parked' });
    await client.jobs.retry({ id: first.id });
    expect(await ended(client, first.id)).toMatchObject({ state: 'parked' });
  });

  test('a full disk pauses the queue before anything is cut short', async () => {
    const expected = await uninterrupted();
    const folder = await libraryFolder();
    const full = await open(folder, { minFreeBytes: 2 ** 60 });
    const { id } = await full.client.jobs.create(sample(SLOW));
    await expect.poll(async () => (await full.client.studio.status()).paused).toBe(true);
    await expect
      .poll(async () => (await full.client.jobs.list())[0])
      .toMatchObject({ state: 'paused', images: [], error: { code: 'disk-full' } });
    expect(await readdir(folder)).not.toContain('images');
    await full.studio.close();
    const roomy = await open(folder);
    await roomy.studio.ready;
    expect((await roomy.client.studio.status()).paused).toBe(true);
    await roomy.client.jobs.pause({ paused: false });
    const job = await ended(roomy.client, id);
    expect(await tokenHashes(roomy.client, job)).toEqual(expected);
  });

  test('a cancel stops at once and keeps what was finished', async () => {
    const { client } = await open(await libraryFolder());
    const { id } = await client.jobs.create(sample({ ...SLOW, count: 40 }));
    await expect.poll(async () => (await client.jobs.list())[0]?.images.length).toBeGreaterThan(0);
    const job = await client.jobs.cancel({ id });
    expect(job.state).toBe('cancelled');
    expect(job.images.length).toBeGreaterThan(0);
    expect(job.images.length).toBeLessThan(40);
    expect((await client.images.search(newest)).ids).toHaveLength(job.images.length);
  });

  test('what was half made when a job was cancelled goes on, to the very same pictures', async () => {
    const expected = await uninterrupted();
    const { studio, client } = await open(await libraryFolder());
    const { id } = await client.jobs.create(sample(SLOW));
    await halfDecoded(studio, id);
    await client.jobs.cancel({ id });
    const kept = studio.shop.history().jobs.loadResume(id);
    expect(kept.length).toBeGreaterThan(0);
    const furthest = kept.reduce((best, one) => (one.step > best.step ? one : best));
    const [listed] = await client.jobs.list();
    expect(listed?.halfMade).toEqual({ index: furthest.index, step: furthest.step });
    await client.jobs.retry({ id });
    expect(await tokenHashes(client, await ended(client, id))).toEqual(expected);
    expect((await client.jobs.list())[0]?.halfMade).toBeNull();
    await fails(client.jobs.discard({ id }), 'invalid-request', 'id');
  });

  test('what was half made can be given up: those pictures begin anew', async () => {
    const expected = await uninterrupted();
    const { studio, client } = await open(await libraryFolder());
    const { id } = await client.jobs.create(sample(SLOW));
    await fails(client.jobs.discard({ id }), 'invalid-request', 'id');
    await halfDecoded(studio, id);
    await client.jobs.cancel({ id });
    expect(await client.jobs.discard({ id })).toMatchObject({ state: 'cancelled', halfMade: null });
    expect(studio.shop.history().jobs.loadResume(id)).toEqual([]);
    await client.jobs.retry({ id });
    expect(await tokenHashes(client, await ended(client, id))).toEqual(expected);
    await fails(client.jobs.discard({ id: 99 }), 'not-found');
  });

  test('a half-made picture begins anew when its model was replaced meanwhile', async () => {
    const { studio, client } = await open(await libraryFolder());
    const { id } = await client.jobs.create(sample(SLOW));
    await halfDecoded(studio, id);
    await client.jobs.cancel({ id });
    const { jobs } = studio.shop.history();
    const others = {
      model: 'b'.repeat(64),
      tokens: new Uint16Array(jobs.loadResume(id)[0]?.tokens.length ?? 0),
    };
    jobs.saveResume(
      id,
      jobs.loadResume(id).map((one) => ({ ...one, ...others })),
    );
    await client.jobs.retry({ id });
    expect(await tokenHashes(client, await ended(client, id))).toEqual(await uninterrupted());
  });

  test('a model that is removed while its job waits fails that job alone; undo brings it back', async () => {
    const { tinyBundle } = await import('../helpers/tiny-model.ts');
    await tinyBundle(home.models, { name: 'other' });
    const { client } = await open(await libraryFolder());
    await client.jobs.pause({ paused: true });
    const lost = await client.jobs.create(sample({ model: 'other' }));
    const next = await client.jobs.create(sample({}));
    expect((await client.models.remove({ id: 'other' })).undo).toMatchObject({ kind: 'model' });
    expect((await client.models.list()).map((model) => model.id)).toEqual(['tiny']);
    await client.jobs.pause({ paused: false });
    expect(await ended(client, lost.id)).toMatchObject({
      state: 'failed',
      error: { code: 'model-not-found' },
    });
    expect(await ended(client, next.id)).toMatchObject({ state: 'done' });
    await client.studio.undo();
    await client.jobs.retry({ id: lost.id });
    expect(await ended(client, lost.id)).toMatchObject({ state: 'done' });
    await client.studio.redo();
    expect((await client.models.list()).map((model) => model.id)).toEqual(['tiny']);
    await fails(client.models.remove({ id: 'none' }), 'model-not-found');
  });
});

test('two windows hear of the same work', async () => {
  const { studio, client } = await open(await libraryFolder());
  const first = await client.studio.events();
  const second = await client.studio.events();
  expect(studio.shop.events.listeners).toBe(2);
  const { id } = await client.jobs.create(sample({}));
  await ended(client, id);
  for (const stream of [first, second]) {
    const kinds = new Set<string>();
    for await (const event of stream) {
      kinds.add(event.kind);
      if (event.kind === 'jobs' && event.jobs[0]?.state === 'done') break;
    }
    expect(kinds).toContain('images');
  }
  await expect.poll(() => studio.shop.events.listeners).toBe(0);
});
