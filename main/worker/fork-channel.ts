import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Channel, ChannelFactory } from './channel.ts';

/** How the engine process is started. */
export interface ForkOptions {
  /** Environment of the process; by default this one's. */
  readonly env?: NodeJS.ProcessEnv;
  /** The program; by default this source's entry. */
  readonly entry?: string;
}

/** Characters kept of what the process last wrote on stderr: a native library's last words. */
const STDERR_KEPT = 4000;
/** Characters of them that are passed on. */
const REASON_LENGTH = 300;

/** Starts engine processes as children of this one. */
export function forkChannel(options: ForkOptions = {}): ChannelFactory {
  const entry = options.entry ?? fileURLToPath(new URL('./entry.ts', import.meta.url));
  return () => start(entry, options.env ?? process.env);
}

function start(entry: string, env: NodeJS.ProcessEnv): Channel {
  const child = fork(entry, [], {
    env,
    // Structured clone: typed arrays arrive as typed arrays.
    serialization: 'advanced',
    // A debugger or loader of the parent is not meant for the child.
    execArgv: [],
    // The parent's stdout belongs to its user; the engine has nothing to say there.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const lastWords = listenToLastWords(child.stderr);
  const exit = exitOnce();
  child.on('error', (error) => {
    // Only a process that never started has no other end to wait for.
    if (child.pid === undefined) exit.end(`it could not be started: ${error.message}`);
  });
  // 'close' comes after the last message and the last line of stderr; 'exit' may come before.
  child.on('close', (code, signal) => {
    const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
    // Who is killed from outside said nothing about it.
    const fromOutside = signal === 'SIGKILL' || signal === 'SIGTERM';
    exit.end(fromOutside ? how : `${how}${lastWords()}`);
  });
  return {
    pid: child.pid,
    // The callback takes the error of a process that is gone; its end is reported by 'close'.
    send: (message) => void child.send(message as object, () => undefined),
    onMessage: (listener) => void child.on('message', listener),
    onExit: exit.listen,
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Keeps what a process says on stderr; the result gives the line of it that tells of its end. */
export function listenToLastWords(stderr: NodeJS.ReadableStream | null): () => string {
  let kept = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    kept = (kept + text).slice(-STDERR_KEPT);
  });
  return () => {
    const line = tellingLine(kept);
    return line === undefined ? '' : `: ${line}`;
  };
}

/** The line that says most about an end: the last that speaks of an error, else the last. */
function tellingLine(text: string): string | undefined {
  const lines = stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  const line = lines.findLast((each) => /error|fatal|abort|terminate/i.test(each)) ?? lines.at(-1);
  return line?.slice(0, REASON_LENGTH);
}

function exitOnce(): {
  readonly end: (reason: string) => void;
  readonly listen: (listener: (reason: string) => void) => void;
} {
  const listeners: ((reason: string) => void)[] = [];
  let ended: string | undefined;
  return {
    end(reason) {
      if (ended !== undefined) return;
      ended = reason;
      for (const listener of listeners) listener(reason);
    },
    listen(listener) {
      if (ended === undefined) listeners.push(listener);
      else listener(ended);
    },
  };
}
