import { describe, expect, test } from 'vitest';
import { names, suggestions, tagsOf, toggled } from '../../renderer/gallery/dialogs/tags.ts';

const known = ['sky', 'Sky at night', 'sea', '空'].map((name) => ({ name, count: 1 }));
const suggested = (text: string) => suggestions(known, text).map(({ name }) => name);

describe('the line of tags', () => {
  test('names each tag once, by whatever comma and case', () => {
    expect(tagsOf(' sky, Sea、sea，SKY,, ')).toEqual(['sky', 'Sea']);
    expect(tagsOf('')).toEqual([]);
  });

  test('suggests tags in use that go on with what is typed, in any case and width', () => {
    expect(suggested('SK')).toEqual(['sky', 'Sky at night']);
    expect(suggested('ｓｅ')).toEqual(['sea']);
    expect(suggested('')).toHaveLength(4);
    expect(suggested('xyz')).toEqual([]);
    // What was taken stays, so that it can be taken out again.
    expect(suggested('sea, sk')).toEqual(['sky', 'Sky at night', 'sea']);
  });

  test('takes a suggestion in place of what was typed towards it', () => {
    expect(tagsOf(toggled('sk', 'sky'))).toEqual(['sky']);
    expect(tagsOf(toggled('Moon, SK', 'sky'))).toEqual(['Moon', 'sky']);
    expect(tagsOf(toggled(toggled('', 'sky'), 'sea'))).toEqual(['sky', 'sea']);
    // What leads elsewhere is a tag of its own.
    expect(tagsOf(toggled('moon', 'sky'))).toEqual(['moon', 'sky']);
  });

  test('gives a suggestion back when it is chosen again', () => {
    expect(names('Sky, sea', 'sky')).toBe(true);
    expect(tagsOf(toggled('Sky, sea', 'sky'))).toEqual(['sea']);
    expect(names('sk', 'sky')).toBe(false);
  });
});
