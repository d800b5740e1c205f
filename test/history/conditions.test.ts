import { describe, expect, test } from 'vitest';
import { imageFilter, type ImageFilter } from '#api/gallery';
import { createHistory, type History } from '#history/history';
import { imageOf, NOON, recipeOf } from '../helpers/library.ts';
import { newest, tempLibrary } from './helpers.ts';

describe('conditions', () => {
  const found = (history: History, filter: ImageFilter) =>
    history.images.search({ filter, sort: newest }).ids;

  test('on files follow what becomes of them', () => {
    const { history } = tempLibrary();
    const [a = 0, b = 0, c = 0] = [1, 2, 3].map((i) => history.images.insert(imageOf(i)).id);
    expect(found(history, { files: ['present'] })).toHaveLength(3);
    history.images.setFile(a, { state: 'missing' });
    history.images.dropFiles([b]);
    expect(found(history, { files: ['missing'] })).toEqual([a]);
    expect(found(history, { files: ['dropped'] })).toEqual([b]);
    history.images.setFileStates([a], 'present');
    expect(found(history, { files: ['present'] }).toSorted()).toEqual([a, c].toSorted());
  });

  test('on replays follow what the newest one showed', () => {
    const { history, database } = tempLibrary();
    const [a = 0, b = 0, c = 0] = [1, 2, 3].map((i) => history.images.insert(imageOf(i)).id);
    const saved = { filter: { replays: ['differ' as const] }, sort: newest };
    history.searches.save('Differ', saved);
    const split = ({ images } = history) =>
      (['match', 'differ', 'unchecked'] as const).map((verdict) =>
        images.search({ filter: { replays: [verdict] }, sort: newest }).ids.toSorted(),
      );
    expect(split()).toEqual([[], [], [a, b, c]]);
    const few = { differing: 3, target: 'cpu-int8', checkedAt: NOON } as const;
    expect(history.images.setReplay(a, few)).toBe(true);
    expect(history.images.setReplay(b, { ...few, differing: 0 })).toBe(true);
    expect(split()).toEqual([[b], [a], [c]]);
    expect(history.images.get(a).replay).toEqual(few);
    expect(history.images.summary().searches).toMatchObject([{ count: 1 }]);
    // The newest counts, also when the clock was put back.
    const later = { differing: 0, target: 'portable', checkedAt: NOON - 5 } as const;
    history.images.setReplay(a, later);
    expect(history.images.get(a).replay).toEqual(later);
    expect(split()).toEqual([[a, b], [], [c]]);
    expect(history.images.summary().searches).toMatchObject([{ count: 0 }]);
    expect(found(history, { replays: ['match', 'unchecked'] })).toHaveLength(3);
    expect(found(history, { replays: [] })).toHaveLength(3);
    expect(split(createHistory(database, { now: () => NOON }))).toEqual(split());

    // Neither undo nor the bin changes what was seen.
    history.changes.update({ ids: [a], rating: 3 });
    history.changes.remove([a]);
    expect(split()).toEqual([[b], [], [c]]);
    expect(found(history, { replays: ['match'], bin: true })).toEqual([a]);
    history.changes.undo();
    history.changes.undo();
    expect(history.changes.undo().item).toBeNull();
    expect(history.images.get(a)).toMatchObject({ rating: 0, replay: later });
    expect(split()).toEqual([[a, b], [], [c]]);
  });

  test('on replays: what is noted of a picture that is gone is noted of none', () => {
    const { history } = tempLibrary();
    const verdict = { differing: 0, target: 'cpu-int8', checkedAt: NOON } as const;
    const { id } = history.images.insert(imageOf(1));
    history.changes.remove([id]);
    history.bin.purge();
    for (const gone of [id, 99, 0, -1]) {
      expect(history.images.setReplay(gone, verdict)).toBe(false);
    }
    const next = history.images.insert(imageOf(1)).id;
    expect(next).not.toBe(id);
    expect(history.images.get(next).replay).toBeNull();
    // The same picture again keeps what is known of it.
    history.images.setReplay(next, verdict);
    expect(history.images.insert(imageOf(1))).toEqual({ id: next, inserted: false });
    expect(history.images.get(next).replay).toEqual(verdict);
  });

  test('on replays: noting one is no reason to write the document beside the pictures', () => {
    const { history } = tempLibrary();
    const { id } = history.images.insert(imageOf(1));
    const written = history.portable.written();
    history.images.setReplay(id, { differing: 1, target: 'cpu-int8', checkedAt: NOON });
    history.images.setReplay(id + 1, { differing: 1, target: 'cpu-int8', checkedAt: NOON });
    expect(history.portable.written()).toBe(written);
    history.changes.update({ ids: [id], rating: 1 });
    expect(history.portable.written()).toBeGreaterThan(written);
  });

  test.each([
    ['half of a token', { differing: 0.5 }],
    ['a time that is none', { checkedAt: 1.5 }],
  ])('on replays: %s is not kept, and nothing of it is', (_, wrong) => {
    const { history } = tempLibrary();
    const { id } = history.images.insert(imageOf(1));
    const verdict = { differing: 2, target: 'cpu-int8', checkedAt: NOON, ...wrong } as const;
    expect(() => history.images.setReplay(id, verdict)).toThrow();
    expect(history.images.get(id).replay).toBeNull();
    expect(found(history, { replays: ['unchecked'] })).toEqual([id]);
  });

  test.each([
    ['another word', ['same']],
    ['true', true],
    ['a word', 'match'],
    ['null', [null]],
    ['a count', [0]],
  ])('on replays that are wrong are refused: %s', (_, replays) => {
    expect(imageFilter.safeParse({ replays }).error?.issues[0]?.path[0]).toBe('replays');
  });

  test('on classes mean those of one model, and can be chosen after it is gone', () => {
    const { history } = tempLibrary();
    const made = [
      { id: 'one', label: 2 },
      { id: 'two', label: 2 },
      { id: 'two', label: null },
    ].map(({ id, label }, i) => {
      const hash = id === 'one' ? 'a'.repeat(64) : 'b'.repeat(64);
      const source = { kind: 'sample' as const, rdmSteps: 5, eta: 1, label };
      const model = { ...recipeOf(1).model, id, hash };
      const recipe = recipeOf(i, { model, source, software: 'rcg-studio 1.0.0' });
      return history.images.insert(imageOf(i, { recipe, modelTitle: `Model ${id}` })).id;
    });
    const [first = 0, second = 0, third = 0] = made;
    expect(found(history, { classes: ['one:2'] })).toEqual([first]);
    expect(found(history, { classes: ['two:2', 'two:any'] }).toSorted()).toEqual([second, third]);
    expect(found(history, { hashes: ['a'.repeat(64)] })).toEqual([first]);
    expect(history.images.choices()).toEqual({
      models: [
        { id: 'one', hash: 'a'.repeat(64), title: 'Model one' },
        { id: 'two', hash: 'b'.repeat(64), title: 'Model two' },
      ],
      classes: [
        { model: 'one', label: 2 },
        { model: 'two', label: null },
        { model: 'two', label: 2 },
      ],
      software: [{ name: 'rcg-studio 1.0.0', count: 3 }],
    });
  });

  test('on software are offered by version, with what is in the library, not the bin', () => {
    const { history } = tempLibrary();
    const names = ['rcg-studio 0.9.0', 'rcg-studio 0.10.0', 'rcg-studio 0.9.0', '', 'portable'];
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = names.map(
      (software, i) => history.images.insert(imageOf(i, { recipe: recipeOf(i, { software }) })).id,
    );
    const offered = () => history.images.choices().software.map(({ name, count }) => [name, count]);
    const all = [
      ['rcg-studio 0.10.0', 1],
      ['rcg-studio 0.9.0', 2],
      ['portable', 1],
      ['', 1],
    ];
    expect(offered()).toEqual(all);
    expect(found(history, { software: ['rcg-studio 0.9.0'] }).toSorted()).toEqual([a, c]);
    expect(found(history, { software: ['', 'rcg-studio 0.10.0'] }).toSorted()).toEqual([b, d]);
    // A word of another column is no program.
    expect(found(history, { software: ['cpu-int8'] })).toEqual([]);
    expect(found(history, { software: ['portable'], targets: ['portable'] })).toEqual([]);
    expect(found(history, { software: ['RCG-Studio 0.9.0', 'rcg-studio'] })).toEqual([]);
    expect(found(history, { software: [] })).toHaveLength(5);

    history.changes.remove([a, b]);
    expect(offered()).toEqual([['rcg-studio 0.10.0', 0], ['rcg-studio 0.9.0', 1], ...all.slice(2)]);
    expect(found(history, { software: ['rcg-studio 0.10.0'], bin: true })).toEqual([b]);
    history.bin.purgeThese([b]);
    expect(offered()).toEqual([['rcg-studio 0.9.0', 1], ...all.slice(2)]);
    history.changes.undo();
    expect(offered()).toEqual(all.slice(1));
    expect(found(history, { software: ['portable'] })).toEqual([e]);
  });

  test.each([
    ['as long as a book', 'x'.repeat(100_000)],
    ['of signs beyond 16 bits', '🎨'.repeat(500)],
    ['that ends in the middle', `rcg\0${'y'.repeat(300)}`],
    ['of control characters', '\x1b[2J\x07pwn'],
    ['of half a sign', 'rcg \ud800'],
  ])('on software %s can be chosen as it is offered', (_, software) => {
    const { history, database } = tempLibrary();
    const { id } = history.images.insert(imageOf(1, { recipe: recipeOf(1, { software }) }));
    history.images.insert(imageOf(2));
    // What is in memory is told of a new picture, or reads it later: both say the same.
    for (const { images } of [history, createHistory(database, { now: () => NOON })]) {
      const offered = images.choices().software.map(({ name }) => name);
      const [name = ''] = offered.filter((one) => !one.startsWith('rcg-studio'));
      expect(imageFilter.parse({ software: [name] })).toEqual({ software: [name] });
      expect(images.search({ filter: { software: [name] }, sort: newest }).ids).toEqual([id]);
    }
    expect(history.images.get(id).recipe.software).toBe(JSON.parse(JSON.stringify(software)));
  });

  test.each([
    ['no list', 'rcg-studio 0.9.0'],
    ['null', null],
    ['a number', [7]],
    ['null in a list', [null]],
    ['a list in a list', [['rcg-studio 0.9.0']]],
    ['a name without end', ['x'.repeat(201)]],
    ['names without end', Array(101).fill('x')],
  ])('on software that are wrong are refused: %s', (_, software) => {
    expect(imageFilter.safeParse({ software }).error?.issues[0]?.path[0]).toBe('software');
  });
});
