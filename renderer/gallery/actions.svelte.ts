import type { Board } from '#api/gallery';
import type { UpdateImages } from '#api/images';
import type { MessageKey } from '../state/i18n.svelte.ts';
import { fullAddress } from '../state/addresses.ts';
import { isForeign } from '../state/draft-values.ts';
import { describeFailure, type Failure } from '../state/errors.ts';
import { reasonWords } from '../state/reasons.ts';
import type { Toast } from '../state/toasts.svelte.ts';
import type { Gallery } from './gallery.svelte.ts';

type Change = Omit<UpdateImages, 'ids'>;

/** What can be done with the selected pictures. All of it can be undone, but for the empty bin. */
export class Actions {
  /** What is on its way. */
  busy = $state<'export' | 'rebuild' | null>(null);
  readonly #gallery: Gallery;

  constructor(gallery: Gallery) {
    this.#gallery = gallery;
  }

  get targets(): readonly number[] {
    return this.#gallery.selection.inOrder();
  }

  async rate(rating: number, ids = this.targets): Promise<void> {
    this.#gallery.rows.patch(ids, { rating });
    if (await this.#update({ rating }, ids)) this.#say('gallery.rated', rating);
  }

  /** Stars all of them, or takes the stars away when all have one. */
  async star(ids = this.targets): Promise<void> {
    const starred = !ids.every((id) => this.#gallery.rows.get(id)?.starred === true);
    this.#gallery.rows.patch(ids, { starred });
    await this.#update({ starred }, ids);
  }

  async addTags(tags: readonly string[], ids = this.targets): Promise<void> {
    const addTags = tags.map((tag) => tag.trim()).filter((tag) => tag !== '');
    if (addTags.length > 0) await this.#update({ addTags }, ids);
  }

  async removeTags(removeTags: readonly string[], ids = this.targets): Promise<void> {
    await this.#update({ removeTags: [...removeTags] }, ids);
  }

  async addToBoard(board: Pick<Board, 'id' | 'name'>, ids = this.targets): Promise<void> {
    const done = await this.#update({ addToBoard: board.id }, ids);
    if (done) this.tellUndoable('gallery.boarded', { count: ids.length, board: board.name });
  }

  async removeFromBoard(board: Pick<Board, 'id' | 'name'>, ids = this.targets): Promise<void> {
    const done = await this.#update({ removeFromBoard: board.id }, ids);
    if (done) this.tellUndoable('gallery.unboarded', { count: ids.length, board: board.name });
  }

  async setNote(id: number, note: string): Promise<void> {
    await this.#update({ note }, [id]);
  }

  /** Writes below the notes of all, or in their place; what stood in the way, when something did. */
  async noteAll(how: 'add' | 'replace', text: string, ids = this.targets): Promise<Failure | null> {
    const { app } = this.#gallery;
    const change = how === 'add' ? { addNote: text } : { note: text };
    try {
      await app.undo.apply(app.studio.images.update({ ...change, ids: [...ids] }));
    } catch (error) {
      const failure = describeFailure(app.i18n, error);
      app.announcer.alert(failure.why ?? failure.sentence);
      return failure;
    }
    this.tellUndoable(text === '' ? 'gallery.unnoted' : 'gallery.noted', { count: ids.length });
    return null;
  }

  async remove(ids = this.targets): Promise<void> {
    if (ids.length === 0) return;
    const { app } = this.#gallery;
    const done = await app.act(app.undo.apply(app.studio.images.remove({ ids: [...ids] })));
    if (done === undefined) return;
    this.tellUndoable('undo.delete', { count: ids.length });
  }

  async restore(ids = this.targets): Promise<void> {
    if (ids.length === 0) return;
    const { app } = this.#gallery;
    const done = await app.act(app.undo.apply(app.studio.images.restore({ ids: [...ids] })));
    if (done === undefined) return;
    this.tellUndoable('undo.restore', { count: ids.length });
  }

  /** Deletes for good what is in the bin. The view asks before. */
  async emptyBin(): Promise<void> {
    const { app, search } = this.#gallery;
    const done = await app.act(app.studio.images.emptyBin());
    if (done === undefined) return;
    const text = app.i18n.t('gallery.emptied', { count: done.removed });
    app.toasts.show({ text });
    search.refresh(0);
    // The pictures' steps are gone from the log with them.
    await app.undo.refresh();
  }

  /** Deletes for good those of the pictures that are in the bin. The view asks before. */
  async purge(ids = this.targets): Promise<void> {
    if (ids.length === 0) return;
    const { app, search, selection } = this.#gallery;
    // What is looked at while it goes would be asked for once more.
    const chosen = [...selection.ids];
    selection.none();
    const done = await app.act(app.studio.images.purge({ ids: [...ids] }));
    if (done === undefined) return selection.set(chosen);
    this.#tell('gallery.emptied', { count: done.removed });
    search.refresh(0);
    await app.undo.refresh();
  }

  /** Frees the space of the files and keeps the rest; "rebuild" makes them again. */
  async dropPixels(ids = this.targets): Promise<void> {
    if (ids.length === 0) return;
    const { app, rows } = this.#gallery;
    const { i18n } = app;
    const done = await app.act(app.studio.images.dropPixels({ ids: [...ids] }));
    if (done === undefined) return;
    rows.outdated(ids);
    const { dropped: count, bytes, kept, gone } = done;
    this.#tell('gallery.droppedCount', { count, bytes: i18n.bytes(bytes) });
    if (kept > 0) this.#tell('gallery.droppedKept', { count: kept });
    if (gone > 0) this.#tell('gallery.droppedGone', { count: gone });
  }

  /** Makes the files of those again that have none, one after the other. */
  async rebuild(ids = this.targets): Promise<void> {
    const { app, rows } = this.#gallery;
    const lost = ids.filter((id) => (rows.get(id)?.file ?? 'present') !== 'present');
    if (lost.length === 0 || this.busy !== null) return;
    this.busy = 'rebuild';
    let count = 0;
    for (const id of lost) {
      const rebuilt = await app.act(app.studio.images.rebuild({ id }));
      // The same reason would stop all that follow.
      if (rebuilt === undefined) break;
      count += 1;
    }
    this.busy = null;
    rows.outdated(lost);
    if (count > 0) this.#tell('gallery.rebuilt', { count });
  }

  /** Hands the pictures out, and says which are not among them. */
  async export(metadata: boolean, ids = this.targets): Promise<void> {
    if (ids.length === 0 || this.busy !== null) return;
    const { app, desk } = this.#gallery;
    this.busy = 'export';
    const made = await app.act(app.studio.images.export({ ids: [...ids], metadata }));
    this.busy = null;
    if (made === undefined) return;
    const { address, name, exported, leftOut } = made;
    desk.save(address, name);
    this.#tell('gallery.exported', { count: exported });
    const reasons = leftOut.map(({ reason }) => reasonWords(app.i18n, reason) ?? '');
    for (const reason of new Set(reasons)) {
      const count = reasons.filter((one) => one === reason).length;
      this.#tell('gallery.leftOut', { count, reason }, 'warn');
    }
  }

  async copyPicture(): Promise<void> {
    const { app, desk, details } = this.#gallery;
    const row = details.row;
    if (row === null) return;
    const done = await app.act(desk.copyPicture(fullAddress(row)).then(() => true));
    if (done) app.toasts.show({ text: app.i18n.t('gallery.copied') });
  }

  /** Shows the picture on the stage. Looking changes no setting. */
  openOnStage(id = this.#gallery.selection.current): void {
    if (id !== null) this.#gallery.app.navigation.go('generate', { image: id });
  }

  /** The next job starts from the picture's representation; one undo step. */
  variations(id = this.#gallery.selection.current): void {
    const { app } = this.#gallery;
    if (id === null) return;
    app.draft.startFrom(id);
    app.navigation.go('generate');
  }

  /** Makes the picture's seed again, with the settings as they are in Generate. */
  async sameSeed(): Promise<void> {
    const { app, details } = this.#gallery;
    if (details.row === null || isForeign(details.row)) return;
    const wish = app.draft.toJob(app.models.current);
    const settings = { ...wish.settings, seed: details.row.seed, count: 1 };
    const job = await app.act(app.jobs.create({ ...wish, settings }));
    if (job !== undefined) app.navigation.go('generate');
  }

  similar(id = this.#gallery.selection.current): void {
    if (id === null) return;
    this.#gallery.compare.close();
    this.#gallery.search.findSimilar(id);
  }

  async createBoard(name: string): Promise<Board | undefined> {
    const { app } = this.#gallery;
    const board = await app.act(app.studio.images.createBoard({ name }));
    await app.library.refresh();
    return board;
  }

  async renameBoard(id: number, name: string): Promise<void> {
    const { app } = this.#gallery;
    const done = await app.act(app.studio.images.renameBoard({ id, name }));
    if (done !== undefined) await this.#outside();
  }

  async removeBoard({ id, name }: Board): Promise<void> {
    const { app } = this.#gallery;
    const done = await app.act(app.studio.images.removeBoard({ id }));
    if (done?.removed !== true) return;
    if (this.#gallery.search.filter.board === id) this.#gallery.goTo({});
    await this.#outside();
    this.tellUndoable('gallery.boardRemoved', { board: name });
  }

  async saveSearch(name: string): Promise<void> {
    const { app, search, look } = this.#gallery;
    // What is shown then is no search that could be made again.
    if (search.similarTo !== null) return;
    const { filter, sort } = search;
    const { size } = look;
    await app.act(app.studio.images.saveSearch({ name, search: { filter, sort, size } }));
    await app.library.refresh();
  }

  async removeSearch(id: number, name: string): Promise<void> {
    const { app } = this.#gallery;
    const done = await app.act(app.studio.images.removeSearch({ id }));
    if (done?.removed !== true) return;
    await this.#outside();
    this.tellUndoable('gallery.searchRemoved', { name });
  }

  /** For calls that answer no undo state of their own: reads it, and the counts. */
  async #outside(): Promise<void> {
    const { app } = this.#gallery;
    await app.act(app.undo.apply(app.studio.studio.undoState()));
    await app.library.refresh();
  }

  async #update(change: Change, ids: readonly number[]): Promise<boolean> {
    if (ids.length === 0) return false;
    const { app, rows } = this.#gallery;
    const update = app.studio.images.update({ ...change, ids: [...ids] });
    const done = await app.act(app.undo.apply(update));
    // What was shown ahead of the answer is read again when there is none.
    if (done === undefined) rows.outdated(ids);
    return done !== undefined;
  }

  #say(key: 'gallery.rated', count: number): void {
    const { announcer, i18n } = this.#gallery.app;
    announcer.polite(i18n.t(key, { count }));
  }

  /** Says what was done, where there is no way back. */
  #tell(
    key: MessageKey,
    values: Readonly<Record<string, string | number>>,
    tone: Toast['tone'] = 'plain',
  ): void {
    const { toasts, announcer, i18n } = this.#gallery.app;
    const text = i18n.lookup(key, values) ?? '';
    announcer.polite(text);
    toasts.show({ text, tone });
  }

  /** Names what was done, with a way back. */
  tellUndoable(key: MessageKey, values: Readonly<Record<string, string | number>>): void {
    const { toasts, announcer, i18n, undoNow } = this.#gallery.app;
    const text = i18n.lookup(key, values) ?? '';
    announcer.polite(text);
    toasts.show({ text, action: { label: i18n.t('action.undo'), run: () => void undoNow() } });
  }
}
