import { utilityProcess } from 'electron';
import type { Channel, ChannelFactory } from '#worker/channel';
import { listenToLastWords } from '#worker/fork-channel';

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
  const lastWords = listenToLastWords(child.stderr);
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
      child.on('exit', (code) => listener(`exit code ${code}${unwanted ? '' : lastWords()}`));
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
