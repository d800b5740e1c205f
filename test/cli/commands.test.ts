import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import type { Reason } from '#api/reasons';
import type { Recipe } from '#api/recipe';
import { insertTexts, readText, RECIPE_KEYWORD } from '#pictures/png';
import type { DoctorReport, ImportPreview } from '#worker/protocol';
import { main } from '../../main/cli/main.ts';
import { fakePicture, temporaryFolder, tinyManifest, writeBundle } from '../studio/helpers.ts';
import { fakeChannel, fakeIo, jsonLines, run } from './fake-io.ts';

let home = '';
let out = '';
beforeEach(async () => {
  home = await temporaryFolder();
  out = join(home, 'out');
  await writeBundle(join(home, 'models'), tinyManifest());
});

const generate = (...more: string[]) => ['generate', '--model', 'tiny', '--out', out, ...more];

describe('generate', () => {
  test('prints a line a picture', async () => {
    const { code, out: text, err } = await run(generate('--seed', '7', '--count', '2'), { home });
    expect(code).toBe(0);
    expect(text).toBe(
      `${join(out, 'tiny-7.png')}  seed 7  0.0 s\n${join(out, 'tiny-8.png')}  seed 8  0.0 s\n`,
    );
    expect(err).toMatch(/^2 pictures in \d/);
  });

  test('with --json prints an object a picture, and nothing else', async () => {
    const {
      code,
      out: text,
      err,
    } = await run(generate('--seed', '7', '--json'), {
      home,
      terminal: true,
    });
    expect([code, err]).toEqual([0, '']);
    const [line] = jsonLines(text);
    expect(line).toMatchObject({
      file: join(out, 'tiny-7.png'),
      seed: 7,
      ms: { representation: 1, tokens: 2, pixels: 3 },
      written: 'new',
      recipe: { version: 1, seed: 7 },
    });
    expect((line?.['recipe'] as { tokenHash: string }).tokenHash).toBe(line?.['tokenHash']);
  });

  test('without a seed takes a new one each time', async () => {
    const seeds = new Set<unknown>();
    for (let i = 0; i < 3; i++) {
      seeds.add(jsonLines((await run(generate('--json'), { home })).out)[0]?.['seed']);
    }
    expect(seeds.size).toBe(3);
  });

  test('draws a bar on a terminal and wipes it away', async () => {
    const { err } = await run(generate('--seed', '7'), { home, terminal: true });
    expect(err).toMatch(/█/);
    expect(err.endsWith('\r\x1b[2K')).toBe(true);
    expect((await run(generate('--seed', '7'), { home })).err).toBe('');
  });

  test('gives another picture of the same seed a name of its own', async () => {
    await run(generate('--seed', '7'), { home });
    expect((await run(generate('--seed', '7'), { home })).out).toMatch(/tiny-7\.png/);
    const { out: text } = await run(generate('--seed', '7', '--guidance', '3'), { home });
    expect(text).toMatch(/tiny-7-2\.png/);
  });
});

describe('what ends a batch', () => {
  test('the engine dies: exit code 1, what is written is whole', async () => {
    const channel = fakeChannel({
      generate: ({ plan }, emit) => {
        emit({ kind: 'picture', picture: fakePicture(0, plan.seeds[0] ?? 0) });
        channel.die('signal SIGKILL');
        return new Promise(() => undefined);
      },
    });
    const { code, err } = await run(generate('--seed', '1', '--count', '4'), { home, channel });
    expect(code).toBe(1);
    expect(err).toMatch(/SIGKILL.*1 of 4 pictures had been written; they are whole/);
    expect(await readdir(out)).toEqual(['tiny-1.png']);
  });

  test('Ctrl-C: exit code 130, what is written is whole', async () => {
    const fake = fakeIo({
      home,
      answers: {
        generate: async ({ plan }, emit, signal) => {
          emit({ kind: 'picture', picture: fakePicture(0, plan.seeds[0] ?? 0) });
          const stopped = new Promise((resolve) => signal?.addEventListener('abort', resolve));
          fake.interrupt();
          // The same key press, passed on by a parent as well.
          fake.interrupt();
          await stopped;
          throw new StudioError('cancelled', 'Cancelled.');
        },
      },
    });
    const io = { ...fake.io, now: () => 0 };
    expect(await main(generate('--seed', '1', '--count', '4'), io)).toBe(130);
    expect(fake.err()).toMatch(/1 of 4 pictures/);
    expect(await readdir(out)).toEqual(['tiny-1.png']);
  });
});

describe('other commands', () => {
  test('replay: identical is 0, different is 1', async () => {
    await run(generate('--seed', '7'), { home });
    const file = join(out, 'tiny-7.png');
    expect(await run(['replay', file], { home })).toMatchObject({
      code: 0,
      out: `${file}  identical\n`,
    });
    const answers = {
      generate: (_: unknown, emit: (event: never) => void) => {
        emit({ kind: 'picture', picture: fakePicture(0, 9) } as never);
        return Promise.resolve({ pictures: 1 });
      },
    };
    const other = await run(['replay', file], { home, answers });
    expect([other.code, other.out]).toEqual([1, `${file}  16 of 16 tokens differ\n`]);
    const json = await run(['replay', file, '--json'], { home, answers });
    expect(jsonLines(json.out)[0]).toMatchObject({ identical: false, tokensDiffer: 16 });
  });

  test('a terminal is not told what a hostile recipe says', async () => {
    await run(generate('--seed', '7'), { home });
    const png = await readFile(join(out, 'tiny-7.png'));
    const recipe = JSON.parse(readText(png, RECIPE_KEYWORD, 'a.png') ?? '') as Recipe;
    const hostile = async (changes: Partial<Recipe>): Promise<string> => {
      const text = JSON.stringify({ ...recipe, ...changes });
      const file = join(home, 'hostile.png');
      await writeFile(file, insertTexts(png, [{ keyword: RECIPE_KEYWORD, text }]));
      return file;
    };
    const inspect = await run(['inspect', await hostile({ software: '\x1b[2J\x07pwn' })], { home });
    expect(inspect.out).toMatch(/software: \ufffd\[2J\ufffdpwn/);
    const model = { id: '\x1b[31mred\r\nfake line', hash: 'd'.repeat(64) };
    const replay = await run(['replay', await hostile({ model })], { home });
    // A file's fault, not the command's.
    expect(replay.code).toBe(1);
    expect(replay.err).toMatch(/^The picture was made with model \?\[31mred\?\?fake line.*\n$/);
  });

  test('encode, interpolate, decode, inspect', async () => {
    await run(generate('--seed', '7'), { home });
    const file = join(out, 'tiny-7.png');
    const npy = join(out, 'r.npy');
    const encoded = await run(['encode', file, '--model', 'tiny', '--out', npy], { home });
    expect(encoded).toMatchObject({ code: 0, out: `${npy}  1 × 4 float32\n` });
    const path = ['interpolate', file, '3', '--model', 'tiny', '--out', out, '--frames', '2'];
    const between = await run(path, { home });
    expect([between.code, between.out.split('\n').length]).toEqual([0, 4]);
    expect((await run(['decode', file, '--out', out], { home })).out).toMatch(
      /tiny-7-decoded\.png/,
    );
    expect((await run(['inspect', file], { home })).out).toMatch(/seed: 7/);
    expect(jsonLines((await run(['inspect', file, '--json'], { home })).out)[0]).toMatchObject({
      kind: 'png',
      recipe: { seed: 7 },
    });
  });

  test('doctor', async () => {
    const report: DoctorReport = {
      runtime: 'ONNX Runtime 1',
      node: '24',
      platform: 'linux x64',
      cpu: 'Some CPU',
      cores: 2,
      memory: 8e9,
      int8: false,
      cpuTarget: 'cpu-float32',
      providers: [{ name: 'cpu', works: true, detail: 'Fine.', reason: '' }],
    };
    const answers = { doctor: () => Promise.resolve(report) };
    const sound = await run(['doctor'], { home, answers });
    expect(sound.out).toMatch(/2 cores, 8\.0 GB.*int8 does not pay.*cpu-float32.*Data folder/s);
    await writeFile(join(home, 'models', 'tiny', 'manifest.json'), '{');
    const broken = await run(['doctor', '--json'], { home, answers });
    expect(broken.code).toBe(1);
    expect(jsonLines(broken.out)[0]?.['models']).toContainEqual({ id: 'tiny', state: 'damaged' });
  });
});

describe('models', () => {
  const preview: ImportPreview = {
    id: 'new',
    title: 'New',
    parts: [
      {
        kind: 'mage',
        from: 'mage.pth',
        about: { code: 'about-rdm', values: { width: 8, depth: 2 } },
      },
    ],
    missing: [{ kind: 'rdm' }],
    warnings: [{ code: 'no-settings', values: {} }],
    licences: [
      { id: 'X', title: 'Licence X', covers: 'the weights', text: 'Be kind.', nonCommercial: true },
    ],
    bytes: 1500,
  };
  const problems: readonly Reason[] = [
    { code: 'content-changed', values: { file: 'mage.safetensors' } },
  ];
  const answers = {
    previewImport: () => Promise.resolve(preview),
    import: () => Promise.resolve({ id: 'new', hash: 'a'.repeat(64) }),
    verify: () => Promise.resolve({ problems }),
    export: () => Promise.resolve({ files: ['mage.onnx'] }),
  };

  test('list shows sound and damaged ones', async () => {
    await writeBundle(join(home, 'models'), tinyManifest({ id: 'zed' }));
    await writeFile(join(home, 'models', 'zed', 'manifest.json'), '');
    const { code, out: text } = await run(['models', 'list'], { home });
    expect(code).toBe(0);
    expect(text).toMatch(
      /tiny {2}Tiny {2}encoder \+ rdm \+ mage \+ vqgan.*\nModel zed cannot be used/s,
    );
    const json = jsonLines((await run(['models', 'list', '--json'], { home })).out);
    expect(json.find((entry) => entry['id'] === 'zed')).toMatchObject({ state: 'damaged' });
  });

  test('import shows what it would do, and needs a yes', async () => {
    const refused = await run(['models', 'import', 'mage.pth'], { home, answers });
    expect([refused.code, refused.asked]).toEqual([2, ['previewImport']]);
    expect(refused.err).toMatch(
      /MLP 8 × 2.*no rdm: New representations.*No settings are known.*Licence X \(non-commercial.*Be kind.*--yes/s,
    );

    const given = await run(['models', 'import', 'mage.pth', '--yes'], { home, answers });
    expect(given).toMatchObject({ code: 0, asked: ['previewImport', 'import'] });
    expect(given.out).toMatch(/Imported new/);
  });

  test('with --json the licences come first, and are shown before the question', async () => {
    const command = ['models', 'import', 'mage.pth', '--json'];
    const given = await run([...command, '--yes'], { home, answers });
    const [first, second] = jsonLines(given.out);
    expect(first).toMatchObject({
      preview: { licences: [{ title: 'Licence X', text: 'Be kind.' }] },
    });
    expect(second).toEqual({ id: 'new', hash: 'a'.repeat(64) });
    const asked = await run(command, { home, answers, terminal: true, typed: 'n\n' });
    expect(asked.code).toBe(130);
    expect(asked.err).toMatch(/Licence X.*Be kind\..*Accept and import/s);
  });

  test('an engine that dies in an import leaves nothing behind', async () => {
    const unfinished = join(home, 'models', '.importing-999999999-x');
    const broken = {
      ...answers,
      import: async () => {
        await mkdir(unfinished);
        throw new StudioError('engine-crashed', 'It ended.');
      },
    };
    const ended = await run(['models', 'import', 'mage.pth', '--yes'], { home, answers: broken });
    expect(ended.code).toBe(1);
    expect(await readdir(join(home, 'models'))).toEqual(['tiny']);
  });

  test.each([
    ['y\n', 0],
    ['YES\n', 0],
    ['n\n', 130],
    ['\n', 130],
    ['', 130],
  ])('on a terminal asks: %j gives %d', async (typed, code) => {
    const asked = await run(['models', 'import', 'mage.pth'], {
      home,
      answers,
      terminal: true,
      typed,
    });
    expect(asked.code).toBe(code);
    expect(asked.asked.includes('import')).toBe(code === 0);
  });

  test('import refuses an id that is taken, before or after the preview', async () => {
    const named = ['models', 'import', 'mage.pth', '--id', 'tiny', '--yes'];
    expect(await run(named, { home, answers })).toMatchObject({ code: 2, asked: [] });
    const same = { ...answers, previewImport: () => Promise.resolve({ ...preview, id: 'tiny' }) };
    const found = await run(['models', 'import', 'mage.pth', '--yes'], { home, answers: same });
    expect(found).toMatchObject({ code: 2, asked: ['previewImport'] });
  });

  test('verify, export, remove', async () => {
    const verified = await run(['models', 'verify', 'tiny'], { home, answers });
    expect(verified.code).toBe(1);
    expect(verified.out).toMatch(/^tiny: mage\.safetensors was changed: its SHA-256/);
    const exported = await run(['models', 'export', 'tiny', '--out', out], { home, answers });
    expect(exported).toMatchObject({ code: 0, out: `tiny in ${out}:\n  mage.onnx\n` });
    const { hash } = tinyManifest();
    const cached = [hash, 'f'.repeat(64), 'code'];
    for (const name of cached) await mkdir(join(home, 'cache', name), { recursive: true });
    expect((await run(['models', 'remove', 'tiny'], { home })).code).toBe(0);
    expect(await readdir(join(home, 'models'))).toEqual([]);
    // Its compiled graphs go with it, and those of models that were removed before.
    expect(await readdir(join(home, 'cache'))).toEqual(['code']);
  });
});
