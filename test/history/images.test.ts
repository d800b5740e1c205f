import { describe, expect, test } from 'vitest';
import { imageOf, recipeOf, representationOf } from '../helpers/library.ts';
import { newest, refusal, tempLibrary } from './helpers.ts';

describe('a picture', () => {
  test('comes back with everything that it went in with', () => {
    const { history } = tempLibrary();
    const parent = history.images.insert(imageOf(0)).id;
    const parents = [{ id: parent, operation: 'variation' as const }];
    const image = imageOf(1, { parents, operation: 'variation' });
    const { id, inserted } = history.images.insert(image);
    const { uid, path, createdAt, recipe, modelTitle, size, bytes, version, times } = image;
    expect(inserted).toBe(true);
    expect(history.images.get(id)).toEqual({
      ...{ id, uid, path, createdAt, recipe, modelTitle, size, bytes, version, times, parents },
      ...{ operation: 'variation', seed: recipe.seed, guidance: recipe.guidance },
      ...{ rating: 0, starred: false, note: '', tags: [], boards: [], job: null },
      ...{ deletedAt: null, file: 'present', children: 0, childIds: [], replay: null },
    });
    // The text in a file is made of this: its keys have their order.
    expect(JSON.stringify(history.images.get(id).recipe)).toBe(JSON.stringify(recipe));
    expect(history.images.get(parent)).toMatchObject({ children: 1, childIds: [id] });
    history.changes.remove([id]);
    expect(history.images.get(parent)).toMatchObject({ children: 0, childIds: [id] });
  });

  test.each([
    { kind: 'picture', name: 'cat.png' },
    { kind: 'representation', name: 'r.npy' },
    { kind: 'interpolation', from: '1', to: '2', mode: 'slerp', at: 0.25 },
  ] as const)('from $kind', (source) => {
    const { history } = tempLibrary();
    const recipe = recipeOf(3, { source });
    const { id } = history.images.insert(imageOf(3, { recipe }));
    expect(history.images.get(id).recipe).toEqual(recipe);
    expect(history.images.count({ ranges: [{ field: 'eta', min: 0 }] })).toBe(0);
  });

  test('of another program is known by its file, and by its seed only where we made it', () => {
    const { history } = tempLibrary();
    const recipe = recipeOf(3, { source: { kind: 'picture', name: 'cat.png' } });
    const foreign = history.images.insert(imageOf(3, { recipe, operation: 'import' })).id;
    const made = history.images.insert(imageOf(4, { recipe, operation: 'variation' })).id;
    const rows = history.images.rows([foreign, made]);
    expect(rows.map(({ importedAs }) => importedAs)).toEqual(['cat.png', undefined]);
    expect(history.images.get(foreign)).toMatchObject({ importedAs: 'cat.png' });
    expect(history.images.get(made)).not.toHaveProperty('importedAs');
    expect(history.images.highestSeed()).toBe(recipe.seed);
  });

  test('a uid enters once; a reindex gives what is there', () => {
    const { history } = tempLibrary();
    const first = history.images.insert(imageOf(1));
    const again = history.images.insert(imageOf(1, { path: 'elsewhere.png', bytes: 1 }));
    expect(again).toEqual({ id: first.id, inserted: false });
    expect(history.images.byUid('picture-1')).toBe(first.id);
    expect(history.images.byUid('picture-2')).toBeNull();
    expect(history.images.get(first.id).path).toBe(imageOf(1).path);
    expect(history.images.summary().total).toBe(1);
  });

  test.each([-1, NaN, 0.5, 1e17, Infinity])('of the time %d is refused', (createdAt) => {
    const { history } = tempLibrary();
    const insert = () => history.images.insert(imageOf(1, { createdAt }));
    expect(refusal(insert)).toBe('invalid-request: createdAt');
    expect(history.images.summary().total).toBe(0);
  });

  test('a path belongs to one picture; what fails leaves nothing', () => {
    const { history } = tempLibrary();
    history.images.insert(imageOf(1));
    const other = imageOf(2, { path: imageOf(1).path });
    expect(() => history.images.insert(other)).toThrow(/UNIQUE/);
    expect(history.images.summary().total).toBe(1);
    expect(history.images.search({ filter: {}, sort: newest }).ids).toHaveLength(1);
  });

  test('parents that are gone, or itself, are left out', () => {
    const { history } = tempLibrary();
    const parents = [1, 7, 99].map((id) => ({ id, operation: 'variation' as const }));
    const { id } = history.images.insert(imageOf(1, { parents }));
    expect(history.images.get(id).parents).toEqual([]);
  });
});

describe('rows', () => {
  test('come in the order asked for, without those that are gone', () => {
    const { history } = tempLibrary();
    for (let i = 0; i < 5; i++) history.images.insert(imageOf(i));
    expect(history.images.rows([4, 99, 2, 5, 2]).map(({ id }) => id)).toEqual([4, 2, 5, 2]);
    expect(history.images.rows([])).toEqual([]);
    const { recipe, createdAt, size, version, operation } = imageOf(1);
    expect(history.images.rows([2])).toEqual([
      {
        ...{ id: 2, seed: recipe.seed, createdAt, rating: 0, starred: false, operation, size },
        ...{ children: 0, file: 'present', guidance: recipe.guidance, deletedAt: null, version },
      },
    ]);
  });
});

describe('files', () => {
  test('a lost, a dropped and a rebuilt file are noted and counted', () => {
    const { history } = tempLibrary();
    const { id } = history.images.insert(imageOf(1));
    const { bytes } = imageOf(1);
    expect(history.images.summary().bytes).toBe(bytes);
    history.images.setFile(id, { state: 'missing' });
    expect(history.images.summary().bytes).toBe(0);
    expect([...history.images.files()]).toEqual([{ id, path: imageOf(1).path, state: 'missing' }]);
    history.images.setFile(id, { state: 'present', version: 'v2', bytes: 50, path: 'new.png' });
    expect(history.images.get(id)).toMatchObject({
      ...{ file: 'present', version: 'v2', bytes: 50, path: 'new.png' },
    });
    expect(history.images.summary().bytes).toBe(50);
    expect(refusal(() => history.images.setFile(99, { state: 'missing' }))).toBe('not-found');
  });

  test('are given up by their rows first; what is to be deleted stays listed', () => {
    const { history } = tempLibrary();
    const ids = [1, 2, 3].map((i) => history.images.insert(imageOf(i)).id);
    const [first = 0, second = 0, third = 0] = ids;
    history.images.setFile(second, { state: 'missing' });
    const paths = [imageOf(1).path];
    expect(history.images.dropFiles([first, second, first, 99])).toEqual(paths);
    expect(history.images.rows(ids).map(({ file }) => file)).toEqual([
      'dropped',
      'missing',
      'present',
    ]);
    expect(history.bin.doomedFiles()).toEqual(paths);
    expect(history.images.dropFiles([first])).toEqual([]);
    expect(history.images.summary().bytes).toBe(history.images.get(third).bytes);
    history.bin.filesDeleted(paths);
    expect(history.bin.doomedFiles()).toEqual([]);
    expect(history.images.get(first).recipe).toEqual(imageOf(1).recipe);
  });
});

describe('similar pictures', () => {
  const cosine = (a: Float32Array, b: Float32Array): number => {
    const dot = (x: Float32Array, y: Float32Array) =>
      x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  const library = (count: number, dimensions: number) => {
    const made = tempLibrary();
    const add = (i: number, values = representationOf(i, dimensions)) => {
      const representation = Buffer.from(values.buffer).toString('base64');
      return made.history.images.insert(imageOf(i, { recipe: recipeOf(i, { representation }) })).id;
    };
    // One transaction, for speed alone.
    const addAll = (from: number, to: number) =>
      made.database.transaction(() => {
        for (let i = from; i <= to; i++) add(i);
      })();
    addAll(1, count);
    return { ...made, add, addAll };
  };
  const expected = (count: number, id: number, dimensions: number) =>
    Array.from({ length: count }, (_, i) => i + 1)
      .filter((other) => other !== id)
      .map((other) => ({
        id: other,
        cosine: cosine(representationOf(id, dimensions), representationOf(other, dimensions)),
      }))
      .sort((a, b) => b.cosine - a.cosine);

  test.each([1, 7, 8, 9, 256])('are the nearest by cosine, in %d dimensions', (dimensions) => {
    const { history } = library(300, dimensions);
    const found = history.images.similar(5, 20);
    const wanted = expected(300, 5, dimensions).slice(0, 20);
    expect(found).toHaveLength(20);
    found.forEach((one, i) => expect(one.cosine).toBeCloseTo(wanted[i]?.cosine ?? NaN, 5));
    if (dimensions > 1) expect(found.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
  });

  test('follow what is added, deleted, restored and purged', () => {
    const { history, add, addAll } = library(40, 16);
    const ids = () => history.images.similar(1, 500).map(({ id }) => id);
    const all = () => ids().sort((a, b) => a - b);
    const best = ids()[0] ?? 0;
    history.changes.remove([best]);
    expect(ids()).not.toContain(best);
    history.changes.undo();
    expect(ids()[0]).toBe(best);
    // Past the room that was made at first.
    addAll(41, 3000);
    expect(ids()).toEqual(
      expected(3000, 1, 16)
        .slice(0, 500)
        .map(({ id }) => id),
    );
    history.changes.remove(Array.from({ length: 2980 }, (_, i) => i + 21));
    history.bin.purge();
    expect(all()).toEqual(Array.from({ length: 19 }, (_, i) => i + 2));
    add(3001);
    expect(all()).toContain(3001);
    // A picture in the bin can still be asked about.
    history.changes.remove([2]);
    expect(history.images.similar(2, 500)).toHaveLength(20);
  });

  test('have the same number of dimensions; nothing is near to nothing', () => {
    const { history, add } = library(5, 16);
    const other = add(6, representationOf(6, 8));
    const none = add(7, new Float32Array(16));
    expect(history.images.similar(other, 10)).toEqual([]);
    expect(history.images.similar(none, 10).map(({ cosine: value }) => value)).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(history.images.similar(1, 10).at(-1)?.id).not.toBe(other);
    expect(refusal(() => history.images.similar(99, 10))).toBe('not-found');
    expect(history.images.representation(2)).toEqual(representationOf(2, 16));
  });
});
