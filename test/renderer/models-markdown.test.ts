import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstParagraph, parseMarkdown } from '../../renderer/models/markdown.ts';

const text = (value: string) => ({ kind: 'text', text: value });

describe('a model card', () => {
  test('loses the lines for machines and keeps headings and paragraphs', () => {
    const card = '---\nlicense: mit\n---\n# Starter 1\n\nDraws *small* **emoji**\nby `RCG`.\n';
    expect(parseMarkdown(card)).toEqual([
      { kind: 'heading', level: 1, spans: [text('Starter 1')] },
      {
        kind: 'paragraph',
        spans: [
          text('Draws '),
          { kind: 'emphasis', text: 'small' },
          text(' '),
          { kind: 'strong', text: 'emoji' },
          text(' by '),
          { kind: 'code', text: 'RCG' },
          text('.'),
        ],
      },
    ]);
    expect(firstParagraph(card)).toBe('Draws small emoji by RCG.');
  });

  test('shows tables and lists', () => {
    const [table, list, ordered] = parseMarkdown(
      '| a | b |\n|---|:-:|\n| 1 | **2** |\n\n- one\n  more\n* two\n\n1. first\n2) second',
    );
    expect(table).toEqual({
      kind: 'table',
      head: [[text('a')], [text('b')]],
      rows: [[[text('1')], [{ kind: 'strong', text: '2' }]]],
    });
    expect(list).toEqual({
      kind: 'list',
      ordered: false,
      items: [[text('one more')], [text('two')]],
    });
    expect(ordered).toMatchObject({ ordered: true });
  });

  test('keeps code as it is, also when its end is missing', () => {
    expect(parseMarkdown('```sh\nrm **x**\n```\nend')).toEqual([
      { kind: 'code', text: 'rm **x**' },
      { kind: 'paragraph', spans: [text('end')] },
    ]);
    expect(parseMarkdown('```\nleft open')).toEqual([{ kind: 'code', text: 'left open' }]);
  });

  test.each([
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['[here](javascript:alert(1)) it is', 'here) it is'],
    ['![alt](https://elsewhere.example/x.png)', 'alt'],
    ['an <img src=x onerror=alert(1)> in text', 'an <img src=x onerror=alert(1)> in text'],
  ])('shows %s as text alone', (source, shown) => {
    expect(firstParagraph(source)).toBe(shown);
  });

  test.each(['', '\n\n', '---\nonly: this\n---', '#', '|', '**', '`', '- '])(
    'bears %j without a paragraph or with that very text',
    (source) => {
      expect(['', source.trim()]).toContain(firstParagraph(source));
    },
  );

  test('ends for any text and loses no word of plain prose', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (any) => {
        expect(Array.isArray(parseMarkdown(any))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), (words) => {
        expect(firstParagraph(words.join('\n'))).toBe(words.join(' '));
      }),
    );
  });
});
