import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import Sqlite from 'better-sqlite3';
import { WorkerClient } from '#worker/client';
import { forkChannel } from '#worker/fork-channel';
import { tinyBundle } from '../helpers/tiny-model.ts';
import type { StudioClient } from '../hosts/conformance.ts';

export interface TortureOptions {
  readonly kills: number;
  /** Chooses moments and victims. */
  readonly seed: number;
  /** Empty folder for everything that the studio writes. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** What was found afterwards; `problems` is empty when all is well. */
export interface TortureReport {
  readonly kills: Readonly<Record<Victim, number>>;
  readonly jobs: number;
  readonly pictures: number;
  /** Pictures that lay half decoded when the studio was killed. */
  readonly halfDecoded: number;
  readonly problems: readonly string[];
}

type Victim = 'main' | 'engine' | 'both';
const VICTIMS: readonly Victim[] = ['main', 'engine', 'both'];

/** Slow enough that most kills come in the middle of something. */
const SETTINGS = { model: 'tiny', count: 6, chunk: 3, steps: 96, rdmSteps: 120 } as const;
const OPEN_JOBS = 2;
const LONGEST_WAIT_MS = 900;

const BIN = fileURLToPath(new URL('../../main/cli/bin.mjs', import.meta.url));

/** A studio in a process of its own. */
interface Victims {
  readonly main: ChildProcess;
  readonly client: StudioClient;
}

/**
 * Kills a studio that makes pictures, again and again, at moments that nobody chose; then lets it
 * come to the end of its queue and looks whether anything was lost.
 */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { folder, log } = options;
  const random = generator(options.seed);
  const home = join(folder, 'home');
  await tinyBundle(join(home, 'models'));
  const kills = { main: 0, engine: 0, both: 0 };
  const wanted = new Map<number, number>();
  let nextSeed = 1;
  let halfDecoded = 0;
  let running = await start(home);
  for (let kill = 0; kill < options.kills; kill++) {
    await feed(running.client, () => {
      const seed = nextSeed;
      nextSeed += SETTINGS.count;
      return seed;
    }).then((jobs) => jobs.forEach(([id, seed]) => wanted.set(id, seed)));
    await sleep(random() * LONGEST_WAIT_MS);
    const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? 'main';
    kills[victim]++;
    await strike(running.main, victim);
    if (victim === 'engine') continue;
    halfDecoded += countResumes(join(home, 'library', 'library.db'));
    running = await start(home);
    if ((kill + 1) % 10 === 0) log(`${kill + 1} kills, ${wanted.size} jobs`);
  }
  log('Letting the queue come to its end.');
  const problems = await finish(running, wanted);
  const pictures = wanted.size * SETTINGS.count;
  problems.push(...(await inspect(home, wanted)));
  return { kills, jobs: wanted.size, pictures, halfDecoded, problems };
}

async function start(home: string): Promise<Victims> {
  await mkdir(home, { recursive: true });
  const main = spawn(process.execPath, [BIN, 'serve', '--no-open', '--json'], {
    env: { ...process.env, RCG_STUDIO_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  main.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text));
  for await (const line of createInterface({ input: main.stdout ?? process.stdin })) {
    const said: unknown = JSON.parse(line);
    if (typeof said !== 'object' || said === null || !('url' in said)) continue;
    const url = new URL(String(said.url));
    const token = url.searchParams.get('token') ?? '';
    const link = new RPCLink({
      url: `${url.origin}/rpc`,
      headers: { authorization: `Bearer ${token}` },
    });
    return { main, client: createORPCClient(link) };
  }
  throw new Error(`The studio did not start: ${words}`);
}

/** Keeps jobs waiting, and starts again what was parked by our own kills. */
async function feed(
  client: StudioClient,
  newSeed: () => number,
): Promise<readonly (readonly [id: number, seed: number])[]> {
  const jobs = await client.jobs.list();
  for (const job of jobs) if (job.state === 'parked') await client.jobs.retry({ id: job.id });
  const open = jobs.filter((job) => ['queued', 'running'].includes(job.state)).length;
  const added: (readonly [number, number])[] = [];
  for (let i = open; i < OPEN_JOBS; i++) {
    const seed = newSeed();
    const settings = { ...SETTINGS, seed };
    const { id } = await client.jobs.create({ source: { kind: 'sample' }, settings });
    added.push([id, seed]);
  }
  return added;
}

async function strike(main: ChildProcess, victim: Victim): Promise<void> {
  const children = victim === 'main' ? [] : await childrenOf(main.pid ?? 0);
  if (victim !== 'engine') {
    const gone = once(main, 'exit');
    main.kill('SIGKILL');
    await gone;
  }
  for (const pid of children) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It went with its parent.
    }
  }
}

/** Processes that a process started (Linux). */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

function countResumes(database: string): number {
  const connection = new Sqlite(database, { readonly: true });
  try {
    return Number(connection.prepare('SELECT count(*) FROM resumes').pluck().get());
  } finally {
    connection.close();
  }
}

/** Waits for every job and ends the studio as a person would. */
async function finish(
  { main, client }: Victims,
  wanted: ReadonlyMap<number, number>,
): Promise<string[]> {
  const problems: string[] = [];
  for (;;) {
    await feed(client, () => 0).catch(() => undefined);
    const jobs = await client.jobs.list();
    const open = jobs.filter((job) => wanted.has(job.id) && job.state !== 'done');
    const ended = open.filter((job) => ['failed', 'cancelled'].includes(job.state));
    problems.push(...ended.map((job) => `job ${job.id} is ${job.state}: ${job.error?.message}`));
    if (open.length === ended.length) break;
    await sleep(200);
  }
  for (const job of await client.jobs.list()) {
    if (!wanted.has(job.id)) await client.jobs.cancel({ id: job.id });
  }
  const gone = once(main, 'exit');
  main.kill('SIGINT');
  await gone;
  return problems;
}

interface Row {
  readonly path: string;
  readonly seed: number;
  readonly state: string;
  readonly job: number | null;
  readonly tokens: Buffer;
}

/** Compares what lies on the disk with what should. */
async function inspect(home: string, wanted: ReadonlyMap<number, number>): Promise<string[]> {
  const library = join(home, 'library');
  const problems: string[] = [];
  const database = new Sqlite(join(library, 'library.db'), { readonly: true });
  const integrity = String(database.pragma('integrity_check', { simple: true }));
  if (integrity !== 'ok') problems.push(`integrity_check: ${integrity}`);
  const rows = database
    .prepare<[], Row>(
      `SELECT m.path, i.seed, i.file_state AS state, i.job, m.tokens
      FROM images i JOIN masters m ON m.image = i.id`,
    )
    .all();
  const ofJobs = database.prepare<[], { job: number; count: number }>(
    'SELECT job, count(image) AS count FROM job_images GROUP BY job',
  );
  const counts = new Map(ofJobs.all().map(({ job, count }) => [job, count]));
  database.close();

  const names = await readdir(join(library, 'images'), { recursive: true, withFileTypes: true });
  const files = new Set(
    names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)),
  );
  for (const row of rows) {
    if (row.state !== 'present' || !files.delete(join(library, row.path))) {
      problems.push(`no file for the row of seed ${row.seed}`);
    }
  }
  for (const file of files) problems.push(`no row for ${file}`);
  for (const id of wanted.keys()) {
    if (counts.get(id) !== SETTINGS.count) {
      problems.push(`job ${id} has ${counts.get(id) ?? 0} pictures of ${SETTINGS.count}`);
    }
  }
  const made = rows.filter((row) => row.job !== null && wanted.has(row.job));
  return [...problems, ...(await compareTokens(home, made))];
}

/** Makes the same pictures without any kill. */
async function compareTokens(home: string, rows: readonly Row[]): Promise<string[]> {
  const { model, rdmSteps, steps } = SETTINGS;
  const engine = new WorkerClient({ channel: forkChannel() });
  const seeds = [...new Set(rows.map((row) => row.seed))].sort((a, b) => a - b);
  const whole = new Map<number, string>();
  await engine.call(
    'generate',
    {
      model: { bundle: join(home, 'models', model), target: 'cpu', cache: join(home, 'cache') },
      plan: {
        seeds,
        source: { kind: 'sample', steps: rdmSteps, eta: 1, labels: null },
        decoding: { steps, temperature: 1, guidance: 1, schedule: 'linear' },
      },
      chunk: 4,
      steps: false,
    },
    {
      onEvent: (event) => {
        if (event.kind === 'picture') {
          whole.set(event.picture.seed, event.picture.tokens.join());
        }
      },
    },
  );
  await engine.close();
  if (whole.size !== seeds.length) return [`the comparison made ${whole.size} of ${seeds.length}`];
  return rows
    .filter((row) => tokensOf(row.tokens).join() !== whole.get(row.seed))
    .map((row) => `seed ${row.seed} differs from an uninterrupted run`);
}

function tokensOf(bytes: Buffer): readonly number[] {
  return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(i * 2));
}

/** Numbers in [0,1) that follow from a seed (mulberry32), so that a run can be had again. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
