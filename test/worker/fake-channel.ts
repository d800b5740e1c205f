import type { Channel, ChannelFactory } from '#worker/channel';

/** An engine process that does what a test says. */
export interface FakeEngine extends Channel {
  /** Messages that were sent to it. */
  readonly sent: readonly Record<string, unknown>[];
  readonly killed: boolean;
  /** Says something to the client. */
  say(message: unknown): void;
  /** Ends, as a process would by itself. */
  end(reason: string): void;
}

/** A factory of fake engines, which keeps them all. A kill ends them a moment later. */
export function fakeEngines(): {
  readonly channel: ChannelFactory;
  readonly engines: readonly FakeEngine[];
} {
  const engines: FakeEngine[] = [];
  const channel = (): Channel => {
    const messages: ((message: unknown) => void)[] = [];
    const exits: ((reason: string) => void)[] = [];
    const sent: Record<string, unknown>[] = [];
    let killed = false;
    let ended = false;
    const engine: FakeEngine = {
      pid: 1000 + engines.length,
      sent,
      get killed() {
        return killed;
      },
      // As over a real channel, neither side sees the other's objects.
      send: (message) => void sent.push(structuredClone(message) as Record<string, unknown>),
      onMessage: (listener) => void messages.push(listener),
      onExit: (listener) => void exits.push(listener),
      say: (message) => messages.forEach((listener) => listener(structuredClone(message))),
      end(reason) {
        if (ended) return;
        ended = true;
        exits.forEach((listener) => listener(reason));
      },
      kill() {
        killed = true;
        setImmediate(() => engine.end('signal SIGKILL'));
      },
    };
    engines.push(engine);
    return engine;
  };
  return { channel, engines };
}
