import type { StudioEvent } from '#api/studio';

/** Events kept for a listener that is slow; beyond that the oldest progress goes. */
const MAX_WAITING = 256;

/** Events as they come, until someone ends them. */
export type EventStream = AsyncIteratorObject<StudioEvent, void, void>;

/** Tells every listener what happens. */
export interface EventHub {
  publish(event: StudioEvent): void;
  /** Everything from now on, `first` before it; ends with the signal, `return` or the hub. */
  subscribe(first: readonly StudioEvent[], signal?: AbortSignal): EventStream;
  /** How many listen now. */
  readonly listeners: number;
  close(): void;
}

export function createEventHub(): EventHub {
  const subscriptions = new Set<Subscription>();
  let closed = false;
  return {
    publish(event) {
      for (const subscription of subscriptions) subscription.add(event);
    },
    subscribe(first, signal) {
      const subscription = new Subscription(() => subscriptions.delete(subscription));
      for (const event of first) subscription.add(event);
      if (closed || signal?.aborted === true) {
        subscription.end();
        return subscription;
      }
      subscriptions.add(subscription);
      signal?.addEventListener('abort', () => subscription.end(), { once: true });
      return subscription;
    },
    get listeners() {
      return subscriptions.size;
    },
    close() {
      closed = true;
      for (const subscription of [...subscriptions]) subscription.end();
    },
  };
}

/**
 * An iterator by hand: a generator that waits for an event could not be ended from outside before
 * the next event comes.
 */
class Subscription implements EventStream {
  readonly #onEnd: () => void;
  #waiting: StudioEvent[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  add(event: StudioEvent): void {
    this.#waiting = queueEvent(this.#waiting, event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#onEnd();
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<StudioEvent, void>> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  return(): Promise<IteratorResult<StudioEvent, void>> {
    this.#waiting = [];
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/**
 * What waits, with one more event: states replace older ones, and lists of pictures join.
 * @internal
 */
export function queueEvent(waiting: readonly StudioEvent[], event: StudioEvent): StudioEvent[] {
  switch (event.kind) {
    case 'jobs':
    case 'import':
    case 'move':
    case 'transfer':
    case 'models':
    case 'settings':
    case 'status':
    case 'meters':
      return [...waiting.filter((other) => other.kind !== event.kind), event];
    case 'progress': {
      const { job, index } = event.progress;
      const others = waiting.filter(
        (other) =>
          other.kind !== 'progress' || other.progress.job !== job || other.progress.index !== index,
      );
      return [...others, event].slice(-MAX_WAITING);
    }
    case 'images': {
      const before = waiting.find((other) => other.kind === 'images');
      if (before === undefined) return [...waiting, event];
      const ids =
        before.ids === null || event.ids === null
          ? null
          : [...new Set([...before.ids, ...event.ids])];
      const made = before.made && event.made && [...before.made, ...event.made];
      const listed = ids !== null && ids.length <= MAX_LISTED;
      return [
        ...waiting.filter((other) => other !== before),
        { kind: 'images', ids: listed ? ids : null, ...(made && listed ? { made } : {}) },
      ];
    }
  }
}

/** Publishes events, those that come while it must wait together. */
export interface Gathering extends Pick<EventHub, 'publish'> {
  /** Publishes what waits. */
  close(): void;
}

/** @param wait milliseconds until something may be published */
export function gatherEvents(
  publish: (events: readonly StudioEvent[]) => void,
  wait: () => number,
): Gathering {
  let waiting: readonly StudioEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const told = waiting;
    waiting = [];
    if (told.length > 0) publish(told);
  };
  return {
    publish(event) {
      waiting = queueEvent(waiting, event);
      timer ??= setTimeout(flush, Math.ceil(wait()));
    },
    close: flush,
  };
}

/** Pictures that an event lists; of more it says only that there are some. */
export const MAX_LISTED = 1000;
