import { createRouterClient } from '@orpc/server';
import { beforeAll } from 'vitest';
import { createRouter } from '#studio/router';
import { abilitiesOf } from './client.ts';
import { conformance, type Connect } from './conformance.ts';
import { importing } from './models.ts';
import { shared } from './shared.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

const connect: Connect = async () => {
  const studio = await testStudio(home, { libraryFolder: await libraryFolder() });
  return {
    client: createRouterClient(createRouter(studio)),
    picture: async (address) => {
      const path = new URL(address, 'http://studio').pathname;
      const asset = await studio.assets.get(path);
      return {
        status: asset === null ? 404 : 200,
        type: asset?.type ?? null,
        bytes: asset?.bytes ?? new Uint8Array(),
      };
    },
  };
};

conformance('nothing, in one process', connect);
importing('nothing, in one process', connect, () => home);
shared('nothing, in one process', async () => abilitiesOf(await connect()));
