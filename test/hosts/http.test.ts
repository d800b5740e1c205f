import { beforeAll } from 'vitest';
import { abilitiesOf } from './client.ts';
import { conformance, type Connect } from './conformance.ts';
import { importing } from './models.ts';
import { httpClient, testServer, TOKEN } from './server.ts';
import { shared } from './shared.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

const connect: Connect = async () => {
  const folder = await libraryFolder();
  const studio = await testStudio(home, { libraryFolder: folder });
  const host = await testServer(studio, folder);
  return {
    client: httpClient(host),
    picture: async (address) => {
      const response = await fetch(`http://127.0.0.1:${host.port}${address}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        bytes: new Uint8Array(await response.arrayBuffer()),
      };
    },
  };
};

conformance('HTTP', connect);
importing('HTTP', connect, () => home);
shared('HTTP', async () => abilitiesOf(await connect()));
