import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHistory } from '#history/history';
import { imageOf, NOON, recipeOf } from '../helpers/library.ts';
import { newest, openLibrary, refusal, tempLibrary, type TestLibrary } from './helpers.ts';
import { newPicture, revert, snapshot, update, type Picture } from './model.ts';

const COUNT = 6;

function library(count = COUNT): TestLibrary & { readonly ids: readonly number[] } {
  const made = tempLibrary();
  const ids = Array.from({ length: count }, (_, i) => made.history.images.insert(imageOf(i)).id);
  return { ...made, ids };
}

/** Every picture's changeable part, as the database has it. */
const actual = ({ history }: Pick<TestLibrary, 'history'>, ids: readonly number[]): string =>
  snapshot(
    ids.map((id, i) => {
      const { rating, starred, note, deletedAt, tags, boards } = history.images.get(id);
      return {
        ...newPicture(id, imageOf(i)),
        ...{ rating, starred, note, deletedAt },
        tags: new Set(tags),
        boards: new Set(boards),
      };
    }),
  );

const ids = fc.uniqueArray(fc.integer({ min: 1, max: COUNT + 1 }), { minLength: 1, maxLength: 4 });
const tags = fc.uniqueArray(fc.constantFrom('red', 'blue', '夕焼け'), { maxLength: 2 });
const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        kind: fc.constant('update' as const),
        ids,
        rating: fc.integer({ min: 0, max: 5 }),
        starred: fc.boolean(),
        note: fc.constantFrom('', 'one', 'two words'),
        addNote: fc.constantFrom('three', 'four words'),
        addTags: tags,
        removeTags: tags,
        addToBoard: fc.constantFrom(1, 2),
        removeFromBoard: fc.constantFrom(1, 2),
      },
      { requiredKeys: ['kind', 'ids'] },
    ),
  },
  fc.record({ kind: fc.constantFrom('remove' as const, 'restore' as const), ids }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('undo' as const, 'redo' as const) }) },
  fc.record({ kind: fc.constant('reopen' as const) }),
);

describe('undo and redo', () => {
  test('any sequence is as if the undone had never been, also over a restart', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        let opened = library();
        opened.database.pragma('synchronous = OFF');
        for (const name of ['First', 'Second']) opened.history.boards.create(name);
        const pictures: readonly Picture[] = opened.ids.map((id, i) => newPicture(id, imageOf(i)));
        const past: string[] = [];
        const future: string[] = [];
        const go = (from: string[], to: string[]): void => {
          const target = from.pop();
          if (target === undefined) return;
          to.push(snapshot(pictures));
          revert(pictures, target);
        };
        for (const one of commands) {
          const before = snapshot(pictures);
          switch (one.kind) {
            case 'update': {
              const { kind: _, ...request } = one;
              opened.history.changes.update(request);
              update(pictures, request);
              break;
            }
            case 'remove':
            case 'restore':
              opened.history.changes[one.kind](one.ids);
              for (const picture of pictures.filter(({ id }) => one.ids.includes(id))) {
                picture.deletedAt = one.kind === 'restore' ? null : (picture.deletedAt ?? NOON);
              }
              break;
            case 'undo':
              opened.history.changes.undo();
              go(past, future);
              break;
            case 'redo':
              opened.history.changes.redo();
              go(future, past);
              break;
            case 'reopen':
              opened.close();
              opened = { ...opened, ...tempLibrary(opened.file) };
          }
          const after = snapshot(pictures);
          if (one.kind !== 'undo' && one.kind !== 'redo' && after !== before) {
            past.push(before);
            future.length = 0;
          }
          expect(actual(opened, opened.ids)).toBe(after);
          const { undo, redo } = opened.history.changes.state();
          expect([undo !== null, redo !== null]).toEqual([past.length > 0, future.length > 0]);
          checkCounts(opened, pictures);
        }
        opened.close();
      }),
      { numRuns: 40 },
    );
  });

  /** The kept counts and the columns in memory say the same as the pictures. */
  function checkCounts({ history }: TestLibrary, pictures: readonly Picture[]): void {
    const live = pictures.filter(({ deletedAt }) => deletedAt === null);
    const summary = history.images.summary();
    expect(summary).toMatchObject({
      total: live.length,
      starred: live.filter(({ starred }) => starred).length,
      unrated: live.filter(({ rating }) => rating === 0).length,
      bin: pictures.length - live.length,
    });
    expect(summary.boards.map(({ count }) => count)).toEqual(
      [1, 2].map((board) => live.filter(({ boards }) => boards.has(board)).length),
    );
    for (const { name, count } of summary.tags) {
      expect(count).toBe(live.filter(({ tags: has }) => has.has(name)).length);
    }
    const find = (filter: object) => history.images.search({ filter, sort: newest }).ids.length;
    expect(find({})).toBe(live.length);
    expect(find({ starred: true })).toBe(summary.starred);
    expect(find({ unrated: true })).toBe(summary.unrated);
  }

  test('an import in parts is one step, as long as nothing else was done', () => {
    const { history, ids } = library();
    const { changes } = history;
    const [one = 0, two = 0, three = 0] = ids;
    const bin = () => history.images.search({ filter: { bin: true }, sort: newest }).ids;
    changes.remove([two]);
    const first = changes.recordImport([one]).item;
    expect(changes.recordImport([two], first?.id).item).toMatchObject({ kind: 'import', count: 2 });
    expect(bin()).toEqual([]);
    changes.undo();
    expect(bin().toSorted()).toEqual([one, two].toSorted());
    changes.redo();
    expect(bin()).toEqual([]);
    const { undo } = changes.state();
    changes.update({ ids: [three], rating: 1 });
    expect(changes.recordImport([three], undo?.id).item).toMatchObject({ count: 1 });
    expect(changes.recordImport([]).item).toBeNull();
    changes.undo();
    changes.undo();
    expect(changes.state().undo).toMatchObject({ kind: 'import', count: 2 });
  });

  test('names what was done, with its number', () => {
    const { history, ids: all } = library();
    const { changes } = history;
    changes.update({ ids: [...all], rating: 3 });
    changes.update({ ids: all.slice(0, 2), addTags: ['red'] });
    changes.remove(all.slice(0, 3));
    expect(changes.state()).toMatchObject({ undo: { kind: 'delete', count: 3 }, redo: null });
    expect(changes.undo()).toMatchObject({ item: { kind: 'delete' }, ids: all.slice(0, 3) });
    expect(changes.state()).toMatchObject({
      undo: { kind: 'tag', count: 2 },
      redo: { kind: 'delete', count: 3 },
    });
  });

  test('what changes nothing is no step, and keeps what could be redone', () => {
    const { history, ids: all } = library();
    const { changes } = history;
    changes.update({ ids: [...all], rating: 3 });
    changes.undo();
    for (const request of [
      { rating: 0 },
      { removeTags: ['red'] },
      { note: '' },
      { starred: false },
      {},
    ]) {
      expect(changes.update({ ids: [...all], ...request }).item).toBeNull();
    }
    expect(changes.restore(all).item).toBeNull();
    expect(changes.update({ ids: [999], rating: 5 }).item).toBeNull();
    expect(changes.state()).toMatchObject({ undo: null, redo: { kind: 'rate' } });
    expect(changes.undo()).toEqual({ item: null, ids: [], payload: undefined });
  });

  test('keeps the last five hundred steps', () => {
    const { history, database, ids: all } = library(1);
    database.pragma('synchronous = OFF');
    for (let i = 1; i <= 520; i++) history.changes.update({ ids: [...all], note: `note ${i}` });
    let undone = 0;
    while (history.changes.undo().item !== null) undone++;
    expect(undone).toBe(500);
    expect(history.images.get(1).note).toBe('note 20');
  });

  test('lists the newest steps with their times, and what is undone in the order of redo', () => {
    const { history, ids, later } = library(1);
    expect(history.changes.steps()).toEqual({ undo: [], redo: [] });
    for (let i = 0; i < 60; i++) {
      history.changes.update({ ids: [...ids], starred: i % 2 === 0 });
      later(1000);
    }
    const step = (id: number) => ({ id, kind: 'star', count: 1, at: NOON + (id - 1) * 1000 });
    const down = (from: number, count: number) => Array.from({ length: count }, (_, i) => from - i);
    expect(history.changes.steps()).toEqual({ undo: down(60, 50).map(step), redo: [] });
    for (let i = 0; i < 55; i++) history.changes.undo();
    expect(history.changes.steps()).toEqual({
      undo: down(5, 5).map(step),
      redo: down(55, 50).toReversed().map(step),
    });
    history.changes.update({ ids: [...ids], rating: 3 });
    expect(history.changes.steps()).toMatchObject({ undo: { length: 6 }, redo: [] });
  });

  test('a step of another part of the studio has its place in the order', () => {
    const { history, ids: all } = library();
    const { changes } = history;
    const payload = { model: 'rcg-b', folder: 'bin/rcg-b' };
    changes.recordOutside('model', payload);
    changes.update({ ids: [...all], starred: true });
    changes.undo();
    expect(changes.peek('undo')).toMatchObject({ item: { kind: 'model', count: 1 }, payload });
    expect(changes.undo()).toMatchObject({ payload, ids: [] });
    expect(changes.peek('redo')).toMatchObject({ payload });
    expect(changes.redo()).toMatchObject({ payload });
  });

  test('a board that is not there is an error, and nothing is changed', () => {
    const { history, ids: all } = library();
    const request = { ids: [...all], rating: 5, addToBoard: 9 };
    expect(refusal(() => history.changes.update(request))).toBe('not-found');
    expect(history.images.get(1).rating).toBe(0);
  });

  test('a text goes below each note, and back, and is found', () => {
    const { history, ids } = library(3);
    const [a = 0, b = 0, c = 0] = ids;
    const notes = () => ids.map((id) => history.images.get(id).note);
    const found = (text: string) =>
      history.images.search({ filter: { text }, sort: newest }).ids.toSorted();
    history.changes.update({ ids: [a], note: 'red' });
    history.changes.update({ ids: [b], note: 'blue' });
    const before = notes();
    const done = history.changes.update({ ids: [c, a, b, a, 999], addNote: 'moss' });
    expect(done.item).toMatchObject({ kind: 'note', count: 3 });
    expect(notes()).toEqual(['red\nmoss', 'blue\nmoss', 'moss']);
    expect([found('moss'), found('red'), found('blue moss')]).toEqual([[a, b, c], [a], [b]]);
    history.changes.undo();
    expect(notes()).toEqual(before);
    expect([found('moss'), found('red')]).toEqual([[], [a]]);
    history.changes.redo();
    expect(notes()).toEqual(['red\nmoss', 'blue\nmoss', 'moss']);
    history.changes.update({ ids: [...ids], note: '' });
    expect([notes(), found('moss')]).toEqual([['', '', ''], []]);
  });

  test('a text that makes a note too long is refused with the number of them, and none is written', () => {
    const { history, ids } = library(4);
    const [a = 0, b = 0, c = 0, d = 0] = ids;
    const notes = () => ids.map((id) => history.images.get(id).note);
    history.changes.update({ ids: [a, b], note: 'x'.repeat(9_990) });
    history.changes.update({ ids: [c], note: 'x'.repeat(9_989) });
    const [before, { undo }] = [notes(), history.changes.state()];
    const add = () =>
      history.changes.update({ ids: [d, c, a, b, b], addNote: '0123456789', rating: 5 });
    expect(refusal(add)).toBe('invalid-request: addNote');
    expect(add).toThrow('the note of 2 of the images would be longer than 10000 characters');
    expect(notes()).toEqual(before);
    expect(history.images.get(d).rating).toBe(0);
    expect(history.changes.state()).toEqual({ undo, redo: null });
    history.changes.update({ ids: [c, d], addNote: '0123456789' });
    expect(notes().map(({ length }) => length)).toEqual([9_990, 9_990, 10_000, 10]);
  });

  test('half a letter is no letter in a note', () => {
    const { history, ids } = library(1);
    history.changes.update({ ids: [...ids], addNote: 'a\ud800b' });
    expect(history.images.get(ids[0] ?? 0).note).toBe('a\ufffdb');
  });

  test('tags that differ only in case or form are one', () => {
    const { history } = library();
    history.changes.update({ ids: [1], addTags: ['Red'] });
    history.changes.update({ ids: [2], addTags: ['red', ' ＲＥＤ '] });
    expect(history.images.summary().tags).toEqual([{ name: 'Red', count: 2 }]);
    expect(history.images.count({ tags: ['rEd'] })).toBe(2);
  });
});

describe('the bin', () => {
  test('gives up what is old enough, for good, and keeps the rest', () => {
    const { history, later, ids: all } = library();
    history.changes.update({ ids: [...all], note: 'kept', addTags: ['red'] });
    history.changes.remove([1, 2]);
    later(1000);
    history.changes.remove([3]);
    expect(history.bin.purge(NOON)).toEqual({ ids: [], paths: [] });
    const paths = [0, 1].map((i) => imageOf(i).path);
    expect(history.bin.purge(NOON + 1)).toEqual({ ids: [1, 2], paths });
    expect(history.images.rows([1, 2, 3, 4]).map(({ id }) => id)).toEqual([3, 4]);
    expect(history.images.summary()).toMatchObject({ total: 3, bin: 1, tags: [{ count: 3 }] });
    expect(refusal(() => history.images.get(1))).toBe('not-found');
    expect(history.images.search({ filter: { bin: true }, sort: newest }).ids).toEqual([3]);
    // Undo passes over the deletion that cannot be taken back.
    expect(history.changes.undo()).toMatchObject({ item: { kind: 'delete' }, ids: [3] });
    expect(history.changes.undo()).toMatchObject({ item: { kind: 'note' }, ids: [3, 4, 5, 6] });
  });

  test('gives up chosen pictures, and none that is not in it', () => {
    const { history } = library();
    history.changes.remove([1, 2, 3]);
    const paths = [imageOf(1).path];
    expect(history.bin.purgeThese([2, 4, 99, 2])).toEqual({ ids: [2], paths });
    expect(history.bin.purgeThese([])).toEqual({ ids: [], paths: [] });
    expect(history.images.rows([1, 2, 3, 4]).map(({ id }) => id)).toEqual([1, 3, 4]);
    expect(history.images.summary().bin).toBe(2);
    // Undo brings back the others.
    expect(history.changes.undo()).toMatchObject({ item: { kind: 'delete' }, ids: [1, 3] });
  });

  test('files stay listed until they are said to be gone, also over a crash', () => {
    const { history, file, close } = library();
    history.changes.remove([1, 2]);
    const { paths } = history.bin.purge();
    close();
    const opened = openLibrary(file);
    if (opened.database === null) throw new Error('closed');
    const again = createHistory(opened.database, { now: () => NOON });
    expect(again.bin.doomedFiles()).toEqual(paths);
    // A new picture of that name is not to be deleted.
    again.images.insert(imageOf(0, { uid: 'again' }));
    expect(again.bin.doomedFiles()).toEqual(paths.slice(1));
    again.bin.filesDeleted(paths);
    expect(again.bin.doomedFiles()).toEqual([]);
  });
});

describe('boards and searches', () => {
  test('a board is removed without its pictures, and comes back with them', () => {
    const { history, ids: all } = library();
    const { boards, changes } = history;
    const board = boards.create('  Cats ');
    expect(board).toEqual({ id: board.id, name: 'Cats', count: 0 });
    changes.update({ ids: [1, 2, 3], addToBoard: board.id });
    boards.rename(board.id, 'Dogs');
    expect(boards.remove(board.id).item).toMatchObject({ kind: 'board', count: 3 });
    expect([boards.list(), history.images.count({})]).toEqual([[], all.length]);
    changes.undo();
    expect(boards.list()).toEqual([{ id: board.id, name: 'Dogs', count: 3 }]);
    expect(history.images.count({ board: board.id })).toBe(3);
    changes.undo();
    expect(boards.list()).toEqual([{ id: board.id, name: 'Cats', count: 3 }]);
    changes.redo();
    changes.redo();
    expect(boards.list()).toEqual([]);
    expect(boards.remove(board.id).item).toBeNull();
  });

  test('names are unique and boards must be there', () => {
    const { boards, searches } = tempLibrary().history;
    const { id } = boards.create('Cats');
    boards.create('Dogs');
    expect(refusal(() => boards.create(' cats'))).toBe('invalid-request: name');
    expect(refusal(() => boards.rename(id, 'DOGS'))).toBe('invalid-request: name');
    expect(boards.rename(id, 'CATS').name).toBe('CATS');
    expect(refusal(() => boards.rename(99, 'x'))).toBe('not-found');
    searches.save('Mine', { filter: {}, sort: newest });
    const again = () => searches.save('mine', { filter: {}, sort: newest });
    expect(refusal(again)).toBe('invalid-request: name');
  });

  test('saved searches are counted as the library changes, and removed with undo', () => {
    const { history } = library();
    const search = { filter: { starred: true }, sort: newest };
    const saved = history.searches.save('Starred', search);
    const counts = () => history.images.summary().searches.map(({ count }) => count);
    expect(saved).toEqual({ id: saved.id, name: 'Starred', search, count: 0 });
    history.changes.update({ ids: [1, 2], starred: true });
    expect(counts()).toEqual([2]);
    history.changes.remove([1]);
    expect(counts()).toEqual([1]);
    history.searches.remove(saved.id);
    expect(counts()).toEqual([]);
    expect(history.changes.undo()).toMatchObject({ item: { kind: 'search', count: 1 } });
    expect(history.images.summary().searches).toEqual([{ ...saved, count: 1 }]);
    expect(history.searches.remove(99).item).toBeNull();
  });

  test('a saved search for software counts what is brought in', () => {
    const { history } = library();
    const search = { filter: { software: ['rcg-studio 9.0.0'] }, sort: newest };
    expect(history.searches.save('Newest', search).count).toBe(0);
    const recipe = recipeOf(50, { software: 'rcg-studio 9.0.0' });
    history.images.insert(imageOf(50, { recipe }));
    expect(history.images.summary().searches).toMatchObject([{ search, count: 1 }]);
  });
});
