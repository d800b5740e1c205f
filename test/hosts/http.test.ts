import { beforeAll, expect, test } from 'vitest';
import { abilitiesOf, keepingOf } from './client.ts';
import { conformance, type Connect } from './conformance.ts';
import { hostile } from './hostile.ts';
import { importing } from './models.ts';
import { httpClient, testServer, TOKEN } from './server.ts';
import { keeping, shared } from './shared.ts';
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
hostile('HTTP', connect);
shared('HTTP', async () => abilitiesOf(await connect()));
keeping('HTTP', async () => keepingOf(await connect()));

test('what is no call at all is refused, and calls go on', async () => {
  const folder = await libraryFolder();
  const host = await testServer(await testStudio(home, { libraryFolder: folder }), folder);
  const post = async (path: string, body: string | Uint8Array<ArrayBuffer>, type: string) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': type };
    const { status } = await fetch(`http://127.0.0.1:${host.port}${path}`, {
      ...{ method: 'POST', headers, body },
    });
    return status;
  };
  const json = 'application/json';
  const deep = `{"json":{"filter":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
  for (const [body, type] of [
    ...['', '{', '[]', 'null', '7', '{"json":7}', '{"meta":7}', deep].map((body) => [body, json]),
    ['{"json":{"__proto__":{"polluted":true}}}', json],
    ['{"json":{"id":1},"meta":[[3,"__proto__","polluted"]]}', json],
    ['{"json":{"id":1},"meta":[[0,"constructor","prototype"]]}', json],
    ['{"json":{},"maps":[["__proto__"]]}', 'multipart/form-data; boundary=x'],
    ['--x\r\n\r\n', 'multipart/form-data; boundary=x'],
    ['a=b&__proto__[polluted]=1', 'application/x-www-form-urlencoded'],
    [new Uint8Array([0, 255, 254]), 'application/octet-stream'],
    ['data: {}\n\n', 'text/event-stream'],
  ] as const) {
    const status = await post('/rpc/images/get', body as string, type ?? json);
    expect([400, 413, 415, 500].includes(status), `${type}: ${String(body).slice(0, 60)}`).toBe(
      true,
    );
  }
  for (const path of ['/rpc/__proto__', '/rpc/images/constructor', '/rpc/images/get/bind']) {
    expect(await post(path, '{}', json)).toBe(404);
  }
  expect('polluted' in {}).toBe(false);
  expect(await httpClient(host).jobs.list()).toEqual([]);
});
