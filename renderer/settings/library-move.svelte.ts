import type { LibraryPlace } from '#api/types';
import type { App } from '../state/app.svelte.ts';
import { describeFailure, type Failure } from '../state/errors.ts';
import { folderChooser } from '../state/host.ts';
import { reasonWords } from '../state/reasons.ts';
import { outliving } from '../state/outliving.svelte.ts';

interface Copied {
  readonly done: number;
  readonly total: number;
  readonly file: string;
}

/** Moving the library, and comparing it with its files: the parts of Settings that take a while. */
export class LibraryMove {
  open = $state(false);
  /** A path on the machine that the studio runs on. */
  folder = $state('');
  moving = $state(false);
  cancelling = $state(false);
  comparing = $state(false);
  progress = $state.raw<Copied>({ done: 0, total: 0, file: '' });
  /** Why the folder was refused: it stays beside the field. */
  failure = $state.raw<Failure | null>(null);
  place = $state.raw<LibraryPlace | null>(null);
  readonly #app: App;

  readonly #chooser = folderChooser();
  /** Whether the host has a dialog for folders; over HTTP the machine may be another one. */
  readonly canChoose = this.#chooser !== null;
  readonly canMove = $derived.by(() => this.folder.trim() !== '' && !this.moving);

  constructor(app: App) {
    this.#app = app;
    app.events.on('move', ({ done, total, file }) => {
      this.progress = { done, total, file };
    });
    app.events.onConnected(() => void this.refresh());
  }

  async refresh(): Promise<void> {
    try {
      this.place = await this.#app.studio.library.place();
    } catch {
      // As in Status: what is known stays until the studio answers again.
    }
  }

  begin(): void {
    this.open = true;
    if (!this.moving) this.failure = null;
  }

  /** Closes the dialog. A move that runs goes on. */
  close(): void {
    this.open = false;
  }

  /** Fills the field from the host's dialog; what is there stays when nothing is chosen. */
  async choose(): Promise<void> {
    if (this.#chooser === null) return;
    const folder = await this.#app.act(this.#chooser());
    if (folder) this.folder = folder;
  }

  async move(): Promise<void> {
    const { studio, i18n, announcer, toasts, library } = this.#app;
    if (!this.canMove) return;
    this.moving = true;
    this.failure = null;
    this.progress = { done: 0, total: 0, file: '' };
    try {
      const { folder, left } = await studio.library.move({ folder: this.folder.trim() });
      const text =
        left === null
          ? i18n.t('settings.moved', { folder })
          : i18n.t('settings.movedLeft', { folder, left });
      announcer.polite(text);
      toasts.show({ text });
      this.folder = '';
      this.close();
    } catch (error) {
      const failure = describeFailure(i18n, error);
      if (failure.code !== 'cancelled') {
        this.failure = failure;
        announcer.alert(failure.sentence);
      }
    } finally {
      this.moving = false;
      this.cancelling = false;
    }
    await Promise.all([this.refresh(), library.refresh()]);
  }

  async cancel(): Promise<void> {
    const { act, studio } = this.#app;
    if (!this.moving) return;
    this.cancelling = true;
    const done = await act(studio.library.cancelMove());
    if (done?.cancelled !== true) this.cancelling = false;
  }

  /** Compares files and rows, and says what came of it. */
  async compare(): Promise<void> {
    const { act, studio, i18n, announcer, toasts, library } = this.#app;
    if (this.comparing) return;
    this.comparing = true;
    const found = await act(studio.library.reindex());
    this.comparing = false;
    if (found === undefined) return;
    const { adopted, missing, quarantined, unreadable, restored, note } = found;
    const counts = { adopted, found: found.found, missing, aside: quarantined.length };
    const sentences = [i18n.t('settings.compared', counts)];
    if (unreadable.length > 0) {
      sentences.push(i18n.t('settings.notRead', { count: unreadable.length }));
    }
    if (restored > 0) sentences.push(i18n.t('settings.restored', { count: restored }));
    const ignored = note === null ? null : reasonWords(i18n, note);
    if (ignored !== null) sentences.push(ignored);
    const text = sentences.join(' ');
    announcer.polite(text);
    toasts.show({ text });
    await library.refresh();
  }
}

const moves = new WeakMap<App, LibraryMove>();

/** The window's one move: it goes on when Settings is left. */
export function useLibraryMove(app: App): LibraryMove {
  const move = moves.get(app) ?? outliving(() => new LibraryMove(app));
  moves.set(app, move);
  return move;
}
