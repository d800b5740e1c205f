import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ImageFilter, SearchImages } from '#api/gallery';
import type { Recipe } from '#api/recipe';
import type { FileState } from '#api/images';
import { createHistory } from '#history/history';
import { localDay } from '#history/search';
import { imageOf, NOON, recipeOf, scramble } from '../helpers/library.ts';
import { newest, tempLibrary } from './helpers.ts';
import { expectedIds, newPicture, update, type Picture } from './model.ts';

const TAGS = ['portrait', 'red', 'harbour'];
const NOTES = ['', 'A quiet harbour', 'portrait of nobody, 42'];

/** A library and the same as plain objects; a part of it rated, tagged, on boards, in the bin. */
function pictures(count: number) {
  const { history, database } = tempLibrary();
  const job = history.jobs.create({ source: { kind: 'sample' }, settings, total: count }).id;
  const board = history.boards.create('Board').id;
  const all: Picture[] = [];
  // One transaction, for speed alone.
  database.transaction(() => {
    for (let i = 0; i < count; i++) {
      const parents = i > 10 && i % 3 === 0 ? [{ id: 1, operation: 'variation' as const }] : [];
      const image = imageOf(i, { parents, ...(i % 4 === 0 ? { job: { id: job, index: i } } : {}) });
      all.push(newPicture(history.images.insert(image).id, image));
    }
    for (const { id } of all) {
      const n = scramble(id * 3);
      const request = {
        ids: [id],
        rating: n % 6,
        starred: n % 4 === 0,
        note: NOTES[n % 3] ?? '',
        addTags: TAGS.filter((_, i) => (n >> i) % 2 === 0),
        ...(n % 5 === 0 ? { addToBoard: board } : {}),
      };
      history.changes.update(request);
      update(all, request);
    }
    for (const picture of all.filter(({ id }) => scramble(id) % 3 > 0)) {
      const differing = scramble(picture.id) % 4;
      picture.replay = { differing, target: 'cpu-int8', checkedAt: NOON };
      history.images.setReplay(picture.id, picture.replay);
    }
  })();
  const binned = all.filter(({ id }) => scramble(id) % 6 === 0);
  history.changes.remove(binned.map(({ id }) => id));
  for (const picture of binned) picture.deletedAt = NOON;
  return { history, database, all, job, board };
}

const settings = {
  model: 'starter',
  target: 'cpu',
  count: 1,
  seed: 7,
  label: null,
  rdmSteps: 50,
  eta: 1,
  steps: 8,
  temperature: 8,
  guidance: 3,
  schedule: 'linear',
  chunk: 4,
} as const;

const field = fc.constantFrom(
  'createdAt',
  'seed',
  'guidance',
  'temperature',
  'steps',
  'rdmSteps',
  'eta',
  'rating',
);
const bound = fc.oneof(
  fc.integer({ min: -1, max: 20 }),
  fc.constantFrom(0.25, 0.5, 100, NOON - 3e6, 2 ** 31),
);
const some = <T>(...values: T[]) => fc.array(fc.constantFrom(...values), { maxLength: 3 });

const filters: fc.Arbitrary<ImageFilter> = fc.record(
  {
    text: fc.constantFrom(
      '',
      'por',
      'red quiet',
      'RCG',
      'starter harb',
      '42',
      '!',
      'x',
      '2462723854',
    ),
    ranges: fc.array(fc.record({ field, min: bound, max: bound }, { requiredKeys: ['field'] }), {
      maxLength: 2,
    }),
    models: some('starter', 'rcg-b', 'none'),
    schedules: some('linear', 'constant', 'cosine', 'none'),
    operations: some('generate', 'variation', 'interpolation', 'import'),
    labels: some<number | null>(null, 1, 2, 3, 9, 2 ** 40),
    classes: some('starter:any', 'starter:1', 'rcg-b:2', 'rcg-b:any', 'none:1'),
    files: some<FileState>('present', 'missing', 'dropped'),
    sources: some<Recipe['source']['kind']>('sample', 'picture', 'representation'),
    hashes: some('a'.repeat(64), 'b'.repeat(64), 'none'),
    targets: some('cpu-int8', 'cpu-float32', 'portable', 'unheard of'),
    replays: some('match', 'differ', 'unchecked'),
    software: some('rcg-studio 0.9.0', 'rcg-studio 0.10.0', 'rcg-studio', 'portable'),
    tags: some(...TAGS),
    board: fc.constantFrom(1, 99),
    starred: fc.boolean(),
    unrated: fc.boolean(),
    job: fc.constantFrom(1, 99),
    parent: fc.constantFrom(1, 2),
    bin: fc.boolean(),
  },
  { requiredKeys: [] },
);
const sorts = fc.record({ by: field, descending: fc.boolean() });

describe('searching', () => {
  test('finds what a plain look at every picture finds, in the same order', () => {
    const { history, all } = pictures(200);
    const check = (search: SearchImages) => {
      const { ids, days } = history.images.search(search);
      expect(ids).toEqual(expectedIds(all, search));
      expect(history.images.count(search.filter)).toBe(ids.length);
      const counted = days.reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(search.sort.by === 'createdAt' ? ids.length : 0);
    };
    fc.assert(
      fc.property(filters, sorts, (filter, sort) => check({ filter, sort })),
      { numRuns: 400 },
    );
    // Every field alone, so that none is only ever hidden behind another.
    for (const filter of fc.sample(filters, 100)) {
      for (const [key, value] of Object.entries(filter)) {
        check({ filter: { [key]: value }, sort: newest });
      }
    }
  });

  test('new and changed pictures are in their place at once', () => {
    const { history, database, all } = pictures(20);
    const sort = { by: 'rating', descending: true } as const;
    const now = () => history.images.search({ filter: {}, sort }).ids;
    expect(now()).toEqual(expectedIds(all, { filter: {}, sort }));
    database.transaction(() => {
      for (let i = 20; i < 1500; i++) {
        const image = imageOf(i);
        all.push(newPicture(history.images.insert(image).id, image));
      }
    })();
    expect(now()).toEqual(expectedIds(all, { filter: {}, sort }));
    const request = { ids: all.slice(700, 720).map(({ id }) => id), rating: 4 };
    history.changes.update(request);
    update(all, request);
    expect(now()).toEqual(expectedIds(all, { filter: {}, sort }));
    const search = { filter: {}, sort: newest };
    expect(history.images.search(search).ids).toEqual(expectedIds(all, search));
  });

  test('an empty library has nothing, in every order', () => {
    const { history } = tempLibrary();
    for (const sort of fc.sample(sorts, 20)) {
      expect(history.images.search({ filter: {}, sort })).toEqual({ ids: [], days: [] });
    }
  });

  test('days are the local ones, in the order of the pictures', () => {
    const { database } = tempLibrary();
    const hour = 3_600_000;
    // Nine hours ahead of UTC: 16:00 in UTC is already tomorrow.
    const dayOf = (time: number) => new Date(time + 9 * hour).toISOString().slice(0, 10);
    const { images } = createHistory(database, { now: () => NOON, dayOf });
    [0, 2, 3, 4, 30].forEach((hours, i) =>
      images.insert(imageOf(i, { createdAt: NOON + hours * hour })),
    );
    const days = [
      { day: '2026-11-24', count: 2 },
      { day: '2026-11-23', count: 2 },
    ];
    expect(images.search({ filter: {}, sort: newest }).days).toEqual([
      { day: '2026-11-25', count: 1 },
      ...days,
    ]);
    expect(
      images.search({ filter: {}, sort: { by: 'createdAt', descending: false } }).days,
    ).toEqual([...days.toReversed(), { day: '2026-11-25', count: 1 }]);
    expect(localDay(new Date(2026, 0, 5, 23, 59).getTime())).toBe('2026-01-05');
  });
});

describe('text', () => {
  const texts = (note: string, text: string): boolean => {
    const { history } = tempLibrary();
    const { id } = history.images.insert(imageOf(1));
    history.changes.update({ ids: [id], note });
    return history.images.search({ filter: { text }, sort: newest }).ids.length === 1;
  };

  test.each([
    ['A quiet harbour at dusk', 'harb'],
    ['A quiet harbour at dusk', 'DUSK quiet'],
    ['Café Größe', 'cafe grosse'.slice(0, 4)],
    ['静かな港の夕焼け', '夕焼け'],
    ['静かな港の夕焼け', '港'],
    ['ＦＵＬＬ width', 'full'],
    ['the 🎨 one', '🎨'],
    ['ViT-L/16', 'vit-l'],
    ['"quoted" AND (more)', '"quoted" AND (mo'],
  ])('%s has %s', (note, text) => expect(texts(note, text)).toBe(true));

  test.each([
    ['A quiet harbour', 'bour'],
    ['A quiet harbour', 'harbour loud'],
    ['夕方の焼き芋', '夕焼け'],
    ['AND', 'OR'],
  ])('%s has not %s', (note, text) => expect(texts(note, text)).toBe(false));

  test('a seed is found exactly, also the largest, and beside other words', () => {
    const { history } = tempLibrary();
    const seeds = [0, 7, 77, 2 ** 31, Number.MAX_SAFE_INTEGER];
    const ids = seeds.map(
      (seed, i) => history.images.insert(imageOf(i, { recipe: recipeOf(1, { seed }) })).id,
    );
    const find = (text: string) => history.images.search({ filter: { text }, sort: newest }).ids;
    seeds.forEach((seed, i) => expect(find(String(seed))).toEqual([ids[i]]));
    expect(find('77 starter')).toEqual([ids[2]]);
    expect(find('9007199254740993')).toEqual([]);
    expect(find('99999999999999999999999')).toEqual([]);
  });

  test('hostile text never throws, as a question, a note, a tag or a name', () => {
    const { history, database } = tempLibrary();
    // Durable writes are tested elsewhere, and would take most of the time here.
    database.pragma('synchronous = OFF');
    const { id } = history.images.insert(imageOf(1));
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc
        .array(
          fc.constantFrom(
            '"',
            "'",
            '*',
            '(',
            ')',
            'NEAR(',
            'AND',
            'NOT',
            ':',
            '^',
            '-',
            '{',
            '\0',
            'a',
            ';',
            '--',
            '\ud800',
            '\u0301',
            ' ',
            'note_words:',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(nasty, (text) => {
        history.changes.update({ ids: [id], note: text, addTags: [text] });
        history.images.search({ filter: { text, tags: [text] }, sort: newest });
        history.changes.update({ ids: [id], removeTags: [text] });
        expect(history.images.get(id).tags).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect(() =>
      history.images.search({ filter: { text: 'a '.repeat(250) }, sort: newest }),
    ).not.toThrow();
  });

  test('what is undone or purged is not found any more', () => {
    const { history } = tempLibrary();
    const { id } = history.images.insert(imageOf(1));
    const find = (text: string, bin = false) =>
      history.images.search({ filter: { text, bin }, sort: newest }).ids;
    history.changes.update({ ids: [id], note: 'first' });
    history.changes.update({ ids: [id], note: 'second' });
    expect([find('first'), find('second')]).toEqual([[], [id]]);
    history.changes.undo();
    expect([find('first'), find('second')]).toEqual([[id], []]);
    history.changes.remove([id]);
    expect([find('first'), find('first', true)]).toEqual([[], [id]]);
    history.bin.purge();
    expect(find('first', true)).toEqual([]);
    const other = history.images.insert(imageOf(2));
    expect(find('first')).toEqual([]);
    expect(other.id).not.toBe(id);
  });
});
