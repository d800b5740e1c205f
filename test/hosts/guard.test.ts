import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { OpenStudio } from '#studio/open-studio';
import type { HttpHost } from '#http/server';
import { ended, sample } from './conformance.ts';
import { httpClient, testServer, TOKEN } from './server.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
let studio: OpenStudio;
let host: HttpHost;

beforeAll(async () => {
  home = await testHome();
});
beforeEach(async () => {
  const folder = await libraryFolder();
  studio = await testStudio(home, { libraryFolder: folder });
  host = await testServer(studio, folder);
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request as it is, without what `fetch` makes of it. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request(
      { host: '127.0.0.1', port: host.port, path, method, headers },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          const { statusCode = 0, headers: received } = response;
          resolve({ status: statusCode, headers: received, body: Buffer.concat(pieces) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const bearer = { authorization: `Bearer ${TOKEN}` };
const status = async (...call: Parameters<typeof ask>): Promise<number> =>
  (await ask(...call)).status;

describe('who may come in', () => {
  test('the printed address sets a cookie and shows the page without the token', async () => {
    const { pathname, search } = new URL(host.url);
    const entered = await ask(pathname + search);
    expect([entered.status, entered.headers.location]).toEqual([303, '/']);
    const [cookie = ''] = entered.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    const page = await ask('/', { headers: { cookie: cookie.split(';')[0] ?? '' } });
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body.toString()).toContain('RCG Studio');
  });

  test('an address for a browser lets one in, once, and soon', async () => {
    const path = (url: string) => url.slice(new URL(url).origin.length);
    const [first, second, late] = [host.entry(), host.entry(), host.entry()].map(path);
    expect(first).not.toContain(TOKEN);
    const entered = await ask(first ?? '');
    expect([entered.status, entered.headers.location]).toEqual([303, '/']);
    const [cookie = ''] = entered.headers['set-cookie'] ?? [];
    expect(await status('/', { headers: { cookie: cookie.split(';')[0] ?? '' } })).toBe(200);
    expect(await status(first ?? '')).toBe(401);
    // What is no visit does not use it up.
    expect(await status(second ?? '', { method: 'POST' })).toBe(401);
    expect(await status(second ?? '', { headers: { host: 'attacker.example' } })).toBe(421);
    expect(await status(second ?? '')).toBe(303);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(await status(late ?? '')).toBe(401);
    expect(await status('/?enter=')).toBe(401);
  });

  const STRANGERS: readonly (readonly [who: string, headers: Record<string, string>, number])[] = [
    ['nobody without the token', {}, 401],
    ['nobody with another token', { authorization: 'Bearer something-else' }, 401],
    ['nobody with half of it', { authorization: `Bearer ${TOKEN.slice(0, 10)}` }, 401],
    ['nobody with another cookie', { cookie: 'rcg-studio-1=abc' }, 401],
    ['a page of another site', { ...bearer, origin: 'https://example.com' }, 403],
    ['a page of another port here', { ...bearer, origin: 'http://127.0.0.1:1' }, 403],
    ['a page without an origin of its own', { ...bearer, origin: 'null' }, 403],
    ['a picture that another site shows', { ...bearer, 'sec-fetch-site': 'cross-site' }, 403],
    ['a name that another site points here', { ...bearer, host: 'attacker.example' }, 421],
    ['a name that begins like ours', { ...bearer, host: 'localhost.attacker.example:80' }, 421],
    ['the address of another interface', { ...bearer, host: '0.0.0.0' }, 421],
  ];
  test('strangers are refused, whatever they ask for', async () => {
    const paths = ['/', '/rpc/studio/status', '/images/1/full', '/assets/index-aB3dE5f7.js'];
    for (const [who, headers, expected] of STRANGERS) {
      for (const path of paths) {
        expect.soft(await status(path, { headers }), `${who}: ${path}`).toBe(expected);
      }
      const change = { method: 'POST', headers, body: '{}' };
      expect.soft(await status('/rpc/jobs/create', change), who).toBe(expected);
    }
  });

  test('our own pages come in under any loopback name', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]']) {
      const address = `${name}:${host.port}`;
      const headers = { ...bearer, host: address, origin: `http://${address}` };
      expect(await status('/', { headers })).toBe(200);
    }
  });

  test('another program of the same person is given an address that lets a browser in, once', async () => {
    const given = await ask('/entry', { method: 'POST', headers: bearer });
    const { pathname, search, origin } = new URL(given.body.toString().trim());
    expect([given.status, origin]).toEqual([200, new URL(host.url).origin]);
    expect(search).not.toContain(TOKEN);
    expect([await status(pathname + search), await status(pathname + search)]).toEqual([303, 401]);
    expect(await status('/entry', { method: 'POST' })).toBe(401);
    expect(await status('/entry', { headers: bearer })).toBe(404);
  });

  test('the token works only in the address of a page, not with a request that changes things', async () => {
    const path = `/rpc/studio/undo?token=${TOKEN}`;
    expect(await status(path, { method: 'POST', body: '{}' })).toBe(401);
  });

  test('only this computer is listened to', () => {
    expect(new URL(host.url).hostname).toBe('127.0.0.1');
  });
});

describe('what is served', () => {
  test('every answer forbids what the window does not need', async () => {
    for (const path of ['/', '/nothing', '/rpc/none', '/rpc/studio/status', `/?token=${TOKEN}`]) {
      const { headers } = await ask(path, { headers: bearer });
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).not.toMatch(
        /https?:|\*|unsafe-eval|script-src[^;]*unsafe/,
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });

  const NOWHERE = [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/assets/%00',
    '/index.html%00.js',
    '/images/1',
    '/images/-1/full',
    '/images/1/full/../../../secret.txt',
    '/images/1e3/full',
    '/images/99999999999999999999/full',
    '/previews/1/1/1',
    '/previews/a/b',
    '/steps/1/',
    '/.git/config',
    '/library.db',
    '/images/2026-11/x.png',
  ];
  test('addresses of what is not for anyone lead nowhere', async () => {
    for (const path of NOWHERE) {
      const { status: found, body } = await ask(path, { headers: bearer });
      expect.soft(found, path).toBe(404);
      expect.soft(body.toString(), path).not.toContain('not for anyone');
    }
  });

  test('addresses that are none are refused', async () => {
    for (const path of ['//evil.example/', 'http://evil.example/', `/${'a'.repeat(5000)}`]) {
      expect(await status(path, { headers: bearer })).toBe(400);
    }
    expect(await status('/', { method: 'PUT', headers: bearer })).toBe(405);
    expect(await status('/', { method: 'DELETE', headers: bearer })).toBe(405);
  });

  test('files whose names tell their content are kept for ever, others are asked for again', async () => {
    const asset = await ask('/assets/index-aB3dE5f7.js', { headers: bearer });
    expect(asset.headers['cache-control']).toContain('immutable');
    const page = await ask('/', { headers: bearer });
    expect(page.headers['cache-control']).toBe('private, no-cache');
    const again = await ask('/', {
      headers: { ...bearer, 'if-none-match': page.headers.etag ?? '' },
    });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  test('pictures come whole, in part, by head, or not at all when they are known', async () => {
    const client = httpClient(host);
    const [id = 0] = (await ended(client, (await client.jobs.create(sample({}))).id)).images;
    const [row] = await client.images.rows({ ids: [id] });
    const path = `/images/${id}/full?v=${row?.version}`;
    const whole = await ask(path, { headers: bearer });
    expect(whole.headers).toMatchObject({
      'content-type': 'image/png',
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=31536000, immutable',
    });
    const part = (range: string, more = {}) =>
      ask(path, { headers: { ...bearer, range, ...more } });
    const size = whole.body.length;
    const first = await part('bytes=0-7');
    expect([first.status, first.headers['content-range']]).toEqual([206, `bytes 0-7/${size}`]);
    expect(first.body).toEqual(whole.body.subarray(0, 8));
    expect((await part('bytes=-4')).body).toEqual(whole.body.subarray(-4));
    expect((await part('bytes=5-')).body).toEqual(whole.body.subarray(5));
    expect((await part(`bytes=${size}-`)).status).toBe(416);
    expect((await part('bytes=7-3')).status).toBe(416);
    expect((await part('bytes=0-1,3-4')).status).toBe(200);
    expect((await part('pages=1-2')).status).toBe(200);
    expect((await part('bytes=0-7', { 'if-range': '"other"' })).status).toBe(200);
    const known = { ...bearer, 'if-none-match': whole.headers.etag ?? '' };
    expect(await status(path, { headers: known })).toBe(304);
    const head = await ask(path, { method: 'HEAD', headers: bearer });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([
      200,
      String(size),
      0,
    ]);
  });
});

describe('the contract’s door', () => {
  test.each([
    ['no procedure', '/rpc/studio/none', '{}', 404],
    ['no JSON', '/rpc/jobs/create', '{"json":', 400],
    ['an input of the wrong form', '/rpc/jobs/create', '{"json":{"source":1}}', 400],
    ['a field too many', '/rpc/images/get', '{"json":{"id":1,"more":2}}', 400],
  ])('%s is refused', async (_, path, body, expected) => {
    const headers = { ...bearer, 'content-type': 'application/json' };
    expect(await status(path, { method: 'POST', headers, body })).toBe(expected);
  });

  test('a prototype is not polluted by keys of a request', async () => {
    const body = '{"json":{"language":"en","__proto__":{"polluted":true}},"meta":[]}';
    const headers = { ...bearer, 'content-type': 'application/json' };
    await ask('/rpc/studio/configure', { method: 'POST', headers, body });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('calls that change things cannot be made by following a link', async () => {
    expect(await status('/rpc/studio/undo', { headers: bearer })).toBe(405);
  });

  test('a body beyond the limit is refused before it is read', async () => {
    const headers = { ...bearer, 'content-length': String(2 ** 40), host: '127.0.0.1' };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const socket = connect(host.port, '127.0.0.1');
    socket.write(`POST /rpc/images/import HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{`);
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once('data', (data) => resolve(data.toString()));
      socket.on('error', reject);
    });
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 413/);
  });

  test('errors cross with their code, and without a stack', async () => {
    const headers = { ...bearer, 'content-type': 'application/json' };
    const { status: code, body } = await ask('/rpc/images/get', {
      method: 'POST',
      headers,
      body: '{"json":{"id":77}}',
    });
    expect(code).toBe(404);
    expect(JSON.parse(body.toString())).toMatchObject({
      json: { code: 'not-found', defined: true },
    });
    expect(body.toString()).not.toMatch(/at .*\.ts/);
  });
});

describe('closing', () => {
  test('ends streams at once and refuses what comes after', async () => {
    const client = httpClient(host);
    const stream = await client.studio.events();
    await stream.next();
    await Promise.all([studio.close(), host.close()]);
    // What was told before comes first.
    let next = await stream.next();
    while (next.done !== true) next = await stream.next();
    expect(next).toEqual({ done: true, value: undefined });
    await expect(client.studio.status()).rejects.toThrow('fetch failed');
    await expect(fetch(`http://127.0.0.1:${host.port}/`)).rejects.toThrow('fetch failed');
  });

  test('a client that goes away ends its stream', async () => {
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${host.port}/rpc/studio/events`, {
      method: 'POST',
      headers: { ...bearer, 'content-type': 'application/json' },
      body: '{}',
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    await expect.poll(() => studio.shop.events.listeners).toBe(1);
    abort.abort();
    await expect.poll(() => studio.shop.events.listeners).toBe(0);
  });

  test('a port that is taken is named', async () => {
    const { serve } = await import('#http/server');
    const again = serve(studio, { port: host.port, token: TOKEN, renderer: '/nowhere' });
    await expect(again).rejects.toMatchObject({ code: 'invalid-request', field: 'port' });
  });
});
