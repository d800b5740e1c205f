import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '#api/errors';
import type { Recipe } from '#api/recipe';
import type { CreateJob } from '#api/jobs';

export type MakeSettings = CreateJob['settings'];

/** A picture as a host hands it out. */
export interface Made {
  readonly recipe: Recipe;
  readonly png: Uint8Array;
  /** What the host calls it by: an id, or a file. */
  readonly handle: string;
}

/**
 * What every host can do, one that has no library too. A refusal rejects with an error that has the
 * contract's `code` and, where a field is to blame, the contract's name of it as `field`.
 */
export interface Abilities {
  readonly make: (settings: MakeSettings) => Promise<readonly Made[]>;
  readonly replay: (made: Made) => Promise<{ readonly tokens: number; readonly differing: number }>;
  /** Id and state of each installed model. */
  readonly models: () => Promise<readonly (readonly [id: string, state: string])[]>;
  /** How many problems there are. */
  readonly verify: (id: string) => Promise<number>;
  readonly remove: (id: string) => Promise<unknown>;
  /** Reads checkpoints, and says what an import would give. */
  readonly offer: (files: readonly string[]) => Promise<unknown>;
  /** Whether this machine can make pictures. */
  readonly works: () => Promise<boolean>;
}

/** Settings that no host takes. Without a code it is `invalid-request`. */
interface Refusal {
  readonly what: string;
  readonly settings: MakeSettings;
  readonly code?: ErrorCode;
  /** Who is to blame. */
  readonly field?: string;
}
const REFUSED: readonly Refusal[] = [
  { what: 'steps beyond the limit', settings: { steps: 1001 }, field: 'steps' },
  { what: 'no steps', settings: { steps: 0 }, field: 'steps' },
  { what: 'half a step', settings: { steps: 1.5 }, field: 'steps' },
  { what: 'RDM steps beyond the limit', settings: { rdmSteps: 501 }, field: 'rdmSteps' },
  { what: 'no pictures', settings: { count: 0 }, field: 'count' },
  { what: 'too many pictures', settings: { count: 1001 }, field: 'count' },
  { what: 'a seed that is no number', settings: { seed: NaN }, field: 'seed' },
  { what: 'a seed below 0', settings: { seed: -1 }, field: 'seed' },
  {
    what: 'a seed so large that the last picture’s is none',
    settings: { seed: Number.MAX_SAFE_INTEGER, count: 2 },
    field: 'seed',
  },
  { what: 'guidance without end', settings: { guidance: Infinity }, field: 'guidance' },
  { what: 'guidance beyond the limit', settings: { guidance: 101 }, field: 'guidance' },
  { what: 'more noise than there is', settings: { eta: 2 }, field: 'eta' },
  { what: 'a temperature below 0', settings: { temperature: -1 }, field: 'temperature' },
  { what: 'no chunk', settings: { chunk: 0 }, field: 'chunk' },
  { what: 'a class where there are none', settings: { label: 1 }, field: 'label' },
  { what: 'a missing model', settings: { model: 'none' }, code: 'model-not-found' },
];

/** What every host must do alike, the command line too. `connect` gives a fresh start. */
export function shared(name: string, connect: () => Promise<Abilities>): void {
  describe(`making pictures over ${name}`, () => {
    test('gives whole PNGs, with every setting in their recipes', async () => {
      const { make } = await connect();
      const settings = { count: 2, seed: 40, steps: 3, rdmSteps: 6, guidance: 2.5, temperature: 2 };
      const made = await make({ ...settings, schedule: 'cosine', eta: 0.5, target: 'portable' });
      expect(made.map(({ recipe }) => recipe)).toMatchObject(
        [40, 41].map((seed) => ({
          version: 1,
          model: { id: 'tiny' },
          target: 'portable',
          seed,
          source: { kind: 'sample', rdmSteps: 6, eta: 0.5, label: null },
          steps: 3,
          temperature: 2,
          guidance: 2.5,
          schedule: 'cosine',
        })),
      );
      for (const { png } of made) {
        expect(await sharp(png).metadata()).toMatchObject({
          format: 'png',
          width: 32,
          height: 32,
        });
      }
    });

    test('gives the same pictures for a seed in any job, and again from their recipes', async () => {
      const { make, replay } = await connect();
      const many = await make({ count: 3, seed: 7, chunk: 2 });
      const [one] = await make({ count: 1, seed: 8 });
      expect(one?.recipe.tokenHash).toBe(many[1]?.recipe.tokenHash);
      expect(new Set(many.map(({ recipe }) => recipe.tokenHash)).size).toBe(3);
      for (const made of many) {
        expect(await replay(made)).toEqual({ tokens: 256, differing: 0 });
      }
    });

    test('refuses settings that nothing can be made with', async () => {
      const { make } = await connect();
      for (const { what, settings, code = 'invalid-request', field } of REFUSED) {
        await refuses(make(settings), code, field).catch((error: unknown) => {
          throw new Error(what, { cause: error });
        });
      }
    });
  });

  describe(`models over ${name}`, () => {
    test('are listed and found sound, on a machine that can use them', async () => {
      const { models, verify, works } = await connect();
      expect(await models()).toContainEqual(['tiny', 'ready']);
      expect(await verify('tiny')).toBe(0);
      expect(await works()).toBe(true);
    });

    test('that are not there, or no checkpoints, are refused', async () => {
      const { verify, remove, offer, models } = await connect();
      await refuses(verify('none'), 'model-not-found');
      await refuses(remove('none'), 'model-not-found');
      await refuses(offer(['/nowhere/mage.pth']), 'file-unavailable');
      await refuses(offer([import.meta.filename]), 'checkpoint-unreadable');
      expect(await models()).toContainEqual(['tiny', 'ready']);
    });
  });
}

async function refuses(call: Promise<unknown>, code: ErrorCode, field?: string): Promise<void> {
  const error: unknown = await call.then(
    () => 'it was accepted',
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
  expect((error as Error).message.length).toBeGreaterThan(10);
}

/** What every host can do with the pictures that it keeps. */
export interface Keeping {
  /** Makes one picture of a seed, and keeps it; gives its id. */
  readonly make: (seed: number) => Promise<number>;
  readonly find: (query: {
    readonly seed?: number;
    readonly tag?: string;
    readonly rating?: number;
    readonly bin?: true;
  }) => Promise<readonly number[]>;
  readonly rate: (id: number, rating: number) => Promise<unknown>;
  readonly tag: (id: number, tag: string) => Promise<unknown>;
  readonly remove: (id: number) => Promise<unknown>;
  readonly restore: (id: number) => Promise<unknown>;
}

/** What every host must do alike with kept pictures, the command line too. */
export function keeping(name: string, connect: () => Promise<Keeping>): void {
  test(`pictures are kept, marked, found, deleted and restored over ${name}`, async () => {
    const { make, find, rate, tag, remove, restore } = await connect();
    const seed = 70_123;
    const id = await make(seed);
    const other = await make(seed + 1);
    expect(await find({ seed })).toEqual([id]);
    await rate(id, 4);
    await tag(id, '夕焼け 70123');
    expect(await find({ seed, rating: 4 })).toEqual([id]);
    expect(await find({ seed, rating: 5 })).toEqual([]);
    expect(await find({ tag: '夕焼け 70123' })).toEqual([id]);
    await remove(id);
    expect(await find({ seed })).toEqual([]);
    expect(await find({ seed, bin: true })).toEqual([id]);
    expect(await find({ seed: seed + 1 })).toEqual([other]);
    await restore(id);
    expect(await find({ tag: '夕焼け 70123', rating: 4 })).toEqual([id]);
    await refuses(rate(id, 6), 'invalid-request', 'rating');
  });
}
