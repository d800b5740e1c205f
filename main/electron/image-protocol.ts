import { protocol, type Session } from 'electron';
import type { OpenStudio } from '#studio/open-studio';
import { createSite, sentence, type Site } from '#studio/site';
import { ORIGIN, RENDERER } from './places.ts';

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
  const assets = studio.then((opened) => opened.assets);
  // Whoever opened the studio reports its failure; here it only means that there are no pictures.
  assets.catch(() => undefined);
  const site = createSite(RENDERER, assets);
  session.protocol.handle('app', (request) => answer(site, request));
}

async function answer(site: Site, { method, url: text, headers }: Request): Promise<Response> {
  const url = new URL(text);
  const ours = `${url.protocol}//${url.host}` === ORIGIN;
  const { body, stream, ...head } = ours
    ? await site({ method, url, header: (name) => headers.get(name) })
    : sentence(404, 'There is nothing here.');
  if (stream !== undefined) return new Response(stream(), head);
  return new Response(body && Uint8Array.from(body), head);
}
