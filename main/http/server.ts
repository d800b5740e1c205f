import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { BodyLimitPlugin, RPCHandler } from '@orpc/server/node';
import { StudioError } from '#api/errors';
import type { OpenStudio } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { createSite, failure, SECURE, sentence, type Answer } from '#studio/site';
import { createEntryCodes } from './entry-codes.ts';
import { createGuard } from './guard.ts';

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
  /** The address that opens the studio, token and all: for the eyes of who started it. */
  readonly url: string;
  /** An address that opens the studio once and soon: for what others can see. */
  entry(): string;
  /** Ends streams and idle connections at once, the rest soon. The studio stays open. */
  close(): Promise<void>;
}

/** Serves an open studio on the loopback interface: window, pictures and contract. */
export async function serve(studio: OpenStudio, options: ServeOptions): Promise<HttpHost> {
  const { token, renderer } = options;
  const codes = createEntryCodes();
  const guard = createGuard(token, codes);
  const site = createSite(renderer, studio.assets);
  const closing = new AbortController();
  const entry = (port: number | undefined): string =>
    `http://127.0.0.1:${port}/?enter=${codes.issue()}`;
  const rpc = new RPCHandler(createRouter(endingWith(studio, closing.signal)), {
    plugins: [new BodyLimitPlugin({ maxBodySize: MAX_BODY_BYTES })],
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = readUrl(request);
    if (url === null) return send(response, sentence(400, 'A wrong address.'));
    const verdict = guard(request, url);
    if (verdict.kind === 'refused') {
      return send(response, sentence(verdict.status, verdict.message));
    }
    if (verdict.kind === 'enter') {
      const cookie = { 'set-cookie': verdict.cookie, 'cache-control': 'no-store' };
      const headers = { ...SECURE, ...cookie, location: '/' };
      return send(response, { status: 303, headers, body: null });
    }
    if (url.pathname.startsWith('/rpc/')) {
      for (const [name, value] of Object.entries(SECURE)) response.setHeader(name, value);
      const { matched } = await rpc.handle(request, response, { prefix: '/rpc' });
      if (!matched) send(response, sentence(404, 'There is no such call.'));
      return;
    }
    if (url.pathname === '/entry' && request.method === 'POST') {
      // For another program of the same person, which opens a browser here.
      return send(response, sentence(200, entry(request.socket.localPort)));
    }
    const header = (name: string): string | null => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : null;
    };
    send(response, await site({ method: request.method ?? '', url, header }));
  };

  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS },
    (request, response) => {
      // A connection that is kept alive would keep a closing server waiting.
      response.once('finish', () => {
        if (closing.signal.aborted) request.socket.end();
      });
      answer(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else send(response, failure(error));
      });
    },
  );
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/?token=${token}`,
    entry: () => entry(port),
    close() {
      closing.abort();
      return close(server);
    },
  };
}

/** The studio, with streams that end with a signal too: a server cannot close before they have. */
function endingWith(studio: OpenStudio, end: AbortSignal): OpenStudio {
  const events: OpenStudio['events'] = (signal) =>
    studio.events(signal === undefined ? end : AbortSignal.any([signal, end]));
  return { ...studio, events };
}

/** Node leaves the body out where the method wants none. */
function send(response: ServerResponse, { status, headers, body, stream }: Answer): void {
  response.writeHead(status, headers);
  if (stream === undefined) response.end(body ?? undefined);
  // Whoever stops fetching ends the reading too.
  else void pipeline(stream(), response).catch(() => response.destroy());
}

/** The path and query of a request; null for what is not a plain path on this server. */
function readUrl({ url }: IncomingMessage): URL | null {
  if (url === undefined || url.length > MAX_URL || !url.startsWith('/') || url.startsWith('//')) {
    return null;
  }
  return URL.parse(url, 'http://127.0.0.1');
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
