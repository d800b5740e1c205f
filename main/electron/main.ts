import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { app, dialog, Menu, nativeTheme, session, shell, type BrowserWindow } from 'electron';
import type { Settings } from '#api/settings';
import { findHome, surroundings } from '#studio/home';
import { hostOptions } from '#studio/host-options';
import { openLibrary } from '#studio/models/installed';
import { openStudio, type OpenStudio } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { askWhereToSave } from './downloads.ts';
import { guardContents, guardSession } from './guard.ts';
import { registerScheme, serveAssets } from './image-protocol.ts';
import { menuText } from './menu-text.ts';
import { menuTemplate } from './menu.ts';
import { createWaitingFiles, filesNamed } from './named-files.ts';
import { answerPages } from './page-asks.ts';
import { ENGINE, LICENCES, shipped } from './places.ts';
import { servePorts } from './port.ts';
import { openWindow, showPage } from './window.ts';
import { utilityChannel } from './worker-channel.ts';

/** What is not written down by then is made again at the next start. */
const CLOSE_MS = 20_000;

const home = findHome(surroundings());
// With the library: a studio on another folder is another program to Electron too.
const browserFolder = join(home.root, 'window');
mkdirSync(browserFolder, { recursive: true });
// Started from its sources, Electron would call it by its own name.
app.setName('RCG Studio');
app.setPath('userData', browserFolder);

const args = process.argv.slice(1);
const waiting = createWaitingFiles(() => window?.webContents.send('files-named'));

let window: BrowserWindow | undefined;
let studio: OpenStudio | undefined;
let closing = false;
let startAgain = false;

if (app.requestSingleInstanceLock()) {
  registerScheme();
  app.enableSandbox();
  app.on('web-contents-created', (_event, contents) => guardContents(contents));
  // Its own folder is where its relative paths begin.
  app.on('second-instance', (_event, argv, folder) => {
    waiting.add(filesNamed(argv.slice(1), folder));
    showWindow();
  });
  // A Mac tells of files so, also before Electron is ready.
  app.on('open-file', (event, path) => {
    event.preventDefault();
    waiting.add([path]);
    if (app.isReady()) showWindow();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('will-quit', (event) => {
    if (studio === undefined) return;
    event.preventDefault();
    void close(studio);
  });
  app.whenReady().then(begin).catch(giveUp);
} else {
  app.quit();
}

async function begin(): Promise<void> {
  guardSession(session.defaultSession);
  askWhereToSave(session.defaultSession);
  const opening = open();
  serveAssets(session.defaultSession, opening);
  servePorts(opening.then(createRouter));
  waiting.add(filesNamed(args, process.cwd()));
  answerPages(waiting, opening);
  // The page loads while the library is opened.
  showWindow();
  // Not before: a Mac tells of the start itself too, when there can be no window yet.
  app.on('activate', showWindow);
  await opening;
}

/** Opens the studio. The window's frame and the menu follow its settings, which are the library's. */
async function open(): Promise<OpenStudio> {
  const opened = await openStudio({
    ...hostOptions(home, utilityChannel(ENGINE)),
    models: openLibrary(home.models, shipped()),
  });
  const look = (): void => {
    const settings = opened.shop.settings.get();
    nativeTheme.themeSource = settings.theme;
    setMenu(settings, opened);
  };
  look();
  const { library } = opened;
  // Listening to the studio's events would count as somebody who looks, and cost previews.
  studio = {
    ...opened,
    configure(change) {
      const settings = opened.configure(change);
      look();
      return settings;
    },
    library: {
      ...library,
      reopen: (readOnly) => library.reopen(readOnly).finally(look),
      choose: (folder) => library.choose(folder).finally(look),
      repair: (anew) => library.repair(anew).finally(look),
    },
  };
  return studio;
}

function setMenu({ language }: Settings, { shop }: OpenStudio): void {
  const template = menuTemplate(menuText(language, app.getLocale()), process.platform, {
    show: (place) => showPage(showWindow(), place),
    // It may have been moved since.
    showLibrary: () => void shell.openPath(shop.files.folder),
    step: (way) => window?.webContents.send(`menu-${way}`),
    showLicences: () => void shell.openPath(LICENCES),
  });
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

/** The one window, in front; a start that comes too late waits until this one has ended. */
function showWindow(): BrowserWindow | undefined {
  if (closing) {
    startAgain = true;
    return undefined;
  }
  if (window === undefined) {
    window = openWindow(join(browserFolder, 'window.json'));
    window.on('closed', () => (window = undefined));
  } else {
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  }
  return window;
}

/** Stops after the step that runs. What is half done goes on at the next start: nobody is asked. */
async function close(opened: OpenStudio): Promise<void> {
  if (closing) return;
  closing = true;
  const late = setTimeout(() => app.exit(0), CLOSE_MS);
  await opened.close().catch(() => undefined);
  clearTimeout(late);
  // With the files of the start that came too late, and not with those of this one.
  const kept = args.filter((arg) => filesNamed([arg], process.cwd()).length === 0);
  if (startAgain) app.relaunch({ args: [...kept, ...waiting.paths] });
  app.exit(0);
}

function giveUp(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  dialog.showErrorBox('RCG Studio', message);
  app.exit(1);
}
