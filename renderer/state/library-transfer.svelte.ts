import type { App } from './app.svelte.ts';
import { describeFailure, type Failure } from './errors.ts';
import { folderChooser } from './host.ts';
import { outliving } from './outliving.svelte.ts';

export type Way = 'export' | 'import';

/** The library's way to another computer and back: one at a time, for the whole window. */
export class LibraryTransfer {
  /** Which of the two the dialog is about. */
  way = $state<Way>('export');
  open = $state(false);
  /** A path on the machine that the studio runs on. */
  folder = $state('');
  running = $state(false);
  cancelling = $state(false);
  progress = $state.raw({ done: 0, total: 0 });
  /** Why the folder was refused: it stays beside the field. */
  failure = $state.raw<Failure | null>(null);
  readonly #app: App;
  readonly #chooser = folderChooser();
  /** Whether the host has a dialog for folders; over HTTP the machine may be another one. */
  readonly canChoose = this.#chooser !== null;
  readonly canGo = $derived.by(() => this.folder.trim() !== '' && !this.running);
  /** An import verifies in the first half of its steps. */
  readonly checking = $derived.by(
    () => this.way === 'import' && 2 * this.progress.done < Math.max(1, this.progress.total),
  );

  constructor(app: App) {
    this.#app = app;
    app.events.on('transfer', ({ done, total }) => {
      this.progress = { done, total };
    });
  }

  /** Opens the dialog; on what runs, if something does. */
  begin(way: Way): void {
    this.open = true;
    if (this.running) return;
    if (way !== this.way) this.folder = '';
    this.way = way;
    this.failure = null;
  }

  /** Closes the dialog. What runs goes on. */
  close(): void {
    this.open = false;
  }

  /** Fills the field from the host's dialog; what is there stays when nothing is chosen. */
  async choose(): Promise<void> {
    if (this.#chooser === null) return;
    const folder = await this.#app.act(this.#chooser());
    if (folder) this.folder = folder;
  }

  async go(): Promise<void> {
    const { i18n, announcer, library } = this.#app;
    if (!this.canGo) return;
    const { way } = this;
    this.running = true;
    this.failure = null;
    this.progress = { done: 0, total: 0 };
    try {
      const folder = this.folder.trim();
      this.#tell(await (way === 'export' ? this.#export(folder) : this.#import(folder)));
      this.folder = '';
      this.close();
    } catch (error) {
      const failure = describeFailure(i18n, error);
      if (failure.code === 'cancelled') {
        this.#tell([i18n.t(`transfer.${way}Stopped`)]);
      } else {
        this.failure = failure;
        announcer.alert(failure.sentence);
      }
    } finally {
      this.running = false;
      this.cancelling = false;
    }
    await library.refresh();
  }

  async cancel(): Promise<void> {
    const { act, studio } = this.#app;
    if (!this.running) return;
    this.cancelling = true;
    const done = await act(studio.library.cancelTransfer());
    if (done?.cancelled !== true) this.cancelling = false;
  }

  async #export(folder: string): Promise<readonly string[]> {
    const { studio, i18n } = this.#app;
    const { pictures, withoutFile } = await studio.library.export({ folder });
    const sentences = [i18n.t('transfer.exported', { count: pictures, folder })];
    if (withoutFile > 0) sentences.push(i18n.t('transfer.withoutFile', { count: withoutFile }));
    return sentences;
  }

  async #import(folder: string): Promise<readonly string[]> {
    const { studio, i18n } = this.#app;
    const { added, known, missingModels } = await studio.library.import({ folder });
    const sentences = [i18n.t('transfer.imported', { count: added, known })];
    if (missingModels.length > 0) {
      const models = missingModels.map(({ id, title }) => title ?? id).join(', ');
      sentences.push(i18n.t('transfer.missingModels', { models }));
    }
    return sentences;
  }

  #tell(sentences: readonly string[]): void {
    const { announcer, toasts } = this.#app;
    const text = sentences.join(' ');
    announcer.polite(text);
    toasts.show({ text });
  }
}

const transfers = new WeakMap<App, LibraryTransfer>();

/** The window's one transfer: it goes on when its dialog is closed. */
export function useLibraryTransfer(app: App): LibraryTransfer {
  const transfer = transfers.get(app) ?? outliving(() => new LibraryTransfer(app));
  transfers.set(app, transfer);
  return transfer;
}
