import { expect, test } from 'vitest';
import type { ImageFilter, SearchImages } from '#api/gallery';
import { imageOf, seedLibrary } from '../helpers/library.ts';
import { newest, tempLibrary } from './helpers.ts';

const COUNT = 100_000;

test('a hundred thousand pictures', { timeout: 300_000 }, () => {
  const times: Record<string, number> = {};
  const timed = <T>(name: string, work: () => T): T => {
    const start = performance.now();
    const result = work();
    times[name] = Math.round((performance.now() - start) * 10) / 10;
    return result;
  };
  const { database } = tempLibrary();
  const history = timed('seed', () => seedLibrary(database, COUNT));
  const search = (name: string, filter: ImageFilter, sort: SearchImages['sort'] = newest) =>
    timed(name, () => history.images.search({ filter, sort })).ids;

  const all = search('first search', {});
  const { total, bin } = history.images.summary();
  expect(all).toHaveLength(total);
  expect(total + bin).toBe(COUNT);
  expect(search('all again', {})).toEqual(all);

  const guidance = { field: 'guidance', min: 3, max: 6 } as const;
  const parts = [
    { ...guidance, max: 4.5 },
    { ...guidance, min: 5 },
  ].map((range) => search('half a range', { ranges: [range] }).length);
  expect(search('range', { ranges: [guidance] })).toHaveLength((parts[0] ?? 0) + (parts[1] ?? 0));
  const tagged = search('tag', { tags: ['portrait'] });
  expect(search('text', { text: 'portr' })).toEqual(tagged);
  const { software } = timed('choices', () => history.images.choices());
  expect(software.reduce((sum, { count }) => sum + count, 0)).toBe(total);
  const [newer] = software;
  expect(search('software', { software: [newer?.name ?? ''] })).toHaveLength(newer?.count ?? 0);
  expect(search('by seed', {}, { by: 'seed', descending: false })).toHaveLength(total);

  const page = all.slice(50_000, 50_200);
  expect(timed('page of 200', () => history.images.rows(page)).map(({ id }) => id)).toEqual(page);
  timed('insert', () => history.images.insert(imageOf(COUNT)));
  timed('summary', () => history.images.summary());
  timed('first similar', () => history.images.similar(all[0] ?? 1, 50));
  const near = timed('similar', () => history.images.similar(all[1] ?? 1, 50));
  expect(near).toHaveLength(50);
  timed('delete 10,000', () => history.changes.remove(all.slice(0, 10_000)));
  timed('undo it', () => history.changes.undo());
  expect(search('after undo', {})).toHaveLength(total + 1);
  console.log('100,000 pictures, milliseconds:', times);
});
