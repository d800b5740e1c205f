import { LIMITS, type Recipe } from '#api/recipe';
import type { CreateJob, GenerateSettings, JobSource, ModelInfo } from '#api/types';
import { isRecord } from './is-record.ts';
import type { Undo } from './undo.svelte.ts';

/** The fields of the Generate view that describe a picture. */
export interface DraftValues {
  readonly label: number | null;
  readonly rdmSteps: number;
  readonly eta: number;
  readonly steps: number;
  readonly temperature: number;
  readonly guidance: number;
  readonly schedule: 'linear' | 'constant' | 'cosine' | 'none';
  readonly seed: number;
  readonly count: number;
  /** Null: the studio's own. */
  readonly chunk: number | null;
}
export type DraftField = keyof DraftValues;

const SAMPLING = [
  'label',
  'rdmSteps',
  'eta',
  'steps',
  'temperature',
  'guidance',
  'schedule',
] as const satisfies readonly DraftField[];

/** Fields that a preset holds; the rest belongs to the moment. */
export const PRESET_FIELDS = [
  ...SAMPLING,
  'count',
  'chunk',
] as const satisfies readonly DraftField[];

/** Fields that a picture's recipe can give back. */
export const RECIPE_FIELDS = [...SAMPLING, 'seed'] as const satisfies readonly DraftField[];

/** Where the draft outlives the window; a test passes a Map. */
export interface DraftStore {
  get(): string | null;
  set(text: string): void;
}

const FIRST: DraftValues = {
  label: null,
  rdmSteps: 250,
  eta: 1,
  steps: 20,
  temperature: 6,
  guidance: 1,
  schedule: 'linear',
  seed: 1,
  count: 4,
  chunk: null,
};

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
  readonly #undo: Undo;
  readonly #store: DraftStore;
  #model: string | null = null;
  /** The label that the model itself calls "any"; here that is no label. */
  #anyLabel: number | null = null;

  constructor(undo: Undo, store: DraftStore) {
    this.#undo = undo;
    this.#store = store;
    const kept = readDraft(store.get());
    if (kept !== null) {
      this.value = kept.value;
      this.locked = kept.locked;
      this.preset = kept.preset;
      this.#model = kept.model;
    }
  }

  /** A model was chosen: its recommendation becomes the base, and the values where none were kept. */
  useModel(model: ModelInfo): void {
    this.#anyLabel = model.unconditionalClass;
    const fits = this.value.label === null || this.value.label < model.classes.length;
    if (this.preset === null) this.base = recommended(model);
    if (this.#model === model.id) {
      if (!fits) this.set({ label: null });
      return;
    }
    this.#model = model.id;
    this.preset = null;
    this.base = recommended(model);
    this.set({ ...this.base, seed: this.value.seed, count: this.value.count });
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
    const base = { ...recommended(model), ...known(settings) };
    this.base = base;
    this.preset = name;
    this.#recall({ ...base, seed: this.value.seed });
  }

  /** The values as a preset keeps them. */
  asPreset(): GenerateSettings {
    const { chunk, seed: _, ...rest } = this.value;
    return chunk === null ? rest : { ...rest, chunk };
  }

  /** Fields in which a picture's recipe differs from the values here. */
  differences(recipe: Recipe): readonly (typeof RECIPE_FIELDS)[number][] {
    const theirs = this.#valuesOf(recipe);
    return RECIPE_FIELDS.filter(
      (field) => theirs[field] !== undefined && theirs[field] !== this.value[field],
    );
  }

  /** Copies fields of a recipe, all that differ unless told which; one undo step. */
  use(recipe: Recipe, fields: readonly DraftField[] = this.differences(recipe)): void {
    const theirs = this.#valuesOf(recipe);
    const chosen = Object.entries(theirs).filter(([name]) =>
      fields.some((field) => field === name),
    );
    this.#recall({ ...this.value, ...Object.fromEntries(chosen) });
  }

  /** The next job starts from a picture of the library; one undo step. */
  startFrom(image: number): void {
    const before = this.source;
    const after: JobSource = { kind: 'image', image };
    this.source = after;
    this.#undo.push({
      label: 'undo.source',
      undo: () => void (this.source = before),
      redo: () => void (this.source = after),
    });
  }

  startFromNoise(): void {
    this.source = { kind: 'sample' };
  }

  /** The job that the values ask for. */
  toJob(model: ModelInfo | null): CreateJob {
    const { chunk, ...rest } = this.value;
    const settings: GenerateSettings = {
      ...rest,
      ...(chunk === null ? {} : { chunk }),
      ...(model === null ? {} : { model: model.id }),
    };
    return { source: this.source, settings };
  }

  /** A job was made of the values: an unlocked seed goes to the next free one. */
  advance(): void {
    if (this.locked) return;
    const next = this.value.seed + this.value.count;
    this.set({ seed: next + LIMITS.count.max > LIMITS.seed.max ? 0 : next });
  }

  #valuesOf(recipe: Recipe): Partial<DraftValues> {
    const values = valuesOf(recipe);
    return values.label === this.#anyLabel ? { ...values, label: null } : values;
  }

  #recall(after: DraftValues): void {
    const before = this.value;
    this.set(after);
    this.#undo.push({
      label: 'undo.recall',
      undo: () => this.set(before),
      redo: () => this.set(after),
    });
  }

  #save(): void {
    const { value, locked, preset } = this;
    this.#store.set(JSON.stringify({ value, locked, preset, model: this.#model }));
  }
}

function recommended(model: ModelInfo): DraftValues {
  const { rdmSteps, eta, steps, guidance, schedule, temperature } = model.recommended;
  return { ...FIRST, rdmSteps, eta, steps, guidance, schedule, temperature };
}

function known(settings: GenerateSettings): Partial<DraftValues> {
  const fields: readonly string[] = PRESET_FIELDS;
  return Object.fromEntries(
    Object.entries(settings).filter(
      ([name, value]) => fields.includes(name) && value !== undefined,
    ),
  );
}

/** The values of a recipe. A picture that was not sampled says nothing of the first stage. */
export function valuesOf(recipe: Recipe): Partial<DraftValues> {
  const { seed, steps, temperature, guidance, schedule, source } = recipe;
  const decoding = { seed, steps, temperature, guidance, schedule };
  if (source.kind !== 'sample') return decoding;
  return { ...decoding, rdmSteps: source.rdmSteps, eta: source.eta, label: source.label };
}

interface KeptDraft {
  readonly value: DraftValues;
  readonly locked: boolean;
  readonly preset: string | null;
  readonly model: string | null;
}

/** A kept draft, checked: a damaged or older one is dropped rather than half used. */
export function readDraft(text: string | null): KeptDraft | null {
  try {
    const kept: unknown = JSON.parse(text ?? 'null');
    if (!isRecord(kept) || !isRecord(kept['value'])) return null;
    const value = { ...FIRST, ...kept['value'] };
    const names: readonly DraftField[] = ['rdmSteps', 'eta', 'steps', 'temperature', 'guidance'];
    const inside = [...names, 'seed' as const, 'count' as const].every((name) => {
      const limits = LIMITS[name as keyof typeof LIMITS];
      const number = value[name];
      return typeof number === 'number' && number >= limits.min && number <= limits.max;
    });
    if (!inside) return null;
    return {
      value,
      locked: kept['locked'] === true,
      preset: typeof kept['preset'] === 'string' ? kept['preset'] : null,
      model: typeof kept['model'] === 'string' ? kept['model'] : null,
    };
  } catch {
    return null;
  }
}
