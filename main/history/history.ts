import type { Database } from 'better-sqlite3';
import type { SavedSearch, SearchImages } from '#api/gallery';
import type { FileState, UpdateImages, Verdict } from '#api/images';
import type { UndoItem } from '#api/undo';
import * as collections from './collections.ts';
import { choices } from './choices.ts';
import { createColumns } from './columns.ts';
import { decodeFloats } from './encode.ts';
import { guarded } from './errors.ts';
import * as images from './images.ts';
import { insertImage } from './insert.ts';
import * as jobs from './jobs.ts';
import * as merge from './merge.ts';
import * as operations from './operations.ts';
import * as resumes from './resumes.ts';
import { countImages, localDay, searchIds, type DayOf, type Library } from './search.ts';
import { createSimilar, type Point } from './similar.ts';
import { openSnapshot, type Parent, type PortableSearch } from './snapshot.ts';
import { createStore, type Store } from './store.ts';
import { createCounts, summary } from './summary.ts';
import type { FileChange, NewImage, NewJob, Resume } from './types.ts';

/** What the history needs from outside. */
export interface HistoryOptions {
  readonly now: () => number;
  /** Days of the gallery; the system's time zone by default. */
  readonly dayOf?: DayOf;
}

export type History = ReturnType<typeof createHistory>;

/**
 * The history over an open database: one synchronous function for each question. All of them throw
 * StudioErrors for what a person can act on.
 */
export function createHistory(database: Database, { now, dayOf = localDay }: HistoryOptions) {
  const store = createStore(database);
  const columns = createColumns(store);
  const library = (): Library => ({ store, columns: columns.read() });
  const counts = createCounts(library);
  /** Rows written of which the document beside the pictures holds nothing. */
  let unsaid = 0;
  const written = (): number => store.column<number>('SELECT total_changes()').get() ?? 0;
  const similar = createSimilar(() => points(store));

  /** Brings what is kept in memory up to date. */
  const changed = (ids: readonly number[]): void => {
    counts.forget();
    if (ids.length === 0) return;
    const { live, bin } = columns.refresh(ids);
    similar.setLive(live, true);
    similar.setLive(bin, false);
  };
  const noted = (done: operations.Done): operations.Done => {
    if (done.item !== null) changed(done.ids);
    return done;
  };
  const added = <R extends { readonly id: number; readonly inserted: boolean }>(result: R): R => {
    if (!result.inserted) return result;
    columns.insert(result.id);
    counts.forget();
    similar.add(result.id, () => images.imageRepresentation(store, result.id));
    return result;
  };
  const forgotten = (purged: ReturnType<typeof images.purgeBin>): typeof purged => {
    similar.remove(purged.ids);
    columns.remove(purged.ids);
    counts.forget();
    return purged;
  };

  return {
    images: guarded({
      /** Adds a picture; with a uid that is known, changes nothing. */
      insert: (image: NewImage) => added(insertImage(store, image)),
      search: (search: SearchImages) => searchIds(library(), search, dayOf),
      choices: () => choices(library()),
      count: (filter: SearchImages['filter']) => countImages(library(), filter),
      rows: (ids: readonly number[]) => images.imageRows(store, ids),
      get: (id: number) => images.imageDetail(store, id),
      /** f32 [D] */
      representation: (id: number) => images.imageRepresentation(store, id),
      byUid: (uid: string) => images.imageByUid(store, uid),
      /** Whether a file belongs to some picture, dropped or not. */
      hasPath: (path: string) =>
        store.column<number>('SELECT 1 FROM masters WHERE path = ?').get(path) !== undefined,
      files: () => images.imageFiles(store),
      setFile: (id: number, change: FileChange) => {
        images.setFile(store, id, change);
        changed([id]);
      },
      setFileStates: (ids: readonly number[], state: FileState) => {
        images.setFileStates(store, ids, state);
        changed(ids);
      },
      setReplay: (id: number, verdict: Verdict) => {
        const before = written();
        const noted = images.setReplay(store, id, verdict);
        unsaid += written() - before;
        if (noted) changed([id]);
        return noted;
      },
      dropFiles: (ids: readonly number[]) => {
        const paths = images.dropFiles(store, ids);
        changed(ids);
        return paths;
      },
      similar: (id: number, limit: number) => similar.nearest(id, limit),
      summary: () => summary(store, counts),
      highestSeed: () => images.highestSeed(store),
    }),

    bin: guarded({
      /** Deletes for good what has been in the bin since before `before`, or all. */
      purge: (before = Number.MAX_SAFE_INTEGER) => forgotten(images.purgeBin(store, before)),
      /** Deletes for good those of the pictures that are in the bin. */
      purgeThese: (ids: readonly number[]) =>
        forgotten(images.purgeBin(store, Number.MAX_SAFE_INTEGER, ids)),
      doomedFiles: () => images.doomedFiles(store),
      filesDeleted: (paths: readonly string[]) => images.filesDeleted(store, paths),
    }),

    changes: guarded({
      update: (request: UpdateImages) => noted(operations.updateImages(store, request, now())),
      remove: (ids: readonly number[]) => noted(setDeleted(store, { ids, at: now(), now: now() })),
      restore: (ids: readonly number[]) => noted(setDeleted(store, { ids, at: null, now: now() })),
      /** Records that pictures were brought in, or back from the bin; `into` is the step so far. */
      recordImport: (ids: readonly number[], into?: number) =>
        noted(
          operations.recordImport(store, {
            ids,
            now: now(),
            ...(into === undefined ? {} : { into }),
          }),
        ),
      /** Gives what another part of the studio did its place in the order of undo. */
      recordOutside: (kind: UndoItem['kind'], payload: unknown) =>
        noted(operations.recordOutside(store, { kind, payload, now: now() })),
      state: () => operations.undoState(store),
      /** The log, as far as it is listed. */
      steps: () => operations.undoSteps(store),
      peek: (way: 'undo' | 'redo') => operations.peek(store, way),
      undo: (id?: number) => noted(operations.step(store, { way: 'undo', now: now(), id })),
      redo: (id?: number) => noted(operations.step(store, { way: 'redo', now: now(), id })),
      /** What another part of the studio did that can be taken back. */
      outside: (kind: UndoItem['kind']) => operations.outsideOperations(store, kind),
      forget: (id: number) => operations.forgetOperation(store, id),
    }),

    boards: guarded({
      list: () => collections.listBoards(store),
      create: (name: string) => collections.createBoard(store, name),
      rename: (id: number, name: string) =>
        collections.renameBoard(store, { id, name, now: now() }),
      remove: (id: number) => noted(collections.removeBoard(store, id, now())),
    }),

    searches: guarded({
      save: (name: string, search: SearchImages): SavedSearch => {
        const saved = collections.saveSearch(store, name, search);
        return { ...saved, count: counts.of(search.filter) };
      },
      remove: (id: number) => noted(collections.removeSearch(store, id, now())),
    }),

    /** What passes between libraries. */
    portable: guarded({
      /** The library as it is now, to be read at leisure. */
      snapshot: () => openSnapshot(database),
      boardOf: (name: string) => merge.boardOf(store, name),
      add: (image: NewImage, marks: merge.LocalMarks) => {
        const result = added(merge.addMarked(store, image, marks));
        changed([result.id]);
        return result;
      },
      fill: (id: number, marks: merge.LocalMarks, { over = false } = {}) => {
        merge.fillMarks(store, { id, marks, over });
        changed([id]);
      },
      addParents: (child: number, parents: readonly Parent[]) =>
        merge.addParents(store, child, parents),
      addSearch: (search: PortableSearch) => merge.addSearch(store, search),
      nameModel: (id: string, hash: string, title: string) =>
        merge.nameModel(store, id, hash, title),
      /** Grows with every row that is written, but for settings and verdicts of replays. */
      written: () => written() - unsaid,
    }),

    jobs: guarded({
      create: (job: NewJob) => jobs.createJob(store, job, now()),
      get: (id: number) => jobs.getJob(store, id),
      list: () => jobs.listJobs(store),
      setState: (id: number, change: Omit<jobs.JobChange, 'now'>) =>
        jobs.setJobState(store, id, { ...change, now: now() }),
      move: (id: number, before: number | null) => jobs.moveJob(store, id, before),
      dismiss: (id: number) => jobs.dismissJob(store, id),
      countCrash: (id: number) => jobs.countCrash(store, id),
      forgetCrashes: (id: number) => jobs.forgetCrashes(store, id),
      requeueInterrupted: () => jobs.requeueInterrupted(store),
      strikeInterrupted: () => jobs.strikeInterrupted(store),
      /** Takes ended jobs off the list; `restore` with the mark brings them back. */
      clear: () => {
        const mark = now();
        return { count: jobs.clearJobs(store, mark), mark };
      },
      restore: (mark: number) => jobs.restoreJobs(store, mark),
      forgetCleared: () => jobs.forgetCleared(store),
      saveResume: (id: number, pictures: readonly Resume[]) =>
        resumes.saveResume(store, id, pictures),
      loadResume: (id: number) => resumes.loadResume(store, id),
      discardResume: (id: number) => resumes.discardResume(store, id),
    }),

    settings: guarded({
      /** The value kept under a key, unchecked; undefined when there is none. */
      get: (key: string): unknown => {
        const json = store.column<string>('SELECT json FROM settings WHERE key = ?').get(key);
        return json === undefined ? undefined : JSON.parse(json);
      },
      set: (key: string, value: unknown): void => {
        unsaid += store
          .rows(
            'INSERT INTO settings (key, json) VALUES (?, ?) ON CONFLICT DO UPDATE SET json = excluded.json',
          )
          .run(key, JSON.stringify(value)).changes;
      },
    }),
  };
}

function setDeleted(
  store: Store,
  { ids, at, now }: { readonly ids: readonly number[]; readonly at: number | null; now: number },
): operations.Done {
  const kind = at === null ? 'restore' : 'delete';
  return operations.perform(store, { kind, changes: [{ kind: 'deleted', at, ids }], now });
}

function* points(store: Store): Iterable<Point> {
  const rows = store
    .tuples<[id: number, live: number, values: Buffer]>(
      `SELECT m.image, i.deleted_at IS NULL, m.representation
      FROM masters m JOIN images i ON i.id = m.image ORDER BY m.image`,
    )
    .iterate();
  for (const [id, live, values] of rows) {
    yield { id, live: live === 1, values: decodeFloats(values) };
  }
}
