import type { App } from '../state/app.svelte.ts';
import type { Command } from '../state/commands.svelte.ts';
import { VIEWS, type View } from '../state/navigation.svelte.ts';

const TEXT_SIZES = { min: 80, max: 200, step: 10 };

/** 3 and 4 stay free: their views come later, and no key shall change its meaning then. */
const VIEW_KEYS: Readonly<Record<View, string>> = {
  generate: 'Ctrl+1',
  gallery: 'Ctrl+2',
  models: 'Ctrl+5',
  settings: 'Ctrl+6',
};

/** What is open over the views, and the commands that hold everywhere. */
export class Shell {
  palette = $state(false);
  shortcuts = $state(false);
  /** The view whose part of the shortcut sheet was asked for. */
  helpFor = $state<View | null>(null);
  queue = $state(false);
  /** The person chose to look at a library that cannot be written. */
  lookOnly = $state(false);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  /** Opens the shortcut sheet, at the part of a view where one is named. */
  openSheet(view: View | null = null): void {
    this.helpFor = view;
    this.shortcuts = true;
  }

  /** The commands of the shell; `cycle` moves the focus between regions. */
  commands(cycle: (by: 1 | -1) => void): readonly Command[] {
    const { undo, navigation, panels } = this.#app;
    const go = VIEWS.map((view): Command => {
      const run = () => navigation.go(view);
      return {
        id: `go.${view}`,
        title: `command.go.${view}`,
        group: 'go',
        key: VIEW_KEYS[view],
        run,
      };
    });
    return [
      ...go,
      ...this.#queueCommands(),
      ...this.#lookCommands(),
      {
        id: 'undo',
        repeats: true,
        title: 'command.undo',
        group: 'edit',
        key: 'Ctrl+Z',
        enabled: () => undo.canUndo,
        run: () => void this.#app.undoNow(),
      },
      {
        id: 'redo',
        repeats: true,
        title: 'command.redo',
        group: 'edit',
        key: 'Ctrl+Shift+Z',
        enabled: () => undo.nextRedo !== null,
        run: () => void this.#app.redoNow(),
      },
      {
        id: 'paste',
        title: 'command.paste',
        group: 'edit',
        key: 'Ctrl+V',
        fixed: true,
        // The browser gives what is pasted with an event of its own.
        run: () => {},
      },
      {
        id: 'palette',
        title: 'command.palette',
        group: 'help',
        key: 'Ctrl+K',
        run: () => (this.palette = true),
      },
      {
        id: 'shortcuts',
        title: 'command.shortcuts',
        group: 'help',
        key: '?',
        run: () => this.openSheet(),
      },
      {
        id: 'help',
        title: 'command.help',
        group: 'help',
        key: 'F1',
        run: () => this.openSheet(navigation.view),
      },
      {
        id: 'region.next',
        title: 'command.nextRegion',
        group: 'view',
        key: 'F6',
        run: () => cycle(1),
      },
      {
        id: 'region.previous',
        title: 'command.previousRegion',
        group: 'view',
        key: 'Shift+F6',
        run: () => cycle(-1),
      },
      {
        id: 'details',
        title: 'command.details',
        group: 'view',
        key: 'Ctrl+.',
        run: () => panels.toggle('right'),
      },
    ];
  }

  #queueCommands(): readonly Command[] {
    const { jobs, act } = this.#app;
    return [
      { id: 'queue', title: 'command.queue', group: 'view', run: () => (this.queue = true) },
      {
        id: 'queue.pause',
        writes: true,
        title: 'command.pause',
        group: 'make',
        key: 'Ctrl+P',
        run: () => void act(jobs.setPaused(!jobs.paused)),
      },
      {
        id: 'queue.cancel',
        writes: true,
        title: 'command.cancel',
        group: 'make',
        key: 'Ctrl+Shift+X',
        enabled: () => jobs.running !== null,
        run: () => void (jobs.running && act(jobs.cancel(jobs.running.id))),
      },
    ];
  }

  #lookCommands(): readonly Command[] {
    const { settings, act } = this.#app;
    const resize = (size: number) => {
      const textSize = Math.min(TEXT_SIZES.max, Math.max(TEXT_SIZES.min, size));
      if (textSize !== settings.value.textSize) void act(settings.change({ textSize }));
    };
    const by = (step: number) => () => resize(settings.value.textSize + step);
    const theme = (name: 'dark' | 'light') => () => void act(settings.change({ theme: name }));
    return [
      {
        id: 'text.larger',
        writes: true,
        repeats: true,
        title: 'command.larger',
        group: 'view',
        key: 'Ctrl++',
        run: by(TEXT_SIZES.step),
      },
      {
        id: 'text.smaller',
        writes: true,
        repeats: true,
        title: 'command.smaller',
        group: 'view',
        key: 'Ctrl+-',
        run: by(-TEXT_SIZES.step),
      },
      {
        id: 'text.normal',
        writes: true,
        title: 'command.normal',
        group: 'view',
        key: 'Ctrl+0',
        run: () => resize(100),
      },
      {
        id: 'theme.dark',
        writes: true,
        title: 'command.dark',
        group: 'view',
        run: theme('dark'),
      },
      {
        id: 'theme.light',
        writes: true,
        title: 'command.light',
        group: 'view',
        run: theme('light'),
      },
    ];
  }
}
