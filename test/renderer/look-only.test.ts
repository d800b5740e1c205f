import { expect, test } from 'vitest';
import { GALLERY_COMMANDS } from '../../renderer/gallery/command-table.ts';
import { Generate } from '../../renderer/generate/generate.svelte.ts';
import type { LibraryState } from '../../main/api/library.ts';
import { openApp, until } from './helpers.ts';

async function setUp(state: LibraryState) {
  const { app, close } = openApp({ images: 3, status: { state } });
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
