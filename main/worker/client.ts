import { StudioError, decodeError, type WireError } from '#api/errors';
import type { Channel, ChannelFactory } from './channel.ts';
import type { FromWorker, MethodName, Methods, ToWorker } from './protocol.ts';

/** How a client gets engine processes, and when it ends them. */
export interface WorkerClientOptions {
  readonly channel: ChannelFactory;
  /** Ends a process that has had nothing to do for so long; by default it is kept. */
  readonly idleMs?: number;
  /** How long a cancelled request may take to end before the process is killed. */
  readonly graceMs?: number;
}

/** What may accompany a call. */
export interface CallOptions<M extends MethodName> {
  readonly signal?: AbortSignal;
  /** Called for every event, in order, before the call resolves. */
  readonly onEvent?: (event: Methods[M]['event']) => void;
}

interface Pending {
  readonly method: MethodName;
  readonly event: (event: unknown) => void;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Runs since the call was cancelled; ends the process if the engine does not answer. */
  grace: NodeJS.Timeout | undefined;
}

interface Engine {
  readonly channel: Channel;
  readonly pending: Map<number, Pending>;
  readonly ended: Promise<void>;
}

/** A step of a large model on a slow machine ends within this. */
const GRACE_MS = 10_000;

/**
 * Calls methods of the engine process, and sees to the process: starts it when needed, again after
 * a crash, and ends it when idle.
 */
export class WorkerClient {
  readonly #options: WorkerClientOptions;
  #engine: Engine | undefined;
  #nextId = 1;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
  }

  /** Process id of the running engine. */
  get pid(): number | undefined {
    return this.#engine?.channel.pid;
  }

  /** Starts the process ahead of the first call, so that it boots meanwhile. */
  start(): void {
    if (!this.#closed) this.#running();
  }

  /**
   * One call.
   * @throws StudioError `cancelled` after an abort, `engine-crashed` when the process ends first,
   *   or whatever the engine answered. The next call starts a new process.
   */
  async call<M extends MethodName>(
    method: M,
    request: Methods[M]['request'],
    options: CallOptions<M> = {},
  ): Promise<Methods[M]['result']> {
    if (this.#closed) throw new StudioError('cancelled', 'RCG Studio is shutting down.');
    const { signal, onEvent } = options;
    if (signal?.aborted) throw cancelled();
    const engine = this.#running();
    const id = this.#nextId;
    this.#nextId += 1;
    const onAbort = (): void => this.#cancel(engine, id);
    try {
      return await new Promise<Methods[M]['result']>((resolve, reject) => {
        const pending: Pending = {
          method,
          event: (event) => onEvent?.(event as Methods[M]['event']),
          resolve: (result) => resolve(result as Methods[M]['result']),
          reject,
          grace: undefined,
        };
        engine.pending.set(id, pending);
        signal?.addEventListener('abort', onAbort, { once: true });
        send(engine.channel, { kind: 'request', id, method, request } as ToWorker);
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(engine.pending.get(id)?.grace);
      engine.pending.delete(id);
      this.#restUnlessBusy(engine);
    }
  }

  /** Cancels what is under way, ends the process, and refuses further calls. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    const engine = this.#engine;
    if (!engine) return;
    for (const id of engine.pending.keys()) this.#cancel(engine, id);
    if (engine.pending.size === 0) this.#kill(engine);
    await engine.ended;
  }

  #running(): Engine {
    clearTimeout(this.#idle);
    this.#engine ??= this.#launch();
    return this.#engine;
  }

  #launch(): Engine {
    const channel = this.#options.channel();
    const pending = new Map<number, Pending>();
    const ended = new Promise<void>((resolve) => {
      channel.onExit((reason) => {
        if (this.#engine?.channel === channel) this.#engine = undefined;
        for (const call of pending.values()) {
          call.reject(call.grace ? cancelled() : crashed(call.method, reason));
        }
        resolve();
      });
    });
    const engine = { channel, pending, ended };
    channel.onMessage((message) => this.#receive(engine, message));
    return engine;
  }

  /** Asks the engine to stop, and sees to it. */
  #cancel(engine: Engine, id: number): void {
    const pending = engine.pending.get(id);
    if (!pending || pending.grace) return;
    send(engine.channel, { kind: 'cancel', id });
    pending.grace = setTimeout(() => this.#kill(engine), this.#options.graceMs ?? GRACE_MS);
  }

  /** Ends a process for good: a call from now on gets a new one. */
  #kill(engine: Engine): void {
    if (this.#engine === engine) this.#engine = undefined;
    engine.channel.kill();
  }

  #receive(engine: Engine, message: unknown): void {
    if (!isFromWorker(message) || message.kind === 'ready') return;
    // Not ours any more, or never was.
    const pending = engine.pending.get(message.id);
    if (!pending) return;
    if (message.kind === 'error') {
      pending.reject(decodeError(message.error));
    } else if (message.method !== pending.method) {
      return;
    } else if (message.kind === 'result') {
      pending.resolve(message.result);
    } else {
      try {
        pending.event(message.event);
      } catch (error) {
        // A listener that cannot go on ends its call; the engine need not finish it.
        pending.reject(error);
        send(engine.channel, { kind: 'cancel', id: message.id });
      }
    }
  }

  #restUnlessBusy(engine: Engine): void {
    if (engine !== this.#engine || engine.pending.size > 0) return;
    if (this.#closed) return this.#kill(engine);
    const { idleMs } = this.#options;
    clearTimeout(this.#idle);
    if (idleMs !== undefined) this.#idle = setTimeout(() => this.#kill(engine), idleMs);
  }
}

function send(channel: Channel, message: ToWorker): void {
  channel.send(message);
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'Cancelled. What was finished before is kept.');
}

/** What is safe when the engine ends in the middle of a call, and what to do. */
const AFTER_CRASH: Partial<Readonly<Record<MethodName, string>>> = {
  generate:
    'Pictures that were finished are safe; start the rest again, and if it ends once more, make fewer pictures at once or close other programs.',
  import:
    'Nothing was imported and no model was changed; import again, and if it ends once more, close other programs.',
};
const NOTHING_CHANGED =
  'Nothing was changed and all pictures are safe; try again, and if it ends once more, close other programs.';

function crashed(method: MethodName, reason: string): StudioError {
  return new StudioError(
    'engine-crashed',
    `The engine process ended in the middle of the work (${reason}). ${AFTER_CRASH[method] ?? NOTHING_CHANGED}`,
  );
}

/** Anything may arrive from a process; only what has the outer form of a message is looked at. */
function isFromWorker(message: unknown): message is FromWorker {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false;
  if (message.kind === 'ready') return true;
  if (!('id' in message) || typeof message.id !== 'number') return false;
  if (message.kind === 'error') return 'error' in message && isWireError(message.error);
  if (!('method' in message)) return false;
  return (
    (message.kind === 'event' && 'event' in message) ||
    (message.kind === 'result' && 'result' in message)
  );
}

function isWireError(error: unknown): error is WireError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    'message' in error &&
    typeof error.message === 'string'
  );
}
