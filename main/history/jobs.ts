import { ERROR_CODES, StudioError } from '#api/errors';
import type { Job, JobState } from '#api/types';
import type { Store } from './store.ts';
import type { NewJob, StoredJob } from './types.ts';

type Failure = NonNullable<Job['error']>;

interface JobRow {
  readonly id: number;
  readonly state: JobState;
  readonly createdAt: number;
  readonly request: string;
  readonly total: number;
  readonly crashes: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}
const COLUMNS = `id, state, created_at AS createdAt, request, total, crashes,
  error_code AS errorCode, error_message AS errorMessage`;

/** Adds a job behind all others. */
export function createJob(store: Store, job: NewJob, now: number): StoredJob {
  return store.transact(() => {
    const { lastInsertRowid } = store
      .rows(
        `INSERT INTO jobs (state, created_at, position, request, total)
        SELECT 'queued', ?, coalesce(max(position), 0) + 1, ?, ? FROM jobs`,
      )
      .run(now, JSON.stringify({ source: job.source, settings: job.settings }), job.total);
    return getJob(store, Number(lastInsertRowid));
  });
}

/** A job, also one that is not on the list; a StudioError `not-found` when there is none. */
export function getJob(store: Store, id: number): StoredJob {
  const row = store.rows<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE id = ?`).get(id);
  const [job] = row === undefined ? [] : toJobs(store, [row]);
  if (job === undefined) throw gone(id);
  return job;
}

/** The jobs on the list, in the order in which they run. */
export function listJobs(store: Store): readonly StoredJob[] {
  const rows = store
    .rows<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE dismissed = 0 ORDER BY position`)
    .all();
  return toJobs(store, rows);
}

/** Reads what belongs to jobs, for all of them at once. */
function toJobs(store: Store, rows: readonly JobRow[]): readonly StoredJob[] {
  const made = store.rows<{ job: number; idx: number; image: number | null }>(
    `SELECT job, idx, image FROM job_images
    WHERE job IN (SELECT value FROM json_each(?)) ORDER BY job, idx`,
  );
  const half = store.rows<{ job: number; index: number; step: number }>(
    `SELECT job, idx AS "index", max(step) AS step FROM resumes
    WHERE job IN (SELECT value FROM json_each(?)) GROUP BY job`,
  );
  const ids = JSON.stringify(rows.map(({ id }) => id));
  const pictures = Map.groupBy(made.all(ids), ({ job }) => job);
  const halves = new Map(half.all(ids).map(({ job, ...rest }) => [job, rest]));
  return rows.map((row) => {
    const done = pictures.get(row.id) ?? [];
    // Ids grow, so this is the order in which the pictures were saved.
    const kept = done
      .flatMap(({ idx, image }) => (image === null ? [] : [{ idx, image }]))
      .sort((a, b) => a.image - b.image);
    const { request, errorCode, errorMessage, ...rest } = row;
    const { source, settings } = JSON.parse(request) as Pick<Job, 'source' | 'settings'>;
    return {
      ...rest,
      source,
      settings,
      images: kept.map(({ image }) => image),
      indexes: kept.map(({ idx }) => idx),
      deleted: done.flatMap(({ idx, image }) => (image === null ? [idx] : [])),
      doneIndexes: done.map(({ idx }) => idx),
      halfMade: halves.get(row.id) ?? null,
      error: errorCode === null ? null : toFailure(errorCode, errorMessage ?? ''),
    };
  });
}

function toFailure(code: string, message: string): Failure {
  // A code of a later version of the studio can only be told as its message.
  return { code: ERROR_CODES.find((known) => known === code) ?? 'internal', message };
}

/** Sets a job's state; a reason stays only with the states that have one. */
export function setJobState(
  store: Store,
  id: number,
  { state, error = null }: { readonly state: JobState; readonly error?: Failure | null },
): StoredJob {
  return store.transact(() => {
    const { changes } = store
      .rows('UPDATE jobs SET state = ?, error_code = ?, error_message = ? WHERE id = ?')
      .run(state, error?.code ?? null, error?.message ?? null, id);
    if (changes === 0) throw gone(id);
    // What was stopped can go on; what is done needs no half-made pictures.
    if (state === 'done') store.rows('DELETE FROM resumes WHERE job = ?').run(id);
    return getJob(store, id);
  });
}

/** Notes that the engine died over a job; gives how often it has. `forgetCrashes` starts anew. */
export function countCrash(store: Store, id: number): number {
  const crashes = store
    .column<number>('UPDATE jobs SET crashes = crashes + 1 WHERE id = ? RETURNING crashes')
    .get(id);
  if (crashes === undefined) throw gone(id);
  return crashes;
}

export function forgetCrashes(store: Store, id: number): void {
  store.rows('UPDATE jobs SET crashes = 0 WHERE id = ?').run(id);
}

/** Puts a waiting job in front of another of the list, or last. */
export function moveJob(store: Store, id: number, before: number | null): readonly StoredJob[] {
  return store.transact(() => {
    const jobs = listJobs(store);
    const moved = jobs.find((job) => job.id === id);
    if (moved === undefined) throw gone(id);
    if (moved.state !== 'queued' && moved.state !== 'paused') {
      throw new StudioError('invalid-request', 'Only a job that waits can be moved.', {
        field: 'id',
      });
    }
    if (before === id) return jobs;
    const others = jobs.filter((job) => job.id !== id);
    const place = before === null ? others.length : others.findIndex((job) => job.id === before);
    if (place < 0) throw gone(before ?? id);
    const update = store.rows('UPDATE jobs SET position = ? WHERE id = ?');
    others
      .toSpliced(place, 0, moved)
      .forEach((job, position) => void update.run(position + 1, job.id));
    return listJobs(store);
  });
}

/** Takes an ended job off the list; its pictures stay. */
export function dismissJob(store: Store, id: number): readonly StoredJob[] {
  return store.transact(() => {
    const { state } = getJob(store, id);
    if (state === 'queued' || state === 'running' || state === 'paused') {
      throw new StudioError('invalid-request', 'This job has not ended; cancel it first.', {
        field: 'id',
      });
    }
    store.rows('UPDATE jobs SET dismissed = 1 WHERE id = ?').run(id);
    store.rows('DELETE FROM resumes WHERE job = ?').run(id);
    return listJobs(store);
  });
}

/** After a start: what ran when the studio ended waits again. Gives those jobs. */
export function requeueInterrupted(store: Store): readonly number[] {
  return store
    .column<number>("UPDATE jobs SET state = 'queued' WHERE state = 'running' RETURNING id")
    .all();
}

const gone = (id: number): StudioError =>
  new StudioError('not-found', `Job ${id} is not in the library any more.`);
