import { describe, expect, test } from 'vitest';
import type { UndoItem, UndoState } from '../../main/api/undo.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';
import { Undo } from '../../renderer/state/undo.svelte.ts';

const item = (id: number): UndoItem => ({ id, kind: 'rate', count: 1 });

/** A library with a log of its own, as the studio keeps it. */
function setUp(past: number[] = []) {
  const done = [...past];
  const undone: number[] = [];
  const log: string[] = [];
  const state = (): UndoState => ({
    undo: done.length === 0 ? null : item(done.at(-1) ?? 0),
    redo: undone.length === 0 ? null : item(undone.at(-1) ?? 0),
  });
  const move = (from: number[], to: number[], word: string) => {
    const id = from.pop();
    if (id !== undefined) to.push(id);
    log.push(`${word} ${id}`);
    return Promise.resolve(state());
  };
  const studio = {
    studio: {
      undoState: () => Promise.resolve(state()),
      undo: () => move(done, undone, 'library undo'),
      redo: () => move(undone, done, 'library redo'),
    },
  } as unknown as StudioClient;
  const undo = new Undo(studio);
  const change = (id: number): UndoState => {
    done.push(id);
    undone.length = 0;
    return state();
  };
  return {
    undo,
    log,
    change,
    undoElsewhere: () => void move(done, undone, 'library undo'),
    act: (id: number) => undo.did(change(id)),
    local: (name: string) =>
      undo.push({
        label: 'undo.recall',
        undo: () => void log.push(`undo ${name}`),
        redo: () => void log.push(`redo ${name}`),
      }),
  };
}

describe('steps of another window', () => {
  test('take their place in the order, and go from it when they are undone there', async () => {
    const { undo, log, act, change, local } = setUp([1]);
    await undo.refresh();
    local('a');
    change(2);
    await undo.refresh();
    expect(undo.nextUndo).toEqual({ kind: 'library', item: item(2) });
    local('b');
    act(3);
    await undo.undo();
    await undo.undo();
    await undo.undo();
    await undo.undo();
    expect(log).toEqual(['library undo 3', 'undo b', 'library undo 2', 'undo a']);
  });

  test('are named when they were quicker than the news of them', async () => {
    const { undo, act, change } = setUp();
    act(1);
    change(2);
    expect(await undo.undo()).toEqual({ kind: 'library', item: item(2) });
    expect(undo.nextUndo).toEqual({ kind: 'library', item: item(1) });
    expect(await undo.redo()).toEqual({ kind: 'library', item: item(2) });
  });

  test('that were undone there are not undone here again', async () => {
    const { undo, log, act, local, undoElsewhere } = setUp();
    act(1);
    act(2);
    local('a');
    undoElsewhere();
    await undo.refresh();
    await undo.undo();
    await undo.undo();
    expect(await undo.undo()).toBeNull();
    expect(log).toEqual(['library undo 2', 'undo a', 'library undo 1']);
  });
});

describe('one order over two logs', () => {
  test('takes back the newest first, whichever log it is in', async () => {
    const { undo, log, act, local } = setUp();
    local('a');
    act(1);
    local('b');
    act(2);
    for (let step = 0; step < 4; step++) await undo.undo();
    expect(log).toEqual(['library undo 2', 'undo b', 'library undo 1', 'undo a']);
    expect(await undo.undo()).toBeNull();
  });

  test('does again in the opposite order', async () => {
    const { undo, log, act, local } = setUp();
    local('a');
    act(1);
    await undo.undo();
    await undo.undo();
    log.length = 0;
    await undo.redo();
    await undo.redo();
    expect(log).toEqual(['redo a', 'library redo 1']);
    expect(undo.nextRedo).toBeNull();
  });

  test('reaches library steps from before this window last', async () => {
    const { undo, log, local } = setUp([7]);
    await undo.refresh();
    local('a');
    await undo.undo();
    await undo.undo();
    expect(log).toEqual(['undo a', 'library undo 7']);
  });

  test('forgets what was undone when something new is done', async () => {
    const { undo, local, act } = setUp();
    local('a');
    await undo.undo();
    expect(undo.nextRedo).not.toBeNull();
    act(1);
    expect(undo.nextRedo).toBeNull();
  });

  test('is not barred by a library step that the studio has dropped', async () => {
    const { undo, log, act, local } = setUp();
    local('a');
    act(1);
    undo.did({ undo: null, redo: null });
    await undo.undo();
    expect(log).toEqual(['undo a']);
  });

  test('waits for an action on its way, and takes that one back', async () => {
    const { undo, log, local, change } = setUp();
    local('a');
    const answer = Promise.withResolvers<void>();
    const applied = undo.apply(answer.promise.then(() => change(1)));
    expect(undo.canUndo).toBe(true);
    const done = undo.undo();
    answer.resolve();
    await applied;
    expect(await done).toEqual({ kind: 'library', item: item(1) });
    expect(log).toEqual(['library undo 1']);
  });

  test('is offered while the first action is on its way, and not when that fails', async () => {
    const { undo } = setUp();
    expect(undo.canUndo).toBe(false);
    const answer = Promise.withResolvers<UndoState>();
    const applied = undo.apply(answer.promise);
    expect(undo.canUndo).toBe(true);
    const done = undo.undo();
    answer.reject(new Error('no'));
    await expect(applied).rejects.toThrow('no');
    expect(await done).toBeNull();
    expect(undo.canUndo).toBe(false);
  });

  test('takes one step for each press, however quick', async () => {
    const { undo, log, act, local } = setUp();
    local('a');
    local('b');
    act(1);
    await Promise.all([undo.undo(), undo.undo(), undo.undo()]);
    await Promise.all([undo.redo(), undo.redo()]);
    expect(log).toEqual(['library undo 1', 'undo b', 'undo a', 'redo a', 'redo b']);
  });

  test('keeps a step that failed to undo', async () => {
    const { undo } = setUp();
    undo.push({
      label: 'undo.recall',
      undo: () => Promise.reject(new Error('no')),
      redo: () => {},
    });
    await expect(undo.undo()).rejects.toThrow('no');
    expect(undo.nextUndo).toEqual({ kind: 'local', label: 'undo.recall' });
  });
});
