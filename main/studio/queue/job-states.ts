import type { Job, JobState } from '#api/jobs';

type Failure = NonNullable<Job['error']>;

/** What can happen to a job. */
export type JobEvent =
  | { readonly kind: 'start' | 'finish' | 'resume' | 'cancel' | 'retry' | 'interrupt' }
  /** With a reason when it is not a person that stops it. */
  | { readonly kind: 'pause'; readonly error?: Failure }
  | { readonly kind: 'fail'; readonly error: Failure }
  /** The engine ended over it, for the `times`th time since it last got on. */
  | { readonly kind: 'crash'; readonly times: number; readonly error: Failure };

/** A state, and the reason where it has one. */
export interface JobChange {
  readonly state: JobState;
  readonly error: Failure | null;
}

/** Crashes of the engine after which a job is put aside. */
const CRASHES_TO_PARK = 2;

/** States in which a job has ended, until it is retried. */
const ENDED: readonly JobState[] = ['done', 'cancelled', 'failed', 'parked'];

const to = (state: JobState, error: Failure | null = null): JobChange => ({ state, error });

/** What becomes of a job; null when that cannot happen to it as it is. */
export function nextState(state: JobState, event: JobEvent): JobChange | null {
  const open = state === 'queued' || state === 'running' || state === 'paused';
  switch (event.kind) {
    case 'start':
      return state === 'queued' ? to('running') : null;
    case 'finish':
      return state === 'running' ? to('done') : null;
    case 'pause':
      return state === 'running' ? to('paused', event.error) : null;
    case 'resume':
      return state === 'paused' ? to('queued') : null;
    case 'interrupt':
      return state === 'running' ? to('queued') : null;
    case 'cancel':
      return open ? to('cancelled') : null;
    case 'retry':
      return ENDED.includes(state) && state !== 'done' ? to('queued') : null;
    case 'fail':
      return state === 'running' ? to('failed', event.error) : null;
    case 'crash': {
      if (state !== 'running') return null;
      return event.times >= CRASHES_TO_PARK ? to('parked', event.error) : to('queued');
    }
  }
}

/** The job that runs next: the first that waits. */
export function nextJob<J extends Pick<Job, 'state'>>(jobs: readonly J[]): J | undefined {
  return jobs.find((job) => job.state === 'queued');
}
