import type { LibraryState } from '#api/library';
import type { App } from '../state/app.svelte.ts';
import { FolderForm } from '../state/folder-form.svelte.ts';
import type { I18n } from '../state/i18n.svelte.ts';
import { reasonWords } from '../state/reasons.ts';

/**
 * What is the matter with a library, in the person's language, and what its database says beside
 * that, which is English. Empty where there is nothing to say.
 */
export function libraryTrouble(i18n: I18n, state: LibraryState) {
  if (!('reason' in state)) return { why: '', detail: '' };
  const why = (state.reason ? reasonWords(i18n, state.reason) : null) ?? '';
  if (state.kind === 'read-only') return { why, detail: '' };
  const more = i18n.language === 'en' && state.detail !== why;
  return { why, detail: more ? (state.detail ?? '') : '' };
}

/** Going over to the library of a folder, or beginning one there. */
class LibraryChoice extends FolderForm {
  begin(): void {
    this.failure = null;
    this.open = true;
  }

  protected async work(folder: string): Promise<readonly string[]> {
    await this.app.studio.library.choose({ folder });
    return [];
  }

  protected refreshed(): Promise<unknown> {
    return this.app.status.refresh();
  }
}

/** What a person can do about a library that is not open. */
export class LibraryDoor {
  busy = $state(false);
  /** When it was last tried again in vain, in words. */
  tried = $state<string | null>(null);
  /** Another library, chosen by its folder. */
  readonly choice: LibraryChoice;
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
    this.choice = new LibraryChoice(app);
  }

  /** Tries to open it again: the other window may be closed, the drive connected. */
  retry(): Promise<void> {
    const { studio, i18n, announcer } = this.#app;
    return this.#do(async () => {
      const { state } = await studio.library.reopen({ readOnly: false });
      this.tried = null;
      if (state.kind !== 'open') {
        this.tried = i18n.t('state.tried', { time: i18n.time(Date.now()) });
        announcer.polite(this.tried);
      }
      return state;
    });
  }

  /** Opens a library of a newer version for looking; true when that went well. */
  async look(): Promise<boolean> {
    const { studio, i18n, toasts, announcer } = this.#app;
    let looking = false;
    await this.#do(async () => {
      const { state } = await studio.library.reopen({ readOnly: true });
      looking = state.kind === 'read-only' || state.kind === 'open';
      if (!looking) {
        const text = i18n.t('state.newerClosed');
        toasts.show({ text, tone: 'danger' });
        announcer.alert(text);
      }
      return state;
    });
    return looking;
  }

  /**
   * Opens the backup in place of a damaged record; without one, or with `anew`, makes the record
   * again from the pictures.
   */
  repair({ anew = false } = {}): Promise<void> {
    const { studio, i18n, toasts, announcer } = this.#app;
    return this.#do(async () => {
      const { state, kept, backup } = await studio.library.repair({ anew });
      if (state.kind === 'open') {
        const done = i18n.t(backup === null ? 'state.remade' : 'state.restored');
        const text = kept === null ? done : `${done} ${i18n.t('state.kept', { file: kept })}`;
        toasts.show({ text });
        announcer.polite(text);
      }
      return state;
    });
  }

  async #do(work: () => Promise<LibraryState>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    await this.#app.act(work(), { opens: true });
    await this.#app.status.refresh();
    this.busy = false;
  }
}
