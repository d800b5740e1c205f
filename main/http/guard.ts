import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { EntryCodes } from './entry-codes.ts';

/** Names under which a page of this computer may reach us; anything else is a rebinding attack. */
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
/** Letters, digits, `-` and `_`; long enough never to be guessed. */
const COOKIE = 'rcg-studio';

/** What a request may do. */
export type Verdict =
  /** It is ours. */
  | { readonly kind: 'ok' }
  /** A link that lets a browser in: set the cookie, and show the page without what let it in. */
  | { readonly kind: 'enter'; readonly cookie: string }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 421; readonly message: string };

/** Lets in only pages that were opened with this start's token, on this computer. */
export type Guard = (request: IncomingMessage, url: URL) => Verdict;

/**
 * A guard for one start of the server. A page of another site fails three times: its Host or Origin
 * is not ours, `SameSite=Strict` keeps the cookie from it, and it does not know the token.
 */
export function createGuard(token: string, codes: EntryCodes): Guard {
  const secret = digest(token);
  const isToken = (given: string | undefined): boolean =>
    given !== undefined && timingSafeEqual(digest(given), secret);
  const lets = (query: URLSearchParams): boolean =>
    isToken(query.get('token') ?? undefined) || codes.use(query.get('enter') ?? '');

  return (request, url) => {
    const { host, origin, authorization, cookie } = request.headers;
    const name = host?.replace(/:\d+$/, '').toLowerCase();
    if (name === undefined || !LOOPBACK.has(name)) {
      return refused(
        421,
        'RCG Studio answers only to this computer’s own names, such as localhost.',
      );
    }
    if (origin !== undefined && origin !== `http://${host}`) {
      return refused(403, 'This page is not RCG Studio’s own.');
    }
    // Browsers say where a request comes from even when they send no Origin with it.
    const site = request.headers['sec-fetch-site'];
    if (site === 'cross-site' && !isNavigation(request)) {
      return refused(403, 'This page is not RCG Studio’s own.');
    }
    const bearer = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (isToken(bearer) || cookieValues(cookie, cookieName(host ?? '')).some(isToken)) {
      return { kind: 'ok' };
    }
    if (request.method === 'GET' && lets(url.searchParams)) {
      return {
        kind: 'enter',
        cookie: `${cookieName(host ?? '')}=${token}; Path=/; HttpOnly; SameSite=Strict`,
      };
    }
    return refused(
      401,
      'Open RCG Studio with the address that "rcg-studio serve" printed; it is good until that stops. What it opens a browser with is good once.',
    );
  };
}

const refused = (status: 401 | 403 | 421, message: string): Verdict => ({
  kind: 'refused',
  status,
  message,
});

/** Cookies do not know ports: two studios on one computer need two names. */
function cookieName(host: string): string {
  return `${COOKIE}-${/:(\d+)$/.exec(host)?.[1] ?? '80'}`;
}

function cookieValues(header: string | undefined, name: string): readonly string[] {
  return (header ?? '').split(';').flatMap((part) => {
    const [key, value] = part.trim().split('=', 2);
    return key === name && value !== undefined ? [value] : [];
  });
}

/** A link that a person followed, such as the printed one in a chat window. */
function isNavigation(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
