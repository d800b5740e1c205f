import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { tinyBundle } from '../helpers/tiny-model.ts';
import { temporaryFolder } from '../studio/helpers.ts';
import { jsonLines, run } from './fake-io.ts';

// Commands while `rcg-studio serve` has the library open: that studio does what they ask for.

const BIN = resolve(import.meta.dirname, '../../main/cli/bin.mjs');

interface Server {
  readonly home: string;
  /** Where it leaves its address. */
  readonly file: string;
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

/** A studio with the tiny model, served by a process of its own. */
async function served(): Promise<Server> {
  const home = await temporaryFolder();
  await tinyBundle(join(home, 'models'));
  const child = spawn(process.execPath, [BIN, 'serve', '--no-open', '--port', '0', '--json'], {
    env: { ...process.env, RCG_STUDIO_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const file = join(home, 'served.json');
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { readonly url: string };
    child.stdout.resume();
    return { home, file, url, child, ended };
  }
  throw new Error('The studio did not say where it is.');
}

/** What a command prints, as objects; it must succeed. */
async function objects(home: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await run([...args, '--json'], { home });
  expect([code, err]).toEqual([0, '']);
  return out === '' ? [] : jsonLines(out);
}

const SETTINGS = ['--model', 'tiny', '--steps', '3', '--rdm-steps', '5'];

describe('while the library is served, a command', () => {
  test('makes, lists, rates and takes out pictures in it', async () => {
    const { home } = await served();
    const settings = [...SETTINGS, '--count', '2', '--seed', '7'];
    const made = await objects(home, 'generate', '--library', ...settings);
    expect(made.map(({ id, seed }) => [id, seed])).toEqual([
      [1, 7],
      [2, 8],
    ]);
    expect(made.every(({ file }) => existsSync(String(file)))).toBe(true);
    await objects(home, 'library', 'rate', '2', '--rating', '5');
    const rated = await objects(home, 'library', 'list', '--rating', '4');
    expect(rated.map(({ id }) => id)).toEqual([2]);
    const out = join(home, 'out');
    const [written] = await objects(home, 'library', 'export-pictures', '1', '--out', out);
    const exported = await readFile(String(written?.['file']));
    expect(exported.equals(await readFile(String(made[0]?.['file'])))).toBe(true);
    const whole = join(home, 'whole');
    expect(await objects(home, 'library', 'export', whole)).toMatchObject([{ pictures: 2 }]);
    const none = await run(['library', 'rate', '99', '--rating', '1', '--json'], { home });
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('99')]);
  });

  test('that would serve it again says where it is', async () => {
    const { home, url, child, ended, file } = await served();
    expect(await objects(home, 'serve', '--no-open')).toEqual([
      { url, library: join(home, 'library') },
    ]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    child.kill('SIGINT');
    await ended;
    expect(existsSync(file)).toBe(false);
  });

  test('that needs it closed is refused, and so is any where the address is not to be trusted', async () => {
    const { home, file, child } = await served();
    const refused = async (...args: string[]) => {
      const { code, err } = await run(args, { home });
      expect([args, code]).toEqual([args, 1]);
      expect(err).toContain(`process ${child.pid}`);
    };
    await refused('library', 'reindex');
    const address = await readFile(file, 'utf8');
    const parts = JSON.parse(address) as Record<string, unknown>;
    for (const wrong of [
      { ...parts, token: 'a'.repeat(32) },
      { ...parts, port: 1 },
      { ...parts, pid: 2 ** 22 + 1 },
      { ...parts, version: 2 },
      { ...parts, token: '../../etc' },
      [],
    ]) {
      await writeFile(file, JSON.stringify(wrong));
      await refused('library', 'list');
      await refused('serve', '--no-open');
    }
    await writeFile(file, '{"version":');
    await refused('library', 'list');
    await writeFile(file, address);
    // Others could have written it.
    await chmod(file, 0o644);
    await refused('library', 'list');
    await chmod(file, 0o600);
    expect(await objects(home, 'library', 'list')).toEqual([]);
  });

  test('opens it itself when that studio was killed', async () => {
    const { home, child, ended, file } = await served();
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(file)).toBe(true);
    expect(await objects(home, 'library', 'list')).toEqual([]);
  });
});
