import type { Failure } from './errors.ts';
import { FolderForm } from './folder-form.svelte.ts';

/** Long work on the library with a folder: its dialog may be closed meanwhile, and it be stopped. */
export abstract class FolderWork extends FolderForm {
  cancelling = $state(false);

  /** Asks the studio to stop it. */
  protected abstract stop(): Promise<{ readonly cancelled: boolean }>;
  /** What is said when it was stopped. */
  protected abstract stopped(): readonly string[];
  /** Before it begins anew. */
  protected abstract reset(): void;

  override async go(): Promise<void> {
    if (!this.canGo) return;
    this.reset();
    await super.go();
    this.cancelling = false;
  }

  async cancel(): Promise<void> {
    if (!this.running) return;
    this.cancelling = true;
    const done = await this.app.act(this.stop());
    if (done?.cancelled !== true) this.cancelling = false;
  }

  protected override failed(failure: Failure): void {
    if (failure.code === 'cancelled') this.tell(this.stopped());
    else super.failed(failure);
  }
}
