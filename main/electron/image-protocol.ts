import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { protocol, type Session } from 'electron';
import type { OpenStudio } from '#studio/open-studio';
import { ORIGIN, RENDERER } from './places.ts';
import { refuse, respond, type Content } from './respond.ts';

/** The files that a page is made of, by ending. Nothing else is served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};
/** Their names change with their content. */
const HASHED = /^\/assets\//;
const SAFE_PATH = /^\/[\w./-]{0,300}$/;

/** Gives `app:` an origin and the rights of https. Must run before Electron is ready. */
export function registerScheme(): void {
  const privileges = {
    standard: true,
    secure: true,
    supportFetchAPI: true,
    stream: true,
    codeCache: true,
  };
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges }]);
}

/** Serves the page and the studio's pictures as `app://studio/…`. */
export function serveAssets(session: Session, studio: Promise<OpenStudio>): void {
  session.protocol.handle('app', async (request) => {
    try {
      return await answer(request, studio);
    } catch {
      // The studio could not be opened, or the library is not to be had now: the page knows why.
      return refuse(503);
    }
  });
}

async function answer(request: Request, studio: Promise<OpenStudio>): Promise<Response> {
  const url = new URL(request.url);
  if (`${url.protocol}//${url.host}` !== ORIGIN) return refuse(404);
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
  const page = await pageFile(url.pathname);
  if (page !== null) return respond(request, page);
  const asset = await (await studio).assets.get(url.pathname);
  if (asset === null) return refuse(404);
  return respond(request, { ...asset, immutable: url.searchParams.has('v') });
}

/** A file of the built renderer; null when the path is none. */
async function pageFile(path: string): Promise<Content | null> {
  const name = path === '/' ? '/index.html' : path;
  const type = TYPES[extname(name)];
  // URL has resolved dot segments; what is left of them, or escaped, is no file of ours.
  if (type === undefined || !SAFE_PATH.test(name) || normalize(name).includes('..')) return null;
  const bytes = await readFile(join(RENDERER, name)).catch(() => null);
  if (bytes === null) return null;
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 24);
  return { type, bytes, etag: `"${hash}"`, immutable: HASHED.test(name) };
}
