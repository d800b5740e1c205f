import { StudioError } from '#api/errors';
import type { WorkerClient } from '#worker/client';
import { shareEngine } from './spare-engine.ts';
import type { Engine } from './studio.ts';

/** Makes a client of an engine process, which ends when it had nothing to do for so long. */
export type EngineFactory = (idleMs: number | undefined) => WorkerClient;

/** The engine processes of a studio. */
export interface Engines {
  /** For pictures. */
  readonly main: Engine;
  /** The main one, for what nobody waits for: it gives way to every other call. */
  readonly spare: Engine;
  /** For long work on files: it must not stand in the way of pictures. */
  readonly side: Engine;
  /** Starts the main one ahead of its first call. */
  start(): void;
  readonly pid: number | undefined;
  /** From the next call on; what runs comes to its end. */
  setIdle(minutes: number): void;
  close(): Promise<void>;
}

const MINUTE = 60_000;
/** The side engine holds nothing that is worth keeping. */
const SIDE_IDLE_MS = 2000;
/** A person who has just looked at something may want the next thing. */
const QUIET_MS = 1500;

interface Held {
  readonly client: WorkerClient;
  calls: number;
  retired: boolean;
  /** Resolves when its process has ended; undefined until it is asked to. */
  ended?: Promise<void>;
}

export function createEngines(create: EngineFactory, minutes: number): Engines {
  const idleOf = (value: number) => (value === 0 ? undefined : value * MINUTE);
  let idle = idleOf(minutes);
  let main: Held = { client: create(idle), calls: 0, retired: false };
  let side: WorkerClient | undefined;
  let closed = false;
  /** Those that others have taken the place of, and whose processes may still run. */
  const retired = new Set<Held>();
  const end = (held: Held): Promise<void> =>
    (held.ended ??= held.client.close().finally(() => retired.delete(held)));

  return {
    ...shareEngine(
      {
        call: async (method, request, options) => {
          const held = main;
          held.calls++;
          try {
            return await held.client.call(method, request, options);
          } finally {
            held.calls--;
            if (held.retired && held.calls === 0) await end(held);
          }
        },
      },
      QUIET_MS,
    ),
    side: {
      call: async (method, request, options) => {
        if (closed) throw new StudioError('cancelled', 'RCG Studio is shutting down.');
        side ??= create(SIDE_IDLE_MS);
        return side.call(method, request, options);
      },
    },
    start: () => main.client.start(),
    get pid() {
      return main.client.pid;
    },
    setIdle(value) {
      if (closed || idleOf(value) === idle) return;
      idle = idleOf(value);
      const old = main;
      old.retired = true;
      retired.add(old);
      main = { client: create(idle), calls: 0, retired: false };
      if (old.calls === 0) void end(old);
    },
    async close() {
      closed = true;
      await Promise.all([main, ...retired].map(end).concat(side?.close() ?? []));
    },
  };
}
