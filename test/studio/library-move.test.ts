import { fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { reasonText } from '#api/reasons';
import { openDatabase } from '#history/database';
import type { Home } from '#studio/home';
import { moveLibrary, type Move, type Moved } from '#studio/library/move';
import { readPlace, writePlace } from '#studio/library/place';
import { NOON, seedLibrary } from '../helpers/library.ts';
import { failure, temporaryFolder } from './helpers.ts';

const CHILD = join(import.meta.dirname, '../helpers/history-child.ts');
const PICTURES = 30;

interface World {
  readonly home: Home;
  readonly from: string;
  readonly to: string;
}

/** A closed library with rows and files, and a folder beside it for the new one. */
async function setUp(): Promise<World> {
  const root = await temporaryFolder();
  const home = { root, models: join(root, 'models'), cache: join(root, 'cache') };
  const from = join(root, 'library');
  for (const folder of ['images/2026-11', 'thumbs/ab', 'backups', 'quarantine']) {
    await mkdir(join(from, folder), { recursive: true });
  }
  for (let i = 0; i < PICTURES; i++) {
    const file = join(from, `images/2026-11/picture${i}.png`);
    await writeFile(file, randomBytes(5000 + 700 * i));
    await utimes(file, 1000 + i, 1000 + i);
  }
  await writeFile(join(from, 'thumbs/ab/a.webp'), 'a thumbnail');
  await writeFile(join(from, 'notes of mine.txt'), 'kept too');
  const opened = open(from);
  if (opened.database === null) throw new Error(opened.state.kind);
  seedLibrary(opened.database, PICTURES);
  if ('close' in opened) opened.close();
  await mkdir(join(root, 'disk'));
  return { home, from, to: join(root, 'disk', 'pictures') };
}

const open = (folder: string) =>
  openDatabase(join(folder, 'library.db'), { now: () => NOON, appVersion: '0.1.0' });

function move({ home, from, to }: World, change: Partial<Move> = {}): Promise<Moved> {
  return moveLibrary({
    home,
    from,
    to,
    now: () => NOON,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    close: () => Promise.resolve(),
    onTurn: () => undefined,
    moved: () => Promise.resolve(),
    ...change,
  });
}

/** What a library holds, but for its record, whose bytes change whenever it is opened. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('library.db')) continue;
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs } = await stat(path);
    const hash = createHash('sha256').update(await readFile(path));
    found[path.slice(folder.length + 1)] = `${hash.digest('hex')} ${Math.floor(mtimeMs)}`;
  }
  return found;
}

/** The library that the next start opens: whole, with every row and every file. */
async function expectWhole({ home, from }: World, before: Record<string, string>): Promise<string> {
  const folder = (await readPlace(home)).folder ?? from;
  const opened = open(folder);
  expect(opened.state).toEqual({ kind: 'open' });
  const { database } = opened;
  expect(database?.prepare('SELECT count(*) FROM images').pluck().get()).toBe(PICTURES);
  expect(database?.pragma('integrity_check', { simple: true })).toBe('ok');
  if ('close' in opened) opened.close();
  expect(await contents(folder)).toEqual(before);
  return folder;
}

describe('moving a library', () => {
  test('takes everything along, and leaves nothing', async () => {
    const world = await setUp();
    const before = await contents(world.from);
    const told: number[] = [];
    const moved = await move(world, { onProgress: (done, total) => void told.push(done / total) });
    expect(moved).toEqual({ folder: world.to, left: null });
    expect(await expectWhole(world, before)).toBe(world.to);
    expect(existsSync(world.from)).toBe(false);
    expect(await readPlace(world.home)).toEqual({
      folder: world.to,
      left: null,
      unfinished: null,
    });
    expect(Math.max(...told)).toBe(1);
  });

  test('into an empty folder, and back to the usual place', async () => {
    const world = await setUp();
    const before = await contents(world.from);
    await mkdir(world.to);
    await move(world);
    await move({ ...world, from: world.to, to: world.from });
    expect(await readPlace(world.home)).toEqual({ folder: null, left: null, unfinished: null });
    expect(await expectWhole(world, before)).toBe(world.from);
  });

  test('what changes while it is copied is copied again, and what goes is taken away', async () => {
    const world = await setUp();
    const month = join(world.from, 'images/2026-11');
    const close = async (): Promise<void> => {
      await writeFile(join(month, 'picture3.png'), 'made again');
      await writeFile(join(month, 'picture99.png'), 'new');
      await rm(join(month, 'picture7.png'));
    };
    await move(world, { close });
    const found = await readdir(join(world.to, 'images/2026-11'));
    expect(found).toContain('picture99.png');
    expect(found).not.toContain('picture7.png');
    expect(await readFile(join(world.to, 'images/2026-11/picture3.png'), 'utf8')).toBe(
      'made again',
    );
  });

  test('what comes into the old folder after that stays there, and is named', async () => {
    const world = await setUp();
    const stray = join(world.from, 'images/2026-11/late.png');
    const moved = await move(world, { moved: () => writeFile(stray, 'late') });
    expect(moved).toEqual({ folder: world.to, left: world.from });
    expect(await readFile(stray, 'utf8')).toBe('late');
    expect(existsSync(join(world.from, 'library.db'))).toBe(false);
    expect((await readPlace(world.home)).left).toBe(world.from);
  });

  test('a copy that does not open is no reason to remove the old one', async () => {
    const world = await setUp();
    const before = await contents(world.from);
    const moved = await move(world, { moved: () => Promise.reject(new Error('not open')) });
    expect(moved.left).toBe(world.from);
    expect(await contents(world.from)).toEqual(before);
    await expectWhole(world, before);
  });
});

describe('what refuses a move leaves the library where it was', () => {
  const cases: [string, RegExp, (world: World) => unknown][] = [
    ['no whole path', /whole path/, () => 'pictures'],
    ['where it is', /is where/, ({ from }) => `${from}/`],
    ['inside itself', /inside the library/, ({ from }) => join(from, 'images/inner')],
    ['a drive that is away', /is not there; connect/, ({ to }) => join(to, 'deep', 'library')],
    [
      'a folder with files',
      /not empty: it holds mine/,
      async ({ to }) => {
        await mkdir(to);
        await writeFile(join(to, 'mine'), '');
      },
    ],
    [
      'another library',
      /a library in .* already/,
      async ({ to }) => {
        await mkdir(to);
        await writeFile(join(to, 'library.db'), '');
      },
    ],
    ['a file', /is a file/, ({ to }) => writeFile(to, '')],
    ['what may be deleted', /other things/, ({ home }) => home.cache],
    [
      'a link in the library',
      /neither a file nor a folder/,
      ({ from }) => symlink('/', join(from, 'images/elsewhere')),
    ],
  ];
  test.each(cases)('%s', async (_, words, prepare) => {
    const world = await setUp();
    const given = await prepare(world);
    const to = typeof given === 'string' ? given : world.to;
    const entries = existsSync(to) ? await stat(to) : undefined;
    const refused = await failure(() => move({ ...world, to }));
    const { reason } = refused;
    expect(refused).toMatchObject({ code: 'invalid-request', field: 'folder' });
    // An interface has words of its own for each, in the person's language.
    expect(reason && [reason.code.slice(0, 5), reasonText(reason)]).toEqual([
      'move-',
      refused.message,
    ]);
    expect(refused.message).toMatch(words);
    expect(existsSync(to)).toBe(entries !== undefined);
    expect((await readPlace(world.home)).folder).toBeNull();
    expect(open(world.from).state.kind).toBe('open');
  });

  test('a disk without enough space, before anything is copied', async () => {
    const world = await setUp();
    const freeBytes = () => Promise.resolve(64 * 2 ** 20);
    expect(await failure(() => move(world, { freeBytes }))).toMatchObject({
      code: 'disk-full',
      field: 'folder',
      reason: { code: 'move-no-space', values: { free: 68, folder: world.to } },
    });
    expect(existsSync(world.to)).toBe(false);
  });

  test('a place that cannot be written to', async () => {
    const world = { ...(await setUp()), to: '/proc/library' };
    expect(await failure(() => move(world))).toMatchObject({
      code: 'file-unavailable',
      reason: { values: { file: '/proc/library' } },
    });
  });

  const losses: [string, (to: string) => Promise<unknown>][] = [
    ['a new disk that goes away', (to) => rename(to, `${to}-unplugged`)],
    [
      'a new disk that goes away and leaves its folder',
      async (to) => {
        await rename(to, `${to}-unplugged`);
        await mkdir(to);
      },
    ],
    ['a copy that is deleted', (to) => rm(join(to, 'images/2026-11/picture5.png'))],
    ['a copy that is cut short', (to) => truncate(join(to, 'images/2026-11/picture5.png'), 9)],
  ];
  test.each(losses)('%s in the middle', async (_, lose) => {
    const world = await setUp();
    const before = await contents(world.from);
    const close = async (): Promise<void> => void (await lose(world.to));
    expect((await failure(() => move(world, { close }))).code).toBe('file-unavailable');
    expect(await expectWhole(world, before)).toBe(world.from);
  });

  test('a cancel, at any time before the turn', async () => {
    const world = await setUp();
    const before = await contents(world.from);
    for (const when of [0, 5, PICTURES + 20]) {
      const abort = new AbortController();
      let steps = 0;
      const onProgress = (): void => {
        if (steps++ === when) abort.abort();
      };
      const cancelled = failure(() => move(world, { signal: abort.signal, onProgress }));
      expect((await cancelled).code).toBe('cancelled');
      expect(existsSync(world.to)).toBe(false);
      expect(await expectWhole(world, before)).toBe(world.from);
    }
  });

  test('another studio that takes the library just then', async () => {
    const world = await setUp();
    const close = (): Promise<void> => {
      const opened = open(world.from);
      if ('close' in opened) onTestFinished(() => opened.close());
      return Promise.resolve();
    };
    expect((await failure(() => move(world, { close }))).code).toBe('library-unavailable');
    expect(existsSync(world.to)).toBe(false);
  });
});

describe('kill -9 in the middle', () => {
  const moments = ['picture1.png', 'picture28.png', 'close', 'library.db', 'turn', 'moved', 'end'];
  test.each(moments)(
    'at "%s" one whole library is opened, and the move can be made',
    async (at) => {
      const world = await setUp();
      const before = await contents(world.from);
      const child = fork(CHILD, ['move', world.home.root, world.from, world.to, at], {
        stdio: 'inherit',
      });
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
      const folder = await expectWhole(world, before);
      expect(folder).toBe(['moved', 'end'].includes(at) ? world.to : world.from);
      const { left, unfinished } = await readPlace(world.home);
      if (folder === world.from) {
        expect(unfinished).toBe(world.to);
        await move(world);
        expect(await expectWhole(world, before)).toBe(world.to);
      } else if (at === 'moved') {
        expect(left).toBe(world.from);
      }
    },
  );
});

describe('what is written down of the place', () => {
  test.each(['', '{', '[]', '{"version":2}', '{"version":1,"folder":"here"}'])(
    'is not guessed when it is broken: %j',
    async (text) => {
      const { home } = await setUp();
      await writeFile(join(home.root, 'library.json'), text);
      expect((await failure(() => readPlace(home))).message).toMatch(/library\.json .* broken/);
    },
  );

  test('is made in a data folder that is not there yet', async () => {
    const root = join(await temporaryFolder(), 'deep', 'home');
    const home = { root, models: join(root, 'models'), cache: join(root, 'cache') };
    expect((await readPlace(home)).folder).toBeNull();
    const place = { folder: dirname(root), left: null, unfinished: root };
    await writePlace(home, place);
    expect(await readPlace(home)).toEqual(place);
  });
});
