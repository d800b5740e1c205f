import type { ResolvedTarget } from '#api/recipe';
import type { CreateJob, GenerateSettings, JobSource } from '#api/jobs';
import type { ModelInfo } from '#api/models';
import { readDraft, writeDraft, type ModelDraft } from './draft-kept.ts';
import {
  FIRST,
  isForeign,
  MODEL_FIELDS,
  PRESET_FIELDS,
  presetValues,
  RECALL_FIELDS,
  recommended,
  seedAfter,
  settingsOf,
  sourceOf,
  startsAs,
  valuesOf,
  type DraftField,
  type DraftValues,
  type RecallField,
  type Recalled,
} from './draft-values.ts';
import type { PlainKey } from './i18n.svelte.ts';
import type { Kept } from './session.ts';
import type { Undo } from './undo.svelte.ts';

/** What the draft needs of the window. */
export interface DraftNeeds {
  readonly undo: Undo;
  readonly kept: Kept;
  readonly modelById: (id: string) => ModelInfo | null;
  /** False while the library, which remembers the chosen model, is only looked at. */
  readonly mayChooseModel: () => boolean;
  /** Makes a model the chosen one, without an undo step of its own. */
  readonly chooseModel: (id: string) => Promise<unknown>;
  /** What the studio's own target is on this machine. */
  readonly ownTarget: () => ResolvedTarget | null;
}

/** What one undo step changes: only what it names is put back. */
interface Change {
  readonly model?: string;
  readonly values?: Partial<DraftValues>;
  readonly base?: DraftValues;
  readonly preset?: string | null;
  readonly source?: JobSource;
}

const NAME = 'draft';

/** What the next job would be: edited by hand, by presets, and by recipes that are called back. */
export class Draft {
  value = $state.raw<DraftValues>(FIRST);
  /** A locked seed stays; an unlocked one moves past the seeds that a job used. */
  locked = $state(false);
  source = $state.raw<JobSource>({ kind: 'sample' });
  /** What the dots and ticks compare with: the preset's values, or the model's own. */
  base = $state.raw<DraftValues>(FIRST);
  preset = $state<string | null>(null);
  readonly changed = $derived(
    PRESET_FIELDS.filter((field) => this.value[field] !== this.base[field]),
  );
  /** Which of its fields says how many pictures the job makes. */
  readonly amount = $derived(this.source.kind === 'image' ? 'variations' : 'count');
  readonly #needs: DraftNeeds;
  #model = $state<string | null>(null);
  /** What each other model's fields were when it was last used. */
  #others: ReadonlyMap<string, ModelDraft> = new Map();
  /** The label that the model itself calls "any"; here that is no label. */
  #anyLabel: number | null = null;

  constructor(needs: DraftNeeds) {
    this.#needs = needs;
    const kept = readDraft(needs.kept.get(NAME));
    this.value = kept?.value ?? { ...FIRST, seed: needs.kept.nextSeed };
    if (kept === null) return;
    this.locked = kept.locked;
    this.source = kept.source;
    this.preset = kept.preset;
    this.base = kept.base ?? FIRST;
    this.#model = kept.model;
    this.#others = kept.others;
  }

  /** A model was chosen: its fields are what they last were, or what it recommends. */
  useModel(model: ModelInfo): void {
    this.#anyLabel = model.unconditionalClass;
    if (this.#model !== model.id) this.#exchange(model);
    if (this.preset === null) this.base = recommended(model);
    const { label } = this.value;
    if (label !== null && label >= model.classes.length) this.set({ label: null });
  }

  /** Changes by the person's hand: no undo step, the fields themselves are at hand. */
  set(change: Partial<DraftValues>): void {
    this.value = { ...this.value, ...change };
    this.#save();
  }

  setLocked(locked: boolean): void {
    this.locked = locked;
    this.#save();
  }

  reset(field: DraftField): void {
    this.set({ [field]: this.base[field] });
  }

  /** Takes a preset's values, or the model's own; one undo step. */
  usePreset(name: string | null, settings: GenerateSettings, model: ModelInfo): void {
    const base = { ...recommended(model), ...presetValues(settings) };
    const values = Object.fromEntries(PRESET_FIELDS.map((field) => [field, base[field]]));
    this.#take('undo.recall', { values, base, preset: name });
  }

  /** The values as a preset keeps them. */
  asPreset(): GenerateSettings {
    const { seed: _, ...rest } = this.value;
    return settingsOf(rest);
  }

  /** In what a picture's recipe differs from what is here. A foreign picture has none. */
  differences(picture: Recalled): readonly RecallField[] {
    const { recipe } = picture;
    if (isForeign(picture)) return [];
    const theirs = this.#valuesOf(picture);
    return RECALL_FIELDS.filter((field) => {
      switch (field) {
        case 'source':
          return !startsAs(this.source, picture);
        case 'model':
          return recipe.model.id !== this.#model && this.#canChoose(recipe.model.id);
        case 'target':
          return recipe.target !== this.target;
        default:
          return theirs[field] !== undefined && theirs[field] !== this.value[field];
      }
    });
  }

  /** Copies parts of a recipe, all that differ unless told which; one undo step. */
  use(picture: Recalled, fields: readonly RecallField[] = this.differences(picture)): void {
    const theirs = Object.entries(this.#valuesOf(picture));
    const values = Object.fromEntries(
      theirs.filter(([name]) => fields.some((field) => field === name)),
    );
    this.#take('undo.recall', {
      values,
      ...(fields.includes('model') ? { model: picture.recipe.model.id } : {}),
      ...(fields.includes('source') ? { source: sourceOf(picture) } : {}),
    });
  }

  /** The next job starts from a picture of the library, with these values; one undo step. */
  startFrom(image: number, values: Partial<DraftValues> = {}): void {
    this.#take('undo.source', { source: { kind: 'image', image }, values });
  }

  startFromNoise(): void {
    this.source = { kind: 'sample' };
    this.#save();
  }

  /** What the job would run on; null while that is not known. */
  get target(): string | null {
    const { target } = this.value;
    return target === null || target === 'cpu' ? this.#needs.ownTarget() : target;
  }

  /** The job that the values ask for. */
  toJob(model: ModelInfo | null): CreateJob {
    const settings = {
      ...settingsOf(this.value),
      count: this.value[this.amount],
      ...(model === null ? {} : { model: model.id }),
    };
    return { source: this.source, settings };
  }

  /** A job was made of the values: an unlocked seed goes past those of its pictures. */
  advance(): void {
    if (!this.locked) this.set({ seed: seedAfter(this.value.seed, this.value[this.amount]) });
  }

  #valuesOf({ recipe }: Recalled): Partial<DraftValues> {
    const values = { ...valuesOf(recipe), target: recipe.target };
    const { unconditionalClass: any = this.#anyLabel } =
      this.#needs.modelById(recipe.model.id) ?? {};
    return 'label' in values && values.label === any ? { ...values, label: null } : values;
  }

  /** Does a change as one undo step. */
  #take(label: PlainKey, change: Change): void {
    const model = this.#model;
    const others = this.#others;
    const before = this.#sameOf(change);
    void this.#do(change);
    this.#needs.undo.push({
      label,
      undo: () => this.#putBack(before, model, others),
      redo: () => this.#do(change),
    });
  }

  async #do(change: Change): Promise<void> {
    const chosen = change.model === undefined ? null : this.#choose(change.model);
    this.#apply(change);
    await chosen;
  }

  async #putBack(
    before: Change,
    model: string | null,
    others: ReadonlyMap<string, ModelDraft>,
  ): Promise<void> {
    const chosen = before.model === undefined ? null : this.#choose(before.model);
    if (this.#model === model) {
      // The other model's fields are again what they were before they were changed by this.
      if (before.model !== undefined) this.#others = others;
      this.#apply(before);
    } else if (model !== null) {
      // Its model went away meanwhile: it finds its fields when it comes back.
      const kept = this.#others.get(model);
      const values = { ...kept?.values, ...before.values };
      this.#others = new Map(this.#others).set(model, {
        values,
        preset: before.preset === undefined ? (kept?.preset ?? null) : before.preset,
        base: before.base ?? kept?.base ?? null,
      });
      this.#save();
    }
    await chosen;
  }

  #apply({ values, base, preset, source }: Change): void {
    if (base !== undefined) this.base = base;
    if (preset !== undefined) this.preset = preset;
    if (source !== undefined) this.source = source;
    this.set(values ?? {});
  }

  /** What the parts that a change names are now. */
  #sameOf({ model, values, base, preset, source }: Change): Change {
    const names = Object.keys(values ?? {}) as readonly DraftField[];
    return {
      values: Object.fromEntries(names.map((field) => [field, this.value[field]])),
      ...(model === undefined || this.#model === null ? {} : { model: this.#model }),
      ...(base === undefined ? {} : { base: this.base }),
      ...(preset === undefined ? {} : { preset: this.preset }),
      ...(source === undefined ? {} : { source: this.source }),
    };
  }

  /** One that is not installed cannot be chosen. */
  #canChoose(id: string): boolean {
    return this.#needs.mayChooseModel() && this.#needs.modelById(id) !== null;
  }

  /** Makes a model the chosen one, here at once. */
  #choose(id: string): Promise<unknown> {
    const chosen = this.#needs.chooseModel(id);
    const model = this.#needs.modelById(id);
    if (model !== null) this.useModel(model);
    return chosen;
  }

  /** Puts the fields of the model so far aside, and takes out those of another. */
  #exchange(model: ModelInfo): void {
    const others = new Map(this.#others);
    const before = this.#model;
    if (before !== null) {
      others.delete(before);
      const values = Object.fromEntries(MODEL_FIELDS.map((field) => [field, this.value[field]]));
      const base = this.preset === null ? null : this.base;
      others.set(before, { values, preset: this.preset, base });
    }
    const kept = others.get(model.id);
    others.delete(model.id);
    const { seed, count, variations } = this.value;
    this.#others = others;
    this.#model = model.id;
    this.preset = kept?.preset ?? null;
    this.base = kept?.base ?? recommended(model);
    this.value = { ...recommended(model), seed, count, variations, ...kept?.values };
    // A window that only opens has nothing to keep yet.
    if (before !== null) this.#save();
  }

  #save(): void {
    const { value, locked, source, preset } = this;
    const base = preset === null ? null : this.base;
    const kept = { value, locked, source, preset, base, model: this.#model, others: this.#others };
    this.#needs.kept.set(NAME, writeDraft(kept));
  }
}
