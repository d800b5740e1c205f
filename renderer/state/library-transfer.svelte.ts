import type { App } from './app.svelte.ts';
import { FolderWork } from './folder-work.svelte.ts';
import { outliving } from './outliving.svelte.ts';

export type Way = 'export' | 'import';

const NOTHING = { done: 0, total: 0 };

/** The library's way to another computer and back. */
export class LibraryTransfer extends FolderWork {
  /** Which of the two the dialog is about. */
  way = $state<Way>('export');
  /** In steps of one picture. */
  progress = $state.raw(NOTHING);
  /** An import verifies in the first half of its steps. */
  readonly checking = $derived.by(
    () => this.way === 'import' && 2 * this.progress.done < Math.max(1, this.progress.total),
  );

  constructor(app: App) {
    super(app);
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

  protected work(folder: string): Promise<readonly string[]> {
    return this.way === 'export' ? this.#export(folder) : this.#import(folder);
  }

  protected stop(): Promise<{ readonly cancelled: boolean }> {
    return this.app.studio.library.cancelTransfer();
  }

  protected stopped(): readonly string[] {
    return [this.app.i18n.t(`transfer.${this.way}Stopped`)];
  }

  protected refreshed(): Promise<unknown> {
    return this.app.library.refresh();
  }

  protected reset(): void {
    this.progress = NOTHING;
  }

  async #export(folder: string): Promise<readonly string[]> {
    const { studio, i18n } = this.app;
    const { pictures, withoutFile } = await studio.library.export({ folder });
    const sentences = [i18n.t('transfer.exported', { count: pictures, folder })];
    if (withoutFile > 0) sentences.push(i18n.t('transfer.withoutFile', { count: withoutFile }));
    return sentences;
  }

  async #import(folder: string): Promise<readonly string[]> {
    const { studio, i18n } = this.app;
    const { added, known, missingModels } = await studio.library.import({ folder });
    const sentences = [i18n.t('transfer.imported', { count: added, known })];
    if (missingModels.length > 0) {
      const models = missingModels.map(({ id, title }) => title ?? id).join(', ');
      sentences.push(i18n.t('transfer.missingModels', { models }));
    }
    return sentences;
  }
}

const transfers = new WeakMap<App, LibraryTransfer>();

/** The window's one transfer: it goes on when its dialog is closed. */
export function useLibraryTransfer(app: App): LibraryTransfer {
  const transfer = transfers.get(app) ?? outliving(() => new LibraryTransfer(app));
  transfers.set(app, transfer);
  return transfer;
}
