import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildApp, start, until, type Start } from './boot.ts';
import type { FakeElectron, FakeWindow } from './stand-in.ts';

/**
 * The built desktop host under Node, with a stand-in for Electron. Not run in real Electron here:
 * what Electron does with these options and answers is its own affair.
 */

let app = '';
let home = '';
let host: Start;
let electron: FakeElectron;

beforeAll(async () => {
  app = await buildApp();
  home = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
  host = await start(app, home);
  electron = host.electron;
});
afterAll(async () => {
  await host.quit();
  await rm(app, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
});

/** A start of its own, on its own data, that has ended after the test. */
async function another(change?: (electron: FakeElectron) => void): Promise<Start> {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
  const other = await start(app, folder, change);
  onTestFinished(async () => {
    if (other.electron.exitCode === undefined) await other.quit();
    await rm(folder, { recursive: true, force: true });
  });
  return other;
}

function windowOf({ windows }: FakeElectron): FakeWindow {
  const window = windows.at(-1);
  if (window === undefined) throw new Error('There is no window.');
  return window;
}

describe('the window', () => {
  test('is sandboxed, isolated, and has no Node', () => {
    const { webPreferences, minWidth, minHeight, show } = windowOf(electron).options;
    expect({ minWidth, minHeight, show }).toEqual({ minWidth: 1080, minHeight: 680, show: false });
    expect(webPreferences).toEqual({
      preload: expect.stringMatching(/out[/\\]preload[/\\]index\.cjs$/) as string,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools: true,
    });
    expect(electron.log).toContain('sandbox');
    expect(windowOf(electron).options.title).toBe('RCG Studio');
  });

  test('shows our page, when it is ready', () => {
    const window = windowOf(electron);
    expect(window.loaded).toEqual(['app://studio/index.html']);
    expect(window.shown).toBe(false);
    window.emit('ready-to-show');
    expect(window.shown).toBe(true);
  });

  test('keeps its place, except where no screen is any more', async () => {
    const one = await another();
    const window = windowOf(one.electron);
    expect(window.options).toMatchObject({ width: 1360, height: 860 });
    window.bounds = { x: 100, y: 50, width: 1500, height: 900 };
    window.maximised = true;
    await one.quit();

    const again = await start(app, one.home);
    const same = windowOf(again.electron);
    expect(same.options).toMatchObject({ x: 100, y: 50, width: 1500, height: 900 });
    expect(same.maximised).toBe(true);
    await again.quit();

    const elsewhere = await start(app, one.home, (fake) => {
      fake.displays = [{ x: -1600, y: 0, width: 1600, height: 800 }];
    });
    const moved = windowOf(elsewhere.electron).options;
    expect(moved).toMatchObject({ width: 1500, height: 800 });
    expect(moved.x).toBeUndefined();
    await elsewhere.quit();
  });

  test('comes to the front when the program is started again', () => {
    const window = windowOf(electron);
    window.minimised = true;
    electron.app.emit('second-instance', {}, [], '/');
    expect(window.minimised).toBe(false);
    expect(window.focused).toBe(1);
    expect(electron.windows).toHaveLength(1);
  });

  test('loads again after its page crashed, but not for ever', async () => {
    const { webContents } = windowOf((await another()).electron);
    const gone = (reason: string) => webContents.emit('render-process-gone', {}, { reason });
    gone('clean-exit');
    expect(webContents.reloads).toBe(0);
    const again = windowOf((await another()).electron).webContents;
    again.emit('render-process-gone', {}, { reason: 'crashed' });
    again.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(again.reloads).toBe(1);
  });
});

describe('downloads', () => {
  class FakeDownload {
    readonly url: string;
    options: { defaultPath?: string } = {};
    done: ((event: object, state: string) => void) | undefined;
    constructor(url: string) {
      this.url = url;
    }
    getURL = () => this.url;
    getFilename = () => 'pictures.zip';
    getSavePath = () => join('/elsewhere', 'renamed.zip');
    setSaveDialogOptions = (options: { defaultPath?: string }) => void (this.options = options);
    once = (_event: string, done: (event: object, state: string) => void) => (this.done = done);
  }
  function download(url: string): { item: FakeDownload; refused: boolean } {
    const item = new FakeDownload(url);
    let refused = false;
    const event = { preventDefault: () => (refused = true) };
    electron.defaultSession.emit('will-download', event, item);
    return { item, refused };
  }

  test('ask where to, and begin where the last one went', () => {
    const { item, refused } = download('blob:app://studio/0b5c');
    expect(refused).toBe(false);
    expect(item.options.defaultPath).toBe(join('/home/someone/downloads', 'pictures.zip'));
    item.done?.({}, 'cancelled');
    const second = download('app://studio/images/1/full?v=1').item;
    expect(second.options.defaultPath).toBe(join('/home/someone/downloads', 'pictures.zip'));
    second.done?.({}, 'completed');
    const third = download('blob:app://studio/0b5d').item;
    expect(third.options.defaultPath).toBe(join('/elsewhere', 'pictures.zip'));
  });

  test.each(['https://example.com/a.zip', 'blob:https://example.com/1', 'app://studio.evil/a.zip'])(
    'of %s are refused',
    (url) => expect(download(url).refused).toBe(true),
  );
});

describe('the program', () => {
  test('keeps Electron’s files with the library', () => {
    expect(electron.paths.get('userData')).toBe(join(home, 'window'));
  });

  test('opens no window before Electron is ready, whoever wants one', async () => {
    const early: number[] = [];
    const one = await another((fake) =>
      fake.app.on('newListener', (name) => {
        if (name !== 'will-quit') return;
        fake.app.emit('activate');
        early.push(fake.windows.length);
      }),
    );
    expect(early).toEqual([0]);
    one.electron.app.emit('activate');
    expect([one.electron.windows.length, windowOf(one.electron).focused]).toEqual([1, 1]);
  });

  test('leaves at once when another one runs', async () => {
    const second = await another((fake) => (fake.first = false));
    expect(second.electron.log).toEqual(['quit']);
    expect(second.electron.windows).toEqual([]);
    expect(second.electron.schemes).toEqual([]);
    expect(second.electron.exitCode).toBe(0);
  });

  test('ends with its window, after the library was closed', async () => {
    const one = await another();
    const first = await one.connect();
    // Before it is open there is nothing to close, and the end is at once.
    await first.studio.studio.status();
    windowOf(one.electron).close();
    await until(() => one.electron.exitCode !== undefined);
    expect(one.electron.exitCode).toBe(0);
    // The lock is free: the next start owns the library.
    const next = await start(app, one.home);
    const { studio } = await next.connect();
    expect((await studio.studio.status()).state).toEqual({ kind: 'open' });
    await next.quit();
  });

  test('starts again when it is asked to while it ends', async () => {
    const one = await another();
    const { studio } = await one.connect();
    // Before it is open there is nothing to close, and the end is at once.
    await studio.studio.status();
    const ended = one.quit();
    one.electron.app.emit('second-instance', {}, [], '/');
    await ended;
    expect(one.electron.log.filter((line) => line.startsWith('relaunch'))).toHaveLength(1);
    expect(one.electron.windows).toHaveLength(1);
  });

  test('opens, and its window says why, when no library can be opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'library'), 'a file in the way');
    const one = await start(app, folder);
    const { studio } = await one.connect();
    expect((await studio.studio.status()).state).toMatchObject({
      kind: 'missing',
      detail: expect.stringMatching(/^The library .*cannot be opened/) as string,
    });
    expect(one.electron.exitCode).toBeUndefined();
    expect(await readFile(join(folder, 'library'), 'utf8')).toBe('a file in the way');
  });
});

test('a page can ask for files and a folder that a person names, and nothing more', async () => {
  const { exposed } = await host.connect();
  expect(Object.keys(exposed)).toEqual(['studioHost']);
  const studioHost = exposed['studioHost'] as { pathOf(file: File): string };
  expect(Object.keys(studioHost)).toEqual([
    ...['pathOf', 'chooseFolder', 'chooseFiles', 'takeFiles', 'dragOut'],
    ...['onFiles', 'onUndo', 'onRedo'],
  ]);
  expect(studioHost.pathOf(new File([], 'mage.pth'))).toBe('/dropped/mage.pth');
});

describe('menu and look', () => {
  const labels = (menu: FakeElectron['menu']) => menu.map((item) => item.label ?? item.role);

  test('follow the settings', async () => {
    const { studio } = await host.connect();
    await until(() => electron.menu.length > 0);
    expect(labels(electron.menu)).toEqual(['File', 'Edit', 'View', 'Window', 'Help']);
    expect(electron.nativeTheme.themeSource).toBe('system');
    await studio.studio.configure({ theme: 'light', language: 'ja' });
    expect(electron.nativeTheme.themeSource).toBe('light');
    expect(windowOf(electron).background).toBe('#eceeed');
    expect(labels(electron.menu)).toEqual(['ファイル', '編集', '表示', 'ウインドウ', 'ヘルプ']);
    await studio.studio.configure({ theme: 'system', language: 'system' });
    expect(electron.nativeTheme.themeSource).toBe('system');
  });

  test('follow the settings of a library that comes back later', async () => {
    const one = await another();
    const first = await one.connect();
    await first.studio.studio.configure({ theme: 'light', language: 'ja' });
    const drive = join(one.home, 'drive');
    await first.studio.library.move({ folder: drive });
    await one.quit();
    await rename(drive, `${drive}-away`);

    const again = await start(app, one.home);
    const { studio } = await again.connect();
    expect((await studio.studio.status()).state.kind).toBe('missing');
    expect(labels(again.electron.menu)[0]).toBe('File');
    await rename(`${drive}-away`, drive);
    expect((await studio.library.reopen({ readOnly: false })).state.kind).toBe('open');
    expect(labels(again.electron.menu)[0]).toBe('ファイル');
    expect(again.electron.nativeTheme.themeSource).toBe('light');
    await again.quit();
  });

  test('lead to places of the page and to folders', async () => {
    await until(() => electron.menu.length > 0);
    const click = (label: string): void => {
      const found = electron.menu
        .flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []))
        .find((item) => item.label === label);
      found?.click?.(null as never, undefined, null as never);
    };
    click('Gallery');
    expect(windowOf(electron).loaded.at(-1)).toBe('app://studio/index.html#/gallery');
    click('Show Library Folder');
    expect(electron.log.at(-1)).toBe(`open ${join(home, 'library')}`);
    const { studio } = await host.connect();
    await studio.library.move({ folder: join(home, 'moved') });
    click('Show Library Folder');
    expect(electron.log.at(-1)).toBe(`open ${join(home, 'moved')}`);
    click('Licences');
    const opened = electron.log.find((line) => line.endsWith('licences')) ?? '';
    const terms = await readFile(join(opened.slice('open '.length), 'THIRD-PARTY.txt'), 'utf8');
    for (const name of ['svelte', 'onnxruntime-node', '@fontsource-variable/inter', 'sharp']) {
      expect(terms).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
    for (const name of ['vitest', 'vite', 'node-pin', 'electron-builder']) {
      expect(terms).not.toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });
});
