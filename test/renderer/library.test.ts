import { ORPCError } from '@orpc/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LibraryState } from '../../main/api/library.ts';
import { LibraryMove } from '../../renderer/settings/library-move.svelte.ts';
import { LibraryDoor, libraryTrouble } from '../../renderer/shell/library-door.svelte.ts';
import type { App } from '../../renderer/state/app.svelte.ts';
import { failureNote } from '../../renderer/state/errors.ts';
import { I18n } from '../../renderer/state/i18n.svelte.ts';
import type { FakeOptions } from './fake-studio.ts';
import { openApp, until, type Calls } from './helpers.ts';

/** The app over the stand-in, with some answers about the library of the test's own. */
async function setUp(calls: Calls = {}, options: FakeOptions = {}) {
  const { app, fake, close } = openApp(options, calls);
  onTestFinished(close);
  const move = new LibraryMove(app);
  await until(() => app.events.connection === 'open');
  return { app, move, door: new LibraryDoor(app), fake };
}

const words = (app: App) => app.toasts.list.map((toast) => toast.text);

describe('moving the library in Settings', () => {
  test('needs a folder, shows how far it is, and says where it went', async () => {
    const { app, move } = await setUp();
    await until(() => move.place !== null);
    move.begin();
    expect(move.canGo).toBe(false);
    move.folder = '   ';
    await move.go();
    expect(move.canGo).toBe(false);
    move.folder = ' /disk/pictures ';
    await move.go();
    await until(() => move.progress.total === 2);
    expect([move.open, move.running, move.folder]).toEqual([false, false, '']);
    expect(words(app)).toEqual(['The library is in /disk/pictures now.']);
  });

  test('names what is left behind', async () => {
    const left = { folder: '/new', left: '/old' };
    const { app, move } = await setUp({ 'library.move': () => Promise.resolve(left) });
    move.folder = '/new';
    await move.go();
    expect(words(app)[0]).toMatch(/\/new now\. .*\/old/);
  });

  test('a refusal stays beside the field, with the studio’s own words', async () => {
    const refusal = new ORPCError('invalid-request', {
      message: 'The library was not moved: it is a file.',
      data: { field: 'folder' },
    });
    const { app, move } = await setUp({ 'library.move': () => Promise.reject(refusal) });
    move.begin();
    move.folder = '/file';
    await move.go();
    expect(move.open).toBe(true);
    expect(move.failure).toMatchObject({
      code: 'invalid-request',
      sentence: expect.stringContaining('Folder') as string,
      detail: 'The library was not moved: it is a file.',
    });
    expect([words(app), move.folder, move.canGo]).toEqual([[], '/file', true]);
    move.begin();
    expect(move.failure).toBeNull();
  });

  test('a refusal is told in the language of the window', async () => {
    const reason = { code: 'move-to-file', values: { folder: '/file' } };
    const refusal = new ORPCError('invalid-request', { message: 'A file.', data: { reason } });
    const { app, move } = await setUp({ 'library.move': () => Promise.reject(refusal) });
    move.folder = '/file';
    app.i18n.language = 'ja';
    await move.go();
    if (move.failure === null) throw new Error('It was not refused.');
    const told = failureNote(app.i18n, move.failure);
    expect(told.detail).toBe('');
    expect(told.lines.join()).toMatch(/\/file はファイル/);
    app.i18n.language = 'en';
    expect(failureNote(app.i18n, move.failure).detail).toBe('A file.');
  });

  test('can be cancelled while it runs, and only then', async () => {
    const gate = Promise.withResolvers<never>();
    const cancelMove = (): Promise<unknown> => {
      gate.reject(new ORPCError('cancelled', { message: 'Not moved.' }));
      return Promise.resolve({ cancelled: true });
    };
    const { move } = await setUp({
      'library.move': () => gate.promise,
      'library.cancelMove': cancelMove,
    });
    await move.cancel();
    expect(move.cancelling).toBe(false);
    move.folder = '/new';
    const moving = move.go();
    expect([move.running, move.canGo]).toEqual([true, false]);
    await move.cancel();
    await moving;
    expect([move.running, move.cancelling, move.failure]).toEqual([false, false, null]);
    expect(move.folder).toBe('/new');
  });

  test('comparing says what it found, or why it could not', async () => {
    const { app, move } = await setUp();
    await move.compare();
    expect(words(app)).toEqual(['2 added, 1 found again, 0 without a file, 0 put aside.']);
    const unreadable = ['images/1.png', 'images/2.png'];
    const none = { adopted: 0, found: 0, missing: 0, unfinished: 0, quarantined: [] };
    const note = { code: 'document-damaged', values: { file: 'library.jsonl' } } as const;
    const found = { ...none, unreadable, restored: 3, note };
    const locked = await setUp({ 'library.reindex': () => Promise.resolve(found) });
    await locked.move.compare();
    expect(words(locked.app)[0]).toMatch(
      /^.* 2 files could not be read and were left as they are\. 3 pictures have their .* again\. library.jsonl is damaged/,
    );
    const closed = new ORPCError('library-unavailable', { message: 'Closed.' });
    const other = await setUp({ 'library.reindex': () => Promise.reject(closed) });
    await other.move.compare();
    expect(other.app.toasts.list[0]).toMatchObject({ code: 'library-unavailable' });
    expect(other.move.comparing).toBe(false);
  });
});

describe('a library that is not open', () => {
  test('a damaged one: the backup is opened, and the damaged record is named', async () => {
    const backup = { state: { kind: 'open' }, kept: '/l/library-damaged.db', backup: '/l/b.db' };
    const { app, door } = await setUp({ 'library.repair': () => Promise.resolve(backup) });
    await door.repair();
    expect(words(app)[0]).toMatch(/backup is open.*\/l\/library-damaged\.db/);
    expect(door.busy).toBe(false);
  });

  test('a damaged one without a backup, or with one that fails', async () => {
    const { app, door } = await setUp();
    await door.repair();
    expect(words(app)[0]).toMatch(/made again from the pictures/);
    const full = new ORPCError('disk-full', { message: 'Full.' });
    const other = await setUp({ 'library.repair': () => Promise.reject(full) });
    await other.door.repair();
    expect(other.app.toasts.list[0]).toMatchObject({ code: 'disk-full', tone: 'danger' });
    expect(other.door.busy).toBe(false);
  });

  test('one whose record is lost: nothing is said to be kept, and anew is what is asked for', async () => {
    const asked: unknown[] = [];
    const repair = (input: unknown): Promise<unknown> => {
      asked.push(input);
      return Promise.resolve({ state: { kind: 'open' }, kept: null, backup: null });
    };
    const { app, door } = await setUp({ 'library.repair': repair });
    await door.repair({ anew: true });
    expect(asked).toEqual([{ anew: true }]);
    expect(words(app)).toEqual(['The record is being made again from the pictures.']);
  });

  test('a newer one is looked at when that goes, and said so when not', async () => {
    const newer = { kind: 'newer', version: '9' } as const;
    const { app, door } = await setUp({}, { status: { state: newer } });
    expect(await door.look()).toBe(false);
    expect(words(app)[0]).toMatch(/cannot read that library/);
    const readOnly = { state: { kind: 'read-only' } };
    const other = await setUp({ 'library.reopen': () => Promise.resolve(readOnly) });
    expect(await other.door.look()).toBe(true);
  });

  test('another one is chosen; a refusal stays beside the field', async () => {
    const asked: unknown[] = [];
    const choose = (input: unknown): Promise<unknown> => {
      asked.push(input);
      return Promise.resolve({ state: { kind: 'open' } });
    };
    const { door } = await setUp({ 'library.choose': choose });
    const { choice } = door;
    choice.begin();
    await choice.go();
    expect(asked).toEqual([]);
    choice.folder = ' /new ';
    await choice.go();
    expect(asked).toEqual([{ folder: '/new' }]);
    expect([choice.open, choice.folder, choice.failure]).toEqual([false, '', null]);
    const reason = { code: 'choose-to-file', values: { folder: '/x' } };
    const wrong = new ORPCError('invalid-request', { message: 'A file.', data: { reason } });
    const other = await setUp({ 'library.choose': () => Promise.reject(wrong) });
    const refused = other.door.choice;
    refused.begin();
    refused.folder = '/x';
    await refused.go();
    expect(refused.failure).not.toBeNull();
    expect([refused.open, refused.folder, refused.running]).toEqual([true, '/x', false]);
    refused.begin();
    expect(refused.failure).toBeNull();
  });

  test('trying again reads the state anew, once at a time', async () => {
    let asked = 0;
    const reopen = (): Promise<unknown> => Promise.resolve({ state: { kind: 'open' }, n: asked++ });
    const { app, door } = await setUp({ 'library.reopen': reopen });
    await Promise.all([door.retry(), door.retry()]);
    expect(asked).toBe(1);
    expect(app.status.value?.state.kind).toBe('open');
    expect(door.tried).toBeNull();
    const away = { state: { kind: 'missing' } };
    const other = await setUp({ 'library.reopen': () => Promise.resolve(away) });
    await other.door.retry();
    expect(other.door.tried).toMatch(/^Tried again at .*\d/);
    expect(other.app.announcer.politeText).toBe(other.door.tried);
    expect(words(other.app)).toEqual([]);
  });
});

describe('what is the matter with a library that is not open', () => {
  const told = (state: LibraryState, language: 'en' | 'ja') => {
    const i18n = new I18n();
    i18n.language = language;
    return Object.values(libraryTrouble(i18n, state));
  };
  const reason = { code: 'record-unsound', values: { file: 'library.db' } } as const;
  const none = { code: 'library-none', values: { folder: '/disk/x' } } as const;

  test('is told in the person’s language; the database’s English only beside English', () => {
    const state = { kind: 'damaged', backup: null, reason, detail: 'Tree 5: bad' } as const;
    expect(told(state, 'en')).toEqual(['Parts of library.db are damaged.', 'Tree 5: bad']);
    expect(told(state, 'ja')).toEqual(['library.db の一部が壊れています。', '']);
  });

  test('is told once', () => {
    const detail = 'There is no library in /disk/x.';
    const state = { kind: 'missing', reason: none, detail } as const;
    expect(told(state, 'en')).toEqual([detail, '']);
    expect(told(state, 'ja')).toEqual(['/disk/x にライブラリがありません。', '']);
    expect(told({ kind: 'damaged', backup: null, reason, detail: null }, 'en')[1]).toBe('');
  });

  test.each<[LibraryState, readonly string[], readonly string[]]>([
    [{ kind: 'missing', reason: null, detail: 'Odd.' }, ['', 'Odd.'], ['', '']],
    [{ kind: 'locked', by: 'another program' }, ['', ''], ['', '']],
    [{ kind: 'newer', version: '9' }, ['', ''], ['', '']],
    [{ kind: 'network', filesystem: 'NFS' }, ['', ''], ['', '']],
    [{ kind: 'read-only' }, ['', ''], ['', '']],
  ])('%j has no more words', (state, english, japanese) => {
    expect([told(state, 'en'), told(state, 'ja')]).toEqual([english, japanese]);
  });
});
