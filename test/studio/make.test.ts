import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import type { Recipe } from '#api/recipe';
import { parseNpy, writeNpy } from '#pictures/npy';
import { readPicture, readPngText } from '#pictures/pictures';
import { insertTexts, readText, RECIPE_KEYWORD } from '#pictures/png';
import { parseRecipe } from '#pictures/recipe';
import { decodeFile, encodeFiles } from '#studio/making/convert';
import { readEndpoint } from '#studio/making/endpoint';
import { generate, type GenerateFiles } from '#studio/making/generate';
import { inspectFile } from '#studio/making/inspect';
import type { MadePicture } from '#studio/making/make';
import { makePath } from '#studio/making/path';
import { replayFile } from '#studio/making/replay';
import { openLibrary } from '#studio/models/installed';
import type { Studio } from '#studio/studio';
import type { Methods } from '#worker/protocol';
import {
  defaultAnswers,
  failure,
  fakeEngine,
  fakePicture,
  temporaryFolder,
  tinyManifest,
  writeBundle,
  type Answers,
} from './helpers.ts';

const { signal } = new AbortController();

async function setUp(answers: Answers = {}) {
  const root = await temporaryFolder();
  const models = join(root, 'home', 'models');
  await writeBundle(models, tinyManifest());
  const engine = fakeEngine(answers);
  const studio: Studio = {
    home: { root: join(root, 'home'), models, cache: join(root, 'home', 'cache') },
    library: openLibrary(models, []),
    engine,
    newSeed: () => 40,
    software: 'rcg-studio 0.0.0',
  };
  const out = join(root, 'out');
  const run = async (request: Partial<GenerateFiles> = {}): Promise<readonly MadePicture[]> =>
    generate(studio, { model: 'tiny', out, ...request }, { signal, onPicture: () => undefined });
  return { root, out, studio, engine, run };
}

async function aPicture(path: string): Promise<string> {
  await sharp({ create: { width: 6, height: 5, channels: 3, background: '#808080' } })
    .png()
    .toFile(path);
  return path;
}

describe('generate', () => {
  test('writes a picture a seed, with its recipe inside', async () => {
    const { run, out } = await setUp();
    const made = await run({ seed: 7, count: 2 });
    expect(await readdir(out)).toEqual(['tiny-7.png', 'tiny-8.png']);
    expect(made.map(({ written }) => written)).toEqual(['new', 'new']);
    const file = join(out, 'tiny-8.png');
    const recipe = parseRecipe((await readPngText(file))?.recipe ?? '', file);
    expect(recipe).toEqual(made[1]?.recipe);
    expect(recipe).toMatchObject({
      software: 'rcg-studio 0.0.0',
      model: { id: 'tiny', hash: 'a'.repeat(64) },
      target: 'cpu-float32',
      seed: 8,
      source: { kind: 'sample', rdmSteps: 250, eta: 1, label: 3 },
    });
    expect((await readPicture(file)).data).toEqual(fakePicture(1, 8).image);
  });

  test('the same again leaves the same bytes; other settings get a name of their own', async () => {
    const { run, out } = await setUp();
    await run({ seed: 7 });
    const before = await readFile(join(out, 'tiny-7.png'));
    expect((await run({ seed: 7 }))[0]?.written).toBe('same');
    for (const guidance of [6, 5]) await run({ seed: 7, guidance });
    const again = await run({ seed: 7, guidance: 5 });
    expect(again).toMatchObject([{ path: join(out, 'tiny-7-3.png'), written: 'same' }]);
    expect(await readFile(join(out, 'tiny-7.png'))).toEqual(before);
    expect(await readdir(out)).toEqual(['tiny-7-2.png', 'tiny-7-3.png', 'tiny-7.png']);
  });

  test('pictures of one seed from several files keep their names apart', async () => {
    const { root, run, out } = await setUp();
    for (const name of ['a.png', 'b.png']) {
      await run({ seed: 7, fromImage: await aPicture(join(root, name)) });
    }
    expect(await readdir(out)).toEqual(['tiny-7-2.png', 'tiny-7.png']);
  });

  test('a picture of ours whose pixels were changed is made whole again', async () => {
    const { run, out } = await setUp();
    await run({ seed: 7 });
    const file = join(out, 'tiny-7.png');
    const whole = await readFile(file);
    const { recipe } = (await readPngText(file)) ?? {};
    const other = await sharp({
      create: { width: 2, height: 2, channels: 3, background: '#000' },
    })
      .png()
      .toBuffer();
    await writeFile(file, insertTexts(other, [{ keyword: RECIPE_KEYWORD, text: recipe ?? '' }]));
    expect((await run({ seed: 7 }))[0]?.written).toBe('replaced');
    expect(await readFile(file)).toEqual(whole);
  });

  test('a foreign file in the way is refused before anything is made', async () => {
    const { run, out, engine } = await setUp();
    await run({ seed: 8 });
    await writeFile(join(out, 'tiny-7.png'), await readFile(join(out, 'tiny-8.png')));
    engine.asked.length = 0;
    expect(await failure(() => run({ seed: 6, count: 2 }))).toMatchObject({
      code: 'file-unavailable',
      field: 'out',
    });
    expect(engine.asked).toEqual([]);
    expect(await readdir(out)).toEqual(['tiny-7.png', 'tiny-8.png']);
  });

  test.each<[Partial<GenerateFiles>, string, string]>([
    [{ steps: 0 }, 'invalid-request', 'steps'],
    [{ model: 'none' }, 'model-not-found', 'model'],
    [{ fromImage: 'a.png', representation: 'b.npy' }, 'invalid-request', 'representation'],
    [{ fromImage: 'a.png', class: '1' }, 'invalid-request', 'class'],
    [{ out: '/proc/nowhere' }, 'file-unavailable', 'out'],
  ])('%o is refused before the engine is asked', async (request, code, field) => {
    const { run, engine } = await setUp();
    expect(await failure(() => run(request))).toMatchObject({ code, field });
    expect(engine.asked).toEqual([]);
  });

  test('from a picture', async () => {
    const { run, root, engine } = await setUp();
    const [made] = await run({ fromImage: await aPicture(join(root, 'cat.png')), count: 2 });
    expect(made?.recipe.source).toEqual({ kind: 'picture', name: 'cat.png' });
    expect(engine.asked).toEqual(['encode', 'open', 'generate']);
  });

  test('from a picture that is none: said before anything is made', async () => {
    const { run, root } = await setUp();
    await writeFile(join(root, 'cat.png'), 'meow');
    expect((await failure(() => run({ fromImage: join(root, 'cat.png') }))).code).toBe(
      'picture-unreadable',
    );
  });

  test('from representations: one picture a row, or as many as asked for', async () => {
    const { run, root } = await setUp();
    const file = join(root, 'reps.npy');
    await writeFile(file, writeNpy([2, 4], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
    const made = await run({ representation: file });
    expect(made.map(({ recipe }) => recipe.seed)).toEqual([40, 41]);
    expect(made[0]?.recipe.source).toEqual({ kind: 'representation', name: 'reps.npy' });
    expect(await run({ representation: file, count: 3 })).toHaveLength(3);
    await writeFile(file, writeNpy([3], Float32Array.of(1, 2, 3)));
    expect((await failure(() => run({ representation: file }))).message).toMatch(/has 4 numbers/);
  });
});

describe('a batch that ends early', () => {
  const half = (error: Error): Answers => ({
    generate: ({ plan }, emit) => {
      emit({ kind: 'picture', picture: fakePicture(0, plan.seeds[0] ?? 0) });
      return Promise.reject(error);
    },
  });

  test.each(['engine-crashed', 'cancelled', 'out-of-memory'] as const)(
    'by %s: says how many pictures are whole, and they are',
    async (code) => {
      const { run, out } = await setUp(half(new StudioError(code, 'It ended.')));
      expect(await failure(() => run({ seed: 1, count: 3 }))).toMatchObject({
        code,
        message: 'It ended. 1 of 3 pictures had been written; they are whole.',
      });
      expect(await readdir(out)).toEqual(['tiny-1.png']);
      await readPicture(join(out, 'tiny-1.png'));
    },
  );

  test('because the disk fails: the engine is stopped too', async () => {
    let stopped = false;
    const { run, out } = await setUp({
      generate: async ({ plan }, emit, inner) => {
        emit({ kind: 'picture', picture: fakePicture(0, plan.seeds[0] ?? 0) });
        await new Promise((resolve) => inner?.addEventListener('abort', resolve));
        stopped = true;
        throw new StudioError('cancelled', 'Cancelled.');
      },
      open: async () => {
        // A file takes the folder's place between the check and the writing.
        await rm(out, { recursive: true });
        await writeFile(out, '');
        return defaultAnswers.open();
      },
    });
    expect(await failure(() => run({ seed: 1, count: 3 }))).toMatchObject({
      code: 'file-unavailable',
      message: expect.stringMatching(/No picture had been written/) as string,
    });
    expect(stopped).toBe(true);
  });

  test('progress never falls, and ends at 1', async () => {
    const { studio, out } = await setUp({
      generate: (request, emit) => {
        const grid = new Int32Array(16);
        const noise = new Float32Array(16);
        for (let step = 1; step <= 4; step++) {
          const report = { index: 1, step, steps: 4, guidance: 0, tokens: grid, sampled: grid };
          emit({
            kind: 'step',
            report: { ...report, probability: noise, entropy: noise, second: noise },
          });
        }
        return defaultAnswers.generate(request, emit);
      },
    });
    const parts: number[] = [];
    await generate(
      studio,
      { model: 'tiny', out, count: 2 },
      { signal, onPicture: () => undefined, onProgress: (part) => parts.push(part) },
    );
    expect(parts).toEqual([...parts].sort((a, b) => a - b));
    expect(parts.at(-1)).toBe(1);
  });
});

describe('replay', () => {
  test('is identical, or says what differs', async () => {
    const { run, out, studio } = await setUp();
    await run({ seed: 7 });
    const file = join(out, 'tiny-7.png');
    expect(await replayFile(studio, file, signal)).toEqual({
      identical: true,
      tokens: 16,
      tokensDiffer: 0,
      valuesDiffer: 0,
    });
    const changed = fakeEngine({
      generate: (_, emit) => {
        const picture = fakePicture(0, 7);
        emit({
          kind: 'picture',
          picture: { ...picture, tokens: picture.tokens.map((id, i) => (i < 3 ? 7 - id : id)) },
        });
        return Promise.resolve({ pictures: 1 });
      },
    });
    expect(await replayFile({ ...studio, engine: changed }, file, signal)).toMatchObject({
      identical: false,
      tokensDiffer: 3,
    });
  });

  test('asks for the target that made the picture', async () => {
    const asked: Methods['generate']['request'][] = [];
    const { run, out, studio } = await setUp({
      generate: (request, emit) => {
        asked.push(request);
        return defaultAnswers.generate(request, emit);
      },
    });
    await run({ seed: 7, class: 1, steps: 9 });
    await replayFile(studio, join(out, 'tiny-7.png'), signal);
    expect(asked[1]).toMatchObject({
      model: { target: 'cpu-float32' },
      plan: { seeds: [7], decoding: { steps: 9 }, source: { labels: [3] } },
    });
  });

  test('refuses a recipe that its model cannot have made', async () => {
    const { run, out, studio } = await setUp();
    await run({ seed: 7 });
    const file = join(out, 'tiny-7.png');
    const png = await readFile(file);
    const recipe = JSON.parse(readText(png, RECIPE_KEYWORD, 'a.png') ?? '') as Recipe;
    const tokens = Buffer.alloc(20);
    const tokenHash = createHash('sha256').update(tokens).digest('hex');
    for (const [what, changes] of [
      ['class', { source: { ...recipe.source, label: 77 } }],
      ['tokens', { tokens: tokens.toString('base64'), tokenHash }],
      ['representation', { representation: Buffer.alloc(20).toString('base64') }],
    ] as const) {
      const text = JSON.stringify({ ...recipe, ...changes });
      await writeFile(file, insertTexts(png, [{ keyword: RECIPE_KEYWORD, text }]));
      expect(await failure(() => replayFile(studio, file, signal))).toEqual({
        code: 'picture-unreadable',
        field: undefined,
        message: `tiny-7.png cannot be replayed: its recipe does not fit model tiny at "${what}". Use another copy of the picture.`,
      });
    }
  });

  test('needs a recipe, and the model that made the picture', async () => {
    const { run, out, root, studio } = await setUp();
    const foreign = await aPicture(join(root, 'cat.png'));
    expect((await failure(() => replayFile(studio, foreign, signal))).message).toMatch(/no recipe/);
    await run({ seed: 7 });
    await writeBundle(studio.home.models, tinyManifest({ hash: 'c'.repeat(64) }));
    expect(await failure(() => replayFile(studio, join(out, 'tiny-7.png'), signal))).toMatchObject({
      code: 'model-not-found',
    });
  });
});

describe('interpolate', () => {
  const options = { signal, onPicture: () => undefined };
  const path = { model: 'tiny', frames: '3', mode: 'lerp', seed: 9 };

  test('between two of our pictures: frames with recipes, and a strip', async () => {
    const { run, out, studio } = await setUp();
    await run({ seed: 1, count: 2 });
    const ends = { from: join(out, 'tiny-1.png'), to: join(out, 'tiny-2.png') };
    const strip = await makePath(studio, { ...path, ...ends, out }, options);
    const stem = 'tiny-1-to-tiny-2';
    expect((await readdir(out)).filter((name) => name.startsWith(stem))).toEqual(
      ['01', '02', '03', 'strip'].map((end) => `${stem}-${end}.png`),
    );
    expect(strip).toMatchObject({ frames: 3, written: 'new' });
    const { width, height } = await readPicture(strip.file);
    expect([width, height]).toEqual([24, 8]);
    const middle = parseRecipe((await readPngText(join(out, `${stem}-02.png`)))?.recipe ?? '', '');
    expect(middle).toMatchObject({
      seed: 9,
      source: {
        kind: 'interpolation',
        from: 'tiny-1.png',
        to: 'tiny-2.png',
        mode: 'lerp',
        at: 0.5,
      },
    });
    const again = await makePath(studio, { ...path, ...ends, out }, options);
    expect(again.written).toBe('same');
  });

  test('between a seed and a foreign picture', async () => {
    const { root, out, studio, engine } = await setUp();
    const to = await aPicture(join(root, 'a cat & dog.png'));
    const strip = await makePath(studio, { ...path, from: '12', to, out }, options);
    expect(strip.file).toBe(join(out, 'seed-12-to-a-cat-dog-strip.png'));
    expect(engine.asked).toEqual(['generate', 'encode', 'open', 'generate']);
  });

  test('a picture of another model is encoded, not believed', async () => {
    const { run, out } = await setUp();
    await run({ seed: 1 });
    const file = join(out, 'tiny-1.png');
    expect((await readEndpoint(file, tinyManifest())).kind).toBe('representation');
    const other = tinyManifest({ hash: 'd'.repeat(64) });
    expect((await readEndpoint(file, other)).kind).toBe('picture');
  });

  test.each([
    [{ frames: '1' }, 'frames'],
    [{ frames: '1001' }, 'frames'],
    [{ mode: 'cubic' }, 'mode'],
    [{ from: '-3' }, 'seed'],
    [{ from: '1.5' }, 'seed'],
    [{ seed: 'x' }, 'seed'],
    [{ model: 'none' }, 'model'],
  ])('%o is refused', async (change, field) => {
    const { studio, out, engine } = await setUp();
    const request = { ...path, from: '1', to: '2', out, ...change };
    expect(await failure(() => makePath(studio, request, options))).toMatchObject({ field });
    expect(engine.asked).toEqual([]);
  });

  test('an .npy of several representations is no end', async () => {
    const { studio, out, root } = await setUp();
    const from = join(root, 'two.npy');
    await writeFile(from, writeNpy([2, 4], new Float32Array(8)));
    expect(
      (await failure(() => makePath(studio, { ...path, from, to: '2', out }, options))).message,
    ).toMatch(/holds 2 representations/);
  });
});

describe('encode and decode', () => {
  test('encode writes one row a picture, and does not overwrite', async () => {
    const { root, studio, engine } = await setUp();
    const files = [await aPicture(join(root, 'a.png')), await aPicture(join(root, 'b.png'))];
    const request = { files, model: 'tiny', out: join(root, 'reps.npy') };
    expect(await encodeFiles(studio, request, { signal })).toEqual([2, 4]);
    const array = parseNpy(await readFile(request.out), 'reps.npy');
    expect([...array.data]).toEqual([6, 5, 0, 1, 6, 5, 0, 1]);
    expect(await encodeFiles(studio, request, { signal })).toEqual([2, 4]);
    const fewer = { ...request, files: files.slice(1) };
    engine.asked.length = 0;
    const inTheWay = { code: 'file-unavailable', field: 'out' };
    expect(await failure(() => encodeFiles(studio, fewer, { signal }))).toMatchObject(inTheWay);
    const text = { ...request, out: join(root, 'notes.txt') };
    await writeFile(text.out, 'mine');
    expect(await failure(() => encodeFiles(studio, text, { signal }))).toMatchObject(inTheWay);
    expect(engine.asked).toEqual([]);
    await writeFile(request.out, writeNpy([2, 4], new Float32Array(8)));
    expect(await failure(() => encodeFiles(studio, request, { signal }))).toMatchObject(inTheWay);
  });

  test('a model without an encoder says so', async () => {
    const { root, studio } = await setUp();
    const { encoder: _, ...networks } = tinyManifest().networks;
    await writeBundle(studio.home.models, tinyManifest({ networks }));
    const request = { files: ['a.png'], model: 'tiny', out: join(root, 'reps.npy') };
    expect((await failure(() => encodeFiles(studio, request, { signal }))).code).toBe(
      'network-missing',
    );
  });

  test('decode makes the pictures of a PNG of ours, and of an .npy', async () => {
    const { run, out, root, studio } = await setUp();
    await run({ seed: 7 });
    const written: string[] = [];
    const options = { signal, onFile: (file: string) => written.push(file) };
    await decodeFile(studio, { file: join(out, 'tiny-7.png'), out: root }, options);
    expect(written).toEqual([join(root, 'tiny-7-decoded.png')]);
    expect((await readPngText(written[0] ?? ''))?.recipe).toContain('"seed":7');

    const ids = join(root, 'ids.npy');
    // What NumPy writes for an int64 array [2,16] of ones.
    const header =
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 16), }".padEnd(117) + '\n';
    const body = Buffer.from(BigInt64Array.from({ length: 32 }, () => 1n).buffer);
    const head = Buffer.from('\x93NUMPY\x01\0\x76\0', 'latin1');
    await writeFile(ids, Buffer.concat([head, Buffer.from(header), body]));
    await decodeFile(studio, { file: ids, model: 'tiny', out: root }, options);
    expect(written.slice(1)).toEqual([
      join(root, 'ids-decoded-1.png'),
      join(root, 'ids-decoded-2.png'),
    ]);
    expect((await readPicture(written[1] ?? '')).data[0]).toBe(1);
  });

  test("another model's pixels do not get a recipe that did not make them", async () => {
    const { run, out, root, studio } = await setUp();
    await run({ seed: 7 });
    const other = tinyManifest({ id: 'other', hash: 'b'.repeat(64) });
    await writeBundle(studio.home.models, other);
    const options = { signal, onFile: () => undefined };
    const file = join(out, 'tiny-7.png');
    await decodeFile(studio, { file, model: 'other', out: root }, options);
    const texts = await readPngText(join(root, 'tiny-7-decoded.png'));
    expect(texts).toEqual({ recipe: null, software: 'rcg-studio 0.0.0' });
  });

  test.each([
    ['a foreign PNG', async (path: string) => aPicture(path), /no recipe/],
    ['a text', async (path: string) => writeFile(path, 'hello'), /neither a PNG nor an \.npy/],
    [
      'float tokens out of range',
      async (path: string) => writeFile(path, writeNpy([16], new Float32Array(16).fill(8))),
      /0 to 7/,
    ],
    [
      'a hostile recipe',
      async (path: string) => {
        const png = await readFile(await aPicture(path));
        await writeFile(path, insertTexts(png, [{ keyword: 'rcg-studio', text: '{"version":9}' }]));
      },
      /newer/,
    ],
  ])('decode refuses %s', async (_, write, message) => {
    const { root, studio } = await setUp();
    const file = join(root, 'file');
    await write(file);
    const options = { signal, onFile: () => undefined };
    const wrong = await failure(() =>
      decodeFile(studio, { file, model: 'tiny', out: root }, options),
    );
    expect(wrong.message).toMatch(message);
  });
});

describe('inspect', () => {
  test('tells PNGs from checkpoints by their first bytes', async () => {
    const found = { format: 'torch-zip', metadata: {}, parts: [], tensors: [] };
    const { root, run, out, studio } = await setUp({ inspect: () => Promise.resolve(found) });
    await run({ seed: 7 });
    const ours = await inspectFile(studio, join(out, 'tiny-7.png'), signal);
    expect(ours).toMatchObject({ kind: 'png', recipe: { seed: 7 } });
    const foreign = await aPicture(join(root, 'a.pth'));
    expect(await inspectFile(studio, foreign, signal)).toEqual({ kind: 'png', recipe: null });
    await writeFile(join(root, 'b.png'), 'PK');
    expect(await inspectFile(studio, join(root, 'b.png'), signal)).toEqual({
      kind: 'checkpoint',
      ...found,
    });
    expect((await failure(() => inspectFile(studio, join(root, 'c'), signal))).code).toBe(
      'file-unavailable',
    );
  });
});
