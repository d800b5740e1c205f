import { EventEmitter } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import type * as Electron from 'electron';
import { FakeUtilityProcess } from './utility-process.ts';

/**
 * A stand-in for Electron's main process, as far as the desktop host uses it. Not run in real
 * Electron here: its program cannot be fetched on every machine. What each part takes and gives is
 * picked from Electron's own types, so that it cannot drift from them unnoticed; events carry what
 * Electron documents.
 */

/** Some members of one of Electron's types, without its overloaded `on`. */
type Some<T, K extends keyof T> = Pick<T, K>;

export type WindowOptions = Electron.BrowserWindowConstructorOptions;
type Handler = (request: Request) => Response | Promise<Response>;

const SCREEN: Electron.Rectangle = { x: 0, y: 0, width: 1920, height: 1040 };

/** A port as main sees it: Node's own port, with Electron's face. Messages are really cloned. */
export class FakePort
  extends EventEmitter
  implements Some<Electron.MessagePortMain, 'postMessage' | 'start' | 'close'>
{
  readonly #port: MessagePort;
  closed = false;

  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.on('close', () => {
      this.closed = true;
      this.emit('close');
    });
  }
  /** Electron's ports keep messages until they are started. */
  start(): void {
    this.#port.on('message', (data: unknown) => this.emit('message', { data, ports: [] }));
  }
  postMessage(message: unknown): void {
    this.#port.postMessage(message);
  }
  close(): void {
    this.#port.close();
  }
}

export class FakeContents
  extends EventEmitter
  implements
    Some<
      Electron.WebContents,
      'setWindowOpenHandler' | 'reload' | 'send' | 'startDrag' | 'isDestroyed'
    >
{
  reloads = 0;
  /** What the page is told. */
  readonly told = new EventEmitter();
  #opens: Parameters<Electron.WebContents['setWindowOpenHandler']>[0] = () => ({ action: 'allow' });

  setWindowOpenHandler(handler: Parameters<Electron.WebContents['setWindowOpenHandler']>[0]): void {
    this.#opens = handler;
  }
  reload(): void {
    this.reloads++;
  }
  send(channel: string): void {
    this.told.emit(channel, {});
  }
  /** Drags of files out of the page. */
  readonly drags: Electron.Item[] = [];
  destroyed = false;
  startDrag(item: Electron.Item): void {
    this.drags.push(item);
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  /** What happens when the page wants a window. */
  opens(url: string): Electron.WindowOpenHandlerResponse {
    const details = { url, frameName: '', features: '', disposition: 'new-window' } as const;
    return this.#opens({ ...details, referrer: { url: '', policy: 'default' } });
  }
}

/** One start of the program: everything that Electron would hold, and what the program did. */
export class FakeElectron {
  readonly log: string[] = [];
  readonly windows: FakeWindow[] = [];
  readonly engines: FakeUtilityProcess[] = [];
  readonly schemes: Electron.CustomScheme[] = [];
  readonly paths = new Map<string, string>();
  menu: readonly Electron.MenuItemConstructorOptions[] = [];
  handle: Handler | undefined;
  permission: Parameters<Electron.Session['setPermissionRequestHandler']>[0] = null;
  permissionCheck: Parameters<Electron.Session['setPermissionCheckHandler']>[0] = null;
  device: Parameters<Electron.Session['setDevicePermissionHandler']>[0] = null;
  request: Parameters<Electron.WebRequest['onBeforeRequest']>[0] = null;
  exitCode: number | undefined;
  quitting = false;
  locale = 'en-GB';
  name = 'Electron';
  displays: Electron.Rectangle[] = [SCREEN];
  /** What the dialog for folders answers next. */
  chosen: Electron.OpenDialogReturnValue = { canceled: true, filePaths: [] };
  /** False: another one runs. */
  first = true;
  packaged = false;
  readonly ready = Promise.withResolvers<void>();
  isReady = false;

  readonly app = Object.assign(new EventEmitter(), this.#app());
  readonly ipcMain = new FakeIpc();
  readonly nativeTheme = new FakeTheme();
  readonly defaultSession = Object.assign(new EventEmitter(), this.#session());

  /** What `import … from 'electron'` gives. */
  modules() {
    const electron = this;
    return {
      app: Object.assign(this.app, { isPackaged: this.packaged }),
      ipcMain: this.ipcMain,
      nativeTheme: this.nativeTheme,
      session: { defaultSession: this.defaultSession },
      BrowserWindow: class extends FakeWindow {
        static fromWebContents(contents: FakeContents): FakeWindow | null {
          return electron.windows.find((window) => window.webContents === contents) ?? null;
        }
        constructor(options: WindowOptions) {
          super(options);
          electron.windows.push(this);
          electron.app.emit('web-contents-created', {}, this.webContents);
          this.once('closed', () => {
            if (!electron.quitting && electron.windows.every((window) => window.gone)) {
              electron.app.emit('window-all-closed');
            }
          });
        }
      },
      Menu: {
        buildFromTemplate: (template: Electron.MenuItemConstructorOptions[]) => template,
        setApplicationMenu: (menu: Electron.MenuItemConstructorOptions[]) => (this.menu = menu),
      },
      nativeImage: {
        createFromPath: (path) => new FakeImage(path) as unknown as Electron.NativeImage,
      } satisfies Some<typeof Electron.nativeImage, 'createFromPath'>,
      screen: this.#screen(),
      protocol: {
        registerSchemesAsPrivileged: (schemes) => this.schemes.push(...schemes),
      } satisfies Some<Electron.Protocol, 'registerSchemesAsPrivileged'>,
      shell: {
        openPath: (path) => {
          this.log.push(`open ${path}`);
          return Promise.resolve('');
        },
      } satisfies Some<Electron.Shell, 'openPath'>,
      dialog: {
        showErrorBox: (title: string, content: string) => {
          this.log.push(`error ${title}: ${content}`);
        },
        showOpenDialog: (window: FakeWindow, { properties }: Electron.OpenDialogOptions) => {
          const at = this.windows.indexOf(window);
          this.log.push(`ask window ${at} for ${String(properties)}`);
          return Promise.resolve(this.chosen);
        },
      } satisfies Record<keyof Some<Electron.Dialog, 'showErrorBox' | 'showOpenDialog'>, unknown>,
      utilityProcess: {
        fork: (path: string, args: string[], options: Electron.ForkOptions) => {
          const child = new FakeUtilityProcess(path, args, options);
          this.engines.push(child);
          return child;
        },
      },
    };
  }

  #app() {
    return {
      getName: () => this.name,
      setName: (name) => void (this.name = name),
      getLocale: () => this.locale,
      getPath: (name) => this.paths.get(name) ?? `/home/someone/${name}`,
      setPath: (name, path) => void this.paths.set(name, path),
      enableSandbox: () => void this.log.push('sandbox'),
      requestSingleInstanceLock: () => this.first,
      whenReady: () => this.ready.promise,
      isReady: () => this.isReady,
      quit: () => this.#quit(),
      relaunch: (options) => void this.log.push(['relaunch', ...(options?.args ?? [])].join(' ')),
      exit: (code = 0) => void (this.exitCode ??= code),
    } satisfies Some<
      Electron.App,
      | 'getName'
      | 'setName'
      | 'getLocale'
      | 'getPath'
      | 'setPath'
      | 'enableSandbox'
      | 'requestSingleInstanceLock'
      | 'whenReady'
      | 'isReady'
      | 'quit'
      | 'relaunch'
      | 'exit'
    >;
  }

  /** As Electron does: windows close, then the program may still object. */
  #quit(): void {
    this.log.push('quit');
    this.quitting = true;
    for (const window of this.windows) window.close();
    let prevented = false;
    this.app.emit('will-quit', { preventDefault: () => (prevented = true) });
    if (!prevented) this.exitCode ??= 0;
  }

  #session() {
    const handlers = {
      setPermissionRequestHandler: (handler) => void (this.permission = handler),
      setPermissionCheckHandler: (handler) => void (this.permissionCheck = handler),
      setDevicePermissionHandler: (handler) => void (this.device = handler),
      setDisplayMediaRequestHandler: (handler) => void this.log.push(`media ${String(handler)}`),
    } satisfies Some<
      Electron.Session,
      | 'setPermissionRequestHandler'
      | 'setPermissionCheckHandler'
      | 'setDevicePermissionHandler'
      | 'setDisplayMediaRequestHandler'
    >;
    return {
      ...handlers,
      protocol: {
        handle: (scheme: string, handler: Handler) => {
          if (scheme === 'app') this.handle = handler;
        },
      },
      webRequest: {
        onBeforeRequest: (handler: Parameters<Electron.WebRequest['onBeforeRequest']>[0]) => {
          this.request = handler;
        },
      },
    };
  }

  #screen() {
    const display = (workArea: Electron.Rectangle): Some<Electron.Display, 'workArea'> => ({
      workArea,
    });
    return {
      getPrimaryDisplay: () => display(this.displays[0] ?? SCREEN),
      getAllDisplays: () => this.displays.map(display),
    };
  }
}

/** A picture of a file, and how wide it was made. */
class FakeImage implements Some<Electron.NativeImage, 'resize'> {
  readonly path: string;
  width: number | undefined;

  constructor(path: string) {
    this.path = path;
  }
  resize({ width }: Electron.ResizeOptions): Electron.NativeImage {
    this.width = width;
    return this as unknown as Electron.NativeImage;
  }
}

type Answer = Parameters<Electron.IpcMain['handle']>[1];

/** What pages send to main. Answers are really cloned. */
class FakeIpc extends EventEmitter implements Some<Electron.IpcMain, 'handle'> {
  readonly #answers = new Map<string, Answer>();

  handle(channel: string, answer: Answer): void {
    this.#answers.set(channel, answer);
  }
  /** Asks as a page does; rejects where main throws. */
  async invoke(
    channel: string,
    { sender, senderFrame }: { readonly sender: FakeContents; readonly senderFrame: object | null },
    ...input: readonly unknown[]
  ) {
    const answer = this.#answers.get(channel);
    if (answer === undefined) throw new Error(`Nobody answers ${channel}.`);
    const event = { sender, senderFrame } as unknown as Electron.IpcMainInvokeEvent;
    return structuredClone((await answer(event, ...structuredClone(input))) as unknown);
  }
}

class FakeTheme
  extends EventEmitter
  implements Some<Electron.NativeTheme, 'themeSource' | 'shouldUseDarkColors'>
{
  #source: Electron.NativeTheme['themeSource'] = 'system';
  get themeSource() {
    return this.#source;
  }
  set themeSource(source) {
    this.#source = source;
    this.emit('updated');
  }
  get shouldUseDarkColors() {
    return this.#source !== 'light';
  }
}

export class FakeWindow
  extends EventEmitter
  implements
    Some<
      Electron.BrowserWindow,
      | 'loadURL'
      | 'show'
      | 'focus'
      | 'restore'
      | 'maximize'
      | 'isMinimized'
      | 'isMaximized'
      | 'getNormalBounds'
      | 'setBackgroundColor'
      | 'close'
    >
{
  readonly options: WindowOptions;
  readonly webContents = new FakeContents();
  readonly loaded: string[] = [];
  background: string | undefined;
  minimised = false;
  maximised = false;
  shown = false;
  focused = 0;
  gone = false;
  bounds: Electron.Rectangle;

  constructor(options: WindowOptions) {
    super();
    this.options = options;
    this.background = options.backgroundColor;
    const { x = 0, y = 0, width = 800, height = 600 } = options;
    this.bounds = { x, y, width, height };
  }
  loadURL(url: string): Promise<void> {
    this.loaded.push(url);
    return Promise.resolve();
  }
  show(): void {
    this.shown = true;
  }
  focus(): void {
    this.focused++;
  }
  restore(): void {
    this.minimised = false;
  }
  maximize(): void {
    this.maximised = true;
  }
  isMinimized(): boolean {
    return this.minimised;
  }
  isMaximized(): boolean {
    return this.maximised;
  }
  getNormalBounds(): Electron.Rectangle {
    return this.bounds;
  }
  setBackgroundColor(colour: string): void {
    this.background = colour;
  }
  close(): void {
    if (this.gone) return;
    this.emit('close', {});
    this.gone = true;
    this.emit('closed');
  }
}
