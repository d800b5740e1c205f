import type { Job, QueueState } from '#api/jobs';
import type { StoredJob } from '#history/types';
import type { Workshop } from '../workshop.ts';

/** Windows hear of the queue no more often than this. */
const TELL_MS = 50;

/** The jobs on the list, and the queue as a whole. */
export type Listing = QueueState & { readonly jobs: readonly Job[] };

/** Tells windows of the queue. */
export interface News {
  list(): Listing;
  /** Tells soon, once for all that happens meanwhile. */
  tell(): void;
  tellNow(): void;
  close(): void;
}

export interface NewsOptions {
  readonly state: () => QueueState;
  /** A job as it is now: what is kept of it may be older than what is known. */
  readonly present: (job: StoredJob) => Job;
  /** After each telling. */
  readonly onTold: () => void;
}

export function createNews(
  { history, events }: Pick<Workshop, 'history' | 'events'>,
  { state, present, onTold }: NewsOptions,
): News {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  /** The last that could be read. */
  let known: readonly StoredJob[] = [];

  const list = (): Listing => {
    known = history().jobs.list();
    return { jobs: known.map(present), ...state() };
  };
  const newest = (): Listing => {
    try {
      return list();
    } catch {
      // A history that cannot be read must not keep windows from hearing why the queue stopped.
      return { jobs: known.map(present), ...state() };
    }
  };
  const tellNow = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (closed) return;
    events.publish({ kind: 'jobs', ...newest() });
    onTold();
  };
  return {
    list,
    tell() {
      timer ??= setTimeout(tellNow, TELL_MS);
    },
    tellNow,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
