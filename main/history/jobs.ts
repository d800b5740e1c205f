import { ERROR_CODES, StudioError } from '#api/errors';
import type { Job, JobState } from '#api/jobs';
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
  readonly strikes: number;
  readonly position: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}
const COLUMNS = `id, state, created_at AS createdAt, request, total, crashes, strikes, position,
  error_code AS errorCode, error_message AS errorMessage`;
/** A finished picture counts as so many steps: more than all half-made ones of a job together. */
const PICTURE_STEPS = 1_000_000;
/** States of a job that has not ended. */
const OPEN: readonly JobState[] = ['queued', 'running', 'paused'];
/** Ended jobs that the list has: of a long life's work the newest. */
const ENDED_LISTED = 50;

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

/** The jobs on the list, in the order in which they run: all that have not ended, and some that have. */
export function listJobs(store: Store): readonly StoredJob[] {
  return toJobs(store, listRows(store));
}

function listRows(store: Store): readonly JobRow[] {
  return store
    .rows<JobRow>(
      `SELECT ${COLUMNS} FROM jobs WHERE dismissed = 0 AND ended_at IS NULL
      UNION ALL SELECT * FROM (
        SELECT ${COLUMNS} FROM jobs WHERE dismissed = 0 AND ended_at IS NOT NULL
        ORDER BY ended_at DESC, id DESC LIMIT ${ENDED_LISTED}
      ) ORDER BY position, id`,
    )
    .all();
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
    const { request, errorCode, errorMessage, position: _, ...rest } = row;
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

/** What is set of a job. */
export interface JobChange {
  readonly state: JobState;
  readonly error?: Failure | null;
  readonly now: number;
}

/** Sets a job's state; a reason stays only with the states that have one. */
export function setJobState(
  store: Store,
  id: number,
  { state, error = null, now }: JobChange,
): StoredJob {
  const endedAt = OPEN.includes(state) ? null : now;
  return store.transact(() => {
    const { changes } = store
      .rows(
        'UPDATE jobs SET state = ?, ended_at = ?, error_code = ?, error_message = ? WHERE id = ?',
      )
      .run(state, endedAt, error?.code ?? null, error?.message ?? null, id);
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

/** A job got on, or is tried anew: what ended over it before does not count any more. */
export function forgetCrashes(store: Store, id: number): void {
  store.rows('UPDATE jobs SET crashes = 0, strikes = 0 WHERE id = ?').run(id);
}

/** Puts a waiting job in front of another of the list, or last. */
export function moveJob(store: Store, id: number, before: number | null): readonly StoredJob[] {
  return store.transact(() => {
    const jobs = listRows(store);
    const moved = jobs.find((job) => job.id === id);
    if (moved === undefined) throw gone(id);
    if (moved.state !== 'queued' && moved.state !== 'paused') {
      throw new StudioError('invalid-request', 'Only a job that waits can be moved.', {
        field: 'id',
      });
    }
    if (before === id) return listJobs(store);
    const others = jobs.filter((job) => job.id !== id);
    const place = before === null ? others.length : others.findIndex((job) => job.id === before);
    if (place < 0) throw gone(before ?? id);
    const update = store.rows('UPDATE jobs SET position = ? WHERE id = ?');
    // They share out the places that they have: jobs that are not on the list keep theirs.
    const places = jobs.map(({ position }) => position);
    others.toSpliced(place, 0, moved).forEach((job, i) => void update.run(places[i] ?? 0, job.id));
    return listJobs(store);
  });
}

/** Takes an ended job off the list; its pictures stay. */
export function dismissJob(store: Store, id: number): readonly StoredJob[] {
  return store.transact(() => {
    const { state } = getJob(store, id);
    if (OPEN.includes(state)) {
      throw new StudioError('invalid-request', 'This job has not ended; cancel it first.', {
        field: 'id',
      });
    }
    store.rows('UPDATE jobs SET dismissed = 1 WHERE id = ?').run(id);
    store.rows('DELETE FROM resumes WHERE job = ?').run(id);
    return listJobs(store);
  });
}

/** Takes every ended job off the list, until `restoreJobs` with the same mark. Gives how many. */
export function clearJobs(store: Store, mark: number): number {
  return store
    .rows('UPDATE jobs SET dismissed = ? WHERE dismissed = 0 AND ended_at IS NOT NULL')
    .run(mark).changes;
}

/** Puts jobs on the list again that were cleared together. */
export function restoreJobs(store: Store, mark: number): number {
  return store.rows('UPDATE jobs SET dismissed = 0 WHERE dismissed = ?').run(mark).changes;
}

/** What is off the list since an earlier start does not come back: it needs no half-made pictures. */
export function forgetCleared(store: Store): void {
  store.rows('DELETE FROM resumes WHERE job IN (SELECT id FROM jobs WHERE dismissed <> 0)').run();
}

/** What ran when the queue stopped waits again. Gives those jobs. */
export function requeueInterrupted(store: Store): readonly number[] {
  return store
    .column<number>("UPDATE jobs SET state = 'queued' WHERE state = 'running' RETURNING id")
    .all();
}

/**
 * After a crash of the studio: counts a strike against each job that ran and had come no further
 * than when the studio last ended over it. One that makes any step between is healthy, at whatever
 * moments it is killed; one that ends the studio each time at the same place is soon known.
 */
export function strikeInterrupted(
  store: Store,
): readonly { readonly id: number; readonly strikes: number }[] {
  return store.transact(() => {
    const rows = store
      .rows<{ id: number; strikes: number; reached: number; now: number }>(
        `SELECT id, strikes, reached,
          (SELECT count(*) FROM job_images WHERE job = jobs.id) * ${PICTURE_STEPS}
          + (SELECT coalesce(sum(step), 0) FROM resumes WHERE job = jobs.id) AS now
        FROM jobs WHERE state = 'running'`,
      )
      .all();
    const update = store.rows('UPDATE jobs SET strikes = ?, reached = ? WHERE id = ?');
    return rows.map(({ id, strikes, reached, now }) => {
      const counted = now > reached ? strikes : strikes + 1;
      update.run(counted, now, id);
      return { id, strikes: counted };
    });
  });
}

const gone = (id: number): StudioError =>
  new StudioError('not-found', `Job ${id} is not in the library any more.`);
