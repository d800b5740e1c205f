import { utilityProcess } from 'electron';
import type { Channel, ChannelFactory } from '#worker/channel';

/** Characters kept of what the process last wrote on stderr. */
const STDERR_KEPT = 4000;
/** Characters of them that are passed on. */
const REASON_LENGTH = 300;

/**
 * Starts engine processes as Electron's utility processes: the way that is left when the program
 * may not run as Node (fuse `runAsNode`).
 */
export function utilityChannel(entry: string): ChannelFactory {
  return () => start(entry);
}

function start(entry: string): Channel {
  const child = utilityProcess.fork(entry, [], {
    serviceName: 'RCG Studio engine',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastWords = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    lastWords = (lastWords + bytes.toString()).slice(-STDERR_KEPT);
  });
  let unwanted = false;
  const end = (): void => {
    // The polite way waits for a native call to come back; only this ends it at once.
    if (child.pid !== undefined) kill(child.pid);
  };
  child.on('spawn', () => {
    if (unwanted) end();
  });
  return {
    get pid() {
      return child.pid;
    },
    send: (message) => child.postMessage(message),
    onMessage: (listener) => void child.on('message', listener),
    onExit(listener) {
      child.on('exit', (code) => {
        const said = unwanted ? undefined : lastLine(lastWords);
        listener(said === undefined ? `exit code ${code}` : `exit code ${code}: ${said}`);
      });
    },
    kill() {
      unwanted = true;
      end();
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was quicker; 'exit' reports it.
  }
}

/** The last line that is no part of a stack. */
function lastLine(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !line.startsWith('at '))?.slice(0, REASON_LENGTH);
}
