import { StudioError, encodeError } from '#api/errors';
import { createMethods, type Context, type Handlers } from './methods.ts';
import { toStudioError } from './failures.ts';
import { modelShelf, type ModelShelf } from './model.ts';
import type { FromWorker, MethodName, ToWorker } from './protocol.ts';

/** What a service needs of its surroundings. */
export interface ServiceOptions {
  readonly send: (message: FromWorker) => void;
  /** Memory of sessions is given back after so long without a request. */
  readonly restMs?: number;
  /** For tests; by default the real ones. */
  readonly shelf?: ModelShelf;
}

/** Answers requests. Messages that make no sense are ignored. */
export interface Service {
  receive(message: unknown): void;
}

type Request = Extract<ToWorker, { readonly kind: 'request' }>;

interface Job {
  readonly request: Request;
  readonly abort: AbortController;
}

/** Long enough to look at pictures and ask for more. */
const REST_MS = 120_000;

/**
 * The engine's side of the protocol. Requests are carried out one at a time, in order, for a run
 * blocks the process anyway; a cancel is seen between two steps, or before its request begins.
 */
export function createService(options: ServiceOptions): Service {
  const shelf = options.shelf ?? modelShelf();
  const methods = createMethods(shelf);
  const queue: Job[] = [];
  let running: Job | undefined;
  let rest: NodeJS.Timeout | undefined;

  const work = async (): Promise<void> => {
    clearTimeout(rest);
    for (let job = queue.shift(); job; job = queue.shift()) {
      running = job;
      options.send(withTightArrays(await answer(job, { methods, send: options.send })));
    }
    running = undefined;
    rest = setTimeout(() => void tidy(), options.restMs ?? REST_MS).unref();
  };
  const tidy = async (): Promise<void> => {
    // A request that came meanwhile is using the sessions.
    if (!running) await shelf.rest();
  };
  const cancel = (id: number): void => {
    const waiting = queue.findIndex((job) => job.request.id === id);
    if (waiting >= 0) {
      queue.splice(waiting, 1);
      options.send({ kind: 'error', id, error: encodeError(cancelled()) });
    } else if (running?.request.id === id) {
      running.abort.abort();
    }
  };
  return {
    receive(message) {
      if (isCancel(message)) return cancel(message.id);
      if (!isRequest(message, methods)) return;
      queue.push({ request: message, abort: new AbortController() });
      if (!running) void work();
    },
  };
}

async function answer(
  { request, abort }: Job,
  { methods, send }: { readonly methods: Handlers; readonly send: ServiceOptions['send'] },
): Promise<FromWorker> {
  const { id, method } = request;
  const context: Context<MethodName> = {
    signal: abort.signal,
    emit: (event) => send(withTightArrays({ kind: 'event', id, method, event } as FromWorker)),
  };
  try {
    // The handler of a method takes that method's request; the table's type cannot say so.
    const handler = methods[method] as Handlers[MethodName] as (
      request: Request['request'],
      context: Context<MethodName>,
    ) => Promise<unknown>;
    const result = await handler(request.request, context);
    return { kind: 'result', id, method, result } as FromWorker;
  } catch (error) {
    const failure = abort.signal.aborted ? cancelled() : toStudioError(error);
    return { kind: 'error', id, error: encodeError(failure) };
  }
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'Cancelled. What was finished before is kept.');
}

function isCancel(message: unknown): message is Extract<ToWorker, { readonly kind: 'cancel' }> {
  return isObject(message) && message['kind'] === 'cancel' && typeof message['id'] === 'number';
}

function isRequest(message: unknown, methods: Handlers): message is Request {
  return (
    isObject(message) &&
    message['kind'] === 'request' &&
    typeof message['id'] === 'number' &&
    typeof message['method'] === 'string' &&
    Object.hasOwn(methods, message['method']) &&
    isObject(message['request'])
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * The message with views into larger buffers copied out: structured clone would send the whole
 * buffer along with each.
 */
function withTightArrays<T>(value: T): T {
  if (ArrayBuffer.isView(value)) {
    if (value.byteLength === value.buffer.byteLength) return value;
    const typed = value as ArrayBufferView as Float32Array | Int32Array | Uint8Array;
    return typed.slice() as ArrayBufferView as T;
  }
  if (Array.isArray(value)) return value.map(withTightArrays) as T;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withTightArrays(inner)]),
  ) as T;
}
