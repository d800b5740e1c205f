import type { App } from './app.svelte.ts';
import { describeFailure, type Failure } from './errors.ts';
import { folderChooser } from './host.ts';

/** A dialog that asks for a folder and does something with it, one thing at a time. */
export abstract class FolderForm {
  open = $state(false);
  /** A path on the machine that the studio runs on. */
  folder = $state('');
  running = $state(false);
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
  /** What was known before may have changed, however it ended. */
  protected abstract refreshed(): Promise<unknown>;

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
    if (!this.canGo) return;
    this.running = true;
    this.failure = null;
    try {
      this.tell(await this.work(this.folder.trim()));
      this.folder = '';
      this.close();
    } catch (error) {
      this.failed(describeFailure(this.app.i18n, error));
    } finally {
      this.running = false;
    }
    await this.refreshed();
  }

  protected failed(failure: Failure): void {
    this.failure = failure;
    this.app.announcer.alert(failure.sentence);
  }

  protected tell(sentences: readonly string[]): void {
    if (sentences.length === 0) return;
    const { announcer, toasts } = this.app;
    const text = sentences.join(' ');
    announcer.polite(text);
    toasts.show({ text });
  }
}
