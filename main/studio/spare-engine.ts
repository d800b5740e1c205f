import { StudioError } from '#api/errors';
import type { Engine } from './studio.ts';

/** The same engine for what somebody waits for, and for what nobody waits for. */
export interface SharedEngine {
  readonly main: Engine;
  /**
   * Begins a call only when the main one had none for a while, ends it between two steps when one
   * comes, and begins it again after that. A cancel by its own signal is `cancelled` as ever.
   */
  readonly spare: Engine;
}

/** @param quietMs how long the main engine must have had nothing to do */
export function shareEngine(engine: Engine, quietMs: number): SharedEngine {
  let calls = 0;
  const running = new Set<AbortController>();
  let quietSince = performance.now();
  const ends = new Set<() => void>();

  const quiet = async (signal: AbortSignal | undefined): Promise<void> => {
    for (;;) {
      if (signal?.aborted === true) throw stopped();
      const left = quietSince + quietMs - performance.now();
      if (calls === 0 && left <= 0) return;
      await pause(calls > 0 ? null : left, signal);
    }
  };
  /** Until the main engine's last call ends, or for some milliseconds. */
  const pause = (ms: number | null, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(() => end(), ms).unref();
      const end = (): void => {
        clearTimeout(timer);
        ends.delete(end);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      signal?.addEventListener('abort', end, { once: true });
      ends.add(end);
    });

  return {
    main: {
      call: async (method, request, options) => {
        calls++;
        for (const own of running) own.abort();
        try {
          return await engine.call(method, request, options);
        } finally {
          calls--;
          quietSince = performance.now();
          for (const end of [...ends]) end();
        }
      },
    },
    spare: {
      call: async (method, request, options) => {
        for (;;) {
          await quiet(options?.signal);
          const own = new AbortController();
          running.add(own);
          const signals = [own.signal, ...(options?.signal ? [options.signal] : [])];
          try {
            return await engine.call(method, request, {
              ...options,
              signal: AbortSignal.any(signals),
            });
          } catch (error) {
            if (!own.signal.aborted || options?.signal?.aborted === true) throw error;
          } finally {
            running.delete(own);
          }
        }
      },
    },
  };
}

function stopped(): StudioError {
  return new StudioError('cancelled', 'Cancelled before it began.');
}
