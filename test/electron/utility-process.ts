import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type * as Electron from 'electron';

/**
 * What a utility process finds as `process.parentPort`. Messages that come before anyone listens
 * are kept, as Electron keeps them.
 */
const PARENT_PORT = `
import { EventEmitter } from 'node:events';
const port = new EventEmitter();
const early = [];
port.postMessage = (message) => process.send(message);
process.on('message', (data) => {
  if (!port.emit('message', { data })) early.push(data);
});
port.on('newListener', () => setImmediate(() => {
  for (const data of early.splice(0)) port.emit('message', { data });
}));
process.parentPort = port;
`;

/** A utility process: a child of Node's, which finds a parent port and nothing else of Electron. */
export class FakeUtilityProcess
  extends EventEmitter
  implements Pick<Electron.UtilityProcess, 'postMessage' | 'kill' | 'pid' | 'stderr'>
{
  readonly path: string;
  readonly options: Electron.ForkOptions;
  readonly #child: ChildProcess;
  #running = false;

  constructor(path: string, args: string[], options: Electron.ForkOptions) {
    super();
    this.path = path;
    this.options = options;
    this.#child = fork(path, args, {
      serialization: 'advanced',
      execArgv: ['--import', `data:text/javascript,${encodeURIComponent(PARENT_PORT)}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.on('spawn', () => {
      this.#running = true;
      this.emit('spawn');
    });
    this.#child.on('message', (message) => this.emit('message', message));
    this.#child.on('exit', (code) => {
      this.#running = false;
      this.emit('exit', code ?? 9);
    });
  }
  /** Undefined before the process is there and after it is gone, as Electron has it. */
  get pid() {
    return this.#running ? this.#child.pid : undefined;
  }
  get stderr() {
    return this.#child.stderr;
  }
  postMessage(message: unknown): void {
    this.#child.send(message as object, () => undefined);
  }
  kill(): boolean {
    return this.#child.kill();
  }
}
