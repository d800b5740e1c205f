import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MadeImage } from '#api/images';
import type { Progress } from '#api/jobs';
import type { StudioEvent } from '#api/studio';
import { createEventHub, gatherEvents, MAX_LISTED, queueEvent } from '#studio/events';

const jobs = (paused: boolean): StudioEvent => ({
  kind: 'jobs',
  jobs: [],
  paused,
  trouble: null,
  interrupted: null,
});
const images = (...ids: number[]): StudioEvent => ({ kind: 'images', ids });
const progress = (index: number, done: number): StudioEvent => ({
  kind: 'progress',
  progress: { job: 1, index, seed: 0, stage: 'tokens', done, total: 9 } satisfies Progress,
});

describe('a listener', () => {
  test('hears what it missed nothing of, first things first', async () => {
    const hub = createEventHub();
    const stream = hub.subscribe([jobs(true)]);
    hub.publish(images(1));
    expect(await stream.next()).toEqual({ done: false, value: jobs(true) });
    expect(await stream.next()).toEqual({ done: false, value: images(1) });
    const waiting = stream.next();
    hub.publish({ kind: 'models' });
    expect(await waiting).toEqual({ done: false, value: { kind: 'models' } });
  });

  test.each([
    ['its own return', (_hub, stream) => void stream.return?.()],
    ['the hub', (hub) => hub.close()],
    ['its signal', (_hub, _stream, abort) => abort.abort()],
  ] satisfies [
    string,
    (
      hub: ReturnType<typeof createEventHub>,
      stream: AsyncIteratorObject<StudioEvent, void, void>,
      abort: AbortController,
    ) => void,
  ][])('is ended by %s, even while it waits', async (_, end) => {
    const hub = createEventHub();
    const abort = new AbortController();
    const stream = hub.subscribe([], abort.signal);
    const waiting = stream.next();
    expect(hub.listeners).toBe(1);
    end(hub, stream, abort);
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(hub.listeners).toBe(0);
    hub.publish(jobs(false));
    expect((await stream.next()).done).toBe(true);
  });

  test('that comes too late is told that it is over', async () => {
    const hub = createEventHub();
    hub.close();
    expect((await hub.subscribe([]).next()).done).toBe(true);
    const gone = AbortSignal.abort();
    expect((await createEventHub().subscribe([], gone).next()).done).toBe(true);
  });

  test('leaves by breaking out of its loop', async () => {
    const hub = createEventHub();
    for await (const event of hub.subscribe([jobs(false)])) {
      expect(event.kind).toBe('jobs');
      break;
    }
    expect(hub.listeners).toBe(0);
  });
});

describe('what waits for a slow listener', () => {
  const queued = (...events: StudioEvent[]) =>
    events.reduce<StudioEvent[]>((waiting, event) => queueEvent(waiting, event), []);

  test('states replace older ones', () => {
    expect(queued(jobs(true), images(1), jobs(false))).toEqual([images(1), jobs(false)]);
  });
  test('of a picture only the newest step', () => {
    expect(queued(progress(0, 1), progress(1, 1), progress(0, 2))).toEqual([
      progress(1, 1),
      progress(0, 2),
    ]);
  });
  test('lists of pictures join, each once', () => {
    expect(queued(images(1, 2), jobs(true), images(2, 3))).toEqual([jobs(true), images(1, 2, 3)]);
  });
  test('what jobs made joins, and is a mere list beside any other change', () => {
    const made = (id: number): StudioEvent => ({
      ...{ kind: 'images', ids: [id] },
      made: [{ id } as MadeImage],
    });
    expect(queued(made(1), made(2))).toEqual([
      { kind: 'images', ids: [1, 2], made: [{ id: 1 }, { id: 2 }] },
    ]);
    expect(queued(made(1), images(2))).toEqual([images(1, 2)]);
    expect(queued(images(2), made(1))).toEqual([images(2, 1)]);
  });
  test('"all of them" swallows lists', () => {
    expect(queued({ kind: 'images', ids: null }, images(4))).toEqual([
      { kind: 'images', ids: null },
    ]);
  });
  test('a list that grows too long becomes "some"', () => {
    const many = Array.from({ length: MAX_LISTED }, (_, i) => i + 2);
    expect(queued(images(1), images(...many))).toEqual([{ kind: 'images', ids: null }]);
  });
  test('progress without end is bounded', () => {
    const all = queued(...Array.from({ length: 1000 }, (_, i) => progress(i, 1)));
    expect(all.length).toBeLessThanOrEqual(256);
    expect(all.at(-1)).toEqual(progress(999, 1));
  });
});

describe('gathered events', () => {
  const gather = () => {
    const told: StudioEvent[][] = [];
    let wait = 0;
    const gathering = gatherEvents(
      (events) => void told.push([...events]),
      () => wait,
    );
    return { told, ...gathering, must: (ms: number) => (wait = ms) };
  };
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('go at once when nothing must wait, and together when they come while it must', () => {
    const { told, publish, must } = gather();
    publish(images(1));
    publish(images(2));
    vi.advanceTimersByTime(1);
    expect(told).toEqual([[images(1, 2)]]);
    must(500);
    for (const event of [images(3), jobs(true), images(4), images(3)]) publish(event);
    vi.advanceTimersByTime(499);
    expect(told).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(told.slice(1)).toEqual([[jobs(true), images(3, 4)]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that still wait are told when it is closed, and nothing goes on', () => {
    const { told, publish, close, must } = gather();
    must(10_000);
    publish(images(1));
    publish(images(2));
    close();
    expect(told).toEqual([[images(1, 2)]]);
    expect(vi.getTimerCount()).toBe(0);
    close();
    expect(told).toHaveLength(1);
  });
});
