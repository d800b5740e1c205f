import { MAX_UNDO_STEPS, type UndoItem, type UndoStep } from '#api/undo';
import type { PlainKey } from './i18n.svelte.ts';

/** A step of this window alone, such as a recall of settings. */
export interface LocalStep {
  readonly label: PlainKey;
  readonly undo: () => void | Promise<void>;
  readonly redo: () => void | Promise<void>;
}

/** A place in the order: a step of this window, or one of the library's, which has its own order. */
export type Step =
  | { readonly kind: 'local'; readonly step: LocalStep; readonly at: number }
  | { readonly kind: 'library'; readonly id: number };

/** What would be undone or redone: a local step's label, or the library's item. */
export type UndoSubject =
  | { readonly kind: 'local'; readonly label: PlainKey }
  | { readonly kind: 'library'; readonly item: UndoItem };

/** A step of the list, and when it was done first. */
export interface ListedStep {
  readonly subject: UndoSubject;
  readonly at: number;
  /** This window's own; null for one of the library. */
  readonly local: LocalStep | null;
}

/** What came of taking several steps. */
export interface Taken {
  readonly done: number;
  readonly asked: number;
  /** The first that was not taken. */
  readonly stopped: {
    readonly subject: UndoSubject;
    /** What it failed with; undefined where it was not the next one any more. */
    readonly error: unknown;
  } | null;
}

export function libraryStep(what: UndoSubject): Step {
  return { kind: 'library', id: what.kind === 'library' ? what.item.id : 0 };
}

export function subjectOf(step: Step | undefined, item: UndoItem | null): UndoSubject | null {
  if (step?.kind === 'local') return { kind: 'local', label: step.step.label };
  return item === null ? null : { kind: 'library', item };
}

/**
 * The order in which the places, the next one last, and the library's log would be taken: the
 * library's steps in its own order, those that have no place here at the end.
 */
export function inOrder(
  places: readonly Step[],
  library: readonly UndoStep[],
): readonly ListedStep[] {
  const rest = library.map((item): ListedStep => ({
    subject: { kind: 'library', item },
    at: item.at,
    local: null,
  }));
  const placed = places.toReversed().flatMap((place) => {
    if (place.kind === 'library') return rest.splice(0, 1);
    const { step, at } = place;
    return [{ subject: { kind: 'local', label: step.label } as const, at, local: step }];
  });
  return [...placed, ...rest].slice(0, MAX_UNDO_STEPS);
}

/** Whether both are the same step. */
export function isSame(one: ListedStep, other: ListedStep): boolean {
  if (one.subject.kind === 'local' || other.subject.kind === 'local')
    return one.local !== null && one.local === other.local;
  return one.subject.item.id === other.subject.item.id;
}
