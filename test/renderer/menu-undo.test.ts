import { expect, onTestFinished, test, vi } from 'vitest';
import { followMenu } from '../../renderer/shell/menu-undo.ts';
import { openApp } from './helpers.ts';

test('the menu’s Undo means a text where one is typed, and the studio elsewhere', async () => {
  const heard = new Map<string, () => void>();
  vi.stubGlobal('studioHost', {
    onUndo: (listener: () => void) => heard.set('undo', listener),
    onRedo: (listener: () => void) => heard.set('redo', listener),
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const { app, close } = openApp();
  onTestFinished(close);
  let value = 0;
  app.undo.push({ label: 'command.undo', undo: () => void value--, redo: () => void value++ });
  const typed: string[] = [];
  let typing = false;
  followMenu(app, { typing: () => typing, step: (way) => void typed.push(way) });

  heard.get('undo')?.();
  await vi.waitFor(() => expect(value).toBe(-1));
  heard.get('redo')?.();
  await vi.waitFor(() => expect(value).toBe(0));
  expect(typed).toEqual([]);

  typing = true;
  heard.get('undo')?.();
  heard.get('redo')?.();
  expect(typed).toEqual(['undo', 'redo']);
  expect(value).toBe(0);
});

test('how far a step of the history was reached is said, with the reason where it stopped', async () => {
  const { app, close } = openApp();
  onTestFinished(close);
  const step = (undo: () => void) =>
    app.undo.push({ label: 'undo.recall', undo, redo: () => Promise.reject(lost) });
  const lost = Object.assign(new Error('gone'), { code: 'not-found' });
  step(() => {});
  step(() => {});
  const { undo } = await app.undo.steps();
  await app.takeThrough('undo', undo[1] ?? never());
  expect(app.announcer.politeText).toBe('2 steps undone');
  const { redo } = await app.undo.steps();
  await app.takeThrough('redo', redo[1] ?? never());
  const [toast] = app.toasts.list;
  expect(toast?.text).toMatch(/^0 of 2 steps done again. It stopped at “Recipe taken over”. ./);
  expect([toast?.tone, toast?.code]).toEqual(['danger', 'not-found']);
  await app.takeThrough('undo', undo[0] ?? never());
  expect(app.toasts.list.at(-1)?.text).toContain('Something else was done meanwhile');
});

function never(): never {
  throw new Error('There is no such step.');
}
