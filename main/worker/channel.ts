/**
 * Two-way passage of messages with an engine process: what `child_process.fork` and Electron's
 * `utilityProcess.fork` have in common. Messages are structured-cloned.
 */
export interface Channel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** The process has ended; `reason` is for people ("exit code 1", "signal SIGKILL"). */
  onExit(listener: (reason: string) => void): void;
  /** Process id, for the doctor and for tests that kill it. */
  readonly pid: number | undefined;
  /** Ends the process at once (SIGKILL). */
  kill(): void;
}

/** Starts an engine process. */
export type ChannelFactory = () => Channel;
