import { MessageChannel } from 'node:worker_threads';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRouter } from '#studio/router';
import { createPortCalls } from '../../main/electron/port-calls.ts';
import { FakePort } from '../electron/stand-in.ts';
import { abilitiesOf, keepingOf, pictureOf } from './client.ts';
import { conformance, type Connect, type StudioClient } from './conformance.ts';
import { hostile } from './hostile.ts';
import { importing } from './models.ts';
import { keeping, shared } from './shared.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

/** A client, and the page's end of its port, which says anything. */
const open = async () => {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
    port2.close();
  });
  createPortCalls(createRouter(studio))(new FakePort(port1));
  port2.start();
  const client: StudioClient = createORPCClient(new RPCLink({ port: port2 }));
  return { client, studio, port: port2 };
};
const connect: Connect = async () => {
  const { client, studio } = await open();
  return {
    client,
    picture: (address) => pictureOf(studio, new URL(address, 'app://studio').pathname),
  };
};

const NAME = 'a message port, with structured clone';
conformance(NAME, connect);
importing(NAME, connect, () => home);
hostile(NAME, connect);
shared(NAME, async () => abilitiesOf(await connect()));
keeping(NAME, async () => keepingOf(await connect()));

test('what is no call at all is left alone: nothing fails unseen, and calls go on', async () => {
  const { client, port } = await open();
  const unseen: unknown[] = [];
  const see = (reason: unknown): void => void unseen.push(reason);
  process.on('unhandledRejection', see);
  onTestFinished(() => void process.off('unhandledRejection', see));
  const call = (p: unknown, i: unknown = 'none of ours') => JSON.stringify({ i, p });
  const deep = `{"i":"9","p":{"u":"/jobs/list","b":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
  for (const message of [
    ...[null, undefined, 0, 1n, true, [], {}, new Map([['i', '1']]), new Date(), new Error('no')],
    ...['', 'text', '{', '[]', 'null', '7', '{"i":"x"}', '{"p":null}', '{"i":{},"t":99}', deep],
    ...[call(null), call({}), call({ u: 7 }), call({ u: 'http://[' }), call({ u: '//' })],
    ...[call({ u: '/__proto__/toString' }), call({ u: '/jobs/list', h: 7 }), call([], null)],
    call({ u: '/jobs/list', m: 'TRACE', h: { 'content-type': 'multipart/form-data' } }),
    call({ u: '/jobs/create', h: { 'content-type': 'text/event-stream' } }),
    ...[new Uint8Array(), new Uint8Array([255, 0, 255]), new Uint8Array(100_000).fill(123)],
    ...[new ArrayBuffer(8), new Float64Array([NaN]), { i: 'x', p: { u: '/jobs/list' } }],
  ]) {
    port.postMessage(message);
  }
  expect(await client.jobs.list()).toEqual([]);
  // A rejection is told after the turn in which nobody took it.
  await new Promise((turn) => setImmediate(turn));
  expect(unseen).toEqual([]);
});
