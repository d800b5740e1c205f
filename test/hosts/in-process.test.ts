import { createRouterClient } from '@orpc/server';
import { beforeAll } from 'vitest';
import { createRouter } from '#studio/router';
import { abilitiesOf, keepingOf, pictureOf } from './client.ts';
import { conformance, type Connect } from './conformance.ts';
import { hostile } from './hostile.ts';
import { importing } from './models.ts';
import { keeping, shared } from './shared.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

const connect: Connect = async () => {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  return {
    client: createRouterClient(createRouter(studio)),
    picture: (address) => pictureOf(studio, new URL(address, 'http://studio').pathname),
  };
};

conformance('nothing, in one process', connect);
importing('nothing, in one process', connect, () => home);
hostile('nothing, in one process', connect);
shared('nothing, in one process', async () => abilitiesOf(await connect()));
keeping('nothing, in one process', async () => keepingOf(await connect()));
