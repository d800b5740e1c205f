import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '#api/contract';
import type { Settings } from '#api/settings';
import { openDatabase } from '#history/database';
import { NOON, seedLibrary } from '../helpers/library.ts';
import { tinyBundle } from '../helpers/tiny-model.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Long enough for a slow machine that also does other things; a start takes about a second. */
const START_MS = 30_000;
const STOP_MS = 10_000;

export interface HostOptions {
  /** The starter makes pictures to look at; the tiny model makes noise, in a blink. */
  readonly model?: 'starter' | 'tiny';
  readonly settings?: Partial<Settings>;
  /** Rows to put into the library before the start; they have no files. */
  readonly rows?: number;
  /** Puts files into the home folder before the start: the library may be one that does not open. */
  readonly files?: (home: string) => Promise<void>;
}

/** The studio, as `rcg-studio serve` serves it, on a home folder of its own. */
export interface Host {
  /** The address that it printed, with its token. */
  readonly url: string;
  readonly origin: string;
  readonly home: string;
  /** The same contract that the page uses: to prepare a scene, and to check what came of it. */
  readonly client: ContractRouterClient<Contract>;
  /** Process ids of the engines that run now. */
  engines(): Promise<readonly number[]>;
  /** @param keep is given the home folder of the studio that has ended, before that is deleted */
  stop(keep?: (home: string) => Promise<void>): Promise<void>;
}

/** Starts a studio. What it says on its error output is part of the error when it does not. */
export async function startHost(options: HostOptions = {}): Promise<Host> {
  if (!existsSync(join(ROOT, 'out/renderer/index.html'))) {
    throw new Error('The page is not built. Run "npm run build" first.');
  }
  const home = await mkdtemp(join(tmpdir(), 'rcg-studio-e2e-'));
  const { model = 'tiny', settings = {}, rows = 0, files } = options;
  if (model === 'tiny') await tinyBundle(join(home, 'models'));
  if (rows > 0) fillLibrary(join(home, 'library', 'library.db'), rows);
  await files?.(home);

  const child = spawn(
    process.execPath,
    [join(ROOT, 'main/cli/bin.mjs'), 'serve', '--no-open', '--port', '0', '--json'],
    { env: { ...process.env, RCG_STUDIO_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const url = await addressOf(child);
  const { origin, searchParams } = new URL(url);
  const authorization = `Bearer ${searchParams.get('token') ?? ''}`;
  const client: Host['client'] = createORPCClient(
    new RPCLink({ url: `${origin}/rpc`, headers: { authorization } }),
  );
  if (files !== undefined) await client.studio.status();
  else if (model === 'tiny') await client.studio.configure({ model: 'tiny', ...settings });
  else if (Object.keys(settings).length > 0) await client.studio.configure(settings);
  return {
    url,
    origin,
    home,
    client,
    engines: () => enginesOf(child.pid ?? 0),
    async stop(keep = keepWhereAsked) {
      await end(child);
      await keep(home);
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function fillLibrary(file: string, rows: number): void {
  const opened = openDatabase(file, { now: () => NOON, appVersion: 'RCG Studio 0.1.0' });
  if (opened.state.kind !== 'open' || opened.database === null) {
    throw new Error(`The library opened as ${opened.state.kind}.`);
  }
  seedLibrary(opened.database, rows);
  opened.close();
}

async function addressOf(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('The studio has no output.');
  let said = '';
  stderr.on('data', (text: Buffer) => (said += text.toString()));
  const silence = setTimeout(() => child.kill('SIGKILL'), START_MS);
  try {
    for await (const line of createInterface({ input: stdout })) {
      const result: unknown = JSON.parse(line);
      if (typeof result !== 'object' || result === null || !('url' in result)) continue;
      // The rest is read on, so that the studio never waits for a reader.
      stdout.resume();
      return String(result.url);
    }
  } finally {
    clearTimeout(silence);
  }
  throw new Error(`The studio did not start. ${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, 'exit');
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill('SIGTERM');
  await over;
  clearTimeout(patience);
}

/** With KEEP set, the home folder of a scene stays where it says, to be looked into. */
async function keepWhereAsked(home: string): Promise<void> {
  const place = process.env['KEEP'];
  if (place) await cp(home, place, { recursive: true });
}

/** Engines are children whose command line names the worker's entry; Linux tells. */
async function enginesOf(parent: number): Promise<readonly number[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [status, command] = await Promise.all(
      ['status', 'cmdline'].map((file) =>
        readFile(`/proc/${entry}/${file}`, 'utf8').catch(() => ''),
      ),
    );
    const ours = new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status ?? '');
    if (ours && (command ?? '').includes('worker/entry')) found.push(Number(entry));
  }
  return found;
}
