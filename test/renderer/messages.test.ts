import { describe, expect, test } from 'vitest';
import { en } from '../../renderer/messages/en.ts';
import { ja } from '../../renderer/messages/ja.ts';
import { I18n } from '../../renderer/state/i18n.svelte.ts';

type Forms = string | { readonly one?: string; readonly other: string };
const pairs = Object.entries(en).map(
  ([key, forms]) => [key, forms, ja[key as keyof typeof ja]] as [string, Forms, Forms],
);
const textOf = (forms: Forms) => (typeof forms === 'string' ? forms : forms.other);
const places = (forms: Forms) => [...textOf(forms).matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe('the catalogues', () => {
  test('hold the same keys', () => {
    expect(Object.keys(ja).sort()).toEqual(Object.keys(en).sort());
  });

  test('take the same values in both languages', () => {
    const uneven = pairs.filter(
      ([, english, japanese]) => places(english).join() !== places(japanese).join(),
    );
    expect(uneven).toEqual([]);
  });

  test('are both there or both empty, and never excited', () => {
    const wrong = pairs.filter(([, english, japanese]) => {
      const texts = [textOf(english), textOf(japanese)];
      return (texts[0] === '') !== (texts[1] === '') || texts.some((text) => /[!！]/.test(text));
    });
    expect(wrong).toEqual([]);
  });
});

describe('sentences', () => {
  const i18n = new I18n();

  test('choose the form by count and format it', () => {
    i18n.language = 'en';
    expect(i18n.t('count.images', { count: 1 })).toBe('1 image');
    expect(i18n.t('count.images', { count: 12480 })).toBe('12,480 images');
    i18n.language = 'ja';
    expect(i18n.t('count.images', { count: 1 })).toBe('画像 1 枚');
  });

  test('leave values that are text alone: a seed has no separators', () => {
    i18n.language = 'en';
    expect(i18n.t('queue.seed', { seed: '20428' })).toBe('seed 20428');
  });

  test('are null for a key that only looks like one', () => {
    for (const key of ['', 'nothing.here', '__proto__', 'constructor', 'toString']) {
      expect(i18n.lookup(key)).toBeNull();
    }
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [21_300, '21.3 kB'],
    [212e9, '212 GB'],
    [4e15, '4,000 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    i18n.language = 'en';
    expect(i18n.bytes(bytes)).toBe(text);
  });

  test.each([
    [12, '12 ms'],
    [1310, '1.3 s'],
    [44_100, '44 s'],
    [59_700, '1 min 0 s'],
    [185_000, '3 min 5 s'],
  ])('%d milliseconds are %s', (ms, text) => {
    i18n.language = 'en';
    expect(i18n.duration(ms)).toBe(text);
  });
});
