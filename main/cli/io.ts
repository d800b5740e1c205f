import { forkChannel } from '#worker/fork-channel';
import type { ChannelFactory } from '#worker/channel';

/** Characters a line where nobody says. */
const DEFAULT_COLUMNS = 100;

/** Where text goes. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Characters a line. */
  readonly columns: number;
}

/** Everything of the outside world that the command line touches. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly channel: ChannelFactory;
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls the listener at each request to stop (Ctrl-C); the result ends that. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** This process' streams, signals and engine. */
export function processIo(): Io {
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    stdin: process.stdin,
    env: process.env,
    channel: forkChannel(),
    now: () => performance.now(),
    onInterrupt: (listener) => {
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}

function output(stream: NodeJS.WriteStream): Output {
  let told = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads may stop reading (`| head`): that is no failure, and the work goes on.
    if (error.code === 'EPIPE' || told) return;
    told = true;
    // Pictures still to come are worth more than their lines; but the end must not look like success.
    process.on('exit', () => (process.exitCode ||= 1));
    if (stream === process.stderr) return;
    process.stderr.write(
      `What this command prints cannot be written (${error.code ?? error.message}). ` +
        'Files that it makes are not affected; free some space, or print to another place.\n',
    );
  });
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY,
    get columns() {
      // Some terminals say 0.
      return stream.columns || DEFAULT_COLUMNS;
    },
  };
}
