import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { RPCHandler } from '@orpc/server/message-port';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { StudioEvent } from '#api/studio';
import type { OpenStudio } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import type { StudioClient } from './conformance.ts';
import { httpClient, testServer, TOKEN } from './server.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

/** What becomes of the stream of events when either side has had enough of it. */

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

interface Line {
  readonly studio: OpenStudio;
  readonly client: StudioClient;
  /** Connections between the two that are open now. */
  readonly open: () => number;
  /** Cuts them, as a crash of the client does. */
  readonly cut: () => void;
}

async function overHttp(): Promise<Line> {
  const folder = await libraryFolder();
  const studio = await testStudio(home, { libraryFolder: folder });
  const { port } = await testServer(studio, folder);
  const wire = await countingProxy(port);
  return { studio, client: httpClient(wire), open: () => wire.sockets.size, cut: wire.cut };
}

/** Stands between client and server, and counts the connections that the client holds. */
async function countingProxy(port: number) {
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer((socket) => {
    const upstream = connectTo(port, '127.0.0.1');
    sockets.add(socket);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
    socket.on('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = (): void => sockets.forEach((socket) => void socket.destroy());
  onTestFinished(() => {
    server.close();
    cut();
  });
  return { port: (server.address() as AddressInfo).port, sockets, cut };
}

async function overPort(): Promise<Line> {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  const { port1, port2 } = new MessageChannel();
  let open = 1;
  port1.on('close', () => (open = 0));
  onTestFinished(() => port2.close());
  new RPCHandler(createRouter(studio)).upgrade(port1);
  port1.start();
  port2.start();
  const client: StudioClient = createORPCClient(new RPCLink({ port: port2 }));
  return { studio, client, open: () => open, cut: () => port2.close() };
}

type Stream = Awaited<ReturnType<StudioClient['studio']['events']>>;
interface Listening {
  readonly stream: Stream;
  readonly abort: () => void;
}

/** Ways of a client to have had enough. */
const WAYS: readonly (readonly [string, (listening: Listening) => unknown])[] = [
  ['returns before it has read anything', ({ stream }) => stream.return?.()],
  ['aborts before it has read anything', ({ abort }) => abort()],
  [
    'returns after the first event',
    async ({ stream }) => {
      await stream.next();
      await stream.return?.();
    },
  ],
  [
    'leaves its loop',
    async ({ stream }) => {
      for await (const event of stream) if (event.kind === 'jobs') break;
    },
  ],
  [
    'aborts while it waits for the next event',
    async ({ stream, abort }) => {
      await stream.next();
      // The studio may tell of something else meanwhile, of the machine's memory for one.
      const waiting = (async () => {
        while ((await stream.next()).done !== true);
      })().catch(() => undefined);
      setImmediate(abort);
      await waiting;
    },
  ],
];

async function listen({ studio, client }: Line): Promise<Listening> {
  const stop = new AbortController();
  const stream = await client.studio.events(undefined, { signal: stop.signal });
  expect(studio.shop.events.listeners).toBe(1);
  return { stream, abort: () => stop.abort() };
}

describe.each([
  ['HTTP', overHttp],
  ['a message port', overPort],
] as const)('the stream of events over %s', (_, connect) => {
  test.each(WAYS)('is let go when its client %s', async (__, leave) => {
    const line = await connect();
    await leave(await listen(line));
    await expect.poll(() => line.studio.shop.events.listeners).toBe(0);
  });

  test('is not even begun for a client that aborts at once', async () => {
    const { studio, client } = await connect();
    const stop = new AbortController();
    const call = client.studio.events(undefined, { signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toThrow();
    // An answer says that the server has come past the other call.
    await client.studio.status();
    expect(studio.shop.events.listeners).toBe(0);
  });

  test('is let go when its client dies, and others go on', async () => {
    const line = await connect();
    await listen(line);
    const other = line.studio.events();
    line.cut();
    await expect.poll(() => line.studio.shop.events.listeners).toBe(1);
    expect(line.open()).toBe(0);
    line.studio.configure({ binDays: 3 });
    for await (const event of other) if (event.kind === 'settings') break;
  });

  test('comes to its end, in order, when the studio closes', async () => {
    const line = await connect();
    const { stream } = await listen(line);
    const seen: StudioEvent[] = [];
    const reading = (async () => {
      for await (const event of stream) seen.push(event);
    })();
    await line.studio.close();
    await reading;
    expect(seen[0]).toMatchObject({ kind: 'jobs' });
    expect(line.studio.shop.events.listeners).toBe(0);
  });
});

test('over HTTP its connection is closed with it', async () => {
  const line = await overHttp();
  const { stream, abort } = await listen(line);
  await stream.next();
  expect(line.open()).toBeGreaterThan(0);
  abort();
  await expect.poll(line.open).toBe(0);
});

test('a server that closes ends its streams, so that nobody waits for the other', async () => {
  const folder = await libraryFolder();
  const studio = await testStudio(home, { libraryFolder: folder });
  const host = await testServer(studio, folder);
  const stream = await httpClient(host).studio.events();
  await stream.next();
  await host.close();
  expect(studio.shop.events.listeners).toBe(0);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  // The studio itself is still open: other hosts may serve it.
  const own = studio.events();
  expect((await own.next()).value).toMatchObject({ kind: 'jobs' });
});

/** A program that listens, has had enough, and has nothing else to do. */
const LISTENER = `
  import { createORPCClient } from '@orpc/client';
  import { RPCLink } from '@orpc/client/fetch';
  const [url, token, way] = process.argv.slice(1);
  const stop = new AbortController();
  const client = createORPCClient(new RPCLink({ url, headers: { authorization: 'Bearer ' + token } }));
  const stream = await client.studio.events(undefined, { signal: stop.signal });
  await stream.next();
  if (way === 'abort') stop.abort();
  else await stream.return();
`;

test.each(['abort', 'return'])('a program ends by itself after its %s', async (way) => {
  const folder = await libraryFolder();
  const studio = await testStudio(home, { libraryFolder: folder });
  const { port } = await testServer(studio, folder);
  const url = `http://127.0.0.1:${port}/rpc`;
  const args = ['--input-type=module', '--eval', LISTENER, url, TOKEN, way];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  onTestFinished(() => void child.kill());
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect.poll(() => studio.shop.events.listeners).toBe(0);
});
