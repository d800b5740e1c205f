import { MessageChannel } from 'node:worker_threads';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { RPCHandler } from '@orpc/server/message-port';
import { beforeAll, onTestFinished } from 'vitest';
import { createRouter } from '#studio/router';
import { abilitiesOf, pictureOf } from './client.ts';
import { conformance, type Connect, type StudioClient } from './conformance.ts';
import { importing } from './models.ts';
import { shared } from './shared.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

const connect: Connect = async () => {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
    port2.close();
  });
  new RPCHandler(createRouter(studio)).upgrade(port1);
  port1.start();
  port2.start();
  const client: StudioClient = createORPCClient(new RPCLink({ port: port2 }));
  return {
    client,
    picture: (address) => pictureOf(studio, new URL(address, 'app://studio').pathname),
  };
};

const NAME = 'a message port, with structured clone';
conformance(NAME, connect);
importing(NAME, connect, () => home);
shared(NAME, async () => abilitiesOf(await connect()));
