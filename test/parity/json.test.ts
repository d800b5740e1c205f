import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, readJson } from './json.ts';

describe('numbers as Python writes them', () => {
  test('infinities and NaN', () => {
    expect(parseJson('{"a": Infinity, "b": [-Infinity, NaN], "c": 1}')).toEqual({
      a: Infinity,
      b: [-Infinity, null],
      c: 1,
    });
  });
  test('the words inside strings are text', () => {
    const value = { 'NaN \\" -Infinity': 'Infinity "NaN"' };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  });
  test('plain JSON reads as ever', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });
  test.each(['{"a": NaNa}', '{"a": Infinit}', '{"a": --Infinity}', '{"a": "NaN}', ''])(
    'no JSON: %s',
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );
});

test('a file that is no JSON is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'json-'));
  try {
    const path = join(folder, 'config.json');
    await writeFile(path, '{');
    await expect(readJson(path)).rejects.toThrow(path);
  } finally {
    await rm(folder, { recursive: true });
  }
});
