import type { ImageDetail, ImageRow, ReplayResult } from '#api/images';
import type { RecallField } from '../../state/draft-values.ts';
import { failureCode } from '../../state/errors.ts';
import { fullAddress } from '../../state/addresses.ts';
import { differenceOf } from '../compare/difference.ts';
import type { Gallery, Pixels } from '../gallery.svelte.ts';

/** What was proved of a picture in this window. */
export interface Proof {
  readonly replay?: ReplayResult;
  /** Whether the pixels made from the tokens are those of the file; `restored`: there was none. */
  readonly rebuilt?: 'same' | 'different' | 'restored';
}

const KEPT = 200;

/** The details of the picture that is looked at. Nothing here changes the settings of Generate. */
export class Details {
  running = $state<'replay' | 'rebuild' | null>(null);
  /** The key that shows the parent is held. */
  parentHeld = $state(false);
  #kept = $state.raw<ReadonlyMap<number, ImageDetail>>(new Map());
  #proofs = $state.raw<ReadonlyMap<number, Proof>>(new Map());
  #gone = $state.raw<ReadonlySet<number>>(new Set());
  readonly #gallery: Gallery;

  /** Whether the picture that is looked at is not in the library any more. */
  readonly gone = $derived.by(() => this.id !== null && this.#gone.has(this.id));
  readonly id = $derived.by(() => this.#gallery.selection.current);
  readonly detail = $derived.by(() =>
    this.id === null ? null : (this.#kept.get(this.id) ?? null),
  );
  readonly row = $derived.by((): ImageRow | null =>
    this.id === null ? null : (this.#gallery.rows.get(this.id) ?? this.detail),
  );
  readonly proof = $derived.by((): Proof =>
    this.id === null ? {} : (this.#proofs.get(this.id) ?? {}),
  );
  /** What the newest replay showed: of this window, or kept by the library. */
  readonly verdict = $derived.by((): ReplayResult | null => {
    const shown = this.proof.replay ?? null;
    const kept = this.detail === null ? null : keptResult(this.detail);
    return kept !== null && kept.checkedAt >= (shown?.checkedAt ?? 0) ? kept : shown;
  });
  /** Fields in which its recipe differs from the settings of Generate. */
  readonly differences = $derived.by(() =>
    this.detail === null ? [] : this.#gallery.app.draft.differences(this.detail),
  );

  /** The picture that this one was made from. */
  readonly parent = $derived.by(() => this.detail?.parents[0]?.id ?? null);
  /** It, while it is to be seen in this one's place. */
  readonly parentShown = $derived.by(() => (this.parentHeld ? this.parent : null));

  constructor(gallery: Gallery) {
    this.#gallery = gallery;
  }

  /** Whether their panel is there. */
  get visible(): boolean {
    return this.#gallery.app.panels.right;
  }

  /** Details of pictures that are not the one looked at: of the compared ones. */
  of(id: number): ImageDetail | null {
    return this.#kept.get(id) ?? null;
  }

  /** Reads the details of a picture, once. */
  async load(id: number): Promise<void> {
    if (!this.#kept.has(id)) await this.#read(id);
  }

  /** Pictures changed: the one looked at is read again, the others when they are looked at. */
  outdated(ids: readonly number[] | null): void {
    const stale = (id: number) => ids === null || ids.includes(id);
    const shown = this.id;
    const kept = [...this.#kept].filter(([id]) => id === shown || !stale(id));
    if (kept.length < this.#kept.size) this.#kept = new Map(kept);
    if (shown !== null && stale(shown) && this.#kept.has(shown)) void this.#read(shown);
  }

  /** Copies the differing fields to Generate, all or those that were chosen; one undo step. */
  use(fields?: readonly RecallField[]): void {
    const { app } = this.#gallery;
    if (this.detail === null) return;
    const count = fields?.length ?? this.differences.length;
    app.draft.use(this.detail, fields ?? this.differences);
    const text = app.i18n.t('details.used', { count });
    app.announcer.polite(text);
    app.toasts.show({
      text,
      action: { label: app.i18n.t('action.undo'), run: () => void app.undoNow() },
    });
  }

  /** Runs the recipe again and compares the tokens. */
  async replay(): Promise<void> {
    const { app } = this.#gallery;
    const { id } = this;
    if (id === null || this.running !== null) return;
    this.running = 'replay';
    const replay = await app.act(app.studio.images.replay({ id }));
    this.running = null;
    if (replay === undefined) return;
    this.#prove(id, { replay });
    app.announcer.polite(replaySentence(this.#gallery, replay));
  }

  /** Turns the stored tokens into pixels, and writes the file when there is none. */
  async rebuild(): Promise<void> {
    const { app } = this.#gallery;
    const { id, row } = this;
    if (id === null || row === null || this.running !== null) return;
    this.running = 'rebuild';
    const before = row.file === 'present' ? await this.#pixels(row) : null;
    const rebuilt = await app.act(app.studio.images.rebuild({ id }));
    const after = rebuilt === undefined || before === null ? null : await this.#pixels(rebuilt);
    this.running = null;
    if (rebuilt === undefined) return;
    // Without both there is nothing to compare: then it is only said that the file was made.
    const both = before !== null && after !== null;
    this.#prove(id, { rebuilt: both ? compare(before, after) : 'restored' });
    this.#keep(rebuilt);
    this.#gallery.rows.outdated([id]);
  }

  async copyRecipe(copy: (text: string) => Promise<void>): Promise<void> {
    const { app } = this.#gallery;
    if (this.detail === null) return;
    const text = JSON.stringify(this.detail.recipe, null, 2);
    const done = await app.act(copy(text).then(() => true));
    if (done) app.toasts.show({ text: app.i18n.t('inspect.copied') });
  }

  async #pixels(picture: { readonly id: number; readonly version: string }) {
    return this.#gallery.desk.readPixels(fullAddress(picture)).catch(() => null);
  }

  async #read(id: number): Promise<void> {
    try {
      this.#keep(await this.#gallery.app.studio.images.get({ id }));
    } catch (error) {
      if (failureCode(error) === 'not-found') {
        this.#gone = new Set(this.#gone).add(id);
        return;
      }
      // Somebody else may have deleted it between two looks: only tell when it is still looked at.
      if (this.id === id) await this.#gallery.app.act(Promise.reject(error));
    }
  }

  #prove(id: number, proof: Proof): void {
    this.#proofs = new Map(this.#proofs).set(id, { ...this.#proofs.get(id), ...proof });
  }

  #keep(detail: ImageDetail): void {
    const next = new Map(this.#kept);
    next.delete(detail.id);
    next.set(detail.id, detail);
    for (const oldest of next.keys()) {
      if (next.size <= KEPT) break;
      next.delete(oldest);
    }
    this.#kept = next;
  }
}

/** What the library keeps of the newest replay, as that replay told it. */
function keptResult({ replay, recipe }: ImageDetail): ReplayResult | null {
  if (replay === null) return null;
  // Two bytes each.
  const tokens = atob(recipe.tokens).length / 2;
  return { ...replay, tokens, recordedTarget: recipe.target };
}

function compare(a: Pixels, b: Pixels): 'same' | 'different' {
  if (a.width !== b.width || a.height !== b.height) return 'different';
  return differenceOf(a.data, b.data, 1).share === 0 ? 'same' : 'different';
}

/** What a replay showed, in words. */
export function replaySentence({ app: { i18n } }: Gallery, replay: ReplayResult): string {
  const { differing, tokens: total, target, recordedTarget, checkedAt } = replay;
  const checked = { total, day: i18n.day(checkedAt), now: i18n.t(`target.${target}`) };
  if (differing === 0) return i18n.t('details.match', { count: total, ...checked });
  const made = i18n.t(`target.${recordedTarget}`);
  return i18n.t('details.differ', { count: differing, made, ...checked });
}
