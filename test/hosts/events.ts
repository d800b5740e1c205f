import { expect } from 'vitest';
import type { StudioEvent } from '#api/studio';
import type { StudioClient } from './conformance.ts';

/** What a studio tells a client. */
export interface Told {
  readonly seen: readonly StudioEvent[];
  /** Resolves as soon as an event of a kind was heard. */
  first(kind: StudioEvent['kind']): Promise<void>;
  /** Resolves as soon as the last event of a kind looks so. */
  last(kind: StudioEvent['kind'], like: object): Promise<void>;
  stop(): Promise<void>;
}

/** Listens to the studio; resolves when it has begun to tell. A stream that fails fails the test. */
export async function listen(client: StudioClient): Promise<Told> {
  const abort = new AbortController();
  const seen: StudioEvent[] = [];
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const heard = (kind: string) => {
    const there = waiting.get(kind) ?? Promise.withResolvers<void>();
    waiting.set(kind, there);
    return there;
  };
  const stream = await client.studio.events(undefined, { signal: abort.signal });
  const reading = (async () => {
    for await (const event of stream) {
      seen.push(event);
      heard(event.kind).resolve();
    }
  })().catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  await heard('jobs').promise;
  return {
    seen,
    first: (kind) => heard(kind).promise,
    last: async (kind, like) => {
      await expect.poll(() => seen.findLast((event) => event.kind === kind)).toMatchObject(like);
    },
    stop: async () => {
      abort.abort();
      await reading;
    },
  };
}
