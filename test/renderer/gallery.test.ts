import { afterEach, describe, expect, test } from 'vitest';
import { GALLERY_COMMANDS } from '../../renderer/gallery/command-table.ts';
import { galleryActions } from '../../renderer/gallery/commands.ts';
import {
  Gallery,
  galleryOf,
  type Desk,
  type Pixels,
} from '../../renderer/gallery/gallery.svelte.ts';
import { cellName } from '../../renderer/gallery/grid/cell-words.ts';
import { dayTitle } from '../../renderer/gallery/grid/days.ts';
import { Grid } from '../../renderer/gallery/grid/grid.svelte.ts';
import { I18n } from '../../renderer/state/i18n.svelte.ts';
import { furnish } from './gallery-world.ts';
import { openApp, until, type Calls } from './helpers.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A gallery over a library of 48 pictures with boards, tags and families. */
async function setUp(
  options: { images?: number; pixels?: readonly Pixels[] } = {},
  calls: Calls = {},
) {
  const opened = openApp({ images: options.images ?? 48 }, calls);
  furnish(opened.fake);
  closing.push(opened.close);
  const saved: string[] = [];
  const copied: string[] = [];
  const pixels = [...(options.pixels ?? [])];
  const desk: Desk = {
    save: (file) => void saved.push(file),
    copyPicture: async (address) => void copied.push(address),
    readPixels: async () => {
      const next = pixels.shift();
      if (next === undefined) throw new TypeError('No picture.');
      return next;
    },
  };
  const gallery = new Gallery(opened.app, desk);
  const { search, rows } = gallery;
  await until(() => search.loaded && opened.app.models.loaded);
  rows.want('grid', search.ids);
  await until(() => search.ids.every((id) => rows.get(id) !== undefined));
  return { ...opened, gallery, desk, saved, copied };
}

/** A grid of six columns, five rows high. */
function gridOf(gallery: Gallery): Grid {
  const grid = new Grid(gallery);
  [grid.width, grid.height] = [760, 740];
  return grid;
}
const key = (name: string, held: { shift?: boolean; ctrl?: boolean } = {}) => ({
  ...{ key: name, altKey: false, metaKey: false },
  ...{ shiftKey: held.shift ?? false, ctrlKey: held.ctrl ?? false },
});

describe('the gallery', () => {
  test('shows the newest pictures by day', async () => {
    const { gallery } = await setUp();
    expect(gallery.search.ids).toHaveLength(48);
    expect(gallery.search.result.days.reduce((sum, day) => sum + day.count, 0)).toBe(48);
    expect(gallery.isAt({})).toBe(true);
  });

  test('finds by text, and the latest search wins', async () => {
    const { gallery } = await setUp();
    gallery.search.setText('face');
    gallery.search.setText('1004');
    await until(() => gallery.search.ids.length === 1);
    gallery.search.setText('  ');
    await until(() => gallery.search.ids.length === 48);
    expect(gallery.search.filter).toEqual({});
  });

  test('names the filter that most pictures wait behind', async () => {
    const { gallery } = await setUp();
    gallery.search.set({ tags: ['nothing'], ranges: [{ field: 'rating', min: 1 }] });
    await until(() => gallery.search.loosest !== null);
    expect(gallery.search.loosest?.chip).toEqual({ kind: 'tags' });
  });

  test('adds a condition and opens its editor', async () => {
    const { gallery } = await setUp();
    gallery.addFilter('range.rating');
    expect(gallery.editing).toBe('range.rating');
    await until(() => gallery.search.ids.length < 48);
    gallery.addFilter('parent');
    expect(gallery.editing).toBe('range.rating');
  });

  test('keeps the size of the pictures in a saved search, and none of what is similar', async () => {
    const kept: unknown[] = [];
    const save = (wish: unknown) => Promise.resolve(void kept.push(wish));
    const { gallery, app } = await setUp({}, { 'images.saveSearch': save });
    gallery.look.setSize(200);
    await gallery.actions.saveSearch('Large');
    expect(kept).toMatchObject([{ name: 'Large', search: { filter: {}, size: 200 } }]);
    gallery.open({ filter: {}, sort: gallery.search.sort, size: 90 });
    expect(gallery.look.size).toBe(90);
    gallery.search.findSimilar(1);
    await gallery.actions.saveSearch('Hidden');
    expect(kept).toHaveLength(1);
    expect(app.toasts.list).toEqual([]);
  });

  test('keeps chips and sort in a saved search', async () => {
    const { gallery, app } = await setUp();
    await until(() => app.library.summary !== null);
    const saved = app.library.summary?.searches[1];
    if (saved === undefined) throw new Error('No search.');
    gallery.open(saved.search);
    await until(() => gallery.search.ids.length === saved.count);
    expect(gallery.isAt({ tags: ['fruit'] })).toBe(true);
  });

  test('shows a picture of a link, in all pictures when the search hides it', async () => {
    const { gallery } = await setUp();
    gallery.goTo({ board: 1 });
    await until(() => gallery.search.ids.length < 48);
    gallery.show(4);
    await until(() => gallery.selection.current === 4);
    expect([gallery.isAt({}), gallery.revealed]).toEqual([true, 1]);
  });

  test('tells once when a search fails, and keeps what it showed', async () => {
    const { gallery, app, fake } = await setUp();
    fake.library.search = () => {
      throw new Error('broken');
    };
    gallery.search.set({ starred: true });
    await until(() => app.toasts.list.length === 1);
    expect(gallery.search.ids).toHaveLength(48);
    app.toasts.dismiss(app.toasts.list[0]?.id ?? 0);
  });

  test('is the same after a visit to another view', async () => {
    const { app, desk } = await setUp();
    expect(galleryOf(app, () => desk)).toBe(galleryOf(app, () => desk));
  });

  test('remembers its search, selection and place', async () => {
    const { app, desk, gallery } = await setUp();
    const sort = { by: 'seed', descending: false } as const;
    gallery.search.set({ starred: true }, sort);
    await until(() => gallery.search.sort === sort && !gallery.search.searching);
    await until(() => gallery.search.ids.length < 48);
    const [first = 0, second = 0, third = 0] = gallery.search.ids;
    gallery.selection.set([first, third]);
    gallery.selection.focus = 1;
    gallery.anchor = { id: second, offset: 12 };
    gallery.memory.keep();
    const next = new Gallery(app, desk);
    // Before its pictures are there, what was kept is not lost.
    next.memory.keep();
    next.search.refresh(0);
    await until(() => next.search.loaded);
    expect(next.search).toMatchObject({ filter: { starred: true }, sort });
    expect([[...next.selection.ids], next.selection.focus]).toEqual([[first, third], 1]);
    expect(next.anchor).toEqual({ id: second, offset: 12 });
  });

  test.each(['', '{', '7', '{"search":{"filter":{"odd":1}},"selected":7,"anchor":{"id":"x"}}'])(
    'a memory of %o is none',
    async (text) => {
      const { app, desk } = await setUp();
      app.kept.set('gallery', text);
      const next = new Gallery(app, desk);
      next.search.refresh(0);
      await until(() => next.search.loaded);
      expect([next.search.filter, next.selection.count, next.anchor]).toEqual([{}, 0, null]);
    },
  );

  test('remembers its look, and takes no nonsense for one', async () => {
    const { gallery, desk, app } = await setUp();
    gallery.look.setSize(9999);
    gallery.look.setMode('list');
    expect(new Gallery(app, desk).look).toMatchObject({ mode: 'list', size: 256 });
    app.kept.set('gallery.look', 'list nonsense');
    expect(new Gallery(app, desk).look).toMatchObject({ mode: 'list', size: 112 });
  });
});

describe('the grid', () => {
  test('draws fewer cells than 200 of many, and always the one with the focus', async () => {
    const { gallery } = await setUp({ images: 400 });
    const grid = gridOf(gallery);
    grid.top = 5000;
    expect(grid.columns).toBe(6);
    expect(grid.visibleIds.length).toBeLessThan(100);
    expect(grid.visibleIds).toContain(gallery.search.ids[0]);
  });

  test('moves by arrows, pages and ends', async () => {
    const { gallery } = await setUp();
    const grid = gridOf(gallery);
    const go = (...keys: string[]) => {
      for (const name of keys) expect(grid.key(key(name))).toBe(true);
      return gallery.selection.focus;
    };
    expect(go('ArrowRight', 'ArrowRight')).toBe(2);
    expect(go('ArrowLeft', 'ArrowDown')).toBe(7);
    expect(go('End')).toBe(47);
    expect(go('ArrowRight', 'ArrowDown')).toBe(47);
    expect(go('Home', 'PageDown', 'PageUp')).toBe(0);
    expect(grid.key(key('x'))).toBe(false);
    expect(grid.scrollFor(47)).toBeGreaterThan(0);
    expect(grid.scrollFor(0)).toBeNull();
  });

  test('selects with Shift and Space', async () => {
    const { gallery } = await setUp();
    const grid = gridOf(gallery);
    grid.key(key('ArrowRight'));
    grid.key(key('ArrowRight', { shift: true }));
    expect(gallery.selection.count).toBe(2);
    grid.key(key('ArrowDown'));
    grid.key(key(' '));
    expect(gallery.selection.count).toBe(3);
  });

  test('is one column as a list, and grows with the text', async () => {
    const { gallery, fake } = await setUp();
    const grid = gridOf(gallery);
    gallery.look.setMode('list');
    expect([grid.columns, grid.layout.shape.pitch]).toEqual([1, 44]);
    gallery.look.setMode('grid');
    await gallery.app.settings.change({ textSize: 200 });
    expect(fake.library.images.size).toBe(48);
    expect(grid.columns).toBe(3);
  });

  test('keeps its place when pictures are added above', async () => {
    const { gallery, fake } = await setUp({ images: 300 });
    const grid = gridOf(gallery);
    grid.top = 2000;
    const anchor = grid.anchor();
    if (anchor === null) throw new Error('No anchor.');
    const before = grid.layout.lineOf(gallery.search.indexOf(anchor.id))?.line.top ?? 0;
    const [first] = fake.library.images.values();
    if (first === undefined) throw new Error('No picture.');
    for (let id = 1000; id < 1012; id++) {
      fake.library.images.set(id, { ...first, id, createdAt: Date.now() + id });
    }
    gallery.search.refresh(0);
    await until(() => gallery.search.ids.length === 312);
    const after = grid.layout.lineOf(gallery.search.indexOf(anchor.id))?.line.top ?? 0;
    expect((grid.scrollTo(anchor) ?? 0) - after).toBe(2000 - before);
  });

  test('selects what a drawn box touches', async () => {
    const { gallery } = await setUp();
    const grid = gridOf(gallery);
    const pitch = grid.layout.shape.pitch;
    expect(grid.inBox({ x0: 200, y0: 40 + pitch, x1: 5, y1: 40 })).toEqual([0, 1, 6, 7]);
    expect(grid.inBox({ x0: -50, y0: 0, x1: -10, y1: 900 })).toEqual([]);
  });
});

describe('words', () => {
  const i18n = new I18n();
  const now = new Date(2026, 10, 23, 1);

  test.each([
    ['2026-11-23', 'Today', 'Nov 23'],
    ['2026-11-22', 'Yesterday', 'Nov 22'],
    ['2026-11-20', 'Friday', 'Nov 20'],
    ['2025-03-01', 'Saturday', 'Mar 1, 2025'],
  ])('%s is %s', (day, name, date) => {
    i18n.language = 'en';
    expect(dayTitle(i18n, day, now)).toEqual({ name, date });
  });

  test('of a cell are its recipe and its state', async () => {
    const { gallery, app } = await setUp();
    const row = gallery.rows.get(1);
    expect(cellName(app.i18n, 1, row)).toBe(
      'Seed 1000, guidance 4, 4 stars, starred'.replace(
        ', starred',
        row?.starred ? ', starred' : '',
      ),
    );
    expect(cellName(app.i18n, 5, undefined)).toBe('Image 5');
    app.i18n.language = 'ja';
    const lost = row === undefined ? row : { ...row, rating: 0, file: 'missing' as const };
    expect(cellName(app.i18n, 1, lost)).toContain('未評価');
    expect(cellName(app.i18n, 1, lost)).toContain('ファイルなし');
  });
});

describe('keys', () => {
  const place = { typing: false, activates: false, lends: true };
  const bound = async () => {
    const { gallery, app } = await setUp();
    app.navigation.go('gallery');
    app.commands.know(...GALLERY_COMMANDS);
    app.commands.bind(
      galleryActions(gallery, {
        focusSearch: () => {},
        hasTextSelection: () => false,
        copyText: async () => {},
      }),
    );
    return { gallery, app };
  };

  test('show the parent while they are held, where there is one and its place is seen', async () => {
    const { gallery, app } = await bound();
    const { details, selection } = gallery;
    const hold = () => app.commands.press(key('\\'), place);
    expect([hold(), details.parentShown]).toEqual([false, null]);
    // An orphan, and a child whose details are not read yet.
    selection.set([3]);
    await details.load(3);
    expect([hold(), details.parentShown]).toEqual([false, null]);
    selection.set([2]);
    expect([hold(), details.parentShown]).toEqual([false, null]);
    await details.load(2);
    app.panels.toggle('right');
    expect([hold(), details.parentShown]).toEqual([false, null]);
    app.panels.toggle('right');
    expect([hold(), details.parentShown, details.id]).toEqual([true, 3, 2]);
    expect(app.commands.press({ ...key('\\'), repeat: true }, place)).toBe(true);
    expect(details.parentShown).toBe(3);
    app.commands.release();
    expect(details.parentShown).toBeNull();
    expect(app.commands.press(key('\\'), { ...place, typing: true, lends: false })).toBe(false);
    // Chosen by name it stays until it is chosen again.
    app.commands.run('gallery.parent');
    app.commands.release();
    expect(details.parentShown).toBe(3);
    app.commands.run('gallery.parent');
    expect([details.parentShown, selection.ids.size]).toEqual([null, 1]);
  });

  test('act on what is selected, and on nothing without a selection', async () => {
    const { gallery, app } = await bound();
    expect(app.commands.press(key('3'), place)).toBe(false);
    gallery.selection.click(0);
    expect(app.commands.press(key('3'), place)).toBe(true);
    const id = gallery.search.ids[0] ?? 0;
    expect(gallery.rows.get(id)?.rating).toBe(3);
    expect(app.commands.press(key('a', { ctrl: true }), place)).toBe(true);
    expect(gallery.selection.count).toBe(48);
    expect(app.commands.press(key('c'), place)).toBe(false);
    expect(app.commands.press(key('Escape'), place)).toBe(true);
    expect(gallery.selection.count).toBe(0);
    expect(app.commands.press(key('3'), { ...place, typing: true, lends: false })).toBe(false);
  });
});
