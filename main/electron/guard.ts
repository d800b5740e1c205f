import type { Session, WebContents, WebFrameMain } from 'electron';
import { ORIGIN, PAGE } from './places.ts';

/** The only thing that a page of ours asks permission for: copying a seed or a recipe. */
const COPY = 'clipboard-sanitized-write';
/** What a page is made of. Everything else would leave this machine. */
const LOCAL = ['app:', 'blob:', 'data:', 'devtools:'];

/** Refuses what no page of ours needs: permissions, devices, and the network. */
export function guardSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) => {
    answer(permission === COPY && requestingUrl.startsWith(`${ORIGIN}/`));
  });
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === COPY && `${origin}/`.startsWith(`${ORIGIN}/`),
  );
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler(null);
  session.webRequest.onBeforeRequest(({ url }, answer) => {
    answer({ cancel: !LOCAL.includes(new URL(url).protocol) });
  });
}

/** Keeps a window on its page: no navigation, no new windows, no embedded pages. */
export function guardContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('will-frame-navigate', (event) => {
    // Loading the page again is all right; moving within it does not come here.
    if (!(event.isMainFrame && isPage(event.url))) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
}

/** Whether a message comes from the page itself: not from a frame, another origin, or one that is gone. */
export function isOurs(frame: WebFrameMain | null): boolean {
  return frame !== null && frame.parent === null && frame.origin === ORIGIN;
}

function isPage(url: string): boolean {
  return url === PAGE || url.startsWith(`${PAGE}#`);
}
