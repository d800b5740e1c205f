import { describe, expect, test } from 'vitest';
import { REASONS, reasonText, type Reason, type ReasonCode } from '../../main/api/reasons.ts';
import { describeFailure } from '../../renderer/state/errors.ts';
import { I18n } from '../../renderer/state/i18n.svelte.ts';
import { reasonOf, reasonWords } from '../../renderer/state/reasons.ts';

const inEnglish = new I18n();
const inJapanese = new I18n();
inEnglish.language = 'en';
inJapanese.language = 'ja';

/** Every reason, with a value for each of its places. */
const EVERY = Object.entries(REASONS).map(([key, text]): Reason => {
  const names = [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const values = names.map((name) => [name, name === 'part' ? 'vqgan' : `‹${name}›`]);
  return { code: key.slice('reason.'.length) as ReasonCode, values: Object.fromEntries(values) };
});

describe('a reason', () => {
  test.each(EVERY)('$code is told in Japanese without an English sentence', (reason) => {
    const words = reasonWords(inJapanese, reason) ?? '';
    expect(words).toMatch(/[぀-ヿ一-鿿]/);
    // Names and units stay as they are; two plain words in a row would be English.
    expect(words.replace(/‹\w+›/g, '')).not.toMatch(/\b[a-z]{2,} [a-z]{2,}\b/);
    expect(words).not.toMatch(/[{}]|undefined/);
  });

  test.each(EVERY)('$code is one sentence in the window and on the command line', (reason) => {
    const plain = { ...reason, values: { ...reason.values } };
    if ('part' in plain.values) plain.values['part'] = '‹part›';
    expect(reasonText(plain)).toBe(reasonWords(inEnglish, plain));
    expect(reasonText(reason)).not.toMatch(/[{}]|undefined/);
  });

  test('names parts as the language does', () => {
    const reason: Reason = {
      code: 'not-needed',
      values: { file: 'a.pth', other: 'b.pth', part: 'vqgan' },
    };
    expect(reasonText(reason)).toBe('a.pth is not needed: b.pth brings its own tokenizer.');
    expect(reasonWords(inJapanese, reason)).toContain('トークナイザー');
  });

  test.each(['moon', '', 'constructor', 'toString'])('%j is unknown here', (code) => {
    expect(reasonWords(inEnglish, { code, values: {} })).toBeNull();
  });
});

describe('a failure', () => {
  const reason = { code: 'file-missing', values: { file: 'rdm.pth' } };
  const failed = (data: unknown) =>
    Object.assign(new Error('rdm.pth does not exist.'), { code: 'file-unavailable', data });

  test('brings its reason in the language of the window', () => {
    expect(describeFailure(inJapanese, failed({ reason })).why).toMatch(/^rdm\.pth がありません/);
    expect(describeFailure(inEnglish, failed({ reason })).why).toMatch(/^rdm\.pth does not exist/);
  });

  test.each([
    undefined,
    null,
    'text',
    {},
    { reason: null },
    { reason: 'file-missing' },
    { reason: { code: 7, values: {} } },
    { reason: { code: 'from-the-future', values: {} } },
  ])('without a usable one has none: %j', (data) => {
    expect(describeFailure(inJapanese, failed(data)).why).toBeNull();
  });

  test('takes only plain values', () => {
    const values = { file: 'a', deep: { b: 1 }, count: 2, none: null };
    expect(reasonOf(failed({ reason: { code: 'x', values } }))).toEqual({
      code: 'x',
      values: { file: 'a', count: 2 },
    });
    expect(reasonOf(failed({ reason: { code: 'x', values: 'no' } }))?.values).toEqual({});
  });
});
