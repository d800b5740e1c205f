import type { App } from './app.svelte.ts';
import { describeFailure, type Failure } from './errors.ts';
import { folderChooser } from './host.ts';

/**
 * Long work on the library with a folder that a person names: one at a time for the whole window, in
 * a dialog that may be closed meanwhile.
 */
export abstract class FolderWork {
  open = $state(false);
  /** A path on the machine that the studio runs on. */
  folder = $state('');
  running = $state(false);
  cancelling = $state(false);
  /** Why the folder was refused: it stays beside the field. */
  failure = $state.raw<Failure | null>(null);
  protected readonly app: App;
  readonly #chooser = folderChooser();
  /** Whether the host has a dialog for folders; over HTTP the machine may be another one. */
  readonly canChoose = this.#chooser !== null;
  readonly canGo = $derived.by(() => this.folder.trim() !== '' && !this.running);

  constructor(app: App) {
    this.app = app;
  }

  /** Does it; gives the sentences that say what came of it. */
  protected abstract work(folder: string): Promise<readonly string[]>;
  /** Asks the studio to stop it. */
  protected abstract stop(): Promise<{ readonly cancelled: boolean }>;
  /** What is said when it was stopped. */
  protected abstract stopped(): readonly string[];
  /** What was known before may have changed, however it ended. */
  protected abstract refreshed(): Promise<unknown>;
  /** Before it begins anew. */
  protected abstract reset(): void;

  /** Closes the dialog. What runs goes on. */
  close(): void {
    this.open = false;
  }

  /** Fills the field from the host's dialog; what is there stays when nothing is chosen. */
  async choose(): Promise<void> {
    if (this.#chooser === null) return;
    const folder = await this.app.act(this.#chooser());
    if (folder) this.folder = folder;
  }

  async go(): Promise<void> {
    const { i18n, announcer } = this.app;
    if (!this.canGo) return;
    this.running = true;
    this.failure = null;
    this.reset();
    try {
      this.tell(await this.work(this.folder.trim()));
      this.folder = '';
      this.close();
    } catch (error) {
      const failure = describeFailure(i18n, error);
      if (failure.code === 'cancelled') {
        this.tell(this.stopped());
      } else {
        this.failure = failure;
        announcer.alert(failure.sentence);
      }
    } finally {
      this.running = false;
      this.cancelling = false;
    }
    await this.refreshed();
  }

  async cancel(): Promise<void> {
    if (!this.running) return;
    this.cancelling = true;
    const done = await this.app.act(this.stop());
    if (done?.cancelled !== true) this.cancelling = false;
  }

  protected tell(sentences: readonly string[]): void {
    if (sentences.length === 0) return;
    const { announcer, toasts } = this.app;
    const text = sentences.join(' ');
    announcer.polite(text);
    toasts.show({ text });
  }
}
