/** Something to answer with. */
export interface Content {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Names the content; null when it changes all the time and is not to be kept. */
  readonly etag: string | null;
  /** The address names the content, so it can be kept for ever. */
  readonly immutable: boolean;
}

/** A page of ours runs its own scripts, talks to us and shows our pictures; no more. */
const POLICY =
  // Inline styles are the places of floating boxes.
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' blob:; font-src 'self'; connect-src 'self'; " +
  "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const SECURE = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Answers with a bare status. */
export function refuse(status: number): Response {
  return new Response(null, { status, headers: { ...SECURE, 'cache-control': 'no-store' } });
}

/** Answers with content: whole, a part of it, or that it has not changed. */
export function respond({ method, headers: asked }: Request, content: Content): Response {
  const { bytes, type, etag, immutable } = content;
  const keep = immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache';
  const headers = new Headers({ ...SECURE, 'content-type': type, 'accept-ranges': 'bytes' });
  headers.set('cache-control', etag === null ? 'no-store' : keep);
  if (etag !== null) headers.set('etag', etag);
  const known = (asked.get('if-none-match') ?? '').split(/\s*,\s*/);
  if (etag !== null && known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) {
    return new Response(null, { status: 304, headers });
  }
  const range = wantedRange(asked, content);
  if (range === 'impossible') {
    headers.set('content-range', `bytes */${bytes.length}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: bytes.length - 1 };
  if (range !== null) headers.set('content-range', `bytes ${start}-${end}/${bytes.length}`);
  headers.set('content-length', String(end + 1 - start));
  const body = method === 'HEAD' ? null : Uint8Array.from(bytes.subarray(start, end + 1));
  return new Response(body, { status: range === null ? 200 : 206, headers });
}

/** The single range that is asked for (RFC 9110, 14.2); several are answered with the whole. */
function wantedRange(
  asked: Headers,
  { bytes: { length }, etag }: Content,
): { readonly start: number; readonly end: number } | 'impossible' | null {
  const condition = asked.get('if-range');
  if (condition !== null && condition !== etag) return null;
  const [, from = '', to = ''] =
    /^bytes=(\d{0,15})-(\d{0,15})$/.exec(asked.get('range') ?? '') ?? [];
  if (from === '' && to === '') return null;
  const start = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const end = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  return start > end ? 'impossible' : { start, end };
}
