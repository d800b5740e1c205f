import { expect, test } from 'vitest';
import { GALLERY_COMMANDS } from '../../renderer/gallery/command-table.ts';
import { paletteGroups } from '../../renderer/shell/palette.ts';
import { Shell } from '../../renderer/shell/shell.svelte.ts';
import { Generate } from '../../renderer/generate/generate.svelte.ts';
import type { LibraryState } from '../../main/api/library.ts';
import { openApp, until, type Calls } from './helpers.ts';

async function setUp(state: LibraryState, calls: Calls = {}) {
  const { app, close } = openApp({ images: 3, status: { state } }, calls);
  const generate = new Generate(app, async () => {});
  await until(() => app.status.value !== null && app.models.loaded);
  app.commands.know(...GALLERY_COMMANDS);
  for (const { id } of GALLERY_COMMANDS) app.commands.bind({ [id]: { run: () => {} } });
  app.navigation.go('gallery');
  const can = GALLERY_COMMANDS.filter((command) => app.commands.canRun(command));
  return { app, generate, can: can.map(({ id }) => id), close };
}

test('a library that is only looked at offers nothing that would write into it', async () => {
  const { app, generate, can, close } = await setUp({ kind: 'read-only' });
  expect(generate.hindrance).toBe('state.lookOnly');
  await generate.add();
  expect(app.jobs.list).toEqual([]);
  for (const part of [
    'rate0',
    'rate5',
    'star',
    'tag',
    'board',
    'bin',
    'restore',
    'purge',
  ] as const) {
    expect(can).not.toContain(`gallery.${part}`);
  }
  expect(can).toEqual(expect.arrayContaining(['gallery.open', 'gallery.compare', 'gallery.copy']));
  app.bring([new File(['x'], 'a.png', { type: 'image/png' })]);
  expect([app.arrivals, app.announcer.politeText]).toEqual([
    [],
    'Read-only library: nothing is written.',
  ]);
  await generate.load(1);
  app.navigation.go('generate', { image: 1 });
  expect([generate.detail !== null, generate.marks.can]).toEqual([true, false]);
  await close();
});

test('one that is open offers all of it', async () => {
  const { generate, can, close } = await setUp({ kind: 'open' });
  expect(generate.hindrance).toBeNull();
  expect(can).toEqual(GALLERY_COMMANDS.map(({ id }) => id));
  await close();
});

const SAYS = 'Read-only library: nothing is written.';

test('a control that writes is off and says why; nothing of it is left when the library is open', async () => {
  const looked = await setUp({ kind: 'read-only' });
  expect(looked.app.off).toEqual({ disabled: true, title: SAYS });
  expect(looked.app.mayWrite()).toBe(false);
  expect(looked.app.toasts.list.map(({ text }) => text)).toEqual([SAYS]);
  await looked.close();
  const opened = await setUp({ kind: 'open' });
  expect([opened.app.off, opened.app.mayWrite(), opened.app.toasts.list]).toEqual([{}, true, []]);
  await opened.close();
});

test('steps of the library are not taken back, those of the window are', async () => {
  const item = { id: 7, kind: 'rate', count: 1 } as const;
  const refuse = () => Promise.reject(new Error('It was asked to write.'));
  const { app, close } = await setUp(
    { kind: 'read-only' },
    {
      'studio.undoState': () => Promise.resolve({ undo: item, redo: item }),
      'studio.undo': refuse,
      'studio.redo': refuse,
    },
  );
  await app.undo.refresh();
  expect([app.undo.canUndo, app.undo.nextUndo, app.undo.nextRedo]).toEqual([false, null, null]);
  await app.undoNow();
  await app.redoNow();
  app.draft.set({ seed: 5 });
  app.draft.startFrom(2);
  await app.undoNow();
  expect([app.draft.source, app.undo.nextRedo?.kind]).toEqual([{ kind: 'sample' }, 'local']);
  expect(app.toasts.list).toEqual([]);
  await close();
});

test('a file is not taken in to start from, and the palette offers nothing that writes', async () => {
  const refuse = () => Promise.reject(new Error('It was asked to write.'));
  const { app, generate, close } = await setUp(
    { kind: 'read-only' },
    { 'images.import': refuse, 'studio.configure': refuse },
  );
  const file = new File(['x'], 'a.png', { type: 'image/png' });
  await generate.startFromFile([file]);
  app.navigation.go('generate');
  expect(generate.takePasted([file])).toBe(true);
  expect(app.announcer.politeText).toContain(SAYS);
  app.commands.register(...new Shell(app).commands(() => {}));
  const offered = (text: string) =>
    paletteGroups(app, text).flatMap(({ items }) => items.map(({ id }) => id));
  for (const id of ['theme.dark', 'text.larger', 'queue.pause', 'gallery.bin', 'gallery.star']) {
    expect(offered('')).not.toContain(id);
    expect(app.commands.run(id)).toBe(false);
  }
  expect(offered('')).toEqual(expect.arrayContaining(['go.gallery', 'gallery.compare', 'help']));
  expect(offered('a').filter((id) => id.startsWith('model '))).toEqual([]);
  await close();
});
