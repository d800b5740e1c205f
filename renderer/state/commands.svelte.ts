import { untrack } from 'svelte';
import type { I18n, PlainKey } from './i18n.svelte.ts';
import { comboOf, isSingle, type KeyPress } from './keys.ts';
import type { View } from './navigation.svelte.ts';

/** What a command is called and where it belongs: known whether or not its view is open. */
export interface CommandInfo {
  readonly id: string;
  readonly title: PlainKey;
  readonly group: 'go' | 'make' | 'edit' | 'view' | 'help';
  /** The key that it has unless the person chose another: "Ctrl+Enter". */
  readonly key?: string;
  /** Views it belongs to; every view when absent. */
  readonly views?: readonly View[];
  /** A held key does it again and again: for steps, never for what makes or changes pictures. */
  readonly repeats?: true;
  /** Writes into the library: off while that is only looked at. */
  readonly writes?: true;
  /** The browser's own key, such as that of a paste: it is shown, but not pressed here or changed. */
  readonly fixed?: true;
}

/** What a command does, while there is something to do it with. */
export interface Action {
  readonly run: () => void;
  /** The key that it was run by was let go. */
  readonly release?: () => void;
  readonly enabled?: () => boolean;
}

/** Something a person can do by name or key: shown in the palette and in the shortcut editor. */
export interface Command extends CommandInfo, Action {}

/** An action for each command of a table. */
export type ActionsOf<Table extends readonly CommandInfo[]> = Readonly<
  Record<Table[number]['id'], Action>
>;

/** The names of the views that a command belongs to; an empty text for one that is everywhere. */
export function commandPlace(i18n: I18n, { views }: CommandInfo): string {
  return (views ?? []).map((view) => i18n.t(`view.${view}`)).join(', ');
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
  #infos = $state.raw<ReadonlyMap<string, CommandInfo>>(new Map());
  #actions = $state.raw<ReadonlyMap<string, Action>>(new Map());
  /** Of every view, open or not. */
  readonly list = $derived([...this.#infos.values()]);
  readonly #choices: () => Choices;
  readonly #view: () => View;
  readonly #mayWrite: () => boolean;
  /** What the key that is down has run. */
  #held: Action | null = null;
  /** Asked for before its view was there. */
  #wanted: { readonly id: string; readonly refused: () => void } | null = null;

  /** `choices` reads the settings, `view` the view on screen, `mayWrite` whether the library can be. */
  constructor(choices: () => Choices, view: () => View, mayWrite = () => true) {
    this.#choices = choices;
    this.#view = view;
    this.#mayWrite = mayWrite;
  }

  /** Makes commands known whose views bind their actions later; the answer takes them back. */
  know(...infos: readonly CommandInfo[]): () => void {
    const entries = infos.map((info) => [info.id, info] as const);
    this.#infos = withEntries(
      untrack(() => this.#infos),
      entries,
    );
    return () => {
      this.#infos = without(
        untrack(() => this.#infos),
        entries,
      );
    };
  }

  /** Says what known commands do, until the returned function is called. */
  bind(actions: Readonly<Record<string, Action>>): () => void {
    const entries = Object.entries(actions);
    this.#actions = withEntries(
      untrack(() => this.#actions),
      entries,
    );
    untrack(() => this.#runWanted());
    return () => {
      this.#actions = without(
        untrack(() => this.#actions),
        entries,
      );
    };
  }

  /** Adds commands with their actions: made to be what an effect returns. */
  register(...commands: readonly Command[]): () => void {
    const forget = this.know(...commands);
    const unbind = this.bind(Object.fromEntries(commands.map((command) => [command.id, command])));
    return () => {
      unbind();
      forget();
    };
  }

  /** The key of a command; an empty text when the person took it away. */
  keyOf(id: string): string {
    const command = this.#infos.get(id);
    if (command?.fixed === true) return command.key ?? '';
    return this.#choices().shortcuts[id] ?? command?.key ?? '';
  }

  /** Other commands that have this key and can be there at the same time. */
  conflicts(id: string, key: string): readonly CommandInfo[] {
    const own = this.#infos.get(id);
    if (own === undefined || key === '') return [];
    return this.list.filter(
      (other) => other.id !== id && this.keyOf(other.id) === key && together(own, other),
    );
  }

  canRun(command: CommandInfo): boolean {
    const action = this.#actions.get(command.id);
    if (command.fixed === true || action === undefined || !this.isHere(command)) return false;
    if (command.writes === true && !this.#mayWrite()) return false;
    return action.enabled?.() ?? true;
  }

  /** Whether a command belongs to the view on screen. */
  isHere({ views }: CommandInfo): boolean {
    return views === undefined || views.includes(this.#view());
  }

  run(id: string): boolean {
    const command = this.#infos.get(id);
    if (command === undefined || !this.canRun(command)) return false;
    this.#actions.get(id)?.run();
    return true;
  }

  /**
   * Runs a command as soon as its view has said what it does, at once where it has. `refused` is
   * told when the command cannot be used there now.
   */
  runWhenThere(id: string, refused: () => void): void {
    this.#wanted = { id, refused };
    this.#runWanted();
  }

  #runWanted(): void {
    if (this.#wanted === null || !this.#actions.has(this.#wanted.id)) return;
    const { id, refused } = this.#wanted;
    this.#wanted = null;
    if (!this.run(id)) refused();
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
    if (command === undefined) return false;
    // A held key is still this command's: nobody else may take it for theirs.
    if (press.repeat === true && command.repeats !== true) return true;
    const action = this.#actions.get(command.id);
    if (action?.release !== undefined) {
      this.release();
      this.#held = action;
    }
    return this.run(command.id);
  }

  /** The key that was pressed was let go, or the window lost it. */
  release(): void {
    const held = this.#held;
    this.#held = null;
    held?.release?.();
  }

  #mayUseSingle(combo: string): boolean {
    // Keys with a name (Enter, Delete, arrows) are no letters: the switch is about typing by mistake,
    // and Shift only makes capitals of it.
    return this.#choices().singleKeys || combo.replace(/^Shift\+/, '').length > 1;
  }
}

/** Combinations that a text field has its own meaning for. */
const TEXT_KEYS = ['Ctrl+Z', 'Ctrl+Shift+Z', 'Ctrl+A', 'Ctrl+C', 'Ctrl+V', 'Ctrl+X'];

function together(a: CommandInfo, b: CommandInfo): boolean {
  if (a.views === undefined || b.views === undefined) return true;
  return a.views.some((view) => b.views?.includes(view) ?? false);
}

function withEntries<T>(
  map: ReadonlyMap<string, T>,
  entries: readonly (readonly [string, T])[],
): ReadonlyMap<string, T> {
  return new Map([...map, ...entries]);
}

/** Leaves what another has put in the place of an entry. */
function without<T>(
  map: ReadonlyMap<string, T>,
  entries: readonly (readonly [string, T])[],
): ReadonlyMap<string, T> {
  const gone = new Map(entries);
  return new Map([...map].filter(([id, value]) => gone.get(id) !== value));
}
