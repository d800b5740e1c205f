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
