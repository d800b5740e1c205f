import { describe, expect, test } from 'vitest';
import { close, differs, exact, ids, largestDifference, levels, liveWeights } from './compare.ts';

const array = (...values: number[]) => ({
  shape: [values.length],
  data: Float32Array.from(values),
});
const bytes = (length: number, changed: Readonly<Record<number, number>> = {}) => {
  const data = new Uint8Array(length).fill(100);
  for (const [index, value] of Object.entries(changed)) data[Number(index)] = value;
  return { shape: [length], data };
};

describe('close', () => {
  const within = close(0.25);
  test('the largest difference decides', () => {
    expect(within(array(1, 2), array(1.25, 2))).toMatchObject({ ok: true, error: 0.25 });
    expect(within(array(1, 2), array(1, 2.5))).toMatchObject({ ok: false, error: 0.5 });
  });
  test('equal infinities agree, others do not', () => {
    expect(within(array(Infinity, 1), array(Infinity, 1))).toMatchObject({ ok: true, error: 0 });
    expect(within(array(Infinity), array(-Infinity)).ok).toBe(false);
    expect(within(array(Infinity), array(3)).ok).toBe(false);
  });
  test('NaN never agrees, not even with itself', () => {
    expect(within(array(NaN), array(1)).ok).toBe(false);
    expect(within(array(1), array(NaN)).ok).toBe(false);
    expect(within(array(NaN), array(NaN)).ok).toBe(false);
  });
  test('the shape has to be the same, not only the length', () => {
    const { ok, note } = within({ ...array(1, 2), shape: [1, 2] }, array(1, 2));
    expect(ok).toBe(false);
    expect(note).toBe('shape [2] of 2, expected [1, 2]');
  });
  test('too few numbers for the shape', () => {
    expect(within(array(1, 2), { shape: [2], data: [1] }).ok).toBe(false);
  });
  test('nothing to compare', () => {
    expect(within(array(), array())).toMatchObject({ ok: true, error: 0 });
  });
});

describe('exact', () => {
  test('counts what differs', () => {
    expect(exact(array(1, 2, 3), array(1, 5, 4))).toMatchObject({
      ok: false,
      error: 3,
      note: '2 of 3 differ',
    });
    expect(exact(array(1, 2), array(1, 2))).toMatchObject({ ok: true, note: '0 of 2 differ' });
  });
  test('a smallest difference counts', () => {
    expect(exact(array(1), { shape: [1], data: [1 + Number.EPSILON] }).ok).toBe(false);
  });
});

describe('ids', () => {
  const of = (shape: readonly number[], changed: Readonly<Record<number, number>> = {}) => {
    const data = new Int32Array(shape.reduce((product, size) => product * size, 1)).fill(7);
    for (const [index, value] of Object.entries(changed)) data[Number(index)] = value;
    return { shape, data };
  };
  const head = 'ids that differ, as computed/recorded:';

  test('that agree need no words', () => {
    const found = ids(of([2, 3]), of([2, 3]));
    expect(found).toMatchObject({ ok: true, rule: 'exact', note: '0 of 6 differ' });
    expect(found.details).toBeUndefined();
  });
  test('of a run have steps, pictures and positions', () => {
    expect(ids(of([3, 2, 4], { 13: 9 }), of([3, 2, 4], { 23: 5 }))).toMatchObject({
      ok: false,
      note: '2 of 24 differ',
      details: [head, 'step 2, picture 1, position 1: 7/9', 'step 3, picture 1, position 3: 5/7'],
    });
  });
  test('of pictures have no steps', () => {
    expect(ids(of([2, 4]), of([2, 4], { 5: 8 })).details).toEqual([
      head,
      'picture 1, position 1: 8/7',
    ]);
  });
  test('beyond twenty are counted', () => {
    const wrong = { shape: [1, 23], data: new Int32Array(23) };
    const { details = [] } = ids(of([1, 23]), wrong);
    expect(details).toHaveLength(22);
    expect(details.at(-2)).toBe('picture 0, position 19: 0/7');
    expect(details.at(-1)).toBe('and 3 more');
    const twenty = { shape: [1, 20], data: new Int32Array(20) };
    expect(ids(of([1, 20]), twenty).details?.at(-1)).toBe('picture 0, position 19: 0/7');
  });
  test('of another shape have no places', () => {
    const found = ids(of([2, 3]), of([6]));
    expect(found.ok).toBe(false);
    expect(found.details).toBeUndefined();
  });
});

describe('levels', () => {
  test('one level in few values', () => {
    expect(levels(bytes(1000), bytes(1000, { 3: 101 }))).toMatchObject({ ok: true, error: 1 });
  });
  test('one level in too many', () => {
    expect(levels(bytes(1000), bytes(1000, { 3: 101, 4: 99 })).ok).toBe(false);
  });
  test('two levels in one', () => {
    expect(levels(bytes(1000), bytes(1000, { 3: 102 })).ok).toBe(false);
  });
});

describe('differs', () => {
  test('a decoy must not be met', () => {
    expect(differs(0.1)(array(1, 2), array(1, 2)).ok).toBe(false);
    expect(differs(0.1)(array(1, 2), array(1, 2.05)).ok).toBe(false);
    expect(differs(0.1)(array(1, 2), array(1, 3)).ok).toBe(true);
  });
  test('NaN is no difference', () => {
    expect(differs(0.1)(array(1), array(NaN)).ok).toBe(false);
    expect(differs(0.1)(array(1), array(1, 5)).ok).toBe(false);
  });
});

describe('live weights', () => {
  const rule = liveWeights(array(1, 2), 0.1);
  test('that gave something else are a decoy', () => {
    expect(rule(array(1, 3), array(1, 2))).toMatchObject({ ok: true, error: 1 });
    expect(rule(array(1, 3), array(1, 3))).toMatchObject({ ok: false, rule: '> 1e-1 (decoy)' });
  });
  test('that equal their average have to be met', () => {
    expect(rule(array(1, 2.01), array(1, 2))).toMatchObject({ ok: true, rule: '≤ 1e-1' });
    expect(rule(array(1, 2), array(1, 3)).ok).toBe(false);
    expect(rule(array(1, 2), array(1, NaN)).ok).toBe(false);
  });
});

test('largestDifference takes any array of numbers', () => {
  expect(largestDifference([1, -4], Int32Array.of(1, 2))).toBe(6);
});
