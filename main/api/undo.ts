/** Something done that can be undone: survives a restart. */
export interface UndoState {
  /** What Ctrl Z would take back: a message key and its numbers; null when nothing. */
  readonly undo: UndoItem | null;
  readonly redo: UndoItem | null;
}

export interface UndoItem {
  readonly id: number;
  readonly kind:
    | 'rate'
    | 'star'
    | 'note'
    | 'tag'
    | 'board'
    | 'delete'
    | 'restore'
    | 'import'
    | 'search'
    | 'model';
  readonly count: number;
}

/** A step of the log, and when it was done first. */
export interface UndoStep extends UndoItem {
  readonly at: number;
}

/** Steps that are listed of each kind, at most. */
export const MAX_UNDO_STEPS = 50;

/** The log, as far as it is listed: what would be taken first stands first. */
export interface UndoSteps {
  readonly undo: readonly UndoStep[];
  readonly redo: readonly UndoStep[];
}
