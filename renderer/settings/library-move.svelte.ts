import type { LibraryPlace } from '#api/library';
import type { App } from '../state/app.svelte.ts';
import { FolderWork } from '../state/folder-work.svelte.ts';
import { outliving } from '../state/outliving.svelte.ts';
import { reasonWords } from '../state/reasons.ts';

const NOTHING = { done: 0, total: 0, file: '' };

/** Moving the library, and comparing it with its files: the parts of Settings that take a while. */
export class LibraryMove extends FolderWork {
  /** Bytes copied, and the file that is copied now. */
  progress = $state.raw(NOTHING);
  comparing = $state(false);
  place = $state.raw<LibraryPlace | null>(null);

  constructor(app: App) {
    super(app);
    app.events.on('move', ({ done, total, file }) => {
      this.progress = { done, total, file };
    });
    app.events.onConnected(() => void this.refresh());
  }

  async refresh(): Promise<void> {
    try {
      this.place = await this.app.studio.library.place();
    } catch {
      // As in Status: what is known stays until the studio answers again.
    }
  }

  begin(): void {
    this.open = true;
    if (!this.running) this.failure = null;
  }

  protected async work(to: string): Promise<readonly string[]> {
    const { studio, i18n } = this.app;
    const { folder, left } = await studio.library.move({ folder: to });
    return [
      left === null
        ? i18n.t('settings.moved', { folder })
        : i18n.t('settings.movedLeft', { folder, left }),
    ];
  }

  protected stop(): Promise<{ readonly cancelled: boolean }> {
    return this.app.studio.library.cancelMove();
  }

  /** The dialog is there again with its field: the library is where it was. */
  protected stopped(): readonly string[] {
    return [];
  }

  protected refreshed(): Promise<unknown> {
    return Promise.all([this.refresh(), this.app.library.refresh()]);
  }

  protected reset(): void {
    this.progress = NOTHING;
  }

  /** Compares files and rows, and says what came of it. */
  async compare(): Promise<void> {
    const { act, studio, i18n, library } = this.app;
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
    this.tell(sentences);
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
