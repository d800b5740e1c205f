import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import type { Recipe, RecipeSource } from '#api/recipe';
import { createHistory, type History } from '#history/history';
import type { NewImage } from '#history/types';

/** A time to start tests from: 23 November 2026, noon in UTC. */
export const NOON = Date.UTC(2026, 10, 23, 12);

const base64 = (values: Float32Array | Uint16Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

/** The same numbers on every run, without a pattern that an index could profit from. */
export function scramble(i: number): number {
  let x = Math.imul(i + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** f32 [256] of a picture. */
export function representationOf(i: number, dimensions = 256): Float32Array {
  const values = new Float32Array(dimensions);
  let state = scramble(i) | 1;
  for (let d = 0; d < dimensions; d++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[d] = state / 2 ** 31 - 1;
  }
  return values;
}

/** A complete recipe, different for each `i` in every field that can be filtered. */
export function recipeOf(i: number, changes: Partial<Recipe> = {}): Recipe {
  const n = scramble(i);
  const tokens = Uint16Array.from({ length: 256 }, (_, t) => (n + t * 7) % 1024);
  const sampled: RecipeSource = {
    kind: 'sample',
    rdmSteps: [50, 100, 250][n % 3] ?? 50,
    eta: (n % 5) / 4,
    label: n % 4 === 0 ? null : n % 10,
  };
  return {
    version: 1,
    software: `rcg-studio 0.${n % 6 === 0 ? 10 : 9}.0`,
    model: { id: n % 10 === 0 ? 'rcg-b' : 'starter', hash: (n % 10 === 0 ? 'b' : 'a').repeat(64) },
    target: n % 3 === 0 ? 'cpu-float32' : 'cpu-int8',
    seed: n % 7 === 0 ? Number.MAX_SAFE_INTEGER - i : n,
    source: n % 11 === 0 ? { kind: 'picture', name: 'cat.png' } : sampled,
    steps: 8 + (n % 4) * 4,
    temperature: 4 + (n % 9),
    guidance: (n % 25) / 2,
    schedule: (['linear', 'linear', 'cosine', 'constant'] as const)[n % 4] ?? 'linear',
    representation: base64(representationOf(i)),
    tokens: base64(tokens),
    tokenHash: createHash('sha256').update(tokens).digest('hex'),
    ...changes,
  };
}

/** A picture, ready to be inserted. */
export function imageOf(i: number, changes: Partial<NewImage> = {}): NewImage {
  const n = scramble(i);
  return {
    uid: `picture-${i}`,
    path: `2026/11/${String(i).padStart(6, '0')}.png`,
    // Five minutes apart, a little out of order.
    createdAt: NOON - 300_000 * i + (n % 600_000),
    recipe: recipeOf(i),
    modelTitle: n % 10 === 0 ? 'RCG-B' : 'Starter',
    operation:
      (['generate', 'generate', 'generate', 'variation', 'import'] as const)[n % 5] ?? 'generate',
    size: 256,
    bytes: 90_000 + (n % 20_000),
    version: String(n),
    times: { representation: 12.5, tokens: 400, pixels: 80 },
    ...changes,
  };
}

/**
 * Fills a library with `count` pictures, of which some are rated, starred, tagged, noted, on boards
 * and in the bin. One transaction; the history to use afterwards is the result. `changes` says what
 * is different in a picture, such as the place of its file.
 */
export function seedLibrary(
  database: Database,
  count: number,
  changes: (i: number) => Partial<NewImage> = () => ({}),
): History {
  const history = createHistory(database, { now: () => NOON });
  const insert = (i: number) => history.images.insert(imageOf(i, changes(i)));
  database.transaction(() => {
    const ids = Array.from({ length: count }, (_, i) => insert(i).id);
    const share = (of: number, rest = 0) => ids.filter((id) => scramble(id) % of === rest);
    for (let rating = 1; rating <= 5; rating++) {
      database
        .prepare('UPDATE images SET rating = ? WHERE id IN (SELECT value FROM json_each(?))')
        .run(rating, JSON.stringify(share(10, rating)));
    }
    const change = (some: readonly number[], what: object): void => {
      if (some.length > 0) history.changes.update({ ids: [...some], ...what });
    };
    change(share(20), { starred: true });
    change(share(3), { addTags: ['portrait'] });
    change(share(7), { addTags: ['red', '夕焼け'] });
    change(share(50), { addTags: ['keeper'], note: 'A quiet harbour at dusk, 静かな港' });
    change(share(9), { addToBoard: history.boards.create('Cats').id });
    change(share(200), { addToBoard: history.boards.create('Print').id });
    const binned = share(40);
    if (binned.length > 0) history.changes.remove(binned);
    database.exec('DELETE FROM operations');
  })();
  return history;
}
