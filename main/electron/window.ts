import { app, BrowserWindow, nativeTheme, screen } from 'electron';
import { PAGE, PRELOAD } from './places.ts';
import { MIN_SIZE, placeWindow, readWindowState, writeWindowState } from './window-state.ts';

/** The page's own background, so that nothing flashes before it is painted. */
const BACKGROUND = { dark: '#0f1111', light: '#eceeed' } as const;
/** A page that ends more often than this is not helped by another start. */
const RELOAD_MS = 10_000;

/** Opens the window where it was last time; `file` keeps its place. */
export function openWindow(file: string): BrowserWindow {
  const saved = readWindowState(file);
  const areas = [screen.getPrimaryDisplay(), ...screen.getAllDisplays()].map(
    (display) => display.workArea,
  );
  const window = new BrowserWindow({
    ...placeWindow(saved, areas),
    minWidth: MIN_SIZE.width,
    minHeight: MIN_SIZE.height,
    show: false,
    title: app.getName(),
    autoHideMenuBar: true,
    backgroundColor: background(),
    webPreferences: {
      preload: PRELOAD,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      // Its dictionaries would be fetched from the network.
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  });
  if (saved?.maximised === true) window.maximize();
  window.once('ready-to-show', () => window.show());
  const paint = (): void => window.setBackgroundColor(background());
  nativeTheme.on('updated', paint);
  window.once('closed', () => nativeTheme.off('updated', paint));
  window.on('close', () => {
    writeWindowState(file, { bounds: window.getNormalBounds(), maximised: window.isMaximized() });
  });
  reloadAfterCrash(window);
  showPage(window);
  return window;
}

function background(): string {
  return nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light;
}

/** Shows a place of the page, such as `#/gallery`: a move within the page when it is there. */
export function showPage(window: BrowserWindow | undefined, place = ''): void {
  // A failure is the page's own affair: the window is gone, or another load took over.
  window?.loadURL(`${PAGE}${place}`).catch(() => undefined);
}

/** Work goes on without the page, so a new one finds everything as it was. */
function reloadAfterCrash({ webContents }: BrowserWindow): void {
  let last = 0;
  webContents.on('render-process-gone', (_event, { reason }) => {
    const now = Date.now();
    if (reason !== 'clean-exit' && now - last > RELOAD_MS) webContents.reload();
    last = now;
  });
}
