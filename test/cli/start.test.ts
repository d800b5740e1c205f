// `npm start` once everything is built: which program it hands over to, and what becomes of signals.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../studio/helpers.ts';

const CLI = resolve(import.meta.dirname, '../../main/cli');
/** Longer than the starter takes two signals for one. */
const ANOTHER_MS = 400;

/** The starter and what it needs. */
const COPIED = ['start.mjs', 'pinned-node.mjs'];

/** A program that says what it hears, and takes a while to tidy up. */
const PROGRAM = `
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    console.log(signal);
    setTimeout(() => process.exit(7), 1000);
  });
}
console.log('up', process.pid, process.argv.slice(2).join(' '));
setInterval(() => undefined, 1000);
`;

/** One that goes on until it is told a second time. */
const PATIENT = `
process.once('SIGINT', () => {
  console.log('SIGINT');
  process.once('SIGINT', () => process.exit(7));
});
console.log('up');
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
  for (const name of COPIED) await copyFile(join(CLI, name), join(cli, name));
  if (bin === null) await symlink(join(CLI, 'bin.mjs'), join(cli, 'bin.mjs'));
  else await writeFile(join(cli, 'bin.mjs'), bin);
  return { folder, env: { DISPLAY: '', WAYLAND_DISPLAY: '' } };
}

/** The same with a screen, and a program where Electron's is looked for. */
async function desktop(): Promise<Root> {
  const { folder } = await served();
  for (const made of ['main', 'preload', 'worker', 'licences']) {
    await mkdir(join(folder, 'out', made), { recursive: true });
  }
  const program = `#!${process.execPath}\n${PROGRAM}`;
  await writeFile(join(folder, 'electron'), program, { mode: 0o755 });
  return { folder, env: { DISPLAY: ':0', ELECTRON_OVERRIDE_DIST_PATH: folder } };
}

/** A stand-in for vite: says what it was asked to build, and makes that, or fails. */
const VITE = `
import { mkdirSync, writeFileSync } from 'node:fs';
const desktop = process.argv.includes('--app');
console.log('vite', desktop ? 'desktop' : 'window');
if (desktop && process.env.BROKEN) process.exit(1);
for (const made of desktop ? ['main', 'preload', 'worker', 'licences'] : ['renderer']) {
  mkdirSync('out/' + made, { recursive: true });
  writeFileSync('out/' + made + '/made', '');
}
`;

/** A desktop root with sources and a builder, built a moment ago. */
async function sources(): Promise<Root> {
  const root = await desktop();
  const long = new Date(Date.now() - 3_600_000);
  const old = [
    ...['main/api/a.ts', 'main/worker/entry.ts', 'models/graph/g.ts', 'models/README.md'],
    ...['models/starter/weights.bin', 'renderer/App.svelte', 'package.json', 'package-lock.json'],
  ];
  for (const name of ['node_modules/vite/bin/vite.js', ...old]) {
    await mkdir(dirname(join(root.folder, name)), { recursive: true });
    await writeFile(join(root.folder, name), name.endsWith('vite.js') ? VITE : '{}');
  }
  await writeFile(join(root.folder, 'node_modules/vite/package.json'), '{"type":"module"}');
  for (const name of [...old, ...['bin.mjs', ...COPIED].map((file) => `main/cli/${file}`)]) {
    await utimes(join(root.folder, name), long, long);
  }
  for (const made of ['main', 'preload', 'worker', 'licences', 'renderer']) {
    await mkdir(join(root.folder, 'out', made), { recursive: true });
    await writeFile(join(root.folder, 'out', made, 'made'), '');
  }
  return root;
}

/** What was built before the program was up. */
async function builtBy(root: Root): Promise<readonly string[]> {
  const { printed, alone, end } = start(root);
  const [before = ''] = await printed(/^[^]*?up \d+/);
  alone('SIGTERM');
  await end();
  return [...before.matchAll(/^vite (\w+)/gm)].map((match) => match[1] ?? '');
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

describe.skipIf(process.platform === 'win32')('what it builds', () => {
  const touch = async ({ folder }: Root, name: string, time = new Date(Date.now() + 60_000)) => {
    await utimes(join(folder, name), time, time);
  };

  test('is nothing when all was built after its sources', async () => {
    expect(await builtBy(await sources())).toEqual([]);
  });

  test.each([
    ['models/graph/g.ts', ['desktop']],
    ['main/worker/entry.ts', ['desktop']],
    ['main/api/a.ts', ['window', 'desktop']],
    ['renderer/App.svelte', ['window']],
    ['package-lock.json', ['window', 'desktop']],
    // No part of any program.
    ['models/README.md', []],
    ['models/starter/weights.bin', []],
  ])('after %s changed is %j', async (name, built) => {
    const root = await sources();
    await touch(root, name);
    expect(await builtBy(root)).toEqual(built);
  });

  test.each(['out/worker/made', 'out/preload/made'])(
    'is the desktop anew when only %s is older than the sources',
    async (name) => {
      const root = await sources();
      await touch(root, name, new Date(Date.now() - 7_200_000));
      expect(await builtBy(root)).toEqual(['desktop']);
    },
  );

  test('and fails is said as that, and a browser does', async () => {
    const { folder, env } = await sources();
    const root = { folder, env: { ...env, BROKEN: '1' } };
    await touch(root, 'main/worker/entry.ts');
    const { printed, alone, end } = start(root);
    const [text] = await printed(/^[^]*up \d+ serve/);
    expect(text).toContain('The desktop program could not be built');
    expect(text).not.toContain('Electron’s program');
    alone('SIGTERM');
    await end();
  });
});

describe.skipIf(process.platform === 'win32')('Electron’s program', () => {
  /** A root with Electron's package, but not its program; `install` is what its installer does. */
  async function without(install: string): Promise<Root> {
    const { folder, env } = await desktop();
    await rm(join(folder, 'electron'));
    await mkdir(join(folder, 'node_modules/electron'), { recursive: true });
    await writeFile(join(folder, 'node_modules/electron/install.js'), install);
    return { folder, env };
  }
  const FETCHING = /^Electron’s program is missing: fetching it .*\n/;

  test('is fetched where it is missing, which is said before', async () => {
    const script = `#!${process.execPath}\n${PROGRAM}`;
    const root = await without(
      `require('node:fs').writeFileSync('electron', ${JSON.stringify(script)}, { mode: 0o755 });`,
    );
    const { printed, alone, end } = start(root);
    const [text] = await printed(/^[^]*up \d+ .*main\.js/);
    expect(text).toMatch(FETCHING);
    alone('SIGTERM');
    await end();
  });

  test('that cannot be fetched is said too, and a browser does', async () => {
    const { printed, alone, end } = start(await without('process.exit(1)'));
    const [text] = await printed(/^[^]*up \d+ serve/);
    expect(text).toMatch(FETCHING);
    expect(text).toContain('Electron’s program is not installed and could not be fetched: opening');
    alone('SIGTERM');
    await end();
  });
});

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
