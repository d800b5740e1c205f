import type { UpdateImages } from '#api/images';
import {
  MAX_UNDO_STEPS,
  type UndoItem,
  type UndoState,
  type UndoStep,
  type UndoSteps,
} from '#api/undo';
import { applyChange, changedImages, checkBoard, type Change } from './changes.ts';
import type { Store } from './store.ts';
import { nameKey } from './words.ts';

/** Steps kept for undo. */
const MAX_OPERATIONS = 500;
/** Characters of JSON kept for undo: a change of 200,000 pictures takes about 1.5 million. */
const MAX_CHARACTERS = 64_000_000;

/** What an operation, its undoing or its redoing did. */
export interface Done {
  /** Null when there was nothing to do. */
  readonly item: UndoItem | null;
  /** Pictures that it concerned. */
  readonly ids: readonly number[];
  /** What was given to `recordOutside`. */
  readonly payload: unknown;
}

const NOTHING: Done = { item: null, ids: [], payload: undefined };

interface Operation {
  readonly kind: UndoItem['kind'];
  readonly changes: readonly Change[];
  /** When it is done. */
  readonly now: number;
}

/** Does changes and records how to take them back. What changes nothing is not recorded. */
export function perform(store: Store, { kind, changes, now }: Operation): Done {
  return store.transact(() => {
    const inverse = applyAll(store, changes);
    return inverse.length === 0 ? NOTHING : record(store, { kind, changes, now }, inverse);
  });
}

function record(store: Store, { kind, changes, now }: Operation, inverse: readonly Change[]): Done {
  const ids = changedImages(inverse);
  store.rows('DELETE FROM operations WHERE undone = 1').run();
  const [forward, back] = [JSON.stringify(changes), JSON.stringify(inverse)];
  const count = Math.max(1, ids.length);
  const { lastInsertRowid } = store
    .rows(
      `INSERT INTO operations (created_at, kind, count, characters, forward, inverse)
      VALUES (?, ?, ?, ?, ?, ?)`,
    )
    .run(now, kind, count, forward.length + back.length, forward, back);
  trim(store);
  const item = { id: Number(lastInsertRowid), kind, count };
  return { item, ids, payload: payloadOf(changes) };
}

/**
 * Records that pictures were brought in, or back from the bin; taken back, they go to the bin.
 * `into` names the step of the same import so far, when it is still the newest: then it is one step.
 */
export function recordImport(
  store: Store,
  { ids, into, now }: { readonly ids: readonly number[]; readonly into?: number; now: number },
): Done {
  return store.transact(() => {
    if (ids.length === 0) return NOTHING;
    applyAll(store, [{ kind: 'deleted', at: null, ids }]);
    const last = nextOperation(store, 'undo');
    const continued = last?.kind === 'import' && last.id === into ? last : undefined;
    const before = JSON.parse(continued?.inverse ?? '[]') as readonly Change[];
    const all = [...new Set([...changedImages(before), ...ids])];
    const changes: readonly Change[] = [{ kind: 'deleted', at: null, ids: all }];
    const inverse: readonly Change[] = [{ kind: 'deleted', at: now, ids: all }];
    if (continued === undefined) return record(store, { kind: 'import', changes, now }, inverse);
    const [forward, back] = [JSON.stringify(changes), JSON.stringify(inverse)];
    store.rows('DELETE FROM operations WHERE undone = 1').run();
    store
      .rows(
        'UPDATE operations SET count = ?, characters = ?, forward = ?, inverse = ? WHERE id = ?',
      )
      .run(all.length, forward.length + back.length, forward, back, continued.id);
    return {
      item: { id: continued.id, kind: 'import', count: all.length },
      ids,
      payload: undefined,
    };
  });
}

/** The changes that take `changes` back come in the reverse order. */
function applyAll(store: Store, changes: readonly Change[]): readonly Change[] {
  return changes
    .map((change) => applyChange(store, change))
    .reverse()
    .flat();
}

function trim(store: Store): void {
  store
    .rows(
      `DELETE FROM operations WHERE id IN (
        SELECT id FROM (
          SELECT id, row_number() OVER latest AS place,
            sum(characters) OVER latest AS sum
          FROM operations WINDOW latest AS (ORDER BY id DESC)
        ) WHERE place > 1 AND (place > ? OR sum > ?))`,
    )
    .run(MAX_OPERATIONS, MAX_CHARACTERS);
}

/** Records what another part of the studio did, so that it has its place in the order of undo. */
export function recordOutside(
  store: Store,
  { kind, payload, now }: { readonly kind: UndoItem['kind']; payload: unknown; now: number },
): Done {
  return perform(store, { kind, changes: [{ kind: 'outside', payload }], now });
}

/** What an update asks for, as changes. */
export function updateImages(store: Store, request: UpdateImages, now: number): Done {
  const { ids, rating, starred, note, addNote, removeTags, removeFromBoard } = request;
  // Taking out comes last, so what is to be added and taken out at once is only taken out.
  const removed = new Set(removeTags?.map(nameKey));
  const addTags = request.addTags?.filter((name) => !removed.has(nameKey(name)));
  const addToBoard = request.addToBoard === removeFromBoard ? undefined : request.addToBoard;
  for (const board of [addToBoard, removeFromBoard]) {
    if (board !== undefined) checkBoard(store, board);
  }
  const changes: readonly (readonly [UndoItem['kind'], Change])[] = [
    ...optional(rating, (value) => ['rate', { kind: 'set', field: 'rating', value, ids }] as const),
    ...optional(
      starred,
      (value) => ['star', { kind: 'set', field: 'starred', value: Number(value), ids }] as const,
    ),
    ...optional(
      note,
      (value) => ['note', { kind: 'note', value: value.toWellFormed(), ids }] as const,
    ),
    ...optional(
      addNote,
      (text) => ['note', { kind: 'add-note', text: text.toWellFormed(), ids }] as const,
    ),
    ...(addTags ?? []).map((name) => ['tag', { kind: 'tag', name, add: true, ids }] as const),
    ...(removeTags ?? []).map((name) => ['tag', { kind: 'tag', name, add: false, ids }] as const),
    ...optional(
      addToBoard,
      (board) => ['board', { kind: 'board', board, add: true, ids }] as const,
    ),
    ...optional(
      removeFromBoard,
      (board) => ['board', { kind: 'board', board, add: false, ids }] as const,
    ),
  ];
  const [first] = changes;
  if (first === undefined) return NOTHING;
  return perform(store, { kind: first[0], changes: changes.map(([, change]) => change), now });
}

const optional = <T, R>(value: T | undefined, make: (value: T) => R): readonly R[] =>
  value === undefined ? [] : [make(value)];

interface OperationRow extends UndoItem {
  readonly forward: string;
  readonly inverse: string;
}
/** What undo and redo would take, in their order. */
const NEXT = {
  undo: 'WHERE undone = 0 ORDER BY id DESC',
  redo: 'WHERE undone = 1 ORDER BY id',
} as const;

/** What undo and redo would do now. */
export function undoState(store: Store): UndoState {
  const next = (way: keyof typeof NEXT): UndoItem | null =>
    store.rows<UndoItem>(`SELECT id, kind, count FROM operations ${NEXT[way]} LIMIT 1`).get() ??
    null;
  return { undo: next('undo'), redo: next('redo') };
}

/** The steps that undo and redo would take, as far as they are listed. */
export function undoSteps(store: Store): UndoSteps {
  const steps = (way: keyof typeof NEXT): readonly UndoStep[] =>
    store
      .rows<UndoStep>(
        `SELECT id, kind, count, created_at AS at FROM operations ${NEXT[way]} LIMIT ?`,
      )
      .all(MAX_UNDO_STEPS);
  return { undo: steps('undo'), redo: steps('redo') };
}

/** What undo or redo would do, with the payload of `recordOutside`, before it is done. */
export function peek(store: Store, way: 'undo' | 'redo'): Done {
  const row = nextOperation(store, way);
  if (row === undefined) return NOTHING;
  const changes = JSON.parse(way === 'undo' ? row.inverse : row.forward) as readonly Change[];
  const { id, kind, count } = row;
  return { item: { id, kind, count }, ids: changedImages(changes), payload: payloadOf(changes) };
}

/**
 * Takes the last operation back, or does it again; with an id, that one, and nothing when it is not
 * there to be taken any more.
 */
export function step(
  store: Store,
  {
    way,
    now,
    id,
  }: { readonly way: 'undo' | 'redo'; readonly now: number; readonly id: number | undefined },
): Done {
  return store.transact(() => {
    const row = id === undefined ? nextOperation(store, way) : operation(store, way, id);
    if (row === undefined) return NOTHING;
    const kept = JSON.parse(way === 'undo' ? row.inverse : row.forward) as readonly Change[];
    // What was brought in comes to the bin today, however long ago that was.
    const changes =
      row.kind === 'import' && way === 'undo'
        ? kept.map((change) => (change.kind === 'deleted' ? { ...change, at: now } : change))
        : kept;
    const back = applyAll(store, changes);
    // The way back is made anew, of what was really changed: pictures may have gone for good.
    store
      .rows(
        `UPDATE operations SET undone = ?, ${way === 'undo' ? 'forward' : 'inverse'} = ? WHERE id = ?`,
      )
      .run(way === 'undo' ? 1 : 0, JSON.stringify(back), row.id);
    const { kind, count } = row;
    return {
      item: { id: row.id, kind, count },
      ids: changedImages(back),
      payload: payloadOf(changes),
    };
  });
}

/** What another part of the studio did and can take back: the newest last. */
export function outsideOperations(
  store: Store,
  kind: UndoItem['kind'],
): readonly { readonly id: number; readonly payload: unknown }[] {
  return store
    .rows<OperationRow>(
      'SELECT id, kind, count, forward, inverse FROM operations WHERE undone = 0 AND kind = ? ORDER BY id',
    )
    .all(kind)
    .map(({ id, inverse }) => ({
      id,
      payload: payloadOf(JSON.parse(inverse) as readonly Change[]),
    }));
}

/** Forgets an operation that can be neither taken back nor done again. */
export function forgetOperation(store: Store, id: number): void {
  store.rows('DELETE FROM operations WHERE id = ?').run(id);
}

/** Forgets what can no longer be taken back, because none of its pictures is left. */
export function forgetGone(store: Store): void {
  store
    .rows(
      `DELETE FROM operations WHERE kind IN ('rate', 'star', 'note', 'tag', 'delete', 'restore', 'import')
      AND NOT EXISTS (
        SELECT 1 FROM json_each(iif(undone, forward, inverse)) AS change,
          json_each(change.value, '$.ids') AS changed
        JOIN images ON images.id = changed.value)`,
    )
    .run();
}

const nextOperation = (store: Store, way: 'undo' | 'redo'): OperationRow | undefined =>
  store
    .rows<OperationRow>(
      `SELECT id, kind, count, forward, inverse FROM operations ${NEXT[way]} LIMIT 1`,
    )
    .get();

const operation = (store: Store, way: 'undo' | 'redo', id: number): OperationRow | undefined =>
  store
    .rows<OperationRow>(
      'SELECT id, kind, count, forward, inverse FROM operations WHERE undone = ? AND id = ?',
    )
    .get(way === 'undo' ? 0 : 1, id);

const payloadOf = (changes: readonly Change[]): unknown =>
  changes.find((change) => change.kind === 'outside')?.payload;
