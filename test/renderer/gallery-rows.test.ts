import { describe, expect, test } from 'vitest';
import type { ImageRow } from '../../main/api/images.ts';
import { Rows } from '../../renderer/gallery/grid/rows.svelte.ts';
import { until } from './helpers.ts';

const row = (id: number, rating = 0): ImageRow => ({
  ...{ id, seed: id, createdAt: 0, rating, starred: false, operation: 'generate', children: 0 },
  ...{ file: 'present', size: 128, guidance: 1, deletedAt: null, version: '1' },
});
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

/** A studio that answers when it is told to. */
function slowStudio() {
  const asked: (readonly number[])[] = [];
  const answers: (() => void)[] = [];
  let rating = 0;
  const rows = new Rows(
    (ids) =>
      new Promise((resolve) => {
        asked.push(ids);
        answers.push(() => resolve(ids.filter((id) => id < 9000).map((id) => row(id, rating))));
      }),
  );
  const answer = async () => {
    answers.shift()?.();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { rows, asked, answer, rate: (value: number) => void (rating = value) };
}

describe('rows', () => {
  test('are fetched once', async () => {
    const { rows, asked, answer } = slowStudio();
    rows.want('grid', [1, 2]);
    await answer();
    rows.want('grid', [2, 1]);
    expect(asked).toEqual([[1, 2]]);
    expect(rows.get(2)?.seed).toBe(2);
  });

  test('skip what was scrolled past while the studio was busy', async () => {
    const { rows, asked, answer } = slowStudio();
    rows.want('grid', [1]);
    rows.want('grid', [2]);
    rows.want('grid', [3]);
    await answer();
    await answer();
    expect(asked).toEqual([[1], [3]]);
  });

  test('are wanted by several places at once', async () => {
    const { rows, asked, answer } = slowStudio();
    rows.want('grid', [1]);
    rows.want('lineage', [7]);
    rows.want('grid', [2]);
    await answer();
    expect(asked[1]).toEqual([2, 7]);
  });

  test('come in portions', async () => {
    const { rows, asked, answer } = slowStudio();
    rows.want('grid', range(1, 1200));
    await answer();
    await answer();
    await answer();
    expect(asked.map((ids) => ids.length)).toEqual([500, 500, 200]);
  });

  test('stay on the screen while they are read again', async () => {
    const { rows, asked, answer, rate } = slowStudio();
    rows.want('grid', [1, 2]);
    await answer();
    rate(5);
    rows.outdated([2, 77]);
    expect(rows.get(2)?.rating).toBe(0);
    await answer();
    expect([rows.get(1)?.rating, rows.get(2)?.rating]).toEqual([0, 5]);
    expect(asked[1]).toEqual([2]);
  });

  test('show a change before it is confirmed', async () => {
    const { rows, answer } = slowStudio();
    rows.want('grid', [1]);
    await answer();
    rows.patch([1, 2], { rating: 4 });
    expect(rows.get(1)?.rating).toBe(4);
    expect(rows.get(2)).toBeUndefined();
  });

  test('of deleted pictures are asked for once, and again when all may have changed', async () => {
    const { rows, asked, answer } = slowStudio();
    rows.want('grid', [9001]);
    await answer();
    rows.want('grid', [9001]);
    expect(asked).toHaveLength(1);
    rows.outdated(null);
    expect(asked).toHaveLength(2);
    await answer();
  });

  test('are asked for again after a failure', async () => {
    let fails = true;
    const rows = new Rows(async (ids) => {
      if (fails) throw new TypeError('nobody answers');
      return ids.map((id) => row(id));
    });
    rows.want('grid', [1]);
    await until(() => rows.get(1) === undefined);
    fails = false;
    await new Promise((resolve) => setTimeout(resolve));
    rows.want('grid', [1]);
    await until(() => rows.get(1) !== undefined);
  });
});
