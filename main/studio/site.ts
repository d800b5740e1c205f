import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { StudioError } from '#api/errors';
import type { Asset, Assets } from './assets.ts';
import type { Download } from './library/exports.ts';

/** A request, as far as an answer depends on it. */
export interface Ask {
  readonly method: string;
  readonly url: URL;
  /** A header by its name in lower case; null when there is none. */
  readonly header: (name: string) => string | null;
}

/** What a host sends back; header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** In place of a body: what may be larger than memory. */
  readonly stream?: () => ReadableStream<Uint8Array>;
}

/** The built window and the studio's pictures, by address: the same in every host with a page. */
export type Site = (ask: Ask) => Promise<Answer>;

interface Content extends Omit<Asset, 'type'> {
  readonly type: string;
  /** The address names the content, so it can be kept for ever. */
  readonly immutable: boolean;
}

/** Only our own code and pictures; nothing from anywhere else, and no page around ours. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // Inline styles are the places of floating boxes.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers that every answer of every host has. */
export const SECURE: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': ['camera', 'microphone', 'geolocation', 'display-capture']
    .concat(['usb', 'serial', 'hid'])
    .map((feature) => `${feature}=()`)
    .join(', '),
};

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
/** Its files are named by their content. */
const HASHED = 'assets';

/** @param renderer folder of the built window; @param assets may come later than the page */
export function createSite(renderer: string, assets: Assets | Promise<Assets>): Site {
  const listed = listFiles(renderer);
  const answer = async (ask: Ask): Promise<Answer> => {
    const { method, url } = ask;
    if (method !== 'GET' && method !== 'HEAD') {
      return sentence(405, 'Only GET is answered here.', { allow: 'GET, HEAD' });
    }
    const file = await readListed(await listed, url.pathname);
    if (file !== null) return give(ask, file);
    const asset = await (await assets).get(url.pathname);
    if (asset !== null) return give(ask, { ...asset, immutable: url.searchParams.has('v') });
    const download = await (await assets).download(url.pathname);
    return download === null ? sentence(404, 'There is nothing here.') : hand(ask, download);
  };
  return async (ask) => {
    const given = await answer(ask).catch(failure);
    const { status, headers } = given;
    return ask.method === 'HEAD' ? { status, headers, body: null } : given;
  };
}

/** A sentence, for people who see it in a browser or a terminal. */
export function sentence(status: number, text: string, more: Answer['headers'] = {}): Answer {
  const body = new TextEncoder().encode(`${text}\n`);
  const headers = {
    ...SECURE,
    ...more,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(body.length),
    'cache-control': 'no-store',
  };
  return { status, headers, body };
}

/** An answer to whoever asked for what failed; a library that is not to be had now says why. */
export function failure(error: unknown): Answer {
  const text = error instanceof Error ? error.message : String(error);
  return sentence(error instanceof StudioError ? 503 : 500, text);
}

/** Content: whole, a part of it, or that it has not changed. */
function give(ask: Ask, { bytes, type, etag, immutable }: Content): Answer {
  const keep = immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache';
  const headers = {
    ...SECURE,
    'content-type': type,
    'accept-ranges': 'bytes',
    'cache-control': etag === null ? 'no-store' : keep,
    ...(etag === null ? {} : { etag }),
  };
  if (etag !== null && isKnown(ask.header('if-none-match'), etag)) {
    return { status: 304, headers, body: null };
  }
  const range = wantedRange(ask, bytes.length, etag);
  if (range === 'impossible') return beyond(headers, bytes.length);
  if (range === null) {
    const length = { 'content-length': String(bytes.length) };
    return { status: 200, headers: { ...headers, ...length }, body: bytes };
  }
  const part = bytes.subarray(range.start, range.end + 1);
  const place = `bytes ${range.start}-${range.end}/${bytes.length}`;
  const about = { 'content-range': place, 'content-length': String(part.length) };
  return { status: 206, headers: { ...headers, ...about }, body: part };
}

/** A file to keep, straight from the disk. */
function hand(ask: Ask, { name, type, bytes, read }: Download): Answer {
  const headers = {
    ...SECURE,
    'content-type': type,
    'content-disposition': `attachment; filename="${name}"`,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
  };
  const range = wantedRange(ask, bytes, null);
  if (range === 'impossible') return beyond(headers, bytes);
  const { start, end } = range ?? { start: 0, end: bytes - 1 };
  const place = range === null ? {} : { 'content-range': `bytes ${start}-${end}/${bytes}` };
  return {
    status: range === null ? 200 : 206,
    headers: { ...headers, ...place, 'content-length': String(end - start + 1) },
    body: null,
    stream: () => read(start, end),
  };
}

function beyond(headers: Answer['headers'], length: number): Answer {
  const none = { 'content-range': `bytes */${length}`, 'content-length': '0' };
  return { status: 416, headers: { ...headers, ...none }, body: null };
}

function isKnown(header: string | null, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** The single range that is asked for (RFC 9110, 14.2); several are answered with the whole. */
function wantedRange(
  { header }: Ask,
  length: number,
  etag: string | null,
): { readonly start: number; readonly end: number } | 'impossible' | null {
  const condition = header('if-range');
  if (condition !== null && condition !== etag) return null;
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header('range') ?? '') ?? [];
  if (from === '' && to === '') return null;
  const start = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const end = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  return start > end ? 'impossible' : { start, end };
}

/**
 * The window's files by address, listed once: a path that is not on the list cannot lead anywhere,
 * so neither `..`, nor an escape, nor a device's name climbs out.
 */
async function listFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = async (path: string) => readdir(path).catch(() => []);
  const hashed = (await names(join(folder, HASHED))).map((name) => `${HASHED}/${name}`);
  const all = [...(await names(folder)), ...hashed].filter((name) => extname(name) in TYPES);
  return new Map(all.map((name) => [`/${name}`, join(folder, name)]));
}

async function readListed(
  listed: ReadonlyMap<string, string>,
  path: string,
): Promise<Content | null> {
  const file = listed.get(path === '/' ? '/index.html' : path);
  const bytes = file === undefined ? null : await readFile(file).catch(() => null);
  if (file === undefined || bytes === null) return null;
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 24)}"`;
  const type = TYPES[extname(file)] ?? '';
  return { type, bytes, etag, immutable: path.startsWith(`/${HASHED}/`) };
}
