import { describe, expect, test, vi } from 'vitest';
import { Commands, type Command, type KeyPlace } from '../../renderer/state/commands.svelte.ts';
import { comboOf, isSingle } from '../../renderer/state/keys.ts';
import type { View } from '../../renderer/state/navigation.svelte.ts';

const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
const STAGE: KeyPlace = { typing: false, activates: false, lends: true };

describe('a key press', () => {
  test.each([
    [{ key: 'z', ctrlKey: true }, 'Ctrl+Z'],
    [{ key: 'Z', ctrlKey: true, shiftKey: true }, 'Ctrl+Shift+Z'],
    [{ key: 'k', metaKey: true }, 'Ctrl+K'],
    [{ key: '?', shiftKey: true }, '?'],
    [{ key: '+', ctrlKey: true, shiftKey: true }, 'Ctrl++'],
    [{ key: ' ' }, 'Space'],
    [{ key: 'ArrowLeft', altKey: true }, 'Alt+Left'],
    [{ key: 'F6', shiftKey: true }, 'Shift+F6'],
  ])('%o is %s', (press, combo) => {
    expect(comboOf({ ...none, ...press })).toBe(combo);
  });

  test.each(['Control', 'Shift', 'Alt', 'Meta', 'AltGraph'])('%s alone is none', (key) => {
    expect(comboOf({ ...none, key })).toBeNull();
  });

  test('is single without Ctrl, Alt or a function key', () => {
    expect(['U', 'Shift+Z', 'Enter', '?'].every(isSingle)).toBe(true);
    expect(['Ctrl+U', 'Alt+Up', 'F6', 'Shift+F6'].some(isSingle)).toBe(false);
  });
});

function setUp(choices: { shortcuts?: Record<string, string>; singleKeys?: boolean } = {}) {
  let view: View = 'generate';
  const commands = new Commands(
    () => ({ shortcuts: {}, singleKeys: true, ...choices }),
    () => view,
  );
  const add = (command: Partial<Command> & { id: string }) => {
    const run = vi.fn();
    const remove = commands.register({ title: 'command.undo', group: 'edit', run, ...command });
    return { run, remove };
  };
  return { commands, add, show: (next: View) => (view = next) };
}

describe('commands', () => {
  test('run by their key, in the views they belong to', () => {
    const { commands, add, show } = setUp();
    const { run } = add({ id: 'a', key: 'Ctrl+Enter', views: ['generate'] });
    const press = { ...none, ctrlKey: true, key: 'Enter' };
    expect(commands.press(press, STAGE)).toBe(true);
    show('settings');
    expect(commands.press(press, STAGE)).toBe(false);
    expect(run).toHaveBeenCalledOnce();
  });

  test('act once while their key is held, unless they go step by step', () => {
    const { commands, add } = setUp();
    const make = add({ id: 'a', key: 'Enter' });
    const step = add({ id: 'b', key: 'Left', repeats: true });
    for (const [key, run, times] of [
      ['Enter', make.run, 1],
      ['ArrowLeft', step.run, 3],
    ] as const) {
      for (const repeat of [false, true, true]) {
        expect(commands.press({ ...none, key, repeat }, STAGE)).toBe(true);
      }
      expect(run).toHaveBeenCalledTimes(times);
    }
  });

  test('are told when their key is let go, once', () => {
    const { commands, add } = setUp();
    const release = vi.fn();
    add({ id: 'a', key: 'Space', release });
    add({ id: 'b', key: 'U' });
    commands.release();
    commands.press({ ...none, key: ' ' }, STAGE);
    commands.press({ ...none, key: ' ', repeat: true }, STAGE);
    expect(release).not.toHaveBeenCalled();
    commands.release();
    commands.release();
    expect(release).toHaveBeenCalledOnce();
    commands.press({ ...none, key: 'u' }, STAGE);
    commands.release();
    expect(release).toHaveBeenCalledOnce();
  });

  test('leave a key of the browser to it, and it cannot be changed', () => {
    const { commands, add } = setUp({ shortcuts: { a: 'Ctrl+B' } });
    const { run } = add({ id: 'a', key: 'Ctrl+V', fixed: true });
    expect(commands.keyOf('a')).toBe('Ctrl+V');
    expect(commands.press({ ...none, ctrlKey: true, key: 'v' }, STAGE)).toBe(false);
    expect(commands.run('a')).toBe(false);
    expect(run).not.toHaveBeenCalled();
  });

  test('do not take single keys where the place lends none', () => {
    const { commands, add } = setUp();
    const { run } = add({ id: 'a', key: 'U' });
    expect(commands.press({ ...none, key: 'u' }, { ...STAGE, lends: false })).toBe(false);
    expect(run).not.toHaveBeenCalled();
  });

  test('leave Enter and Space to a control, and editing keys to a field', () => {
    const { commands, add } = setUp();
    add({ id: 'a', key: 'Enter' });
    add({ id: 'b', key: 'Ctrl+Z' });
    const field = { typing: true, activates: true, lends: true };
    expect(commands.press({ ...none, key: 'Enter' }, { ...STAGE, activates: true })).toBe(false);
    expect(commands.press({ ...none, key: 'z', ctrlKey: true }, field)).toBe(false);
    expect(commands.press({ ...none, key: 'z', ctrlKey: true }, STAGE)).toBe(true);
  });

  test('keep named keys when single letters are turned off', () => {
    const { commands, add } = setUp({ singleKeys: false });
    const letter = add({ id: 'a', key: 'U' });
    const enter = add({ id: 'b', key: 'Enter' });
    commands.press({ ...none, key: 'u' }, STAGE);
    commands.press({ ...none, key: 'Enter' }, STAGE);
    expect([letter.run.mock.calls.length, enter.run.mock.calls.length]).toEqual([0, 1]);
  });

  test('with Shift are letters too', () => {
    const { commands, add } = setUp({ singleKeys: false });
    const capital = add({ id: 'a', key: 'Shift+Z' });
    const named = add({ id: 'b', key: 'Shift+Delete' });
    commands.press({ ...none, key: 'Z', shiftKey: true }, STAGE);
    commands.press({ ...none, key: 'Delete', shiftKey: true }, STAGE);
    expect([capital.run.mock.calls.length, named.run.mock.calls.length]).toEqual([0, 1]);
  });

  test('are listed, have keys and rivals before their view says what they do', () => {
    const { commands, add } = setUp({ shortcuts: { late: 'Ctrl+J' } });
    add({ id: 'a', key: 'Ctrl+J' });
    const forget = commands.know({
      ...{ id: 'late', title: 'command.undo', group: 'edit', key: 'U', views: ['generate'] },
    });
    expect(commands.list.map(({ id }) => id)).toEqual(['a', 'late']);
    expect(commands.keyOf('late')).toBe('Ctrl+J');
    expect(commands.conflicts('late', 'Ctrl+J').map(({ id }) => id)).toEqual(['a']);
    expect(commands.run('late')).toBe(false);
    const run = vi.fn();
    const unbind = commands.bind({ late: { run } });
    expect(commands.run('late')).toBe(true);
    unbind();
    expect(commands.run('late')).toBe(false);
    forget();
    expect(commands.list.map(({ id }) => id)).toEqual(['a']);
    expect(run).toHaveBeenCalledOnce();
  });

  test('wait for a view that is on its way, and say when they cannot be used there', () => {
    const { commands, show } = setUp();
    const info = { title: 'command.undo', group: 'edit', views: ['gallery'] } as const;
    commands.know({ ...info, id: 'a' }, { ...info, id: 'b' });
    const [run, refused] = [vi.fn(), vi.fn()];
    const actions = { a: { run }, b: { run, enabled: () => false } };
    commands.runWhenThere('a', refused);
    expect(run).not.toHaveBeenCalled();
    show('gallery');
    const unbind = commands.bind(actions);
    expect(run).toHaveBeenCalledOnce();
    unbind();
    commands.bind(actions);
    expect(run).toHaveBeenCalledOnce();
    commands.runWhenThere('b', refused);
    expect([run.mock.calls.length, refused.mock.calls.length]).toEqual([1, 1]);
  });

  test('follow the keys that a person chose, also none', () => {
    const { commands, add } = setUp({ shortcuts: { a: 'Ctrl+J', b: '' } });
    const a = add({ id: 'a', key: 'Ctrl+K' });
    const b = add({ id: 'b', key: 'Ctrl+L' });
    for (const key of ['k', 'j', 'l']) commands.press({ ...none, ctrlKey: true, key }, STAGE);
    expect([a.run.mock.calls.length, b.run.mock.calls.length]).toEqual([1, 0]);
    expect(commands.keyOf('b')).toBe('');
  });

  test('name rivals for a key that can be there at the same time', () => {
    const { commands, add } = setUp();
    add({ id: 'a', key: 'S', views: ['generate'] });
    add({ id: 'b', key: 'S', views: ['gallery'] });
    add({ id: 'c', key: 'S' });
    expect(commands.conflicts('a', 'S').map(({ id }) => id)).toEqual(['c']);
    expect(commands.conflicts('a', '')).toEqual([]);
    expect(commands.conflicts('nobody', 'S')).toEqual([]);
  });

  test('are gone when they are taken back, unless another took the name', () => {
    const { commands, add } = setUp();
    const first = add({ id: 'a', key: 'U' });
    const second = add({ id: 'a', key: 'U' });
    first.remove();
    expect(commands.run('a')).toBe(true);
    second.remove();
    expect(commands.run('a')).toBe(false);
  });

  test('that cannot run now are not run', () => {
    const { commands, add } = setUp();
    const { run } = add({ id: 'a', key: 'Ctrl+U', enabled: () => false });
    expect(commands.press({ ...none, ctrlKey: true, key: 'u' }, STAGE)).toBe(false);
    expect(commands.run('a')).toBe(false);
    expect(run).not.toHaveBeenCalled();
  });
});
