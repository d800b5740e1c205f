import { readFile, readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { etagOf, type Reply } from './reply.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};
/** Names that vite gives by content. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** The built window. */
export interface RendererFiles {
  /** The file of a path such as `/assets/x.js`; null when it is none of the window's. */
  get(path: string): Promise<Reply | null>;
}

/**
 * The files under a folder, listed once: a path that is not on the list cannot lead anywhere, so
 * neither `..` nor a link can climb out.
 */
export async function openRenderer(folder: string): Promise<RendererFiles> {
  const listed = await list(folder);
  return {
    async get(path) {
      const name = path === '/' ? '/index.html' : path;
      const file = listed.get(name);
      const type = TYPES[extname(name)];
      if (file === undefined || type === undefined) return null;
      const bytes = await readFile(file).catch(() => null);
      if (bytes === null) return null;
      return { type, bytes, etag: etagOf(bytes), immutable: HASHED.test(name) };
    },
  };
}

async function list(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        return [`/${relative(folder, file).split(sep).join('/')}`, file];
      }),
  );
}
