export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
}
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'warn' | 'danger';
  readonly code?: string;
  readonly action?: ToastAction;
}

/** Long enough to read and to reach "Undo". */
const SHOWN_MS = 10_000;
const MOST = 3;

/** Short messages over the page; each leaves by itself, unless the pointer or the focus is on it. */
export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  /** Pixels at the bottom of the view that something else needs. */
  taken = $state(0);
  #next = 1;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  /** What is shown already is not said twice: it begins anew. */
  show(toast: Omit<Toast, 'id' | 'tone'> & { readonly tone?: Toast['tone'] }): number {
    const same = this.list.find(
      ({ text, action }) => text === toast.text && action === undefined && !toast.action,
    );
    if (same !== undefined) this.dismiss(same.id);
    const id = this.#next++;
    this.list = [...this.list, { tone: 'plain' as const, ...toast, id }].slice(-MOST);
    this.resume(id);
    return id;
  }

  /** Keeps them above so many pixels, until the answer is called. */
  makeRoom(pixels: number): () => void {
    this.taken = pixels;
    return () => (this.taken = 0);
  }

  dismiss(id: number): void {
    this.hold(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** Keeps a toast while somebody is at it. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  resume(id: number): void {
    this.hold(id);
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), SHOWN_MS),
    );
  }
}
