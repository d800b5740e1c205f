import type { UndoItem, UndoState, UndoStep } from '#api/undo';
import type { StudioClient } from './studio.ts';
import {
  inOrder,
  isSame,
  libraryStep,
  subjectOf,
  type ListedStep,
  type LocalStep,
  type Step,
  type Taken,
  type UndoSubject,
} from './undo-steps.ts';

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
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the states that the studio gave. */
  #answers = 0;

  /** `mayWrite`: whether the library can be; its own steps stay where they are otherwise. */
  constructor(studio: StudioClient, mayWrite = () => true, now: () => number = Date.now) {
    this.#studio = studio;
    this.#mayWrite = mayWrite;
    this.#now = now;
  }

  /** Reads what the library would undo now: somebody else may have done or undone something. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#follow(await this.#settled(() => this.#studio.studio.undoState()));
    } catch {
      // As in Status: the last state stays until the studio answers again.
    }
  }

  /** What the studio says of its log when nothing of this window is on its way. */
  async #settled<T>(ask: () => Promise<T>): Promise<T> {
    let known: number;
    let answer: T;
    do {
      await this.#last;
      known = this.#answers;
      answer = await ask();
      // What this window did meanwhile makes the answer an old one.
    } while (known !== this.#answers || this.#open > 0);
    return answer;
  }

  /** Pictures changed, perhaps by somebody else: changes come in bursts, and one look is enough. */
  refreshSoon(): void {
    this.#timer ??= setTimeout(() => void this.refresh(), SOON_MS);
  }

  /** A step of this window was taken. */
  push(step: LocalStep): void {
    this.#past = [...this.#past, { kind: 'local' as const, step, at: this.#now() }].slice(-MOST);
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

  /** The steps of both logs, the next of each kind first. */
  async steps(): Promise<Readonly<Record<'undo' | 'redo', readonly ListedStep[]>>> {
    const { undo, redo } = await this.#settled(() => this.#studio.studio.undoSteps());
    this.#follow({ undo: undo[0] ?? null, redo: redo[0] ?? null });
    const possible = (steps: readonly UndoStep[]) => (this.#mayWrite() ? steps : []);
    return {
      undo: inOrder(this.#past, possible(undo)),
      redo: inOrder(this.#future, possible(redo)),
    };
  }

  /**
   * Takes back all steps down to this one, and it, or takes all up to it again. It ends at the first
   * that cannot be taken, or is not the next one any more because somebody else was quicker.
   */
  async through(way: 'undo' | 'redo', step: ListedStep): Promise<Taken> {
    const steps = (await this.steps())[way];
    const asked = 1 + steps.findIndex((one) => isSame(one, step));
    const stopped = { subject: step.subject, error: undefined };
    return asked === 0
      ? { done: 0, asked: 1, stopped }
      : this.#inTurn(() => this.#takeAll(way, steps.slice(0, asked)));
  }

  async #takeAll(way: 'undo' | 'redo', steps: readonly ListedStep[]): Promise<Taken> {
    const asked = steps.length;
    for (const [done, step] of steps.entries()) {
      const { subject } = step;
      const stopped = { subject, error: undefined };
      if (!this.#isNext(way, step)) return { done, asked, stopped };
      try {
        const taken = await (way === 'undo' ? this.#takeBack() : this.#takeAgain());
        // The studio takes its newest, which may be one that another window did just now.
        if (subject.kind === 'library' && idOf(taken) !== subject.item.id)
          return { done, asked, stopped };
      } catch (error) {
        return { done, asked, stopped: { subject, error } };
      }
    }
    return { done: asked, asked, stopped: null };
  }

  #isNext(way: 'undo' | 'redo', { subject, local }: ListedStep): boolean {
    const place = (way === 'undo' ? this.#past : this.#future).at(-1);
    if (place?.kind === 'local' || subject.kind === 'local')
      return place?.kind === 'local' && place.step === local;
    return this.#library[way]?.id === subject.item.id;
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
    return subjectOf(undefined, state.redo) ?? what;
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
    return subjectOf(undefined, state.undo) ?? what;
  }

  #possible(step: Step | undefined, item: UndoItem | null): UndoSubject | null {
    return subjectOf(step, this.#mayWrite() ? item : null);
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

const idOf = (subject: UndoSubject | null): number | undefined =>
  subject?.kind === 'library' ? subject.item.id : undefined;
