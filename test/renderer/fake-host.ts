import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { RPCHandler } from '@orpc/server/node';
import { picturePng, stepWebp, thumbWebp } from './fake-pictures.ts';
import { createFakeStudio, type FakeOptions } from './fake-studio.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** The policy that the real hosts send: the build must live with it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

export interface HostOptions extends FakeOptions {
  /** The built page. */
  readonly page: string;
  /** A sheet of sample pictures. */
  readonly sheet?: string | null;
}

/** Serves the built page and the stand-in on a free loopback port. */
export async function startFakeHost(options: HostOptions) {
  const studio = createFakeStudio(options);
  const rpc = new RPCHandler(studio.router);
  const sheet = options.sheet ?? null;

  const server = createServer((request, response) => {
    void serve().catch(() => response.destroy());
    async function serve(): Promise<void> {
      const { matched } = await rpc.handle(request, response, { prefix: '/rpc', context: {} });
      if (matched) return;
      const url = new URL(request.url ?? '/', 'http://localhost');
      const picture = await pixels(url);
      if (picture !== null) return send(response, 200, picture.type, picture.body);
      const path = url.pathname === '/' ? '/index.html' : normalize(url.pathname);
      const body = await readFile(join(options.page, path)).catch(() => null);
      if (body === null) return send(response, 404, 'text/plain', Buffer.from('Not found'));
      send(response, 200, TYPES[extname(path)] ?? 'application/octet-stream', body);
    }
  });

  async function pixels(url: URL): Promise<{ type: string; body: Buffer } | null> {
    const [, kind, first = '', second = ''] = url.pathname.split('/');
    const png = (seed: number) => picturePng(seed, sheet);
    if (kind === 'images') {
      const seed = studio.library.images.get(Number(first))?.seed ?? 0;
      if (second === 'full') return { type: 'image/png', body: await png(seed) };
      return { type: 'image/webp', body: await thumbWebp(await png(seed)) };
    }
    if (kind === 'previews') {
      const job = studio.queue.jobs.find((each) => each.id === Number(first));
      if (job === undefined) return null;
      const part = Number(url.searchParams.get('step')) / job.settings.steps;
      const body = await stepWebp(await png(job.settings.seed + Number(second)), part);
      return { type: 'image/webp', body };
    }
    if (kind === 'steps') {
      const image = studio.library.images.get(Number(first));
      if (image === undefined) return null;
      const part = Number(second) / image.recipe.steps;
      return { type: 'image/webp', body: await stepWebp(await png(image.seed), part) };
    }
    return null;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...studio,
    address: `http://127.0.0.1:${port}/`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-security-policy': POLICY });
  response.end(body);
}
