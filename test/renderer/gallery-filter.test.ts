import { describe, expect, test } from 'vitest';
import { imageFilter, numberField, type ImageFilter } from '../../main/api/gallery.ts';
import {
  boundsOf,
  chipsOf,
  FILTER_KINDS,
  sameFilter,
  toggleListed,
  withChip,
  withoutChip,
  withRange,
} from '../../renderer/gallery/filter/chips.ts';
import { dayEnd, dayOfTime, dayStart } from '../../renderer/gallery/filter/dates.ts';
import {
  chipText,
  choicesOf,
  countOf,
  kindName,
  valueWords,
} from '../../renderer/gallery/filter/words.ts';
import { openApp, until } from './helpers.ts';

const beginnings = { image: 3, job: 4, board: 5 };
const kinds = (filter: ImageFilter) => chipsOf(filter).map((chip) => chip.kind);

describe('the conditions of a filter', () => {
  test('cover every field of the contract', () => {
    const covered = new Set(FILTER_KINDS.map((kind) => kind.split('.')[0] ?? ''));
    const fields = Object.keys(imageFilter.shape).filter(
      // Numbers of classes are only in searches that were saved before models had a say in them.
      (field) => field !== 'labels' && field !== 'text' && field !== 'bin' && field !== 'ranges',
    );
    expect(fields.filter((field) => !covered.has(field))).toEqual([]);
    expect(numberField.options.filter((field) => !FILTER_KINDS.includes(`range.${field}`))).toEqual(
      [],
    );
  });

  test.each(FILTER_KINDS)('%s can be added, seen, passes the contract, and taken off', (kind) => {
    const filter = withChip({ text: 'moon' }, kind, beginnings);
    if (filter === null) throw new Error('It cannot be added.');
    expect(kinds(filter)).toEqual([kind]);
    expect(imageFilter.parse(filter)).toEqual(filter);
    expect(withoutChip(filter, { kind })).toEqual({ text: 'moon' });
  });

  test('that need something to begin with cannot be added without it', () => {
    const nothing = { image: null, job: null, board: null };
    for (const kind of ['board', 'job', 'parent'] as const) {
      expect(withChip({}, kind, nothing)).toBeNull();
    }
  });

  test('keep the other ranges when one changes or goes', () => {
    const filter = withRange(withRange({}, 'rating', { min: 3 }), 'guidance', { min: 3, max: 6 });
    expect(boundsOf(withRange(filter, 'rating', { min: 4 }), 'guidance')).toEqual({
      min: 3,
      max: 6,
    });
    expect(withoutChip(filter, { kind: 'range.guidance' })).toEqual({
      ranges: [{ field: 'rating', min: 3 }],
    });
    expect(boundsOf(filter, 'seed')).toEqual({ min: undefined, max: undefined });
  });

  test('take values in and out', () => {
    const one = toggleListed({}, 'labels', null);
    const two = toggleListed(one, 'labels', 3);
    expect(two.labels).toEqual([null, 3]);
    expect(toggleListed(two, 'labels', null).labels).toEqual([3]);
  });

  test('are the same in any order', () => {
    expect(sameFilter({ starred: true, tags: ['a'] }, { tags: ['a'], starred: true })).toBe(true);
    expect(sameFilter({}, { starred: false })).toBe(false);
  });
});

describe('the words of a filter', () => {
  test.each<[ImageFilter, string, string]>([
    [
      { ranges: [{ field: 'guidance', min: 3, max: 6 }] },
      'Final guidance 3 – 6',
      '最終ガイダンス 3 – 6',
    ],
    [{ ranges: [{ field: 'rating', min: 3 }] }, 'Rating ★ 3 and up', '評価 ★ 3 以上'],
    [{ ranges: [{ field: 'seed', max: 20428 }] }, 'Seed up to 20428', 'シード 20428 以下'],
    [{ ranges: [{ field: 'steps' }] }, 'Steps any', 'ステップ数 指定なし'],
    [{ models: ['starter', 'gone'] }, 'Model Starter, gone', 'モデル スターター, gone'],
    [
      { labels: [null, 0, 1] },
      'Class number of any model Any, no label and 2 more',
      'クラス番号 (全モデル) 指定なし ほか 2 件',
    ],
    [{ classes: ['removed:2'] }, 'Class Removed model · 2', 'クラス Removed model · 2'],
    [{ models: ['removed'] }, 'Model Removed model', 'モデル Removed model'],
    [{ hashes: ['b'.repeat(64)] }, 'Weights Removed model bbbbbbbb', '重み Removed model bbbbbbbb'],
    [
      { software: ['rcg-studio 0.1.0'] },
      'Software rcg-studio 0.1.0',
      'ソフトウェア rcg-studio 0.1.0',
    ],
    [
      { software: ['', 'old', 'older'] },
      'Software Not named and 2 more',
      'ソフトウェア 記載なし ほか 2 件',
    ],
    [{ software: [] }, 'Software any', 'ソフトウェア 指定なし'],
    [{ replays: ['match'] }, 'Replay Tokens match', '再実行 トークンが一致'],
    [
      { replays: ['differ', 'unchecked'] },
      'Replay Tokens differ, Not compared yet',
      '再実行 トークンが相違, 未比較',
    ],
    [{ files: ['missing'] }, 'File Missing or damaged', 'ファイル ないか壊れている'],
    [{ schedules: ['cosine'] }, 'Guidance shape Cosine', 'ガイダンスの形 コサイン'],
    [{ board: 1 }, 'Board Favourites', 'ボード Favourites'],
    [{ starred: false }, 'Not starred', 'スターなし'],
    [{ parent: 12 }, 'Children of image 12', '次の画像の子 12'],
  ])('%j', async (filter, english, japanese) => {
    const { app, close } = openApp();
    await until(() => app.models.loaded && app.library.summary !== null);
    const { i18n, models, library } = app;
    const choices = await app.studio.images.choices();
    const vocabulary = { i18n, models, summary: library.summary, choices };
    const kind = chipsOf(filter)[0]?.kind ?? 'job';
    expect(chipText(vocabulary, filter, kind)).toBe(english);
    i18n.language = 'ja';
    expect(chipText(vocabulary, filter, kind)).toBe(japanese);
    await close();
  });

  test('offer the versions that there are, with their pictures', async () => {
    const { app, close } = openApp();
    const { i18n, models, library } = app;
    const unread = { i18n, models, summary: null, choices: null };
    expect(choicesOf(unread, 'software')).toEqual([]);
    expect(countOf(unread, 'software', 'rcg-studio 0.1.0')).toBeNull();
    const choices = await app.studio.images.choices();
    const vocabulary = { ...unread, summary: library.summary, choices };
    expect(choicesOf(vocabulary, 'software')).toEqual(['rcg-studio 0.1.0']);
    expect(countOf(vocabulary, 'software', 'rcg-studio 0.1.0')).toBe(choices.software[0]?.count);
    // Of a saved search, perhaps; and a model is no program.
    expect(countOf(vocabulary, 'software', 'gone')).toBeNull();
    expect(countOf(vocabulary, 'models', 'rcg-studio 0.1.0')).toBeNull();
    await close();
  });

  test('tell the language of names that the window’s language lacks', async () => {
    const { app, close } = openApp();
    await until(() => app.models.loaded && app.library.summary !== null);
    const { i18n, models, library } = app;
    const choices = await app.studio.images.choices();
    const vocabulary = { i18n, models, summary: library.summary, choices };
    const langs = () => [
      valueWords(vocabulary, 'models', 'starter').lang,
      valueWords(vocabulary, 'models', 'removed').lang,
      valueWords(vocabulary, 'models', 'never-heard-of').lang,
      valueWords(vocabulary, 'hashes', 'b'.repeat(64)).lang,
      valueWords(vocabulary, 'hashes', 'f'.repeat(64)).lang,
      valueWords(vocabulary, 'classes', 'starter:0').lang,
      valueWords(vocabulary, 'classes', 'no key at all').lang,
      valueWords(vocabulary, 'operations', 'import').lang,
      valueWords(vocabulary, 'tags', 'sky').lang,
    ];
    expect(langs().filter((lang) => lang !== undefined)).toEqual([]);
    i18n.language = 'ja';
    const none = undefined;
    expect(langs()).toEqual([none, 'en', none, 'en', none, none, none, none, none]);
    await close();
  });

  test('name every condition in both languages', async () => {
    const { app, close } = openApp();
    for (const language of ['en', 'ja'] as const) {
      app.i18n.language = language;
      const nameless = FILTER_KINDS.filter((kind) => kindName(app.i18n, kind) === kind);
      expect(nameless).toEqual([]);
    }
    await close();
  });
});

describe('days', () => {
  test('are whole days of this place', () => {
    const start = dayStart('2026-11-23') ?? 0;
    const end = dayEnd('2026-11-23') ?? 0;
    expect([dayOfTime(start), dayOfTime(end)]).toEqual(['2026-11-23', '2026-11-23']);
    expect(dayOfTime(end + 1)).toBe('2026-11-24');
  });

  test.each(['', '23.11.2026', '2026-11', 'tomorrow'])('"%s" is none', (text) => {
    expect([dayStart(text), dayEnd(text)]).toEqual([null, null]);
  });
});
