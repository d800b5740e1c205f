import { describe, expect, test } from 'vitest';
import type { UndoItem, UndoState } from '../../main/api/undo.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';
import type { ListedStep } from '../../renderer/state/undo-steps.ts';
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
  const listed = (ids: readonly number[]) =>
    ids.toReversed().map((id) => ({ ...item(id), at: 1000 * id }));
  let failing: number | null = null;
  const move = (from: number[], to: number[], word: string) => {
    if (failing !== null && from.at(-1) === failing)
      return Promise.reject(new Error(`${failing} cannot be taken`));
    const id = from.pop();
    if (id !== undefined) to.push(id);
    log.push(`${word} ${id}`);
    return Promise.resolve(state());
  };
  const studio = {
    studio: {
      undoState: () => Promise.resolve(state()),
      undoSteps: () => Promise.resolve({ undo: listed(done), redo: listed(undone) }),
      undo: () => move(done, undone, 'library undo'),
      redo: () => move(undone, done, 'library redo'),
    },
  } as unknown as StudioClient;
  let time = 0;
  const undo = new Undo(
    studio,
    () => true,
    () => time,
  );
  const change = (id: number): UndoState => {
    done.push(id);
    undone.length = 0;
    return state();
  };
  return {
    undo,
    log,
    change,
    fail: (id: number | null) => (failing = id),
    at: (moment: number) => (time = moment),
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

/** A list as words: ids of the library's, times of this window's own. */
const words = (steps: readonly ListedStep[]) =>
  steps.map(({ subject, at }) =>
    subject.kind === 'library' ? `library ${subject.item.id} at ${at}` : `local at ${at}`,
  );

function listed(steps: readonly ListedStep[], place: number): ListedStep {
  const step = steps[place];
  if (step === undefined) throw new Error(`There is no step ${place}.`);
  return step;
}

describe('the list of steps', () => {
  /** Local, library, local, library; and one of the library from before. */
  function mixed() {
    const made = setUp([1]);
    const { at, local, act } = made;
    at(1500);
    local('a');
    act(2);
    at(2500);
    local('b');
    act(3);
    return made;
  }

  test('is empty where nothing was done', async () => {
    expect(await setUp().undo.steps()).toEqual({ undo: [], redo: [] });
  });

  test('has both logs in the order in which they are taken', async () => {
    const { undo } = mixed();
    const { undo: all, redo } = await undo.steps();
    expect(words(all)).toEqual([
      ...['library 3 at 3000', 'local at 2500', 'library 2 at 2000', 'local at 1500'],
      'library 1 at 1000',
    ]);
    expect(redo).toEqual([]);
  });

  test('goes down to a step and up again, one after another', async () => {
    const { undo, log } = mixed();
    const { undo: all } = await undo.steps();
    const down = await undo.through('undo', listed(all, 3));
    expect(down).toEqual({ done: 4, asked: 4, stopped: null });
    expect(log).toEqual(['library undo 3', 'undo b', 'library undo 2', 'undo a']);
    const { undo: rest, redo } = await undo.steps();
    expect(words(rest)).toEqual(['library 1 at 1000']);
    expect(words(redo)).toEqual([
      ...['local at 1500', 'library 2 at 2000', 'local at 2500', 'library 3 at 3000'],
    ]);
    log.length = 0;
    const up = await undo.through('redo', listed(redo, 2));
    expect(up).toEqual({ done: 3, asked: 3, stopped: null });
    expect(log).toEqual(['redo a', 'library redo 2', 'redo b']);
  });

  test('stops at the first that cannot be taken, and keeps it', async () => {
    const { undo, log, fail } = mixed();
    const { undo: all } = await undo.steps();
    fail(2);
    const { done, asked, stopped } = await undo.through('undo', listed(all, 4));
    expect([done, asked, stopped?.subject]).toEqual([2, 5, listed(all, 2).subject]);
    expect(stopped?.error).toMatchObject({ message: '2 cannot be taken' });
    expect(log).toEqual(['library undo 3', 'undo b']);
    fail(null);
    expect(await undo.undo()).toEqual({ kind: 'library', item: item(2) });
  });

  test('takes nothing when the step is not there any more', async () => {
    const { undo, log, act, undoElsewhere } = setUp();
    act(1);
    act(2);
    const { undo: all } = await undo.steps();
    undoElsewhere();
    log.length = 0;
    const taken = await undo.through('undo', listed(all, 0));
    expect(taken).toMatchObject({ done: 0, stopped: { error: undefined } });
    expect(log).toEqual([]);
  });

  test('takes nothing more when another window is quicker', async () => {
    const { undo, log, act, change } = setUp();
    act(1);
    act(2);
    act(3);
    const { undo: all } = await undo.steps();
    undo.push({ label: 'undo.recall', undo: () => void change(4), redo: () => {} });
    const { undo: now } = await undo.steps();
    const taken = await undo.through('undo', listed(all, 2));
    expect(taken).toMatchObject({
      done: 1,
      asked: 4,
      stopped: { subject: listed(now, 1).subject },
    });
    expect(log).toEqual(['library undo 4']);
  });

  test('takes what was done since it was read, too', async () => {
    const { undo, log, act, local } = setUp();
    act(1);
    const { undo: all } = await undo.steps();
    local('a');
    expect(await undo.through('undo', listed(all, 0))).toMatchObject({ done: 2, asked: 2 });
    expect(log).toEqual(['undo a', 'library undo 1']);
  });

  test('waits for an action on its way', async () => {
    const { undo, change } = setUp();
    const answer = Promise.withResolvers<void>();
    void undo.apply(answer.promise.then(() => change(1)));
    const reading = undo.steps();
    answer.resolve();
    expect(words((await reading).undo)).toEqual(['library 1 at 1000']);
  });

  test('is of a bounded length', async () => {
    const { undo, local } = setUp(Array.from({ length: 30 }, (_, i) => i + 1));
    for (let i = 0; i < 30; i++) local('a');
    expect((await undo.steps()).undo).toHaveLength(50);
  });
});
