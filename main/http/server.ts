import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BodyLimitPlugin, RPCHandler } from '@orpc/server/node';
import { StudioError } from '#api/errors';
import type { OpenStudio } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { createGuard } from './guard.ts';
import { openRenderer } from './renderer-files.ts';
import { reply, say, secure } from './reply.ts';

/** Largest request: a hundred dropped pictures. */
const MAX_BODY_BYTES = 512 * 2 ** 20;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_URL = 2048;
/** A client must have sent its headers by then, and its body. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 10 * 60_000;
/** How long open answers may take when the server closes. */
const CLOSE_MS = 2000;

export interface ServeOptions {
  /** 0 takes any that is free. */
  readonly port: number;
  /** Good for this start only: letters, digits, `-` and `_`. */
  readonly token: string;
  /** Folder of the built window. */
  readonly renderer: string;
}

/** A running server. */
export interface HttpHost {
  readonly port: number;
  /** The address that opens the studio, token and all. */
  readonly url: string;
  /** Ends streams and idle connections at once, the rest soon. */
  close(): Promise<void>;
}

/** Serves an open studio on the loopback interface: window, pictures and contract. */
export async function serve(studio: OpenStudio, options: ServeOptions): Promise<HttpHost> {
  const { token, renderer } = options;
  const guard = createGuard(token);
  const window = await openRenderer(renderer);
  const rpc = new RPCHandler(createRouter(studio), {
    plugins: [new BodyLimitPlugin({ maxBodySize: MAX_BODY_BYTES })],
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    secure(response);
    const url = readUrl(request);
    if (url === null) return say(request, response, { status: 400, text: 'A wrong address.' });
    const verdict = guard(request, url);
    if (verdict.kind === 'refused') {
      return say(request, response, { status: verdict.status, text: verdict.message });
    }
    if (verdict.kind === 'enter') {
      const headers = { 'Set-Cookie': verdict.cookie, Location: '/', 'Cache-Control': 'no-store' };
      response.writeHead(303, headers).end();
      return;
    }
    const { matched } = await rpc.handle(request, response, { prefix: '/rpc' });
    if (matched) return;
    if (url.pathname.startsWith('/rpc/')) {
      return say(request, response, { status: 404, text: 'There is no such call.' });
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return say(request, response, { status: 405, text: 'Only GET is answered here.' });
    }
    const asset = await studio.assets.get(url.pathname);
    if (asset !== null) {
      const immutable = url.searchParams.has('v');
      return reply(request, response, { ...asset, immutable });
    }
    const file = await window.get(url.pathname);
    if (file !== null) return reply(request, response, file);
    say(request, response, { status: 404, text: 'There is nothing here.' });
  };

  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS },
    (request, response) => {
      answer(request, response).catch((error: unknown) => fail(request, response, error));
    },
  );
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/?token=${token}`,
    close: () => close(server),
  };
}

/** The path and query of a request; null for what is not a plain path on this server. */
function readUrl({ url }: IncomingMessage): URL | null {
  if (url === undefined || url.length > MAX_URL || !url.startsWith('/') || url.startsWith('//')) {
    return null;
  }
  return URL.parse(url, 'http://127.0.0.1');
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = error instanceof StudioError ? 503 : 500;
  const text = error instanceof Error ? error.message : String(error);
  say(request, response, { status, text });
}

type Server = ReturnType<typeof createServer>;

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return reject(error);
      const why = error.code === 'EACCES' ? 'may not be used' : 'is in use already';
      reject(
        new StudioError(
          'invalid-request',
          `Port ${port} ${why}; choose another with --port, or leave it out.`,
          { field: 'port', cause: error },
        ),
      );
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, resolve);
  });
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
