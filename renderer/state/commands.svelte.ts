import { untrack } from 'svelte';
import type { PlainKey } from './i18n.svelte.ts';
import { comboOf, isSingle, type KeyPress } from './keys.ts';
import type { View } from './navigation.svelte.ts';

/** Something a person can do by name or key: shown in the palette and in the shortcut editor. */
export interface Command {
  readonly id: string;
  readonly title: PlainKey;
  readonly group: 'go' | 'make' | 'edit' | 'view' | 'help';
  /** The key that it has unless the person chose another: "Ctrl+Enter". */
  readonly key?: string;
  /** Views it belongs to; every view when absent. */
  readonly views?: readonly View[];
  readonly run: () => void;
  readonly enabled?: () => boolean;
  /** The browser's own key, such as that of a paste: it is shown, but not pressed here or changed. */
  readonly fixed?: true;
}

/** Where a key was pressed, as far as it matters for which commands act. */
export interface KeyPlace {
  /** In a field that takes text. */
  readonly typing: boolean;
  /** On a control that Enter and Space belong to, such as a button. */
  readonly activates: boolean;
  /** In a place that lends its single keys to commands, such as the stage or the grid. */
  readonly lends: boolean;
}

interface Choices {
  readonly shortcuts: Readonly<Record<string, string>>;
  readonly singleKeys: boolean;
}

/** All commands by id, with the keys that hold now. */
export class Commands {
  #commands = $state.raw<ReadonlyMap<string, Command>>(new Map());
  readonly list = $derived([...this.#commands.values()]);
  readonly #choices: () => Choices;
  readonly #view: () => View;

  /** `choices` reads the settings, `view` the view on screen. */
  constructor(choices: () => Choices, view: () => View) {
    this.#choices = choices;
    this.#view = view;
  }

  /** Adds commands, until the returned function is called: made to be what an effect returns. */
  register(...commands: readonly Command[]): () => void {
    const next = new Map(untrack(() => this.#commands));
    for (const command of commands) next.set(command.id, command);
    this.#commands = next;
    return () => {
      const left = new Map(untrack(() => this.#commands));
      for (const command of commands) {
        if (left.get(command.id) === command) left.delete(command.id);
      }
      this.#commands = left;
    };
  }

  /** The key of a command; an empty text when the person took it away. */
  keyOf(id: string): string {
    const command = this.#commands.get(id);
    if (command?.fixed === true) return command.key ?? '';
    return this.#choices().shortcuts[id] ?? command?.key ?? '';
  }

  /** Other commands that have this key and can be there at the same time. */
  conflicts(id: string, key: string): readonly Command[] {
    const own = this.#commands.get(id);
    if (own === undefined || key === '') return [];
    return this.list.filter(
      (other) => other.id !== id && this.keyOf(other.id) === key && together(own, other),
    );
  }

  canRun(command: Command): boolean {
    if (command.fixed === true) return false;
    const here = command.views === undefined || command.views.includes(this.#view());
    return here && (command.enabled?.() ?? true);
  }

  run(id: string): boolean {
    const command = this.#commands.get(id);
    if (command === undefined || !this.canRun(command)) return false;
    command.run();
    return true;
  }

  /** Runs the command of a key press; answers whether there was one. */
  press(press: KeyPress, place: KeyPlace): boolean {
    const combo = comboOf(press);
    if (combo === null) return false;
    if (isSingle(combo) && !(place.lends && this.#mayUseSingle(combo))) return false;
    if (place.activates && (combo === 'Enter' || combo === 'Space')) return false;
    if (place.typing && TEXT_KEYS.includes(combo)) return false;
    const command = this.list.find(
      (candidate) => this.keyOf(candidate.id) === combo && this.canRun(candidate),
    );
    command?.run();
    return command !== undefined;
  }

  #mayUseSingle(combo: string): boolean {
    // Keys with a name (Enter, Delete, arrows) are no letters: the switch is about typing by mistake.
    return this.#choices().singleKeys || combo.length > 1;
  }
}

/** Combinations that a text field has its own meaning for. */
const TEXT_KEYS = ['Ctrl+Z', 'Ctrl+Shift+Z', 'Ctrl+A', 'Ctrl+C', 'Ctrl+V', 'Ctrl+X'];

function together(a: Command, b: Command): boolean {
  if (a.views === undefined || b.views === undefined) return true;
  return a.views.some((view) => b.views?.includes(view) ?? false);
}
