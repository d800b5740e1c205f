// The command as a person runs it: its own process, the real engine, the model that ships.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readText } from '#pictures/png';
import { tinyCheckpoints, tinyRecipe } from '../helpers/tiny-model.ts';

const BIN = resolve(import.meta.dirname, '../../main/cli/bin.mjs');
/** Few steps: these tests are about the command, not about beauty. */
const QUICK = ['--rdm-steps', '10', '--steps', '4'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rcg-cli-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...process.env, RCG_STUDIO_HOME: join(folder, 'home') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (texts.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (texts.err += data.toString()));
  const end = once(child, 'close').then(([code]) => ({ code: code as number | null, ...texts }));
  return { child, texts, end };
}

const run = async (...args: string[]) => start(...args).end;

interface Line {
  readonly file: string;
  readonly seed: number;
  readonly tokenHash: string;
  readonly recipe: { readonly guidance: number };
}

/** Makes pictures and returns what `--json` says of each. */
async function generate(out: string, ...args: string[]): Promise<Line[]> {
  const {
    code,
    out: text,
    err,
  } = await run('generate', '--json', '--out', join(folder, out), ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

describe('generate', () => {
  test('the same command writes the same bytes, and a seed alone what it made in the batch', async () => {
    const all = await generate('a', ...QUICK, '--count', '4', '--seed', '7');
    expect(all.map(({ seed }) => seed)).toEqual([7, 8, 9, 10]);
    expect(new Set(all.map(({ tokenHash }) => tokenHash)).size).toBe(4);
    const again = await generate('b', ...QUICK, '--count', '4', '--seed', '7');
    for (const [i, { file }] of all.entries()) {
      expect(await readFile(again[i]?.file ?? '')).toEqual(await readFile(file));
    }
    for (const chunk of ['1', '2', '4']) {
      const some = await generate(
        `c${chunk}`,
        ...QUICK,
        '--count',
        '3',
        '--seed',
        '8',
        '--chunk',
        chunk,
      );
      expect(some.map(({ tokenHash }) => tokenHash)).toEqual(
        all.slice(1).map((line) => line.tokenHash),
      );
    }
  });

  test('replay finds every picture identical', async () => {
    const made = await generate('replay', ...QUICK, '--count', '2', '--seed', '3');
    for (const { file } of made) {
      const { code, out } = await run('replay', file);
      expect(code).toBe(0);
      expect(out).toMatch(/identical/);
    }
  });

  test('guidance makes a difference for a representation that is given', async () => {
    const npy = join(folder, 'one.npy');
    const [made] = await generate('given', ...QUICK, '--seed', '3');
    expect((await run('encode', made?.file ?? '', '--out', npy)).code).toBe(0);
    const hash = async (guidance: string) => {
      const args = ['--representation', npy, '--steps', '4', '--seed', '5', '--guidance', guidance];
      return (await generate(`given-${guidance}`, ...args))[0]?.tokenHash;
    };
    expect(await hash('0')).not.toBe(await hash('6'));
  });

  test('a picture can be the start', async () => {
    const file = join(folder, 'red.jpg');
    const red = { width: 90, height: 50, channels: 3, background: '#c22' } as const;
    await writeFile(file, await sharp({ create: red }).jpeg().toBuffer());
    const made = await generate('from', '--from-image', file, '--steps', '4', '--count', '2');
    expect(made).toHaveLength(2);
  });

  test('the recipe lies in the PNG', async () => {
    const [made] = await generate('recipe', ...QUICK, '--seed', '1', '--guidance', '2.5');
    const text = readText(await readFile(made?.file ?? ''), 'rcg-studio', 'it');
    expect(JSON.parse(text ?? '')).toEqual(made?.recipe);
    expect(made?.recipe.guidance).toBe(2.5);
  });
});

describe('an engine that dies', () => {
  test('ends the batch in words; what was written is whole, and the next start works', async () => {
    const out = join(folder, 'killed');
    const { child, texts, end } = start(
      'generate',
      '--json',
      '--count',
      '50',
      '--seed',
      '1',
      ...QUICK,
      '--out',
      out,
    );
    while (texts.out.split('\n').length < 3) await new Promise((next) => setTimeout(next, 20));
    process.kill(await engineOf(child.pid ?? 0), 'SIGKILL');
    const { code, err } = await end;
    expect(code).toBe(1);
    expect(err).toMatch(/engine/i);
    expect(err).toMatch(/whole/);
    const files = await readdir(out);
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const file of files) {
      expect((await sharp(join(out, file)).raw().toBuffer()).length).toBe(128 * 128 * 3);
    }
    expect((await generate('killed', ...QUICK, '--seed', '1')).length).toBe(1);
  });

  test('Ctrl-C ends with 130', async () => {
    const { child, texts, end } = start(
      'generate',
      '--json',
      '--count',
      '50',
      ...QUICK,
      '--out',
      join(folder, 'int'),
    );
    while (!texts.out.includes('\n')) await new Promise((next) => setTimeout(next, 20));
    child.kill('SIGINT');
    expect((await end).code).toBe(130);
  });
});

/** The engine is the command's only child. */
async function engineOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}

describe('other commands', () => {
  test('interpolate writes frames and a strip', async () => {
    const out = join(folder, 'path');
    const { code } = await run(
      'interpolate',
      '1',
      '2',
      '--frames',
      '3',
      '--steps',
      '4',
      '--out',
      out,
    );
    expect(code).toBe(0);
    expect((await readdir(out)).filter((name) => name.endsWith('.png'))).toHaveLength(4);
  });

  test('a model is imported, used, verified, exported and removed', async () => {
    const files = await tinyCheckpoints(join(folder, 'tiny'));
    const recipe = join(folder, 'recipe.json');
    await writeFile(recipe, JSON.stringify(tinyRecipe()));
    const refused = await run('models', 'import', ...files, '--recipe', recipe);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/--yes/);
    expect((await run('models', 'import', ...files, '--recipe', recipe, '--yes')).code).toBe(0);
    expect(await generate('tiny-out', '--model', 'tiny', '--count', '2')).toHaveLength(2);
    expect((await run('models', 'verify', 'tiny')).code).toBe(0);
    expect((await run('models', 'export', 'tiny', '--out', join(folder, 'onnx'))).code).toBe(0);
    expect(await readdir(join(folder, 'onnx'))).toContain('mage.onnx');
    expect((await run('models', 'remove', 'tiny')).code).toBe(0);
    expect((await run('generate', '--model', 'tiny')).code).not.toBe(0);
  });

  test('doctor says what this machine can do', async () => {
    const { code, out } = await run('doctor');
    expect(code).toBe(0);
    expect(out).toMatch(/ONNX Runtime 1\.29/);
  });
});
