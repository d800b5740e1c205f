// `npm start` once everything is built: which program it hands over to, and what becomes of signals.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../studio/helpers.ts';

const CLI = resolve(import.meta.dirname, '../../main/cli');
/** Longer than the starter takes two signals for one. */
const ANOTHER_MS = 400;

/** A program that says what it hears, and takes a while to tidy up. */
const PROGRAM = `
console.log('up', process.pid, process.argv.slice(2).join(' '));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    console.log(signal);
    setTimeout(() => process.exit(7), 1000);
  });
}
setInterval(() => undefined, 1000);
`;

/** One that goes on until it is told a second time. */
const PATIENT = `
console.log('up');
process.once('SIGINT', () => {
  console.log('SIGINT');
  process.once('SIGINT', () => process.exit(7));
});
setInterval(() => undefined, 1000);
`;

interface Root {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** An installed copy of the starter without a screen; `bin` stands for the command that serves. */
async function served(bin: string | null = PROGRAM): Promise<Root> {
  const folder = await temporaryFolder();
  const cli = join(folder, 'main/cli');
  await mkdir(cli, { recursive: true });
  await copyFile(join(CLI, 'start.mjs'), join(cli, 'start.mjs'));
  if (bin === null) await symlink(join(CLI, 'bin.mjs'), join(cli, 'bin.mjs'));
  else await writeFile(join(cli, 'bin.mjs'), bin);
  return { folder, env: { DISPLAY: '', WAYLAND_DISPLAY: '' } };
}

/** The same with a screen, and a program where Electron's is looked for. */
async function desktop(): Promise<Root> {
  const { folder } = await served();
  await mkdir(join(folder, 'out/main'), { recursive: true });
  const program = `#!${process.execPath}\n${PROGRAM}`;
  await writeFile(join(folder, 'electron'), program, { mode: 0o755 });
  return { folder, env: { DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: folder } };
}

/** Starts it as a shell does: in a group of its own. */
function start({ folder, env }: Root, ...args: readonly string[]) {
  const child = spawn(process.execPath, [join(folder, 'main/cli/start.mjs'), ...args], {
    env: { ...process.env, RCG_STUDIO_HOME: join(folder, 'home'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const pid = child.pid ?? 0;
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  /** What was printed, once it has a form. */
  const printed = async (form: RegExp): Promise<RegExpExecArray> => {
    await expect.poll(() => text).toMatch(form);
    return form.exec(text) ?? expect.fail();
  };
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await closed;
  });
  return {
    printed,
    alone: (signal: NodeJS.Signals) => process.kill(pid, signal),
    /** As a terminal does. */
    group: (signal: NodeJS.Signals) => process.kill(-pid, signal),
    /** Exit code, and which signals the program heard. */
    async end() {
      const [code] = await closed;
      return [code, ...text.split('\n').filter((line) => line.startsWith('SIG'))];
    },
  };
}

describe.skipIf(process.platform === 'win32')('the starter', () => {
  test('without a screen says so and serves; with one it starts Electron’s program', async () => {
    const browser = start(await served(), '--port', '0');
    await browser.printed(
      /^There is no screen: opening .* browser instead\.\nup \d+ serve --port 0\n/,
    );
    const window = start(await desktop(), 'x');
    await window.printed(/^up \d+ \S+out\/main\/main\.js x\n/);
    for (const { alone, end } of [browser, window]) {
      alone('SIGTERM');
      expect(await end()).toEqual([7, 'SIGTERM']);
    }
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s to it alone reaches the program once; its exit code is the program’s',
    async (signal) => {
      const { printed, alone, end } = start(await served());
      await printed(/^up/m);
      alone(signal);
      expect(await end()).toEqual([7, signal]);
    },
  );

  test.each([
    ['served', served],
    ['desktop', desktop],
  ])('Ctrl-C to the whole group reaches the %s program once', async (_, root) => {
    const { printed, alone, group, end } = start(await root());
    await printed(/^up/m);
    group('SIGINT');
    // npm has the same key press from the terminal, and passes it on.
    alone('SIGINT');
    expect(await end()).toEqual([7, 'SIGINT']);
  });

  test('a second key press is passed on too: a person may not want to wait', async () => {
    const { printed, group, end } = start(await served(PATIENT));
    await printed(/^up/m);
    group('SIGINT');
    await printed(/^SIGINT$/m);
    await sleep(ANOTHER_MS);
    group('SIGINT');
    expect(await end()).toEqual([7, 'SIGINT']);
  });

  test('ends as the program ended: by itself, by a signal, or not started at all', async () => {
    expect(await start(await served('process.exit(3)')).end()).toEqual([3]);
    const killed = await served("process.kill(process.pid, 'SIGKILL')");
    expect(await start(killed).end()).toEqual([137]);
    const none = await desktop();
    await rm(join(none.folder, 'electron'));
    await mkdir(join(none.folder, 'electron'));
    const failed = start(none);
    expect(await failed.end()).toEqual([1]);
    await failed.printed(/electron cannot be started: /);
  });

  test.skipIf(process.platform !== 'linux')('Ctrl-Z holds the program as well', async () => {
    const { printed, group, end } = start(await served());
    const [, program = ''] = await printed(/^up (\d+)/m);
    const state = async () => /\) (\w)/.exec(await readFile(`/proc/${program}/stat`, 'utf8'))?.[1];
    group('SIGTSTP');
    await expect.poll(state).toBe('T');
    group('SIGCONT');
    await expect.poll(state).toBe('S');
    group('SIGINT');
    expect(await end()).toEqual([7, 'SIGINT']);
  });

  test('the studio that it serves is closed in order by Ctrl-C', async () => {
    const root = await served(null);
    const { printed, group, end } = start(root, '--port', '0', '--no-open');
    const [, port] = await printed(/127\.0\.0\.1:(\d+)/);
    group('SIGINT');
    expect(await end()).toEqual([130]);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
    // Nobody owns the library any more: the next start takes it.
    const again = start(root, '--port', '0', '--no-open', '--json');
    await again.printed(/"url":"http/);
    again.alone('SIGINT');
    expect(await again.end()).toEqual([130]);
  });
});
