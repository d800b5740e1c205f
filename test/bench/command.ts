import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { WorkerClient } from '#worker/client';
import { forkChannel } from '#worker/fork-channel';
import { median } from './table.ts';

/** What a person at a terminal waits for. */
export interface CommandCost {
  /** From the start of `generate` to its first picture, graphs compiled before. */
  readonly firstSeconds: number;
  /** The same on a fresh machine, where the graphs are compiled first. */
  readonly coldSeconds: number;
  /** Between the pictures of a batch, median. */
  readonly furtherSeconds: number;
  /** Resident memory of a warm engine process, bytes. */
  readonly resident: number;
}

/** Runs the command twice with a data folder of its own, then an engine to look at its memory. */
export async function benchCommand(
  folder: string,
  say: (message: string) => void,
): Promise<CommandCost> {
  say('running the command');
  const cold = await run(folder);
  const warm = await run(folder);
  const [first = NaN] = warm;
  const gaps = warm.slice(1).map((at, i) => at - (warm[i] ?? 0));
  return {
    firstSeconds: first,
    coldSeconds: cold[0] ?? NaN,
    furtherSeconds: median(gaps),
    resident: await residentMemory(folder),
  };
}

/** Seconds from the start to each of eight pictures. */
async function run(folder: string): Promise<number[]> {
  const bin = resolve(import.meta.dirname, '../../main/cli/bin.mjs');
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [bin, 'generate', '--count', '8', '--seed', '7', '--json', '--out', join(folder, 'out')],
    {
      env: { ...process.env, RCG_STUDIO_HOME: join(folder, 'home') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const times: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) times.push((performance.now() - began) / 1000);
  }
  return times;
}

async function residentMemory(folder: string): Promise<number> {
  const engine = new WorkerClient({ channel: forkChannel() });
  const model = {
    bundle: resolve(import.meta.dirname, '../../models/starter'),
    target: 'cpu',
    cache: join(folder, 'home', 'cache'),
  } as const;
  try {
    const plan = {
      seeds: [1, 2, 3, 4],
      source: { kind: 'sample', steps: 50, eta: 1, labels: null },
      decoding: { steps: 4, guidance: 1, temperature: 1, schedule: 'linear' },
    } as const;
    await engine.call('generate', { model, plan, chunk: 4, steps: false });
    const status = await readFile(`/proc/${engine.pid ?? 'self'}/status`, 'utf8').catch(() => '');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } finally {
    await engine.close();
  }
}
