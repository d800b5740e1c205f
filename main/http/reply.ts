import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Bytes that answer a request. */
export interface Reply {
  readonly status?: number;
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Null: the content changes all the time and is not to be kept. */
  readonly etag: string | null;
  /** The address names the content, so it can be kept for ever. */
  readonly immutable?: boolean;
}

/** Only our own code and pictures; nothing from anywhere else, and no page around ours. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers that every answer has. */
export function secure(response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Permissions-Policy', 'camera=(), microphone=(), geolocation=()');
}

/** Answers with bytes: whole, a part of them, or that they have not changed. */
export function reply(
  request: IncomingMessage,
  response: ServerResponse,
  { status = 200, type, bytes, etag, immutable = false }: Reply,
): void {
  response.setHeader('Content-Type', type);
  response.setHeader('Accept-Ranges', 'bytes');
  const keep = immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache';
  response.setHeader('Cache-Control', etag === null ? 'no-store' : keep);
  if (etag !== null) response.setHeader('ETag', etag);
  if (etag !== null && matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304).end();
    return;
  }
  const range = status === 200 ? partOf(request, bytes.length, etag) : null;
  if (range === 'impossible') {
    response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end();
    return;
  }
  const body = range === null ? bytes : bytes.subarray(range.start, range.end + 1);
  if (range !== null) {
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${bytes.length}`);
  }
  response.writeHead(range === null ? status : 206, { 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** A sentence, for people who see it in a browser or a terminal. */
export function say(
  request: IncomingMessage,
  response: ServerResponse,
  at: { status: number; text: string },
): void {
  const bytes = new TextEncoder().encode(`${at.text}\n`);
  reply(request, response, {
    status: at.status,
    type: 'text/plain; charset=utf-8',
    bytes,
    etag: null,
  });
}

/** Names bytes by their content. */
export function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('hex').slice(0, 24)}"`;
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** The single range that is asked for (RFC 9110, 14.2); several are answered with the whole. */
function partOf(
  request: IncomingMessage,
  length: number,
  etag: string | null,
): { readonly start: number; readonly end: number } | 'impossible' | null {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return null;
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return null;
  const start = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const end = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  return start > end || start >= length ? 'impossible' : { start, end };
}
