import { beforeAll } from 'vitest';
import { conformance } from './conformance.ts';
import { httpClient, testServer, TOKEN } from './server.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

conformance('HTTP', async () => {
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
});
