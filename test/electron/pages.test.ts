import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp, OWN_FRAME, PAGE, SCRIPT, start, until, type Start } from './boot.ts';
import { FakeContents, FakePort, type FakeElectron } from './stand-in.ts';

/**
 * What pages may ask of the built desktop host, and what they get. Not run in real Electron here:
 * the events come from a stand-in.
 */

let app = '';
let home = '';
let host: Start;
let electron: FakeElectron;

beforeAll(async () => {
  app = await buildApp();
  home = await mkdtemp(join(tmpdir(), 'rcg-studio-home-'));
  host = await start(app, home);
  electron = host.electron;
});
afterAll(async () => {
  await host.quit();
  await rm(app, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
});

function page(): FakeContents {
  const window = electron.windows[0];
  if (window === undefined) throw new Error('There is no window.');
  return window.webContents;
}

describe('what pages may do', () => {
  /** What becomes of an event that can be refused. */
  function refused(contents: FakeContents, name: string, details: object): boolean {
    let stopped = false;
    contents.emit(name, { ...details, preventDefault: () => (stopped = true) });
    return stopped;
  }

  test.each([
    ['https://example.com/', true],
    ['file:///etc/passwd', true],
    ['app://other/index.html', true],
    ['app://studio/images/1/full', true],
    ['app://studio/index.html.js', true],
    ['app://studio/index.html', false],
    ['app://studio/index.html#/gallery', false],
  ])('navigating to %s is refused: %s', (url, expected) => {
    const webContents = page();
    expect(refused(webContents, 'will-frame-navigate', { url, isMainFrame: true })).toBe(expected);
    expect(refused(webContents, 'will-frame-navigate', { url, isMainFrame: false })).toBe(true);
    expect(refused(webContents, 'will-redirect', { url })).toBe(true);
  });

  test('new windows and embedded pages are refused, wherever they come from', () => {
    const webContents = page();
    const stray = new FakeContents();
    electron.app.emit('web-contents-created', {}, stray);
    for (const contents of [webContents, stray]) {
      expect(contents.opens('https://example.com/')).toEqual({ action: 'deny' });
      expect(contents.opens('app://studio/index.html')).toEqual({ action: 'deny' });
      expect(refused(contents, 'will-attach-webview', {})).toBe(true);
    }
  });

  test('permissions are refused, except copying by our own page', () => {
    const asks = (permission: string, requestingUrl: string): boolean => {
      let answer: boolean | undefined;
      const given = { requestingUrl, isMainFrame: true } as const;
      electron.permission?.(null as never, permission as never, (yes) => (answer = yes), given);
      return answer ?? true;
    };
    const ours = 'app://studio/index.html';
    for (const each of [
      'media',
      'geolocation',
      'notifications',
      'openExternal',
      'clipboard-read',
    ]) {
      expect(asks(each, ours)).toBe(false);
      expect(electron.permissionCheck?.(null, each as never, 'app://studio', {} as never)).toBe(
        false,
      );
    }
    expect(asks('clipboard-sanitized-write', ours)).toBe(true);
    expect(asks('clipboard-sanitized-write', 'app://studio.evil/')).toBe(false);
    expect(asks('clipboard-sanitized-write', 'https://example.com/')).toBe(false);
    const copy = 'clipboard-sanitized-write' as never;
    expect(electron.permissionCheck?.(null, copy, 'app://studio/', {} as never)).toBe(true);
    expect(electron.permissionCheck?.(null, copy, 'app://studio.evil/', {} as never)).toBe(false);
    expect(electron.device?.({} as never)).toBe(false);
    expect(electron.log).toContain('media null');
  });

  test.each([
    ['https://example.com/', true],
    ['http://127.0.0.1:8080/', true],
    ['wss://example.com/', true],
    ['file:///etc/passwd', true],
    ['app://studio/index.html', false],
    ['blob:app://studio/1', false],
  ])('a request to %s is cancelled: %s', (url, expected) => {
    let cancel: boolean | undefined;
    electron.request?.({ url } as never, (answer) => (cancel = answer.cancel));
    expect(cancel).toBe(expected);
  });

  test.each([
    ['a port of a frame', { parent: {}, origin: 'app://studio' }, 1],
    ['a port of another origin', { parent: null, origin: 'https://example.com' }, 1],
    ['a port of a frame that is gone', null, 1],
    ['two ports', OWN_FRAME, 2],
    ['no port', OWN_FRAME, 0],
  ])('%s is not served', async (_what, senderFrame, count) => {
    const ports = Array.from({ length: count }, () => new FakePort(new MessageChannel().port1));
    electron.ipcMain.emit('studio-port', { ports, senderFrame });
    await until(() => ports.every((port) => port.closed));
  });
});

describe('app://studio', () => {
  test('is a scheme with an origin, told to Electron before it is ready', () => {
    expect(electron.schemes).toEqual([
      {
        scheme: 'app',
        privileges: {
          standard: true,
          secure: true,
          supportFetchAPI: true,
          stream: true,
          codeCache: true,
        },
      },
    ]);
  });

  test('serves the page with a policy that lets nothing in', async () => {
    for (const path of ['/', '/index.html']) {
      const answer = await host.fetch(path);
      expect(await answer.text()).toBe(PAGE);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('private, no-cache');
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; /);
      expect(policy).not.toMatch(/https?:|unsafe-eval|\*/);
      expect(policy.match(/unsafe-inline/g)).toHaveLength(1);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('lets a page load, ask, show and work with what is its own, and nothing else', async () => {
    const policy = (await host.fetch('/')).headers.get('content-security-policy') ?? '';
    const rules = new Map(
      policy.split('; ').map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]),
    );
    // A worker falls back to what scripts may be, and frames and all the rest to nothing.
    expect(Object.fromEntries(rules)).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self' 'unsafe-inline'",
      'img-src': "'self' blob: data:",
      'font-src': "'self'",
      'connect-src': "'self'",
      'form-action': "'none'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
    });
    // A picture and a refusal have it too: either can be opened as a page.
    for (const path of ['/assets/a-1.js', '/nothing.html', 'app://other/index.html']) {
      expect((await host.fetch(path)).headers.get('content-security-policy')).toBe(policy);
    }
  });

  test.each(['bytes=999-', 'bytes=5-4', 'bytes=-0'])(
    'answers the range %s with 416',
    async (range) => {
      const answer = await host.fetch('/assets/a-1.js', { headers: { range } });
      expect([answer.status, await answer.text()]).toEqual([416, '']);
      expect(answer.headers.get('content-range')).toBe(`bytes */${SCRIPT.length}`);
    },
  );

  test('serves files with ETags, ranges and HEAD', async () => {
    const whole = await host.fetch('/assets/a-1.js');
    const etag = whole.headers.get('etag') ?? '';
    expect(await whole.text()).toBe(SCRIPT);
    expect(whole.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const known = await host.fetch('/assets/a-1.js', { headers: { 'if-none-match': etag } });
    expect([known.status, await known.text()]).toEqual([304, '']);
    const part = await host.fetch('/assets/a-1.js', { headers: { range: 'bytes=0-7' } });
    expect([part.status, await part.text()]).toEqual([206, 'document']);
    expect(part.headers.get('content-range')).toBe(`bytes 0-7/${SCRIPT.length}`);
    const head = await host.fetch('/assets/a-1.js', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(String(SCRIPT.length));
  });

  test.each([
    ['app://studio/nothing.html', 404],
    ['app://studio/assets', 404],
    ['app://studio/../secret.js', 404],
    ['app://studio/%2e%2e/%2e%2e/secret.js', 404],
    ['app://studio/..%2f..%2fsecret.js', 404],
    ['app://studio/assets/..%5c..%5csecret.js', 404],
    ['app://studio/../main/main.js', 404],
    ['app://studio/a%00.html', 404],
    ['app://studio/images/1/full', 404],
    ['app://studio/images/1e9/full', 404],
    ['app://studio/images/999999/thumb?v=1', 404],
    ['app://studio/previews/1/0?step=2', 404],
    ['app://studio/steps/1/1', 404],
    ['app://other/index.html', 404],
    ['app://studio.evil/index.html', 404],
  ])('answers %s with %i', async (url, status) => {
    expect((await host.fetch(url)).status).toBe(status);
  });

  test('refuses methods that change something', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect((await host.fetch('/index.html', { method })).status).toBe(405);
    }
  });
});
