import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder, tinyManifest, writeBundle } from '../studio/helpers.ts';
import { jsonLines, run } from './fake-io.ts';

let home = '';
beforeEach(async () => {
  home = await temporaryFolder();
  await writeBundle(join(home, 'models'), tinyManifest());
});

describe('help', () => {
  test.each([
    [['help'], /generate.*interpolate.*models/s],
    [['--help'], /Usage: rcg-studio/],
    [['help', 'generate'], /--guidance-schedule/],
    [['generate', '--help'], /--from-image/],
    [['models', '--help'], /import.*verify.*export.*remove/s],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
  ])('%j goes to stdout with exit code 0, and starts no engine', async (args, text) => {
    const { code, out, err } = await run(args, { home });
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(text);
  });

  test('the command for maintainers is hidden', async () => {
    expect((await run(['models', '--help'], { home })).out).not.toContain('starter');
  });
});

describe('wrong usage: exit code 2 and one sentence on stderr', () => {
  const tiny = ['--model', 'tiny'];
  test.each<[string[], RegExp]>([
    [[], /Usage/],
    [['paint'], /unknown command 'paint'.*rcg-studio help/],
    [['help', 'paint'], /^unknown command 'paint'\. See: rcg-studio help$/m],
    [['generat'], /Did you mean generate\?/],
    [['generate', '--frobnicate'], /unknown option.*rcg-studio help generate/],
    [['generate', '--count'], /argument missing/],
    [['generate', 'extra'], /too many arguments.*got 1: extra\. See/],
    [['generate', '--guidance', '--out', 'x'], /'--guidance <g>' .*value is missing/],
    [['models', 'export', 'tiny', '--out', '--ouch'], /'--out <folder>' .*value is missing/],
    [['models'], /rcg-studio help models/],
    [['encode', 'a.png'], /--out/],
    [['replay'], /missing required argument/],
    [['generate', ...tiny, '--steps', '0'], /steps must be a whole number from 1 to 256, not 0/],
    [['generate', ...tiny, '--steps', '-1'], /not -1/],
    [['generate', ...tiny, '--steps', '1001'], /1 to 256/],
    [['generate', ...tiny, '--seed', 'NaN'], /seed must be/],
    [['generate', ...tiny, '--seed', '9007199254740993'], /seed must be/],
    [['generate', ...tiny, '--guidance', '1e9'], /guidance must be/],
    [['generate', ...tiny, '--class', 'unicorn'], /no class unicorn/],
    [['generate', ...tiny, '--target', 'cuda'], /target must be one of/],
    [['generate', '--model', 'absent'], /no model absent.*tiny/],
    [['generate', ...tiny, '--out', '/proc/x'], /write into \/proc\/x/],
    [['generate', ...tiny, '--out', ''], /out is empty; name a folder/],
    [['interpolate', '1', '2', ...tiny, '--frames', '1'], /frames must be/],
    [['models', 'remove', 'absent'], /no model absent/],
    [['models', 'import', 'only.json'], /No checkpoint/],
  ])('%j', async (args, message) => {
    const { code, out, err } = await run(args, { home });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    const json = await run([...args, '--json'], { home });
    expect(json.code).toBe(2);
    if (args.length > 0 && args.at(-1) !== '--count') {
      expect(jsonLines(json.err)).toEqual([
        { error: expect.objectContaining({ message: expect.stringMatching(message) as string }) },
      ]);
    }
  });

  test('the field is named in JSON', async () => {
    const { err } = await run(['generate', ...tiny, '--eta', '2', '--json'], { home });
    expect(jsonLines(err)).toEqual([
      {
        error: {
          code: 'invalid-request',
          field: 'eta',
          message: 'eta must be a number from 0 to 1, not 2.',
        },
      },
    ]);
  });
});

describe('failures: exit code 1', () => {
  test('a missing file is a sentence; a stack comes with --verbose only', async () => {
    const args = ['replay', join(home, 'none.png')];
    const { code, err } = await run(args, { home });
    expect([code, err.trim().split('\n').length]).toEqual([1, 1]);
    expect(err).toMatch(/does not exist/);
    expect((await run([...args, '--verbose'], { home })).err).toMatch(/\n\s+at /);
    const json = await run([...args, '--verbose', '--json'], { home });
    expect(jsonLines(json.err)[0]?.['error']).toHaveProperty('stack');
  });

  test('what cannot be read makes no folder', async () => {
    const absent = join(home, 'none.png');
    const made = join(home, 'made');
    const tiny = ['--model', 'tiny'];
    for (const args of [
      ['generate', ...tiny, '--from-image', absent, '--out', made],
      ['encode', ...tiny, absent, '--out', join(made, 'r.npy')],
    ]) {
      expect((await run(args, { home })).code).toBe(1);
    }
    expect(await readdir(home)).toEqual(['models']);
  });

  test('a bug says that it is one', async () => {
    const answers = { doctor: () => Promise.reject(new TypeError('x is undefined')) };
    const { code, err } = await run(['doctor'], { home, answers });
    expect(code).toBe(1);
    expect(err).toMatch(/inside RCG Studio.*x is undefined/);
  });
});
