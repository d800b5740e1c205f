import { afterEach, describe, expect, test } from 'vitest';
import type { ImportResult } from '../../main/api/exchange.ts';
import { Gallery, type Desk } from '../../renderer/gallery/gallery.svelte.ts';
import { openApp, until, type Calls } from './helpers.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const file = (name: string) => new File(['x'], name);
const refusal = (name: string) => ({
  name,
  code: 'picture-unreadable' as const,
  message: 'No picture.',
  reason: null,
});

async function setUp(calls: Calls = {}) {
  const wishes: { readonly files: readonly File[]; readonly into?: number }[] = [];
  let next = 0;
  const bring = (wish: (typeof wishes)[number]): Promise<ImportResult> => {
    wishes.push(wish);
    const [{ name } = { name: '' }] = wish.files;
    const refused = name.includes('spoilt') ? [refusal(name)] : [];
    next += 1 - refused.length;
    const undo = { id: 70, kind: 'import' as const, count: next };
    return Promise.resolve({
      ids: refused.length > 0 ? [] : [next],
      refused,
      undo: { undo, redo: null },
    });
  };
  const opened = openApp({ images: 8 }, { 'images.import': bring as never, ...calls });
  closing.push(opened.close);
  const desk: Desk = {
    save: () => {},
    copyPicture: () => Promise.resolve(),
    readPixels: () => Promise.reject(new TypeError('No picture.')),
  };
  const gallery = new Gallery(opened.app, desk);
  await until(() => gallery.search.loaded);
  return { ...opened, gallery, incoming: gallery.incoming, wishes };
}

describe('files that a person brings', () => {
  test('are read and shown, and none is saved before the person says so', async () => {
    const { incoming, app, wishes } = await setUp();
    await incoming.read([]);
    expect(incoming.phase).toBeNull();
    const names = ['ours.png', 'here.png', 'binned.png', 'photo.jpg', 'refused.txt'];
    await incoming.read(names.map(file));
    expect(incoming.phase).toBe('ready');
    expect(incoming.files.map(({ found }) => found.kind)).toEqual([
      'ours',
      'here',
      'binned',
      'foreign',
      'refused',
    ]);
    expect(incoming.wanted.map(({ file: { name } }) => name)).toEqual([
      'ours.png',
      'binned.png',
      'photo.jpg',
    ]);
    expect(app.announcer.politeText).toContain('3 of 5 files can be imported');
    expect(wishes).toEqual([]);
    incoming.cancel();
    expect([incoming.phase, wishes.length]).toEqual([null, 0]);
  });

  test('are saved as one step of undo, named in a message with the way back', async () => {
    const { incoming, gallery, app, wishes } = await setUp();
    await incoming.read(['ours.png', 'photo.jpg', 'recipe.json'].map(file));
    await incoming.save();
    expect(wishes.map(({ files: [one], into }) => [one?.name, into])).toEqual([
      ['ours.png', undefined],
      ['photo.jpg', 70],
      ['recipe.json', 70],
    ]);
    expect(incoming.phase).toBeNull();
    expect(app.undo.nextUndo).toMatchObject({ item: { id: 70, count: 3 } });
    expect(app.toasts.list.at(-1)).toMatchObject({
      text: '3 images imported',
      action: { label: 'Undo' },
    });
    await until(() => gallery.selection.ids.has(1));
  });

  test('that are refused while they are saved stay listed with their reasons', async () => {
    const { incoming, app } = await setUp();
    await incoming.read(['ours.png', 'spoilt.png'].map(file));
    await incoming.save();
    expect(incoming.phase).toBe('refused');
    expect(incoming.refused).toEqual([refusal('spoilt.png')]);
    expect(app.toasts.list.at(-1)?.text).toBe('1 image imported');
    incoming.cancel();
    expect(incoming.phase).toBeNull();
  });

  test('are left alone after a cancel, while they are read and while they are saved', async () => {
    const { incoming, app, wishes } = await setUp();
    const reading = incoming.read(['ours.png', 'photo.jpg'].map(file));
    incoming.cancel();
    await reading;
    expect([incoming.phase, incoming.files]).toEqual([null, []]);
    expect(app.toasts.list).toEqual([]);
    await incoming.read(['ours.png', 'photo.jpg'].map(file));
    const saving = incoming.save();
    incoming.cancel();
    await saving;
    expect(wishes).toHaveLength(1);
    expect(app.toasts.list.at(-1)?.text).toBe('1 image imported');
  });

  test('that are here already are shown instead', async () => {
    const { incoming, gallery } = await setUp();
    await incoming.read([file('here.png')]);
    expect([incoming.wanted, incoming.here]).toEqual([[], 1]);
    incoming.show();
    expect(incoming.phase).toBeNull();
    await until(() => gallery.selection.ids.has(1));
  });

  test('end with a message when the studio cannot read or save', async () => {
    const fails = () => Promise.reject(Object.assign(new Error('Full.'), { code: 'disk-full' }));
    const { incoming, app } = await setUp({ 'images.import': fails });
    await incoming.read([file('ours.png')]);
    await incoming.save();
    expect(incoming.phase).toBeNull();
    expect(app.toasts.list.at(-1)?.code).toBe('disk-full');
  });
});
