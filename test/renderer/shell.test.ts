import { expect, test } from 'vitest';
import { Shell } from '../../renderer/shell/shell.svelte.ts';
import { openApp } from './helpers.ts';

test('F1 opens the shortcut sheet at the part of the view that is shown, ? at its top', async () => {
  const { app, close } = openApp();
  const shell = new Shell(app);
  app.commands.register(...shell.commands(() => {}));
  for (const view of ['gallery', 'models'] as const) {
    app.navigation.go(view);
    app.commands.run('help');
    expect([shell.shortcuts, shell.helpFor]).toEqual([true, view]);
    shell.shortcuts = false;
    app.commands.run('shortcuts');
    expect([shell.shortcuts, shell.helpFor]).toEqual([true, null]);
  }
  await close();
});
