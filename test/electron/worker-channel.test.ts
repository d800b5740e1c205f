import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FakeUtilityProcess } from './utility-process.ts';

/** The engine's channel over a utility process: here Node's child, with Electron's face. */

vi.mock('electron', () => ({
  utilityProcess: {
    fork: (...given: ConstructorParameters<typeof FakeUtilityProcess>) =>
      new FakeUtilityProcess(...given),
  },
}));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rcg-studio-channel-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Starts a program as an engine, and gathers what comes of it. */
async function engine(program: string) {
  const { utilityChannel } = await import('../../main/electron/worker-channel.ts');
  const file = join(folder, `${Math.trunc(performance.now() * 1000)}.mjs`);
  await writeFile(file, program);
  const channel = utilityChannel(file)();
  const messages: unknown[] = [];
  const exit = new Promise<string>((resolve) => channel.onExit(resolve));
  const first = new Promise<unknown>((resolve) =>
    channel.onMessage((message) => {
      messages.push(message);
      resolve(message);
    }),
  );
  return { channel, messages, exit, first };
}

const ECHO = `process.parentPort.on('message', ({ data }) => process.parentPort.postMessage(data));`;

test('messages go both ways as structured clones, also before the process is up', async () => {
  const { channel, first, exit } = await engine(ECHO);
  const message = { tokens: Uint16Array.of(1, 2, 3), when: new Date(5), none: undefined, big: 7n };
  channel.send(message);
  expect(await first).toEqual(message);
  channel.kill();
  await exit;
});

test('a kill ends the process in the middle of its work', async () => {
  const { channel, first, exit } = await engine(
    `process.on('SIGTERM', () => undefined); process.parentPort.postMessage('up'); for (;;);`,
  );
  expect(await first).toBe('up');
  expect(channel.pid).toBeTypeOf('number');
  channel.kill();
  await exit;
  expect(channel.pid).toBeUndefined();
  channel.kill();
});

test('a kill before the process is there ends it as soon as it is', async () => {
  const { channel, exit, messages } = await engine(`setInterval(() => undefined, 1000);`);
  expect(channel.pid).toBeUndefined();
  channel.kill();
  await exit;
  expect(messages).toEqual([]);
});

test('an end is reported with its code and last words', async () => {
  const { exit } =
    await engine(`console.error('no memory left\\n    at a (b.js:1)'); process.exitCode = 3;
    process.stderr.write('', () => setTimeout(() => process.exit(), 100));`);
  expect(await exit).toBe('exit code 3: no memory left');
  expect(await (await engine('process.exit(0);')).exit).toBe('exit code 0');
});
