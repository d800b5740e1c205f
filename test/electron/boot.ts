import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ContractRouterClient } from '@orpc/contract';
import { createBuilder } from 'vite';
import type { Contract } from '#api/contract';
import { FakeElectron, FakePort } from './stand-in.ts';

/** The real studio behind a port, as the renderer's own code reaches it. */
export type StudioClient = ContractRouterClient<Contract>;

const REPOSITORY = resolve(import.meta.dirname, '../..');
/** A page that stands for the built renderer, which takes too long to build here. */
export const PAGE = '<!doctype html><title>RCG Studio</title><script src="assets/a-1.js"></script>';
export const SCRIPT = 'document.title += "!";';

const requireBuilt = createRequire(import.meta.url);
let starts = 0;

// The built program asks for `electron` and gets the stand-in of its start.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron'
      ? { url: `stand-in:${starts}`, format: 'module', shortCircuit: true }
      : next(specifier, context),
  load(url, context, next) {
    if (!url.startsWith('stand-in:')) return next(url, context);
    const names = Object.keys(new FakeElectron().modules()).join(', ');
    const source = `export const { ${names} } = globalThis.electronStandIns.get('${url}');`;
    return { format: 'module', source, shortCircuit: true };
  },
});
const standIns = new Map<string, object>();
Object.assign(globalThis, { electronStandIns: standIns });

/** Compiles main, preload and engine into a folder that looks like the program's. */
export async function buildApp(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'rcg-studio-app-'));
  const out = (name: string) => ({ build: { outDir: join(root, 'out', name) } });
  const builder = await createBuilder({
    configFile: join(REPOSITORY, 'main/electron/vite.config.ts'),
    logLevel: 'error',
    environments: { main: out('main'), worker: out('worker'), preload: out('preload') },
  });
  await builder.buildApp();
  await mkdir(join(root, 'out/renderer/assets'), { recursive: true });
  await writeFile(join(root, 'out/renderer/index.html'), PAGE);
  await writeFile(join(root, 'out/renderer/assets/a-1.js'), SCRIPT);
  await writeFile(join(root, 'secret.js'), 'not for pages');
  for (const name of ['node_modules', 'models', 'package.json']) {
    await symlink(join(REPOSITORY, name), join(root, name));
  }
  return root;
}

/** A page that is connected. */
export interface Connection {
  readonly studio: StudioClient;
  /** The page's end. */
  readonly port: MessagePort;
  /** What the preload put into the page's world. */
  readonly exposed: Readonly<Record<string, unknown>>;
}

/** A start of the built program. */
export interface Start {
  readonly electron: FakeElectron;
  /** The person's data. */
  readonly home: string;
  /** Runs the built preload in a page of ours, and the renderer's own code against it. */
  connect(): Promise<Connection>;
  /** Asks for an address, as the page would. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Quits, and waits until the program has ended. */
  quit(): Promise<void>;
}

/**
 * Starts the built program in a folder, on an own copy of it, so that every start is a fresh one.
 * `args` are what a person or the system names.
 */
export async function start(
  app: string,
  home: string,
  change: (electron: FakeElectron) => void = () => undefined,
  args: readonly string[] = [],
): Promise<Start> {
  const electron = new FakeElectron();
  change(electron);
  starts++;
  standIns.set(`stand-in:${starts}`, electron.modules());
  const copy = join(app, `start-${starts}`);
  await cp(join(app, 'out'), join(copy, 'out'), { recursive: true });
  for (const name of ['node_modules', 'models', 'package.json']) {
    await symlink(join(app, name), join(copy, name));
  }
  process.env['RCG_STUDIO_HOME'] = home;
  const program = join(copy, 'out/main/main.js');
  // Run from its sources, the program itself is an argument.
  process.argv = ['electron', program, ...args];
  requireBuilt(program);
  electron.isReady = true;
  electron.ready.resolve();
  if (electron.first)
    await until(() => electron.windows.length > 0 || electron.exitCode !== undefined);
  return {
    electron,
    home,
    connect: () => connect(electron, join(copy, 'out/preload/index.cjs')),
    fetch: async (path, init) => {
      if (electron.handle === undefined) throw new Error('Nothing serves app:.');
      return electron.handle(new Request(new URL(path, 'app://studio/'), init));
    },
    async quit() {
      electron.modules().app.quit();
      await until(() => electron.exitCode !== undefined);
      await rm(copy, { recursive: true, force: true });
    },
  };
}

/** Waits for something that comes by itself. */
export async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('It did not happen within 30 s.');
    await new Promise((done) => setTimeout(done, 10));
  }
}

interface Message {
  readonly source: unknown;
  readonly data: unknown;
  readonly origin: string;
  readonly ports: readonly MessagePort[];
}

/** The part of a page's window that the preload and the renderer use to find each other. */
class PageWindow {
  readonly location = { origin: 'app://studio', protocol: 'app:' };
  readonly #listeners = new Set<(message: Message) => void>();

  addEventListener(_type: string, listener: (message: Message) => void): void {
    this.#listeners.add(listener);
  }
  removeEventListener(_type: string, listener: (message: Message) => void): void {
    this.#listeners.delete(listener);
  }
  postMessage(data: unknown, origin: string, ports: readonly MessagePort[] = []): void {
    if (origin !== this.location.origin) return;
    this.deliver({ source: this, data: structuredClone(data), origin, ports });
  }
  deliver(message: Message): void {
    setImmediate(() => {
      for (const listener of [...this.#listeners]) listener(message);
    });
  }
}

/** A frame as main sees the sender of a message. */
export const OWN_FRAME = { parent: null, origin: 'app://studio' };

async function connect(electron: FakeElectron, preload: string): Promise<Connection> {
  const contents = electron.windows.at(-1)?.webContents;
  if (contents === undefined) throw new Error('There is no window.');
  const exposed: Record<string, unknown> = {};
  const contextBridge = {
    exposeInMainWorld: (name: string, api: unknown) => void (exposed[name] = api),
  };
  const webUtils = { getPathForFile: (file: File) => `/dropped/${file.name}` };
  const window = new PageWindow();
  const handed: MessagePort[] = [];
  const ipcRenderer = {
    postMessage(channel: string, message: unknown, ports: readonly MessagePort[]): void {
      structuredClone(message);
      const event = { ports: ports.map((port) => new FakePort(port)), senderFrame: OWN_FRAME };
      electron.ipcMain.emit(channel, event);
    },
    invoke: (channel: string, ...input: readonly unknown[]) =>
      electron.ipcMain.invoke(channel, { sender: contents, senderFrame: OWN_FRAME }, ...input),
    on: (channel: string, listener: () => void) => contents.told.on(channel, listener),
  };
  // A sandboxed preload has no Node: only this `require`, and what a page has.
  runInNewContext(await readFile(preload, 'utf8'), {
    window,
    MessageChannel,
    require: (name: string) => {
      if (name === 'electron') return { contextBridge, ipcRenderer, webUtils };
      throw new Error(`A sandboxed preload cannot load ${name}.`);
    },
  });
  window.addEventListener('message', ({ ports }) => handed.push(...ports));
  // By a path that the compiler does not follow: the renderer's sources need the DOM's types.
  const renderer = join(REPOSITORY, 'renderer/state/studio.ts');
  const { connectStudio } = (await import(renderer)) as {
    readonly connectStudio: (window: PageWindow) => Promise<StudioClient>;
  };
  const studio = await connectStudio(window);
  const [port] = handed;
  if (port === undefined) throw new Error('The page was given no port.');
  return { studio, port, exposed };
}
