import type { LibraryState } from '#api/library';
import type { App } from '../state/app.svelte.ts';
import { describeFailure, type Failure } from '../state/errors.ts';
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

/** What a person can do about a library that is not open. */
export class LibraryDoor {
  busy = $state(false);
  /** Another library is being chosen. */
  choosing = $state(false);
  /** Its folder, on the machine that the studio runs on. */
  folder = $state('');
  /** Why that was refused: it stays beside the field. */
  failure = $state.raw<Failure | null>(null);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  /** Tries to open it again: the other window may be closed, the drive connected. */
  retry(): Promise<void> {
    const { studio } = this.#app;
    return this.#do(async () => (await studio.library.reopen({ readOnly: false })).state);
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

  /** Goes over to the library of the chosen folder, or begins one there. */
  async choose(): Promise<void> {
    const { studio } = this.#app;
    const folder = this.folder.trim();
    if (this.busy || folder === '') return;
    this.busy = true;
    this.failure = null;
    try {
      await studio.library.choose({ folder });
      this.choosing = false;
      this.folder = '';
    } catch (error) {
      this.failure = describeFailure(this.#app.i18n, error);
    }
    await this.#app.status.refresh();
    this.busy = false;
  }

  async #do(work: () => Promise<LibraryState>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    await this.#app.act(work(), { opens: true });
    await this.#app.status.refresh();
    this.busy = false;
  }
}
