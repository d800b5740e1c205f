import type { UpdateImages } from '#api/images';
import type { Generate } from './generate.svelte.ts';

/** What a person says of the picture on the stage; each is one undo step of the library. */
export class Marks {
  /** What is asked for over the view. */
  asking = $state<'tag' | 'board' | null>(null);
  readonly #generate: Generate;
  /** A picture in the bin is not marked, nor one of a library that is only looked at. */
  readonly can = $derived.by(
    () => this.#generate.detail?.deletedAt === null && !this.#generate.app.lookOnly,
  );

  constructor(generate: Generate) {
    this.#generate = generate;
  }

  async star(): Promise<void> {
    const { detail } = this.#generate;
    if (detail !== null) await this.#update({ starred: !detail.starred });
  }

  async rate(rating: number): Promise<void> {
    if (await this.#update({ rating })) this.#toast('generate.rated', rating);
  }

  /** Adds tags, separated by commas. */
  async tag(text: string): Promise<void> {
    const tags = text.split(/[,、，]/).map((tag) => tag.trim());
    const addTags = [...new Set(tags.filter((tag) => tag !== ''))];
    if (addTags.length > 0) await this.#update({ addTags });
  }

  /** Adds the picture to the board of that name, which is made where there is none. */
  async board(name: string): Promise<void> {
    const { app } = this.#generate;
    const key = name.trim().toLocaleLowerCase();
    if (key === '') return;
    const known = app.library.summary?.boards.find((each) => each.name.toLocaleLowerCase() === key);
    const board = known ?? (await app.act(app.studio.images.createBoard({ name: name.trim() })));
    if (board !== undefined) await this.#update({ addToBoard: board.id });
  }

  async remove(): Promise<void> {
    const { app, detail } = this.#generate;
    if (detail === null || !this.can) return;
    const done = await app.act(app.undo.apply(app.studio.images.remove({ ids: [detail.id] })));
    if (done !== undefined) this.#toast('undo.delete', 1);
  }

  async #update(change: Omit<UpdateImages, 'ids'>): Promise<boolean> {
    const { app, detail } = this.#generate;
    if (detail === null || !this.can) return false;
    const update = app.studio.images.update({ ...change, ids: [detail.id] });
    const done = await app.act(app.undo.apply(update));
    if (done !== undefined) await this.#generate.reload(detail.id);
    return done !== undefined;
  }

  #toast(key: 'generate.rated' | 'undo.delete', count: number): void {
    const { app } = this.#generate;
    const action = { label: app.i18n.t('action.undo'), run: () => void app.undoNow() };
    app.toasts.show({ text: app.i18n.t(key, { count }), action });
  }
}
