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
