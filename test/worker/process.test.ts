import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WorkerClient } from '#worker/client';
import { forkChannel, type ForkOptions } from '#worker/fork-channel';
import type { Methods, ModelRef } from '#worker/protocol';
import { writeBundle } from './bundle.ts';
import { lastingFolder, temporaryFolder } from './folders.ts';

let ref: ModelRef;

beforeAll(async () => {
  const library = await lastingFolder();
  const bundle = path.join(library, 'tiny');
  await writeBundle(bundle);
  ref = { bundle, target: 'cpu', cache: path.join(library, 'cache') };
});

function client(options: ForkOptions = {}): WorkerClient {
  const made = new WorkerClient({ channel: forkChannel(options) });
  onTestFinished(() => made.close());
  return made;
}

function request(count: number, change: Partial<ModelRef> = {}): Methods['generate']['request'] {
  return {
    model: { ...ref, ...change },
    plan: {
      seeds: Array.from({ length: count }, (_, at) => at),
      source: { kind: 'sample', steps: 20, eta: 1, labels: null },
      decoding: { steps: 30, temperature: 1, guidance: 1, schedule: 'linear' },
    },
    chunk: 1,
    steps: true,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Makes some pictures and returns their tokens. */
async function tokensOf(engine: WorkerClient, count: number, change: Partial<ModelRef> = {}) {
  const tokens: string[] = [];
  await engine.call('generate', request(count, change), {
    onEvent: (event) => {
      if (event.kind === 'picture') tokens.push(event.picture.tokens.join());
    },
  });
  return tokens;
}

describe('the engine process', () => {
  test('makes pictures of typed arrays', async () => {
    const images: Uint8Array[] = [];
    await client().call('generate', request(2), {
      onEvent: (event) => {
        if (event.kind === 'picture') images.push(event.picture.image);
      },
    });
    expect(images.map((image) => [image.constructor, image.length])).toEqual([
      [Uint8Array, 3072],
      [Uint8Array, 3072],
    ]);
  });

  test('killed in the middle of the work: said so, and the next call gives the same pictures', async () => {
    const engine = client();
    const before = await tokensOf(engine, 2);
    const { pid } = engine;
    let finished = 0;
    const call = engine.call('generate', request(500), {
      onEvent: (event) => {
        if (event.kind === 'picture') finished += 1;
        if (finished === 1 && pid !== undefined) process.kill(pid, 'SIGKILL');
      },
    });
    const failure = await call.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'engine-crashed' });
    expect(String(failure)).toContain('SIGKILL');
    expect(finished).toBeGreaterThanOrEqual(1);
    expect(await tokensOf(engine, 2)).toEqual(before);
    expect(engine.pid).not.toBe(pid);
  });

  test('stops between two steps when cancelled, and lives on', async () => {
    const engine = client();
    const abort = new AbortController();
    let steps = 0;
    const call = engine.call('generate', request(500), {
      signal: abort.signal,
      onEvent: (event) => {
        if (event.kind === 'step') steps += 1;
        if (steps === 5) abort.abort();
      },
    });
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    expect(steps).toBeLessThan(60);
    const { pid } = engine;
    await engine.call('open', ref);
    expect(engine.pid).toBe(pid);
  });

  test('two processes compile into one empty cache at once', async () => {
    const cache = path.join(await temporaryFolder(), 'cache');
    const [first, second] = await Promise.all([
      tokensOf(client(), 2, { cache }),
      tokensOf(client(), 2, { cache }),
    ]);
    expect(first).toEqual(second);
  });

  test('goes when told to', async () => {
    const engine = client();
    await engine.call('open', ref);
    const { pid } = engine;
    await engine.close();
    expect(pid !== undefined && isAlive(pid)).toBe(false);
  });

  test('ignores Ctrl-C, which is for its parent', async () => {
    const engine = client();
    await engine.call('open', ref);
    const { pid = 0 } = engine;
    process.kill(pid, 'SIGINT');
    await engine.call('open', ref);
    expect(engine.pid).toBe(pid);
  });

  test('goes when its parent is killed', async () => {
    const folder = await temporaryFolder();
    const script = path.join(folder, 'parent.ts');
    const from = (file: string) =>
      JSON.stringify(fileURLToPath(new URL(`../../main/worker/${file}.ts`, import.meta.url)));
    await writeFile(
      script,
      `import { WorkerClient } from ${from('client')};
       import { forkChannel } from ${from('fork-channel')};
       const engine = new WorkerClient({ channel: forkChannel() });
       await engine.call('open', ${JSON.stringify(ref)});
       console.log(engine.pid);`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });
});

describe('a process that cannot start', () => {
  test('says why, at every call', async () => {
    const folder = await temporaryFolder();
    const entry = path.join(folder, 'broken.mjs');
    await writeFile(entry, `console.error('a warning'); throw new Error('no such library');`);
    const engine = client({ entry });
    for (let call = 0; call < 2; call += 1) {
      const failure = await engine.call('open', ref).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'engine-crashed' });
      expect(String(failure)).toContain('exit code 1: Error: no such library');
    }
  });

  test('a program that is not there', async () => {
    const engine = client({ entry: '/nowhere/entry.ts' });
    await expect(engine.call('open', ref)).rejects.toMatchObject({ code: 'engine-crashed' });
  });

  test('one that says nothing and goes', async () => {
    const entry = path.join(await temporaryFolder(), 'silent.mjs');
    await writeFile(entry, 'process.exit(3)');
    await expect(client({ entry }).call('open', ref)).rejects.toThrow('(exit code 3)');
  });

  test('one that never answers is ended by a cancel', async () => {
    const entry = path.join(await temporaryFolder(), 'deaf.mjs');
    await writeFile(entry, 'setInterval(() => {}, 1000)');
    const engine = new WorkerClient({ channel: forkChannel({ entry }), graceMs: 50 });
    onTestFinished(() => engine.close());
    const abort = new AbortController();
    const call = engine
      .call('open', ref, { signal: abort.signal })
      .catch((error: unknown) => error);
    await sleep(20);
    const { pid = 0 } = engine;
    abort.abort();
    expect(await call).toMatchObject({ code: 'cancelled' });
    expect(isAlive(pid)).toBe(false);
  });
});

test('the environment is passed on', async () => {
  const entry = path.join(await temporaryFolder(), 'env.mjs');
  await writeFile(entry, 'console.error(`error ${process.env.RCG_TEST}`); process.exit(1)');
  const engine = client({ entry, env: { RCG_TEST: 'seen' } });
  await expect(engine.call('open', ref)).rejects.toThrow('error seen');
});
