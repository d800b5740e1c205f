import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import Sqlite from 'better-sqlite3';
import { beforeAll, describe, expect, test } from 'vitest';
import type { StudioEvent } from '#api/studio';
import type { OpenStudioOptions } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let shared: TestHome;
beforeAll(async () => {
  shared = await testHome();
});

const newest = { filter: {}, sort: { by: 'createdAt', descending: true } } as const;
/** Slow enough to be caught in the middle. */
const SLOW = { count: 2, chunk: 1, steps: 200, rdmSteps: 100, seed: 500 };

/** A data folder of its own; models and compiled graphs are shared. */
async function ownHome(): Promise<TestHome> {
  return { ...shared, root: await libraryFolder() };
}

async function open(home: TestHome, options: Partial<OpenStudioOptions> = {}) {
  const studio = await testStudio(home, options);
  const client: StudioClient = createRouterClient(createRouter(studio));
  return { studio, client, library: join(home.root, 'library') };
}

async function make(client: StudioClient, change: Parameters<typeof sample>[0]) {
  return ended(client, (await client.jobs.create(sample(change))).id);
}

const idsOf = async (client: StudioClient) => (await client.images.search(newest)).ids;

/** Ruins some pages of a library's record. */
async function damage(library: string): Promise<Buffer> {
  const file = join(library, 'library.db');
  const bytes = (await readFile(file)).fill(0x5a, 8192 * 2, 8192 * 6);
  await writeFile(file, bytes);
  return bytes;
}

describe('moving the library of an open studio', () => {
  test('everything goes along, in the same window, and goes on there', async () => {
    const home = await ownHome();
    const { studio, client, library } = await open(home);
    await make(client, { count: 2, seed: 60 });
    await client.images.update({ ids: [1], rating: 4, addTags: ['kept'] });
    const to = join(home.root, 'moved');
    const events: StudioEvent[] = [];
    const stream = await client.studio.events();
    const listening = (async () => {
      for await (const event of stream) events.push(event);
    })();
    expect(await client.library.move({ folder: to })).toEqual({ folder: to, left: null });
    await listening;
    expect(events.some((event) => event.kind === 'move' && event.done === event.total)).toBe(true);
    expect(existsSync(library)).toBe(false);
    expect(await client.library.place()).toEqual({
      folder: to,
      movable: true,
      left: null,
      unfinished: null,
    });
    expect((await client.studio.status()).libraryFolder).toBe(to);
    expect(await client.images.get({ id: 1 })).toMatchObject({ rating: 4, tags: ['kept'] });
    expect((await studio.assets.get('/images/2/full'))?.type).toBe('image/png');
    await make(client, { seed: 90 });
    expect(await idsOf(client)).toHaveLength(3);
    await studio.close();
    const again = await open(home);
    expect(again.studio.shop.files.folder).toBe(to);
    expect(await idsOf(again.client)).toHaveLength(3);
  });

  test('whoever asks something of it meanwhile waits, and is answered', async () => {
    const home = await ownHome();
    const { studio, client } = await open(home);
    await make(client, { count: 2, seed: 60 });
    const { closing } = studio.shop;
    const asked = new Promise<unknown>((resolve) => {
      closing.addEventListener('abort', () => {
        const asset = studio.assets.get('/images/1/full');
        resolve(Promise.all([idsOf(client), client.studio.status(), asset]));
      });
    });
    const to = join(home.root, 'moved');
    await client.library.move({ folder: to });
    expect(await asked).toMatchObject([
      [2, 1],
      { state: { kind: 'open' }, libraryFolder: to },
      { type: 'image/png' },
    ]);
  });

  test('a job that runs stops at a step and goes on in the new place', async () => {
    const home = await ownHome();
    const { studio, client } = await open(home);
    const { id } = await client.jobs.create(sample(SLOW));
    await expect.poll(() => studio.shop.history().jobs.loadResume(id).length).toBeGreaterThan(0);
    await client.library.move({ folder: join(home.root, 'moved') });
    const job = await ended(client, id);
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(job.images).toHaveLength(2);
  });

  test('refusals name the field, and the studio goes on', async () => {
    const home = await ownHome();
    const { client, library } = await open(home);
    await fails(client.library.move({ folder: 'here' }), 'invalid-request', 'folder');
    await fails(client.library.move({ folder: '' }), 'invalid-request', 'folder');
    await fails(client.library.move({ folder: library }), 'invalid-request', 'folder');
    expect(await client.library.cancelMove()).toEqual({ cancelled: false });
    await make(client, { seed: 5 });
    const other = await open(home, { libraryFolder: join(home.root, 'given') });
    expect((await other.client.library.place()).movable).toBe(false);
    const to = join(home.root, 'moved');
    await fails(other.client.library.move({ folder: to }), 'invalid-request', 'folder');
  });

  test('a cancel, and a failure in the last part, leave it open where it was', async () => {
    const home = await ownHome();
    const { studio, client, library } = await open(home);
    await make(client, { seed: 5 });
    const to = join(home.root, 'moved');
    const moving = client.library.move({ folder: to });
    const cancelled = fails(moving, 'cancelled');
    await fails(client.library.move({ folder: to }), 'invalid-request');
    expect(await client.library.cancelMove()).toEqual({ cancelled: true });
    await cancelled;
    expect(existsSync(to)).toBe(false);
    // The new disk goes when the library is closed for the last part.
    const first = studio.shop.closing;
    first.addEventListener('abort', () => renameSync(to, `${to}-away`));
    await fails(client.library.move({ folder: to }), 'file-unavailable');
    const { folder } = await client.library.place();
    expect((await client.studio.status()).state.kind).toBe('open');
    expect(existsSync(join(folder, 'library.db'))).toBe(true);
    expect(await idsOf(client)).toHaveLength(1);
    expect(folder).toBe(library);
  });
});

describe('a cancel that comes too late', () => {
  test('says so while the new place is written down, and the move ends well', async () => {
    const home = await ownHome();
    const { studio, client } = await open(home);
    await make(client, { seed: 5 });
    const to = join(home.root, 'moved');
    const { closing } = studio.shop;
    const moving = client.library.move({ folder: to });
    const answers: boolean[] = [];
    const look = (): void => {
      if (answers.length > 0) return;
      const names = readdirSync(home.root);
      if (closing.aborted && names.some((name) => name.startsWith('.library.json'))) {
        answers.push(studio.library.cancelMove());
      }
      setImmediate(look);
    };
    look();
    expect(await moving).toEqual({ folder: to, left: null });
    expect(answers).toEqual([false]);
    expect((await client.library.place()).folder).toBe(to);
    expect(await idsOf(client)).toHaveLength(1);
  });
});

describe('a drive that is away', () => {
  test('is a state of its own; nothing is made in its place, and it is found again', async () => {
    const home = await ownHome();
    const first = await open(home);
    await make(first.client, { seed: 5 });
    const to = join(home.root, 'drive');
    await first.client.library.move({ folder: to });
    await first.studio.close();
    await rename(to, `${to}-away`);
    const { client } = await open(home);
    expect((await client.studio.status()).state).toEqual({
      kind: 'missing',
      reason: { code: 'library-none', values: { folder: to } },
      detail: `There is no library in ${to}.`,
    });
    await fails(client.images.search(newest), 'library-unavailable');
    await fails(client.library.move({ folder: join(home.root, 'x') }), 'library-unavailable');
    expect((await client.library.reopen({ readOnly: false })).state.kind).toBe('missing');
    expect(existsSync(to)).toBe(false);
    // An empty folder is what a system leaves where a drive was.
    await mkdir(to);
    expect((await client.library.reopen({ readOnly: false })).state.kind).toBe('missing');
    expect(await readdir(to)).toEqual([]);
    await rm(to, { recursive: true });
    await rename(`${to}-away`, to);
    expect((await client.library.reopen({ readOnly: false })).state).toEqual({ kind: 'open' });
    expect(await idsOf(client)).toHaveLength(1);
  });
});

describe('a library that another studio has open', () => {
  test('is opened once that one is closed', async () => {
    const home = await ownHome();
    const first = await open(home);
    await make(first.client, { seed: 5 });
    const second = await open(home);
    expect((await second.client.library.reopen({ readOnly: false })).state.kind).toBe('locked');
    await first.studio.close();
    expect((await second.client.library.reopen({ readOnly: false })).state.kind).toBe('open');
    expect(await idsOf(second.client)).toHaveLength(1);
    // One that is open stays as it is.
    expect((await second.client.library.reopen({ readOnly: true })).state.kind).toBe('open');
  });
});

describe('a library of a newer version', () => {
  test('can be looked at, and is not changed', async () => {
    const home = await ownHome();
    const first = await open(home);
    await make(first.client, { seed: 5 });
    await first.studio.close();
    const file = join(first.library, 'library.db');
    const database = new Sqlite(file);
    database.exec('ALTER TABLE images ADD COLUMN later TEXT');
    database.pragma('user_version = 9000');
    database.pragma('journal_mode = DELETE');
    database.close();
    const before = createHash('sha256').update(await readFile(file));
    const { studio, client } = await open(home);
    expect(studio.state.kind).toBe('newer');
    expect((await client.library.reopen({ readOnly: true })).state).toEqual({ kind: 'read-only' });
    expect(await idsOf(client)).toHaveLength(1);
    expect((await studio.assets.get('/images/1/full'))?.type).toBe('image/png');
    await fails(client.images.update({ ids: [1], rating: 3 }), 'library-unavailable');
    await fails(client.jobs.create(sample({ model: 'tiny' })), 'library-unavailable');
    await fails(client.library.reindex(), 'library-unavailable');
    await studio.close();
    const after = createHash('sha256').update(await readFile(file));
    expect(after.digest('hex')).toBe(before.digest('hex'));
  });
});

describe('a damaged library', () => {
  test('its backup is opened beside it, and later pictures are found again', async () => {
    const home = await ownHome();
    const first = await open(home);
    await make(first.client, { count: 2, seed: 60 });
    await first.client.images.update({ ids: [1, 2], rating: 5, addTags: ['kept'] });
    const { file: backup } = await first.client.studio.backup();
    await make(first.client, { count: 3, seed: 70 });
    await first.studio.close();
    const broken = await damage(first.library);

    const { studio, client } = await open(home);
    expect((await client.studio.status()).state).toMatchObject({ kind: 'damaged', backup });
    const { state, kept, backup: used } = await client.library.repair();
    expect({ state, used }).toEqual({ state: { kind: 'open' }, used: backup });
    expect(await readFile(kept ?? '')).toEqual(broken);
    await studio.ready;
    const ids = await idsOf(client);
    expect(ids).toHaveLength(5);
    const rows = await client.images.rows({ ids: [...ids] });
    expect(rows.map((row) => row.file)).toEqual(Array(5).fill('present'));
    expect(rows.filter((row) => row.rating === 5)).toHaveLength(2);
    expect(await client.images.replay({ id: ids[0] ?? 0 })).toMatchObject({ differing: 0 });
    await make(client, { seed: 90 });
    expect(await idsOf(client)).toHaveLength(6);
    await fails(client.library.repair(), 'library-unavailable');
  });

  test('without a backup the record is made again from the pictures', async () => {
    const home = await ownHome();
    const first = await open(home);
    await make(first.client, { count: 2, seed: 60 });
    await first.studio.ready;
    await first.studio.close();
    await rm(join(first.library, 'backups'), { recursive: true, force: true });
    const broken = await damage(first.library);
    const { studio, client } = await open(home);
    expect(studio.state).toMatchObject({ kind: 'damaged', backup: null });
    const { state, kept, backup } = await client.library.repair();
    expect({ state, backup }).toEqual({ state: { kind: 'open' }, backup: null });
    expect(await readFile(kept ?? '')).toEqual(broken);
    await studio.ready;
    expect(await idsOf(client)).toHaveLength(2);
  });
});

describe('a library whose record is lost', () => {
  /** A library with a backup that knows more than the pictures do. */
  async function lost() {
    const home = await ownHome();
    const first = await open(home);
    await make(first.client, { count: 2, seed: 60 });
    await first.client.images.update({ ids: [1, 2], rating: 5, addTags: ['kept'] });
    await first.client.images.dropPixels({ ids: [1] });
    const { file: backup } = await first.client.studio.backup();
    await first.studio.close();
    await rm(join(first.library, 'library.db'));
    return { home, backup, ...(await open(home)) };
  }

  test('is not replaced by an empty one; the backup takes its place', async () => {
    const { client, backup, library } = await lost();
    expect((await client.studio.status()).state).toMatchObject({
      kind: 'damaged',
      backup,
      reason: { code: 'record-lost' },
    });
    expect(existsSync(join(library, 'library.db'))).toBe(false);
    expect(await client.library.repair()).toEqual({ state: { kind: 'open' }, kept: null, backup });
    const rows = await client.images.rows({ ids: [1, 2] });
    expect(rows.map(({ rating, file }) => [rating, file])).toEqual([
      [5, 'dropped'],
      [5, 'present'],
    ]);
  });

  test('can be made again from the pictures; the backup stays', async () => {
    const { home, studio, client, backup } = await lost();
    const repaired = await client.library.repair({ anew: true });
    expect(repaired).toEqual({ state: { kind: 'open' }, kept: null, backup: null });
    await studio.ready;
    // What the pictures do not say is in the document beside them.
    const rows = await client.images.rows({ ids: [...(await idsOf(client))] });
    expect(rows.map(({ rating, file }) => [rating, file]).sort()).toEqual([
      [5, 'dropped'],
      [5, 'present'],
    ]);
    expect(existsSync(backup)).toBe(true);
    await studio.close();
    const { client: later } = await open(home);
    expect(await idsOf(later)).toHaveLength(2);
  });

  test('two backups at once are both written', async () => {
    const { client } = await open(await ownHome());
    await make(client, { seed: 60 });
    const written = await Promise.all([client.studio.backup(), client.studio.backup()]);
    expect(written.map(({ file }) => existsSync(file))).toEqual([true, true]);
  });
});

describe('reindex', () => {
  test('finds pictures that came from elsewhere, and keeps what is known of others', async () => {
    const home = await ownHome();
    const other = await open(await ownHome());
    await make(other.client, { count: 2, seed: 200 });
    await other.studio.close();
    const { studio, client, library } = await open(home);
    await make(client, { seed: 5 });
    await client.images.update({ ids: [1], rating: 2, note: 'mine' });
    await studio.ready;
    const month = (await readdir(join(library, 'images')))[0] ?? '';
    for (const name of await readdir(join(other.library, 'images', month))) {
      await rename(
        join(other.library, 'images', month, name),
        join(library, 'images', month, name),
      );
    }
    expect(await client.library.reindex()).toEqual({
      adopted: 2,
      unfinished: 0,
      restored: 0,
      note: null,
      quarantined: [],
      unreadable: [],
      missing: 0,
      found: 0,
    });
    expect(await idsOf(client)).toHaveLength(3);
    expect(await client.images.get({ id: 1 })).toMatchObject({ rating: 2, note: 'mine' });
    expect(await client.library.reindex()).toMatchObject({ adopted: 0 });
  });
});
