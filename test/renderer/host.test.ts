import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { LibraryMove } from '../../renderer/settings/library-move.svelte.ts';
import { bringNamedFiles } from '../../renderer/shell/named-files.ts';
import type { App } from '../../renderer/state/app.svelte.ts';
import { openApp, until } from './helpers.ts';

/** What the window does with what only the desktop program gives. */

afterEach(() => void vi.unstubAllGlobals());

function open(): App {
  const { app, close } = openApp();
  onTestFinished(close);
  return app;
}

describe('choosing a folder', () => {
  const moveWith = (chooseFolder: unknown) => {
    vi.stubGlobal('studioHost', { chooseFolder });
    const app = open();
    return { app, move: new LibraryMove(app) };
  };

  test('fills the field', async () => {
    const { move } = moveWith(() => Promise.resolve('/disk/pictures'));
    expect(move.canChoose).toBe(true);
    await move.choose();
    expect([move.folder, move.canGo]).toEqual(['/disk/pictures', true]);
  });

  test.each([null, ''])('that ends with %j leaves what was typed', async (answer) => {
    const { move, app } = moveWith(() => Promise.resolve(answer));
    move.folder = '/typed';
    await move.choose();
    expect([move.folder, app.toasts.list]).toEqual(['/typed', []]);
  });

  test('that fails is told, and leaves what was typed', async () => {
    const { move, app } = moveWith(() => Promise.reject(new Error('no dialog')));
    move.folder = '/typed';
    await move.choose();
    expect(move.folder).toBe('/typed');
    expect(app.toasts.list).toMatchObject([{ tone: 'danger', code: 'internal' }]);
  });

  test.each([
    ['a browser', undefined],
    ['an older host', { pathOf: () => '' }],
    ['a host of another kind', { chooseFolder: '/disk' }],
    ['no host', null],
  ])('is not offered by %s', async (_, host) => {
    vi.stubGlobal('studioHost', host);
    const move = new LibraryMove(open());
    expect(move.canChoose).toBe(false);
    await move.choose();
    expect(move.folder).toBe('');
  });
});

describe('files that the program was named', () => {
  /** A host with files that wait, as the preload gives them. */
  function hostWith(...takes: (() => Promise<unknown>)[]) {
    const none = () => Promise.resolve({ files: [], refused: [] });
    let more = (): void => undefined;
    vi.stubGlobal('studioHost', {
      takeFiles: () => (takes.shift() ?? none)(),
      onFiles: (listener: () => void) => (more = listener),
    });
    return () => more();
  }
  const gives = (...names: readonly string[]) => {
    const files = names.map((name) => ({ name, bytes: new TextEncoder().encode(name) }));
    return () => Promise.resolve({ files, refused: [] });
  };

  test('go to where dropped ones are imported, at once and later', async () => {
    const tell = hostWith(gives('a.png'), gives('b.png', 'c.png'));
    const app = open();
    bringNamedFiles(app);
    await until(() => app.arrivals.length === 1);
    expect(app.navigation.view).toBe('gallery');
    tell();
    await until(() => app.arrivals.length === 3);
    // What came first still waits, as when an import runs.
    const [first, ...others] = app.takeArrivals();
    expect([first?.name, ...others.map(({ name }) => name)]).toEqual(['a.png', 'b.png', 'c.png']);
    expect(await first?.text()).toBe('a.png');
    expect(app.arrivals).toEqual([]);
  });

  test('that could not be read are told one by one, and the view stays', async () => {
    const refused = [
      { code: 'file-missing', values: { file: '/data/gone.png' } },
      { code: 'from-the-future', values: {} },
    ];
    hostWith(() => Promise.resolve({ files: [], refused }));
    const app = open();
    bringNamedFiles(app);
    await until(() => app.toasts.list.length === 2);
    expect(app.toasts.list.map(({ text }) => text)).toEqual([
      '/data/gone.png does not exist. Check its name and place.',
      app.i18n.t('error.file-unavailable'),
    ]);
    expect(app.announcer.alertText).not.toBe('');
    expect([app.navigation.view, app.arrivals]).toEqual(['generate', []]);
  });

  test('are asked for again after a failure', async () => {
    const tell = hostWith(() => Promise.reject(new Error('gone')), gives('a.png'));
    const app = open();
    bringNamedFiles(app);
    await until(() => app.toasts.list.length === 1);
    tell();
    await until(() => app.arrivals.length === 1);
  });

  test.each([undefined, null, 'host', {}, { takeFiles: gives('a.png') }, { onFiles: 'x' }])(
    'are none where the host is %j',
    (host) => {
      vi.stubGlobal('studioHost', host);
      const app = open();
      bringNamedFiles(app);
      expect([app.arrivals, app.toasts.list]).toEqual([[], []]);
    },
  );
});
