import { ORPCError } from '@orpc/server';
import { afterEach, describe, expect, test } from 'vitest';
import { Gallery, type Desk, type Pixels } from '../../renderer/gallery/gallery.svelte.ts';
import { replaySentence } from '../../renderer/gallery/details/details.svelte.ts';
import { lineageOf, walk } from '../../renderer/gallery/details/lineage.ts';
import { recipeRows } from '../../renderer/gallery/details/recipe-table.ts';
import { differenceOf } from '../../renderer/gallery/compare/difference.ts';
import { recipeDiff } from '../../renderer/gallery/compare/recipe-diff.ts';
import { furnish } from './gallery-world.ts';
import { openApp, until } from './helpers.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function setUp(pixels: readonly Pixels[] = []) {
  const opened = openApp({ images: 48 });
  furnish(opened.fake);
  closing.push(opened.close);
  const saved: (readonly [address: string, name: string])[] = [];
  const left = [...pixels];
  const desk: Desk = {
    save: (...file) => void saved.push(file),
    copyPicture: async () => {
      throw new TypeError('No clipboard.');
    },
    readPixels: async () => left.shift() ?? Promise.reject(new TypeError('No picture.')),
  };
  const gallery = new Gallery(opened.app, desk);
  await until(() => gallery.search.loaded && opened.app.models.loaded);
  gallery.rows.want('grid', gallery.search.ids);
  await until(() => gallery.search.ids.every((id) => gallery.rows.get(id) !== undefined));
  const image = (id: number) => {
    const found = opened.fake.library.images.get(id);
    if (found === undefined) throw new Error('No picture.');
    return found;
  };
  return { ...opened, gallery, saved, image };
}
const pixels = (...data: number[]): Pixels => ({ width: data.length / 4, height: 1, data });

describe('actions', () => {
  test('rate and star many at once, and Ctrl Z takes it back', async () => {
    const { gallery, app, image } = await setUp();
    await gallery.actions.rate(5, [1, 2, 3]);
    expect([1, 2, 3].map((id) => image(id).rating)).toEqual([5, 5, 5]);
    await app.undoNow();
    expect([1, 2, 3].map((id) => image(id).rating)).toEqual([4, 3, 4]);
    await gallery.actions.star([2, 3]);
    expect([image(2).starred, image(3).starred]).toEqual([true, true]);
    gallery.rows.outdated(null);
    await until(() => gallery.rows.get(3)?.starred === true);
    await gallery.actions.star([2, 3]);
    expect(image(2).starred).toBe(false);
  });

  test('show a rating at once, and what holds when it was refused', async () => {
    const { gallery, app, fake } = await setUp();
    const before = gallery.rows.get(1)?.rating;
    fake.library.update = () => {
      throw new Error('full disk');
    };
    const rating = gallery.actions.rate(1, [1]);
    expect(gallery.rows.get(1)?.rating).toBe(1);
    await rating;
    await until(() => gallery.rows.get(1)?.rating === before);
    expect(app.toasts.list).toHaveLength(1);
  });

  test('tag, untag and note', async () => {
    const { gallery, image } = await setUp();
    await gallery.actions.addTags([' moon ', '', 'moon'], [1]);
    expect(image(1).tags).toContain('moon');
    await gallery.actions.removeTags(['moon'], [1]);
    expect(image(1).tags).not.toContain('moon');
    await gallery.actions.setNote(1, 'ocean first');
    expect(image(1).note).toBe('ocean first');
    await gallery.actions.addTags(['  '], [1]);
    expect(image(1).note).toBe('ocean first');
  });

  test('write a note on many, below what is there or in its place, in one step', async () => {
    const { gallery, app, image } = await setUp();
    const notes = () => [1, 2, 3].map((id) => image(id).note);
    expect(await gallery.actions.noteAll('add', 'dry sand', [1, 3])).toBeNull();
    expect(notes()).toEqual(['dry sand', '', 'Ocean first, land second\ndry sand']);
    expect(app.toasts.list.at(-1)?.text).toBe('Notes of 2 images written');
    await app.undoNow();
    expect(notes()).toEqual(['', '', 'Ocean first, land second']);
    expect(await gallery.actions.noteAll('replace', '', [3])).toBeNull();
    expect(notes()).toEqual(['', '', '']);
    expect(app.toasts.list.at(-1)?.text).toBe('Note of 1 image removed');
  });

  test('give back why a note was refused, and say it', async () => {
    const { gallery, app, fake } = await setUp();
    const reason = { code: 'notes-too-long', values: { count: 2, most: 10_000 } } as const;
    fake.library.update = () => {
      throw new ORPCError('invalid-request', {
        defined: true,
        message: 'no',
        data: { field: 'addNote', reason },
      });
    };
    const failure = await gallery.actions.noteAll('add', 'dry sand', [1, 2]);
    expect(failure?.code).toBe('invalid-request');
    expect(failure?.why).toContain('the note of 2 of the images would be longer than 10,000');
    expect(app.announcer.alertText).toBe(failure?.why);
    expect(app.toasts.list).toEqual([]);
    expect(app.undo.canUndo).toBe(false);
  });

  test('delete for good only what is in the bin, and say how many', async () => {
    const { gallery, app, fake } = await setUp();
    await gallery.actions.remove([1, 2]);
    await gallery.actions.purge([1, 3]);
    expect(fake.library.images.has(1)).toBe(false);
    expect(fake.library.images.has(3)).toBe(true);
    expect(app.toasts.list.at(-1)).toMatchObject({ text: '1 image deleted for good' });
    expect(app.toasts.list.at(-1)?.action).toBeUndefined();
    await gallery.actions.purge([]);
    expect(app.announcer.politeText).toBe('1 image deleted for good');
  });

  test('drop pixels, say what was kept, and make them again', async () => {
    const { gallery, app, image, fake } = await setUp();
    fake.library.images.set(2, { ...image(2), operation: 'import' });
    await gallery.actions.dropPixels([1, 2, 99999]);
    expect([image(1).file, image(2).file]).toEqual(['dropped', 'present']);
    const texts = app.toasts.list.map((toast) => toast.text);
    expect(texts[0]).toMatch(/^Pixels of 1 image dropped, .* free again$/);
    expect(texts[1]).toMatch(/^1 image kept its pixels/);
    expect(texts[2]).toBe('1 image is not in the library any more');
    await until(() => gallery.rows.get(1)?.file === 'dropped');
    await gallery.actions.rebuild([1, 2]);
    expect(gallery.actions.busy).toBeNull();
    await until(() => gallery.rows.get(1)?.file === 'present');
    expect(app.toasts.list.at(-1)?.text).toBe('1 image rebuilt');
  });

  test('a file that cannot be made again stops the rest, and says why', async () => {
    const { gallery, app, image, fake } = await setUp();
    for (const id of [1, 2]) fake.library.images.set(id, { ...image(id), file: 'missing' });
    gallery.rows.outdated([1, 2]);
    await until(() => gallery.rows.get(2)?.file === 'missing');
    fake.library.rebuild = () => {
      throw new Error('no model');
    };
    await gallery.actions.rebuild([1, 2]);
    expect(app.toasts.list.map((toast) => toast.tone)).toEqual(['danger']);
    expect(gallery.actions.busy).toBeNull();
  });

  test('move to the bin with a way back, and the focus stays in place', async () => {
    const { gallery, app } = await setUp();
    gallery.selection.click(2);
    gallery.selection.click(3, { ctrl: true });
    await gallery.actions.remove();
    await until(() => gallery.search.ids.length === 46);
    expect([gallery.selection.count, gallery.selection.focus]).toEqual([0, 3]);
    const toast = app.toasts.list[0];
    expect(toast?.text).toBe('2 images moved to the bin');
    toast?.action?.run();
    await until(() => gallery.search.ids.length === 48);
  });

  test('restore from the bin', async () => {
    const { gallery } = await setUp();
    await gallery.actions.remove([5]);
    gallery.goTo({ bin: true });
    await until(() => gallery.search.ids.length === 1);
    expect(gallery.inBin).toBe(true);
    await gallery.actions.restore([5]);
    await until(() => gallery.search.ids.length === 0);
  });

  test('add to boards and take off them', async () => {
    const { gallery, image, app } = await setUp();
    await gallery.actions.addToBoard({ id: 3, name: 'Signs' }, [1]);
    expect(image(1).boards).toContain(3);
    expect(app.toasts.list[0]?.text).toBe('1 image added to “Signs”');
    await gallery.actions.removeFromBoard({ id: 3, name: 'Signs' }, [1]);
    expect(image(1).boards).not.toContain(3);
  });

  test('leave the board that is removed', async () => {
    const { gallery } = await setUp();
    gallery.goTo({ board: 1 });
    await gallery.actions.removeBoard({ id: 1, name: 'Planets', count: 0 });
    expect(gallery.isAt({})).toBe(true);
  });

  test('export a file, and nothing without pictures', async () => {
    const { gallery, saved, app } = await setUp();
    await gallery.actions.export(true, []);
    expect(saved).toEqual([]);
    await gallery.actions.export(false, [1, 2]);
    expect(saved).toEqual([['/exports/1/rcg-studio-2.zip', 'rcg-studio-2.zip']]);
    expect(gallery.actions.busy).toBeNull();
    expect(app.toasts.list.map(({ text }) => text)).toEqual(['2 images exported']);
  });

  test('tell what an export holds, and what was left out of it with the reason', async () => {
    const { gallery, app } = await setUp();
    await gallery.actions.export(true, [29, 30, 999]);
    expect(app.toasts.list.map(({ text, tone }) => [text, tone])).toEqual([
      ['1 image exported', 'plain'],
      [expect.stringMatching(/^2 left out\. Its file is missing or damaged/), 'warn'],
    ]);
    expect(app.announcer.politeText).toContain('2 left out');
  });

  test('say that a picture that is looked at went for good, and tell no failure', async () => {
    const { gallery, app, fake } = await setUp();
    gallery.selection.click(4);
    await gallery.details.load(5);
    expect(gallery.details.gone).toBe(false);
    fake.library.images.delete(5);
    gallery.details.outdated([5]);
    await until(() => gallery.details.gone);
    expect(app.toasts.list).toEqual([]);
    gallery.selection.click(5);
    expect(gallery.details.gone).toBe(false);
  });

  test('change no setting but by a button, and start variations from the picture', async () => {
    const { gallery, app } = await setUp();
    const before = app.draft.value;
    gallery.selection.click(4);
    gallery.actions.openOnStage();
    expect([app.navigation.view, app.navigation.image]).toEqual(['generate', 5]);
    expect(app.draft.value).toBe(before);
    gallery.actions.variations();
    expect(app.draft.source).toEqual({ kind: 'image', image: 5 });
    await app.undoNow();
    expect(app.draft.source).toEqual({ kind: 'sample' });
  });

  test('say so when the clipboard refuses', async () => {
    const { gallery, app } = await setUp();
    gallery.selection.click(0);
    await gallery.actions.copyPicture();
    expect(app.toasts.list[0]?.tone).toBe('danger');
  });
});

describe('details', () => {
  test('stand beside your settings, and take over n differences in one step', async () => {
    const { gallery, app } = await setUp();
    const { details } = gallery;
    const model = app.models.current;
    if (model === null) throw new Error('No model.');
    app.draft.useModel(model);
    gallery.selection.click(1);
    await details.load(2);
    const before = app.draft.value;
    expect(details.differences).toEqual(['guidance', 'seed']);
    const { i18n, models, draft } = app;
    const rows = recipeRows(image(details), { i18n, models, draft, target: 'portable' });
    const differing = rows.filter((row) => row.yours !== null);
    expect(differing.map((row) => [row.name, row.value, row.yours])).toEqual(
      [
        ['Source', 'From image', 'Random'],
        ['Final guidance', '6.0', '4.0'],
        ['Seed', '1001', '1'],
        ['Ran on', 'CPU · 8-bit', 'CPU · portable'],
      ].filter(([name]) => name !== 'Source' || image(details).recipe.source.kind !== 'sample'),
    );
    details.use();
    expect(app.draft.value).toEqual({ ...before, guidance: 6, seed: 1001 });
    await app.undoNow();
    expect(app.draft.value).toEqual(before);
    details.use(['seed']);
    expect(app.draft.value).toEqual({ ...before, seed: 1001 });
  });

  test('name the language of a title that the window’s language lacks, and of nothing else', async () => {
    const { gallery, app } = await setUp();
    const { details } = gallery;
    gallery.selection.click(1);
    await details.load(2);
    const { i18n, models, draft } = app;
    const detail = image(details);
    const named = (className: typeof detail.className, modelTitle: string | null) => {
      const label = 3;
      const source = { kind: 'sample' as const, label };
      const recipe = { ...detail.recipe, source: { ...detail.recipe.source, ...source } };
      const its = { ...detail, className, modelTitle, recipe } as typeof detail;
      const yours = { i18n, models, draft, target: 'portable' as const };
      const rows = recipeRows(its, yours).filter(({ lang }) => lang !== undefined);
      const compared = recipeDiff(i18n, [its]).filter(({ langs }) => langs[0] !== undefined);
      return [rows.map(({ key, lang }) => [key, lang]), compared.map(({ values }) => values[0])];
    };
    i18n.language = 'ja';
    expect(named({ en: 'Comets' }, 'Starter')).toEqual([
      [
        ['model', 'en'],
        ['label', 'en'],
      ],
      ['Starter', 'Comets'],
    ]);
    // An id and a number have no language, and a title in Japanese needs none.
    expect(named(null, null)).toEqual([[], []]);
    expect(named({ en: 'Comets', ja: '彗星' }, null)).toEqual([[], []]);
    i18n.language = 'en';
    expect(named({ en: 'Comets' }, 'Starter')).toEqual([[], []]);
  });

  test('read a picture again when it changed', async () => {
    const { gallery } = await setUp();
    gallery.selection.click(0);
    await gallery.details.load(1);
    await gallery.actions.addTags(['moon'], [1]);
    await until(() => gallery.details.detail?.tags.includes('moon') ?? false);
  });

  test('prove the tokens, in words', async () => {
    const { gallery } = await setUp();
    gallery.selection.click(0);
    await gallery.details.load(1);
    await gallery.details.replay();
    expect(gallery.details.verdict?.differing).toBe(0);
    const few = {
      differing: 3,
      tokens: 256,
      target: 'cpu-int8',
      recordedTarget: 'portable',
      checkedAt: new Date(2026, 10, 23, 12).getTime(),
    } as const;
    expect(replaySentence(gallery, few)).toBe(
      '3 of 256 tokens differ: made on CPU · portable, checked Nov 23, 2026 on CPU · 8-bit',
    );
    expect(replaySentence(gallery, { ...few, differing: 0 })).toBe(
      '256 of 256 tokens match, checked Nov 23, 2026 on CPU · 8-bit',
    );
  });

  test('tell of a replay that the library remembers, without running it again', async () => {
    const { gallery, fake, image } = await setUp();
    const run = fake.library.replay.bind(fake.library);
    const verdict = { differing: 2, target: 'portable', checkedAt: 1000 } as const;
    fake.library.images.set(1, { ...image(1), replay: verdict });
    gallery.selection.set([2]);
    await gallery.details.load(2);
    expect(gallery.details.verdict).toBeNull();
    gallery.selection.set([1]);
    await gallery.details.load(1);
    const recordedTarget = image(1).recipe.target;
    expect(gallery.details.verdict).toEqual({ ...verdict, tokens: 256, recordedTarget });
    expect(gallery.details.proof).toEqual({});

    // Where it cannot be kept, this window still shows what it saw.
    fake.library.replay = (of) => {
      const result = run(of);
      fake.library.images.set(of.id, of);
      return result;
    };
    await gallery.details.replay();
    expect(gallery.details.verdict).toMatchObject({ differing: 0, target: 'cpu-int8' });
    expect(image(1).replay).toEqual(verdict);
    // Until another window has seen something newer.
    const newer = { ...verdict, checkedAt: Date.now() + 1 };
    fake.library.images.set(1, { ...image(1), replay: newer });
    await gallery.actions.addTags(['moon'], [1]);
    await until(() => gallery.details.verdict?.differing === 2);
  });

  test.each([
    ['same', [pixels(1, 2, 3, 255), pixels(1, 2, 3, 255)]],
    ['different', [pixels(1, 2, 3, 255), pixels(1, 2, 4, 255)]],
    ['different', [pixels(1, 2, 3, 255), pixels(1, 2, 3, 255, 1, 2, 3, 255)]],
    ['restored', []],
  ] as const)(
    'say that rebuilt pixels are %s only when they were compared',
    async (what, shown) => {
      const { gallery } = await setUp(shown);
      gallery.selection.click(0);
      await gallery.details.load(1);
      await gallery.details.rebuild();
      expect(gallery.details.proof.rebuilt).toBe(what);
    },
  );

  test('draw a family from left to right, walked by arrows', async () => {
    const { image: detailOf } = await setUp();
    const family = { ...detailOf(9), parents: [{ id: 4, operation: 'variation' as const }] };
    const many = { ...family, children: 5, childIds: [20, 21, 22, 23, 24] };
    const lineage = lineageOf(many, () => undefined);
    expect([lineage.nodes.length, lineage.moreChildren, lineage.moreInBin]).toEqual([5, 2, 0]);
    const self = lineage.nodes[1];
    if (self === undefined) throw new Error('No middle.');
    const child = walk(lineage, self, 'ArrowRight');
    expect(walk(lineage, self, 'ArrowLeft').id).toBe(4);
    expect(walk(lineage, child, 'ArrowDown').id).toBe(21);
    expect(walk(lineage, child, 'ArrowUp')).toBe(child);
    expect(walk(lineage, child, 'ArrowRight')).toBe(child);
  });

  test('lead to the whole family, whatever of it is drawn', async () => {
    const { image: detailOf } = await setUp();
    const [four, five, six, seven] = [4, 5, 6, 7].map((id) => ({
      id,
      operation: 'import' as const,
    }));
    const binned = new Set([20, 23, 24]);
    const rowOf = (id: number) => ({
      operation: 'variation' as const,
      deletedAt: binned.has(id) ? 1 : null,
    });
    const rest = (change: Partial<ReturnType<typeof detailOf>>) => {
      const none = { parents: [], children: 0, childIds: [] };
      const lineage = lineageOf({ ...detailOf(9), ...none, ...change }, rowOf);
      const { moreParents, moreChildren, moreInBin } = lineage;
      return [moreParents.map(({ id }) => id), moreChildren, moreInBin];
    };
    if (!four || !five || !six || !seven) throw new Error('No parents.');
    expect(rest({})).toEqual([[], 0, 0]);
    expect(rest({ parents: [four, five, six] })).toEqual([[], 0, 0]);
    expect(rest({ parents: [four, five, six, seven] })).toEqual([[7], 0, 0]);
    // Each number is what its search finds besides what is drawn.
    expect(rest({ children: 2, childIds: [20, 21, 22] })).toEqual([[], 0, 0]);
    expect(rest({ children: 3, childIds: [20, 21, 22, 25] })).toEqual([[], 1, 0]);
    expect(rest({ children: 2, childIds: [20, 21, 22, 23, 24] })).toEqual([[], 0, 2]);
  });
});

describe('a comparison', () => {
  test('takes two to four', async () => {
    const { gallery } = await setUp();
    const { selection, compare } = gallery;
    selection.click(0);
    expect(compare.canStart()).toBe(false);
    compare.start();
    expect(compare.open).toBe(false);
    selection.click(1, { ctrl: true });
    compare.start();
    expect([compare.ids, compare.mode]).toEqual([[1, 2], 'slide']);
    selection.click(4, { shift: true });
    expect(compare.canStart()).toBe(true);
    selection.click(5, { ctrl: true });
    expect(compare.canStart()).toBe(false);
  });

  test('moves, zooms and pans by keys, never past the edge', async () => {
    const { gallery } = await setUp();
    const { selection, compare } = gallery;
    selection.click(0);
    selection.click(2, { shift: true });
    compare.start();
    expect(compare.mode).toBe('side');
    compare.key('1');
    compare.key('ArrowRight', { shift: true });
    expect(compare.divider).toBeCloseTo(0.6);
    for (let i = 0; i < 60; i++) compare.key('+');
    expect(compare.zoom).toBe(32);
    // Enlarged, arrows still move the divider; with Shift or Alt they move the picture.
    compare.key('ArrowRight');
    expect(compare.divider).toBeCloseTo(0.61);
    expect(compare.pan).toEqual({ x: 0, y: 0 });
    for (let i = 0; i < 300; i++) compare.key('ArrowLeft', { shift: true });
    for (let i = 0; i < 300; i++) compare.key('ArrowLeft', { alt: true });
    expect(compare.divider).toBeCloseTo(0.61);
    expect(compare.key('0', { alt: true })).toBe(false);
    expect(compare.pan).toEqual({ x: 15.5, y: 0 });
    compare.key('0');
    expect([compare.zoom, compare.pan]).toEqual([1, { x: 0, y: 0 }]);
    compare.key('3');
    compare.key(' ');
    expect(compare.second).toBe(true);
    expect(compare.key('q')).toBe(false);
  });

  test('swaps when the same picture is chosen twice', async () => {
    const { gallery } = await setUp();
    gallery.selection.click(0);
    gallery.selection.click(2, { shift: true });
    gallery.compare.start();
    gallery.compare.choose('a', 1);
    expect(gallery.compare.pair).toEqual([2, 1]);
  });

  test('measures how far pixels are apart', () => {
    const a = [0, 0, 0, 255, 10, 10, 10, 255];
    const b = [0, 0, 0, 0, 10, 40, 5, 255];
    const { pixels: drawn, share, largest } = differenceOf(a, b, 4);
    expect([share, largest]).toEqual([0.5, 30]);
    expect([...drawn]).toEqual([0, 0, 0, 255, 0, 120, 20, 255]);
    expect(differenceOf([], [], 4)).toMatchObject({ share: 0, largest: 0 });
  });

  test('lists the fields in which recipes differ', async () => {
    const { app, image: detailOf } = await setUp();
    const rows = recipeDiff(app.i18n, [detailOf(4), detailOf(5)]);
    const differing = rows.filter((row) => row.differs);
    expect(differing.map((row) => [row.name, ...row.values])).toEqual([
      ['Final guidance', '4.0', '6.0'],
      ['Seed', '1003', '1004'],
    ]);
  });
});

function image(details: Gallery['details']) {
  if (details.detail === null) throw new Error('No details.');
  return details.detail;
}
