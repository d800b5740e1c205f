import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GridLayout, type GridShape, type Line } from '../../renderer/gallery/grid/layout.ts';

const shape = (change: Partial<GridShape> = {}): GridShape => ({
  ...{ count: 10, days: [], columns: 3, pitch: 100, heading: 30 },
  ...change,
});
const twoDays = shape({
  days: [
    { day: '2026-11-23', count: 4 },
    { day: '2026-11-22', count: 6 },
  ],
});
const cells = (lines: readonly Line[]) =>
  lines.flatMap((line) => (line.kind === 'cells' ? [[line.first, line.end]] : []));

describe('a layout', () => {
  test('is empty for no pictures', () => {
    const layout = new GridLayout(shape({ count: 0 }));
    expect([layout.height, layout.lineCount, layout.between(0, 1000)]).toEqual([0, 0, []]);
    expect(layout.lineOf(0)).toBeNull();
  });

  test('without days has rows from the top', () => {
    const layout = new GridLayout(shape());
    expect(layout.height).toBe(400);
    expect(cells(layout.between(0, 1000))).toEqual([
      [0, 3],
      [3, 6],
      [6, 9],
      [9, 10],
    ]);
  });

  test('begins every day with a heading and a new row', () => {
    const layout = new GridLayout(twoDays);
    const lines = layout.between(0, 1000);
    expect(lines.map((line) => [line.kind, line.line, line.top])).toEqual([
      ['day', 0, 0],
      ['cells', 1, 30],
      ['cells', 2, 130],
      ['day', 3, 230],
      ['cells', 4, 260],
      ['cells', 5, 360],
    ]);
    expect(cells(lines)).toEqual([
      [0, 3],
      [3, 4],
      [4, 7],
      [7, 10],
    ]);
    expect([layout.height, layout.lineCount]).toEqual([460, 6]);
  });

  test('draws only what lies between two heights', () => {
    const layout = new GridLayout(twoDays);
    expect(cells(layout.between(140, 150))).toEqual([[3, 4]]);
    expect(layout.between(500, 900)).toEqual([]);
  });

  test('loses no picture when days and ids do not agree', () => {
    const few = new GridLayout(shape({ days: [{ day: '2026-11-23', count: 4 }] }));
    expect(cells(few.between(0, 9999)).at(-1)).toEqual([10 - 3, 10]);
    const many = new GridLayout(shape({ days: [{ day: '2026-11-23', count: 99 }] }));
    expect(cells(many.between(0, 9999)).at(-1)).toEqual([9, 10]);
  });

  test('goes down into a shorter row, over a heading, and stops at the ends', () => {
    const layout = new GridLayout(twoDays);
    expect(layout.below(2, 1)).toBe(3);
    expect(layout.below(3, 1)).toBe(4);
    expect(layout.below(5, 1)).toBe(8);
    expect(layout.below(5, -1)).toBe(3);
    expect(layout.below(8, 1)).toBe(8);
    expect(layout.below(1, -1)).toBe(1);
    expect(layout.below(0, 99)).toBe(7);
  });

  test('finds the pictures that a box touches', () => {
    const layout = new GridLayout(twoDays);
    expect(layout.inBox({ top: 40, bottom: 270, from: 1, to: 2 })).toEqual([1, 2, 5, 6]);
    expect(layout.inBox({ top: 5, bottom: 20, from: 0, to: 9 })).toEqual([]);
  });

  const anyShape = fc
    .record({
      counts: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 }),
      rest: fc.integer({ min: 0, max: 50 }),
      columns: fc.integer({ min: 1, max: 12 }),
      pitch: fc.integer({ min: 20, max: 300 }),
      heading: fc.integer({ min: 0, max: 60 }),
    })
    .map(({ counts, rest, ...sizes }): GridShape => ({
      ...sizes,
      count: counts.reduce((sum, count) => sum + count, 0) + rest,
      days: counts.map((count, index) => ({ day: `2026-01-${index + 1}`, count })),
    }));

  test('has every picture once, in order, on lines that do not overlap', () => {
    fc.assert(
      fc.property(anyShape, (any) => {
        const layout = new GridLayout(any);
        const lines = layout.between(0, layout.height);
        const seen = cells(lines).flatMap(([first = 0, end = 0]) =>
          Array.from({ length: end - first }, (_, i) => first + i),
        );
        expect(seen).toEqual(Array.from({ length: any.count }, (_, i) => i));
        expect(lines.map((line) => line.line)).toEqual(
          Array.from({ length: layout.lineCount }, (_, i) => i),
        );
      }),
    );
  });

  test('says of every picture the line that is drawn of it', () => {
    fc.assert(
      fc.property(anyShape, fc.nat(), (any, number) => {
        fc.pre(any.count > 0);
        const layout = new GridLayout(any);
        const index = number % any.count;
        const place = layout.lineOf(index);
        if (place?.line.kind !== 'cells') throw new Error('No line.');
        expect(place.line.first + place.column).toBe(index);
        const { top } = place.line;
        expect(layout.between(top, top).some((line) => line.line === place.line.line)).toBe(true);
      }),
    );
  });

  test('answers at a hundred thousand pictures at once', () => {
    const days = Array.from({ length: 3000 }, (_, day) => ({ day: `d${day}`, count: 40 }));
    const layout = new GridLayout(shape({ count: 120_000, days, columns: 6 }));
    const begun = performance.now();
    for (let index = 0; index < 120_000; index += 12) layout.lineOf(index);
    for (let top = 0; top < layout.height; top += 20_000) {
      expect(layout.between(top, top + 900).length).toBeLessThan(20);
    }
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
