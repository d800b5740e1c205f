import { mkdir, mkdtemp, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildApp, OWN_FRAME, start, until, type Start } from './boot.ts';
import type { FakeContents, FakeElectron } from './stand-in.ts';

/**
 * What the page asks of the built desktop host beside the contract: a folder that a person chooses,
 * and files that the program was named. Not run in real Electron here: the dialog is a stand-in's.
 */

/** What the preload puts into the page's world. */
interface Exposed {
  chooseFolder(): Promise<string | null>;
  takeFiles(): Promise<{
    readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
    readonly refused: readonly object[];
  }>;
  onFiles(listener: (...given: unknown[]) => void): void;
}

let app = '';
let home = '';
let host: Start;
let electron: FakeElectron;
let page: Exposed;
/** A folder of a person. */
let desk = '';

beforeAll(async () => {
  app = await buildApp();
  home = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
  desk = await realpath(await mkdtemp(join(tmpdir(), 'rcg-studio-desk-')));
  host = await start(app, home);
  electron = host.electron;
  page = await pageOf(host);
});
afterAll(async () => {
  await host.quit();
  for (const folder of [app, home, desk]) await rm(folder, { recursive: true, force: true });
});

const pageOf = async (begun: Start): Promise<Exposed> =>
  (await begun.connect()).exposed['studioHost'] as Exposed;
function contents(): FakeContents {
  const window = electron.windows[0];
  if (window === undefined) throw new Error('There is no window.');
  return window.webContents;
}

/** Writes a file of a person; what is in it is its name. */
async function file(name: string): Promise<string> {
  await writeFile(join(desk, name), name);
  return join(desk, name);
}

/** A start with arguments, on its own data. */
async function begin(args: readonly string[], change?: (fake: FakeElectron) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
  const other = await start(app, folder, change, args);
  onTestFinished(async () => {
    if (other.electron.exitCode === undefined) await other.quit();
    await rm(folder, { recursive: true, force: true });
  });
  return other;
}

/** The names of what the page takes, and the reasons of what it cannot have. */
async function taken(from: Exposed): Promise<readonly [readonly string[], readonly object[]]> {
  const { files, refused } = await from.takeFiles();
  // Each holds its own name, so what came is what was named.
  expect(files.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(
    files.map(({ name }) => name),
  );
  return [files.map(({ name }) => name), refused];
}

const STRANGERS = [
  ['a frame', { parent: {}, origin: 'app://studio' }],
  ['another origin', { parent: null, origin: 'https://example.com' }],
  ['an origin that looks like ours', { parent: null, origin: 'app://studio.evil' }],
  ['a page that is gone', null],
] as const;

describe('a folder', () => {
  test('is chosen in the system’s dialog, over the window that asks', async () => {
    electron.chosen = { canceled: false, filePaths: ['/disk/pictures'] };
    expect(await page.chooseFolder()).toBe('/disk/pictures');
    expect(electron.log.at(-1)).toBe('ask window 0 for openDirectory,createDirectory');
  });

  test.each([
    ['cancelled', { canceled: true, filePaths: [] }],
    ['cancelled with a folder marked', { canceled: true, filePaths: ['/disk'] }],
    ['closed without one', { canceled: false, filePaths: [] }],
  ])('of a dialog that was %s is none', async (_what, chosen) => {
    electron.chosen = chosen;
    expect(await page.chooseFolder()).toBeNull();
  });

  test.each(STRANGERS)('is not asked for by %s', async (_who, frame) => {
    const before = electron.log.length;
    const asked = electron.ipcMain.invoke('choose-folder', {
      sender: contents(),
      senderFrame: frame,
    });
    await expect(asked).rejects.toThrow(/own page/);
    expect(electron.log).toHaveLength(before);
  });

  test('is not asked for where there is no window any more', async () => {
    const before = electron.log.length;
    const { FakeContents } = await import('./stand-in.ts');
    const asked = electron.ipcMain.invoke('choose-folder', {
      sender: new FakeContents(),
      senderFrame: OWN_FRAME,
    });
    expect(await asked).toBeNull();
    expect(electron.log).toHaveLength(before);
  });
});

describe('files', () => {
  test('of the command line wait until the page takes them, once', async () => {
    const [one, two] = [await file('one.png'), await file('two words.png')];
    const url = pathToFileURL(two).href;
    const begun = await begin([one, '--quiet', url, one, '-x', desk, '']);
    const own = await pageOf(begun);
    expect(await taken(own)).toEqual([['one.png', 'two words.png'], []]);
    expect(await taken(own)).toEqual([[], []]);
  });

  test('are not made of switches, folders and the program', async () => {
    const own = await pageOf(await begin(['--', '--foo=a.png', '-psn_0_1', '.', app]));
    expect(await taken(own)).toEqual([[], []]);
  });

  test('that cannot be read are refused by name, and the others come', async () => {
    const huge = await file('huge.png');
    await truncate(huge, 101 * 2 ** 20);
    const folder = join(desk, 'folder.png');
    await mkdir(folder);
    const gone = join(desk, 'gone.png');
    const inFile = join(await file('flat.png'), 'deep.png');
    const good = await file('good.png');
    const own = await pageOf(await begin([]));
    electron.app.emit('second-instance', {}, ['electron', gone, folder, huge, inFile, good], desk);
    expect(await taken(own)).toEqual([[], []]);
    expect(await taken(page)).toEqual([
      ['good.png'],
      [
        { code: 'file-missing', values: { file: gone } },
        {
          code: 'file-too-large',
          values: { file: huge, bytes: 101 * 2 ** 20, most: 100 * 2 ** 20 },
        },
        { code: 'file-in-file', values: { file: inFile } },
      ],
    ]);
  });

  test('of a second start are looked for where that was started, and the page is told', async () => {
    const name = basename(await file('later.png'));
    let told = 0;
    page.onFiles((...given) => {
      // The event stays with the preload: it could speak to main.
      expect(given).toEqual([]);
      told++;
    });
    electron.app.emit('second-instance', {}, ['electron', '--flag', name], desk);
    expect(told).toBe(1);
    expect(await taken(page)).toEqual([[name], []]);
    electron.app.emit('second-instance', {}, ['electron', name], join(desk, 'elsewhere'));
    const there = join(desk, 'elsewhere', name);
    expect(await taken(page)).toEqual([[], [{ code: 'file-missing', values: { file: there } }]]);
    electron.app.emit('second-instance', {}, ['electron'], desk);
    electron.app.emit('second-instance', {}, [], desk);
    expect(told).toBe(2);
  });

  test('that a Mac opens come before Electron is ready, and later', async () => {
    const [early, late] = [await file('early.png'), await file('late.png')];
    let stopped = 0;
    const event = { preventDefault: () => stopped++ };
    const begun = await begin([], (fake) => {
      fake.app.on('newListener', (name) => {
        // The program listens to this one next, and Electron is not ready yet.
        if (name !== 'window-all-closed') return;
        fake.app.emit('open-file', event, early);
        expect(fake.windows).toEqual([]);
      });
    });
    const own = await pageOf(begun);
    expect(await taken(own)).toEqual([['early.png'], []]);
    begun.electron.app.emit('open-file', event, late);
    expect(await taken(own)).toEqual([['late.png'], []]);
    expect(stopped).toBe(2);
    expect(begun.electron.windows).toHaveLength(1);
  });

  test('of a start that came too late go on to the next one, and the first ones do not', async () => {
    const [first, late] = [await file('first.png'), await file('too-late.png')];
    const begun = await begin(['--flag', first]);
    const own = await pageOf(begun);
    expect(await taken(own)).toEqual([['first.png'], []]);
    const ended = begun.quit();
    begun.electron.app.emit('second-instance', {}, ['electron', 'too-late.png'], desk);
    await ended;
    const [again = ''] = begun.electron.log.filter((line) => line.startsWith('relaunch'));
    expect(again).toMatch(/^relaunch \S+main\.js --flag /);
    expect(again.endsWith(` --flag ${late}`)).toBe(true);
  });

  test.each([
    ['file://elsewhere/a.png', 'file:/elsewhere/a.png'],
    ['file:///%E0%A4%A.png', 'file:/%E0%A4%A.png'],
    ['https://example.com/a.png', 'https:/example.com/a.png'],
    ['a%20b.png', 'a%20b.png'],
    ['a\0b.png', 'a\0b.png'],
  ])('are not at the address %j, which is looked for as a path', async (arg, path) => {
    electron.app.emit('second-instance', {}, ['electron', arg], desk);
    const [files, [refused]] = await taken(page);
    expect(files).toEqual([]);
    expect(refused).toMatchObject({ values: { file: join(desk, path) } });
  });

  test.each(STRANGERS)('are not given to %s', async (_who, frame) => {
    const name = basename(await file('secret.png'));
    electron.app.emit('second-instance', {}, ['electron', name], desk);
    const asked = electron.ipcMain.invoke('take-files', { sender: contents(), senderFrame: frame });
    await expect(asked).rejects.toThrow(/own page/);
    expect(await taken(page)).toEqual([[name], []]);
  });

  test('that are brought in become pictures', async () => {
    const { studio } = await host.connect();
    await file('no-picture.png');
    electron.app.emit('second-instance', {}, ['electron', 'no-picture.png'], desk);
    const { files } = await page.takeFiles();
    const brought = files.map(({ name, bytes }) => new File([Uint8Array.from(bytes)], name));
    expect(await studio.images.import({ files: brought })).toMatchObject({
      ids: [],
      refused: [{ name: 'no-picture.png', reason: { code: 'picture-other' } }],
    });
    await until(() => electron.windows[0]?.focused !== 0);
  });
});
