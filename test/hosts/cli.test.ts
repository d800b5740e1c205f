import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRouterClient } from '@orpc/server';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { contract, type Contract } from '#api/contract';
import { recipeSchema } from '#api/recipe';
import { createRouter } from '#studio/router';
import { forkChannel } from '#worker/fork-channel';
import { main } from '../../main/cli/main.ts';
import { fakeIo, jsonLines } from '../cli/fake-io.ts';
import { abilitiesOf } from './client.ts';
import { keeping, shared, type Abilities, type Keeping, type MakeSettings } from './shared.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

const newest = { filter: {}, sort: { by: 'createdAt', descending: true } } as const;

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

/** Procedures of the contract that a command does, in its own way. */
const COMMANDS = {
  'jobs.create': 'generate',
  'images.replay': 'replay',
  'images.import': 'library add',
  'studio.doctor': 'doctor',
  'models.list': 'models list',
  'models.offer': 'models import',
  'models.import': 'models import',
  'models.verify': 'models verify',
  'models.remove': 'models remove',
  'library.place': 'library where',
  'library.move': 'library move',
  'library.reindex': 'library reindex',
  'library.export': 'library export',
  'library.import': 'library import',
  'images.search': 'library list',
  'images.update': 'library tag',
  'images.remove': 'library delete',
  'images.restore': 'library restore',
  'images.export': 'library export-pictures',
} as const;

/** Why the other procedures of a group are no commands. */
const REASONS: Readonly<Record<keyof Contract, string>> = {
  studio: 'settings, undo and events belong to a window that stays open, and a command ends',
  session: 'where a window was is for the next window',
  library: 'mending a library needs somebody who looks at what is there, so serve gives a window',
  jobs: 'a command waits for the job that it made, and Ctrl-C cancels it',
  images: 'what needs a picture to be looked at belongs to a window',
  models: 'a command ends before anyone could cancel it from elsewhere, or see a mosaic',
};

/** What a setting is called on the command line, where that differs. */
const FLAGS: Readonly<Record<string, string>> = {
  label: 'class',
  rdmSteps: 'rdm-steps',
  schedule: 'guidance-schedule',
};

/** Runs one command with a real engine; what it refuses rejects with its code and field. */
async function command(...args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const fake = fakeIo({ home: home.root });
  const code = await main([...args, '--json'], { ...fake.io, channel: forkChannel() });
  if (code === 0) {
    expect(fake.err()).toBe('');
    return fake.out() === '' ? [] : jsonLines(fake.out());
  }
  const [line] = jsonLines(fake.err());
  const error = line?.['error'] as { code: string; message: string; field?: string };
  const wrongUsage = error.code === 'invalid-request' || error.field !== undefined;
  expect(code).toBe(wrongUsage ? 2 : 1);
  const flag = Object.entries(FLAGS).find(([, name]) => name === error.field);
  throw Object.assign(new Error(error.message), error, flag && { field: flag[0] });
}

const flags = (settings: MakeSettings): readonly string[] =>
  Object.entries({ model: 'tiny', seed: 7, ...settings }).flatMap(([name, value]) => [
    `--${FLAGS[name] ?? name}`,
    String(value),
  ]);

/** The commands of the library. */
const library: Keeping = {
  async make(seed) {
    const [made] = await command('generate', '--library', ...flags({ count: 1, seed }));
    return Number(made?.['id']);
  },
  async find({ bin, ...query }) {
    const given = Object.entries(query).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const rows = await command('library', 'list', ...given, ...(bin ? ['--bin'] : []));
    return rows.map(({ id }) => Number(id));
  },
  rate: (id, rating) => command('library', 'rate', String(id), '--rating', String(rating)),
  tag: (id, tag) => command('library', 'tag', String(id), '--add', tag),
  remove: (id) => command('library', 'delete', String(id)),
  restore: (id) => command('library', 'restore', String(id)),
};

/** @param where pictures go: files in a folder, or the library */
async function commandLine(where?: '--library'): Promise<Abilities> {
  const to = where === undefined ? ['--out', await libraryFolder()] : [where];
  return {
    async make(settings) {
      const lines = await command('generate', ...to, ...flags(settings));
      return Promise.all(
        lines.map(async ({ file, recipe }) => ({
          recipe: recipeSchema.parse(recipe),
          png: await readFile(String(file)),
          handle: String(file),
        })),
      );
    },
    async replay({ handle }) {
      const [found] = await command('replay', handle);
      return { tokens: Number(found?.['tokens']), differing: Number(found?.['tokensDiffer']) };
    },
    async models() {
      const list = await command('models', 'list');
      return list.map(({ id, state }) => [String(id), String(state)] as const);
    },
    async verify(id) {
      const [found] = await command('models', 'verify', id);
      return (found?.['problems'] as readonly unknown[]).length;
    },
    remove: (id) => command('models', 'remove', id),
    offer: (files) => command('models', 'import', ...files),
    async works() {
      const [report] = await command('doctor');
      return Array.isArray(report?.['providers']);
    },
  };
}

shared('the command line', () => commandLine());
shared('the command line, into the library', () => commandLine('--library'));
keeping('the command line', () => Promise.resolve(library));

describe('the contract on the command line', () => {
  test.each(Object.entries(COMMANDS))('%s is %s', async (procedure, name) => {
    const [group = '', member = ''] = procedure.split('.');
    expect(contract).toHaveProperty([group, member]);
    const fake = fakeIo({ home: home.root });
    expect(await main([...name.split(' '), '--help'], fake.io)).toBe(0);
    expect(fake.out()).toContain(`rcg-studio ${name}`);
  });

  const others = Object.entries(contract).flatMap(([group, members]) =>
    Object.keys(members)
      .filter((member) => !(`${group}.${member}` in COMMANDS))
      .map((member) => [group, member, REASONS[group as keyof Contract]] as const),
  );
  test.each(others)('%s %s is no command: %s', async (group, member) => {
    await expect(command(group, member)).rejects.toMatchObject({ code: 'invalid-request' });
  });
});

describe('while a studio is open on the same data', () => {
  async function openStudio() {
    const studio = await testStudio(home);
    const client = createRouterClient(createRouter(studio));
    const picture = async (address: string) => {
      const asset = await studio.assets.get(new URL(address, 'http://studio').pathname);
      return { status: 200, type: null, bytes: asset?.bytes ?? new Uint8Array() };
    };
    return { client, host: abilitiesOf({ client, picture }) };
  }

  test('commands work beside it, and both make the same pictures', async () => {
    const { client, host } = await openStudio();
    const line = await commandLine();
    const settings = { count: 2, seed: 90, guidance: 3 };
    const [theirs, ours] = await Promise.all([host.make(settings), line.make(settings)]);
    expect(ours.map(({ recipe }) => recipe.tokenHash)).toEqual(
      theirs.map(({ recipe }) => recipe.tokenHash),
    );
    expect(ours.map(({ recipe }) => recipe.representation)).toEqual(
      theirs.map(({ recipe }) => recipe.representation),
    );

    // What one writes, the other takes for its own.
    const [first] = ours;
    const file = new File([new Uint8Array(first?.png ?? [])], 'theirs.png');
    const { ids, refused } = await client.images.import({ files: [file] });
    expect(refused).toEqual([]);
    expect((await client.images.get({ id: ids[0] ?? 0 })).recipe).toEqual(first?.recipe);
    const exported = await client.images.export({ ids: [...ids], metadata: true });
    const [made] = theirs;
    expect(exported).toMatchObject({ exported: 1, leftOut: [] });
    expect(made && (await host.replay(made))).toMatchObject({ differing: 0 });
  });

  test('serve ends with 1, says who has the library, and leaves it alone', async () => {
    const { client } = await openStudio();
    const pictures = async () => (await client.images.search(newest)).ids;
    const before = await pictures();
    const { code, out, err } = await serve('--json');
    expect([code, out]).toEqual([1, '']);
    expect(jsonLines(err)).toEqual([
      {
        error: {
          code: 'library-unavailable',
          message: expect.stringMatching(
            new RegExp(`in use by process ${process.pid}, .*Nothing was changed; close the other`),
          ) as string,
        },
      },
    ]);
    const words = await serve();
    expect([words.code, words.err.trim().split('\n').length]).toEqual([1, 1]);
    expect(await pictures()).toEqual(before);
    expect((await client.studio.status()).state).toEqual({ kind: 'open' });
  });

  test.each([['reindex'], ['move', '/tmp']])('library %s waits for its owner', async (...args) => {
    const { client } = await openStudio();
    await expect(command('library', ...args)).rejects.toMatchObject({
      code: 'library-unavailable',
    });
    expect((await client.studio.status()).state).toEqual({ kind: 'open' });
  });

  test('serve takes another library meanwhile', async () => {
    await openStudio();
    const folder = await libraryFolder();
    const other = await serving('--library', folder);
    expect(other['library']).toBe(folder);
  });
});

test('serve on a library that cannot be opened gives a window, and says why', async () => {
  const folder = await libraryFolder();
  await writeFile(
    join(folder, 'library.db'),
    'this is no database, and long enough to be looked at',
  );
  const { child, line, words } = serveProcess('--library', folder);
  expect(await line).toMatch(/^RCG Studio: http:\/\/127\.0\.0\.1:\d+\/\?token=/);
  await expect.poll(words).toMatch(/damaged.*pictures are safe/);
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([130, null]);
});

const BIN = fileURLToPath(new URL('../../main/cli/bin.mjs', import.meta.url));

function serveProcess(...args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, 'serve', '--no-open', ...args], {
    env: { ...process.env, RCG_STUDIO_HOME: home.root },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    // What it still wrote would be in the way of whoever clears the folders.
    await gone;
  });
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.err += text));
  const line = once(child.stdout, 'data').then(() => texts.out.split('\n')[0] ?? '');
  line.catch(() => undefined);
  return { child, line, words: () => texts.err, texts };
}

/** A start of `serve` that ends by itself. */
async function serve(...args: readonly string[]) {
  const { child, texts } = serveProcess(...args);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

/** What a start of `serve` that goes on prints first. */
async function serving(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { line } = serveProcess('--json', ...args);
  return JSON.parse(await line) as Record<string, unknown>;
}
