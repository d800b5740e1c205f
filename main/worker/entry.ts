import { flushCompileCache } from 'node:module';
import { encodeError } from '#api/errors';
import { createService } from './service.ts';

/**
 * The engine process. Its parent is a Node that forked it (`process.send`) or an Electron that did
 * (`process.parentPort`); it lives as long as the parent does.
 */

/** What Electron gives a utility process; Node's types do not know it. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

const port = (process as { readonly parentPort?: ParentPort }).parentPort;

const send = (message: unknown): void => {
  if (port) port.postMessage(message);
  // The callback takes the error of a parent that is gone; 'disconnect' follows.
  else process.send?.(message, undefined, undefined, () => undefined);
};

/** Reports a bug on stderr, which the parent keeps for its crash message, and ends. */
const fail = (error: unknown): void => {
  const { message, stack } = encodeError(error);
  process.stderr.write(`${stack ?? message}\n`, () => process.exit(1));
};

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// Ctrl-C in a terminal reaches the whole group; whether to cancel or to end is the parent's choice.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));

const service = createService({ send });
if (port) port.on('message', (event) => service.receive(event.data));
else process.on('message', (message) => service.receive(message));
send({ kind: 'ready' });
// Where compiled code is kept, it is kept now: this process is ended without being asked.
flushCompileCache();
