import type { InspectedFile, Refusal } from '#api/exchange';
import type { Gallery } from './gallery.svelte.ts';

/** A file that a person brought, and what the studio made of it. */
export interface BroughtFile {
  readonly file: File;
  readonly found: InspectedFile;
}

/** Files on their way into the library: read and shown first, saved only when the person says so. */
export class Incoming {
  /** Null: nothing is asked. `refused`: all was saved but what the dialog lists. */
  phase = $state<'reading' | 'ready' | 'saving' | 'refused' | null>(null);
  files = $state.raw<readonly BroughtFile[]>([]);
  refused = $state.raw<readonly Refusal[]>([]);
  /** Files of this phase that are done, and all of them. */
  done = $state(0);
  total = $state(0);
  /** The file that is read or saved now. */
  current = $state('');
  readonly #gallery: Gallery;
  #stopping = new AbortController();

  /** What there is to bring in: neither refused nor here already. */
  readonly wanted = $derived(
    this.files.filter(({ found: { kind } }) => kind !== 'here' && kind !== 'refused'),
  );
  /** The first of these files that is here already. */
  readonly here = $derived(this.files.find(({ found }) => found.kind === 'here')?.found.id ?? null);

  constructor(gallery: Gallery) {
    this.#gallery = gallery;
  }

  /** Reads files one after the other, so that many can be followed and stopped; saves nothing. */
  async read(files: readonly File[]): Promise<void> {
    if (files.length === 0 || this.phase !== null) return;
    const { app } = this.#gallery;
    this.files = [];
    const read = await this.#each('reading', files, async (file, signal) => {
      const call = app.studio.images
        .inspect({ files: [file] }, { signal })
        .catch((error: unknown) => (signal.aborted ? [] : Promise.reject(error)));
      const [found] = (await app.act(call)) ?? [];
      if (found === undefined) return false;
      this.files = [...this.files, { file, found }];
      return true;
    });
    if (!read) return this.#end();
    this.phase = 'ready';
    const count = this.wanted.length;
    app.announcer.polite(app.i18n.t('import.summary', { count, total: files.length }));
  }

  /** Saves what is wanted: one step of undo, however many files it is. */
  async save(): Promise<void> {
    if (this.phase !== 'ready') return;
    const { app, search } = this.#gallery;
    const files = this.wanted.map(({ file }) => file);
    const ids: number[] = [];
    let into: number | undefined;
    this.refused = [];
    await this.#each('saving', files, async (file) => {
      const wish = into === undefined ? { files: [file] } : { files: [file], into };
      const call = app.studio.images.import(wish);
      // Ctrl Z waits for it, and then means all of it.
      const [result] = await Promise.all([
        app.act(call),
        app.undo.apply(call.then(({ undo }) => undo)).catch(() => undefined),
      ]);
      if (result === undefined) return false;
      ids.push(...result.ids);
      this.refused = [...this.refused, ...result.refused];
      into = result.undo.undo?.kind === 'import' ? result.undo.undo.id : undefined;
      return true;
    });
    const [first] = ids;
    if (first !== undefined) {
      this.#gallery.show(first);
      this.#gallery.actions.tellUndoable('undo.import', { count: ids.length });
    }
    search.refresh(0);
    if (this.refused.length > 0) this.phase = 'refused';
    else this.#end();
  }

  /** Shows the picture that is here already instead of bringing it in again. */
  show(): void {
    const id = this.here;
    this.cancel();
    if (id !== null) this.#gallery.show(id);
  }

  /** Stops reading or saving after the present file; what was saved stays, as one step of undo. */
  cancel(): void {
    if (this.phase === 'reading' || this.phase === 'saving') this.#stopping.abort();
    else this.#end();
  }

  /** Goes through files until one says that it is no use to go on; false when it was stopped. */
  async #each(
    phase: 'reading' | 'saving',
    files: readonly File[],
    step: (file: File, signal: AbortSignal) => Promise<boolean>,
  ): Promise<boolean> {
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.phase = phase;
    this.done = 0;
    this.total = files.length;
    for (const file of files) {
      this.current = file.name;
      if (signal.aborted || !(await step(file, signal)) || signal.aborted) return false;
      this.done += 1;
    }
    return true;
  }

  #end(): void {
    this.phase = null;
    this.files = [];
    this.refused = [];
  }
}
