import type { UndoItem, UndoState } from '#api/undo';
import type { PlainKey } from './i18n.svelte.ts';
import type { StudioClient } from './studio.ts';

/** A step of this window alone, such as a recall of settings. */
export interface LocalStep {
  readonly label: PlainKey;
  readonly undo: () => void | Promise<void>;
  readonly redo: () => void | Promise<void>;
}
type Step =
  | { readonly kind: 'local'; readonly step: LocalStep }
  | { readonly kind: 'library'; readonly id: number };

/** What would be undone or redone: a local step's label, or the library's item. */
export type UndoSubject =
  | { readonly kind: 'local'; readonly label: PlainKey }
  | { readonly kind: 'library'; readonly item: UndoItem };

const MOST = 200;
const SOON_MS = 300;

/**
 * One order for Ctrl Z over two logs: the library's, which the studio keeps and which survives a
 * restart, and this window's own. The newest step of either goes first; library steps from before
 * this window was opened come last.
 */
export class Undo {
  #past = $state.raw<readonly Step[]>([]);
  #future = $state.raw<readonly Step[]>([]);
  #library = $state.raw<UndoState>({ undo: null, redo: null });
  /** Library actions that have not been answered yet. */
  #open = $state(0);
  /** Settles when all that was begun is over. */
  #last: Promise<unknown> = Promise.resolve();
  readonly nextUndo = $derived.by(() => this.#possible(this.#past.at(-1), this.#library.undo));
  readonly nextRedo = $derived.by(() => this.#possible(this.#future.at(-1), this.#library.redo));
  /** Whether there is a step to take back, or soon will be. */
  readonly canUndo = $derived(this.nextUndo !== null || this.#open > 0);
  readonly #studio: StudioClient;
  readonly #mayWrite: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the states that the studio gave. */
  #answers = 0;

  /** `mayWrite`: whether the library can be; its own steps stay where they are otherwise. */
  constructor(studio: StudioClient, mayWrite = () => true) {
    this.#studio = studio;
    this.#mayWrite = mayWrite;
  }

  /** Reads what the library would undo now: somebody else may have done or undone something. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      let known: number;
      let state: UndoState;
      do {
        await this.#last;
        known = this.#answers;
        state = await this.#studio.studio.undoState();
        // What this window did meanwhile makes the answer an old one.
      } while (known !== this.#answers || this.#open > 0);
      this.#follow(state);
    } catch {
      // As in Status: the last state stays until the studio answers again.
    }
  }

  /** Pictures changed, perhaps by somebody else: changes come in bursts, and one look is enough. */
  refreshSoon(): void {
    this.#timer ??= setTimeout(() => void this.refresh(), SOON_MS);
  }

  /** A step of this window was taken. */
  push(step: LocalStep): void {
    this.#past = [...this.#past, { kind: 'local' as const, step }].slice(-MOST);
    this.#future = [];
  }

  /**
   * Waits for a library action, and keeps the state that it answers. What is undone meanwhile waits
   * too: a large change takes a second, and Ctrl Z pressed in it means that change.
   */
  async apply(action: Promise<UndoState>): Promise<UndoState> {
    this.#open += 1;
    const applied = action
      .then((state) => {
        this.did(state);
        return state;
      })
      .finally(() => (this.#open -= 1));
    this.#last = Promise.allSettled([this.#last, applied]);
    return applied;
  }

  /** The library changed and answered with its new state. */
  did(state: UndoState): void {
    if (state.undo !== null && state.undo.id !== this.#library.undo?.id) {
      this.#past = [...this.#past, { kind: 'library' as const, id: state.undo.id }].slice(-MOST);
      this.#future = [];
    }
    this.#keep(state);
  }

  /** Takes back the newest step; answers what it was, or null when there was none. */
  undo(): Promise<UndoSubject | null> {
    return this.#inTurn(() => this.#takeBack());
  }

  /** Takes the newest undone step again. */
  redo(): Promise<UndoSubject | null> {
    return this.#inTurn(() => this.#takeAgain());
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#last.then(step);
    this.#last = Promise.allSettled([done]);
    return done;
  }

  async #takeBack(): Promise<UndoSubject | null> {
    const what = this.nextUndo;
    const step = this.#past.at(-1);
    if (what === null) return null;
    if (step?.kind === 'local') await step.step.undo();
    const state = step?.kind === 'local' ? null : await this.#studio.studio.undo();
    this.#past = this.#past.slice(0, -1);
    this.#future = [...this.#future, step ?? libraryStep(what)];
    if (state === null) return what;
    this.#keep(state);
    // Another window may have been quicker: what was really taken back is what can be redone.
    return subject(undefined, state.redo) ?? what;
  }

  async #takeAgain(): Promise<UndoSubject | null> {
    const what = this.nextRedo;
    const step = this.#future.at(-1);
    if (what === null) return null;
    if (step?.kind === 'local') await step.step.redo();
    const state = step?.kind === 'local' ? null : await this.#studio.studio.redo();
    this.#future = this.#future.slice(0, -1);
    this.#past = [...this.#past, step ?? libraryStep(what)];
    if (state === null) return what;
    this.#keep(state);
    return subject(undefined, state.undo) ?? what;
  }

  #possible(step: Step | undefined, item: UndoItem | null): UndoSubject | null {
    return subject(step, this.#mayWrite() ? item : null);
  }

  /** Steps of another window, or of the command line, take their place in the order. */
  #follow(state: UndoState): void {
    const before = Math.max(this.#library.undo?.id ?? 0, this.#library.redo?.id ?? 0);
    const now = state.undo?.id ?? 0;
    this.#past = this.#past.filter((step) => step.kind === 'local' || step.id <= now);
    // Steps from before this window was opened come last.
    if (this.#answers > 0 && now > before)
      this.#past = [...this.#past, { kind: 'library' as const, id: now }];
    this.#keep(state);
  }

  /** Library steps that the studio no longer has must not bar the way to the steps below. */
  #keep(state: UndoState): void {
    this.#answers += 1;
    this.#library = state;
    if (state.undo === null) this.#past = this.#past.filter((step) => step.kind === 'local');
    if (state.redo === null) this.#future = this.#future.filter((step) => step.kind === 'local');
  }
}

function libraryStep(what: UndoSubject): Step {
  return { kind: 'library', id: what.kind === 'library' ? what.item.id : 0 };
}

function subject(step: Step | undefined, item: UndoItem | null): UndoSubject | null {
  if (step?.kind === 'local') return { kind: 'local', label: step.step.label };
  return item === null ? null : { kind: 'library', item };
}
