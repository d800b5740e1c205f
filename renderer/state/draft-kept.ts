import { LIMITS, requestedTarget } from '#api/recipe';
import { generateSettings, jobSource, type JobSource } from '#api/jobs';
import { FIRST, MODEL_FIELDS, type DraftValues } from './draft-values.ts';
import { isRecord } from './is-record.ts';

/** What the draft was for a model that is not the chosen one. */
export interface ModelDraft {
  readonly values: Partial<DraftValues>;
  readonly preset: string | null;
  /** What its preset says; without a preset the model's own recommendation counts. */
  readonly base: DraftValues | null;
}

/** The draft as it outlives the window. */
export interface KeptDraft {
  readonly value: DraftValues;
  readonly locked: boolean;
  readonly source: JobSource;
  readonly preset: string | null;
  readonly base: DraftValues | null;
  readonly model: string | null;
  readonly others: ReadonlyMap<string, ModelDraft>;
}

/** Drafts of models that are kept; of more the oldest go. */
const MOST_MODELS = 16;

/** A draft as a text that `readDraft` understands. */
export function writeDraft({ others, ...rest }: KeptDraft): string {
  return JSON.stringify({ ...rest, others: [...others].slice(-MOST_MODELS) });
}

/** A kept draft, checked: a damaged or older one is dropped rather than half used. */
export function readDraft(text: string | null): KeptDraft | null {
  try {
    const kept: unknown = JSON.parse(text ?? 'null');
    if (!isRecord(kept)) return null;
    const value = readValues(kept['value']);
    if (value === null) return null;
    const source = jobSource.safeParse(kept['source']);
    return {
      value,
      locked: kept['locked'] === true,
      source: source.success ? source.data : { kind: 'sample' },
      ...readPreset(kept),
      model: typeof kept['model'] === 'string' ? kept['model'] : null,
      others: readOthers(kept['others']),
    };
  } catch {
    return null;
  }
}

/** A preset without what it says could not be compared with: it is then none. */
function readPreset(kept: Readonly<Record<string, unknown>>): Omit<ModelDraft, 'values'> {
  const base = readValues(kept['base']);
  const preset = kept['preset'];
  return typeof preset === 'string' && base !== null
    ? { preset, base }
    : { preset: null, base: null };
}

function readOthers(kept: unknown): ReadonlyMap<string, ModelDraft> {
  const others = new Map<string, ModelDraft>();
  for (const entry of Array.isArray(kept) ? (kept as readonly unknown[]) : []) {
    const [model, draft]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof model !== 'string' || !isRecord(draft)) continue;
    const values = readValues(draft['values']);
    if (values === null) continue;
    const own = Object.fromEntries(MODEL_FIELDS.map((field) => [field, values[field]]));
    others.set(model, { values: own, ...readPreset(draft) });
  }
  return others;
}

function readValues(kept: unknown): DraftValues | null {
  if (!isRecord(kept)) return null;
  const { chunk, target, variations, ...rest } = { ...FIRST, ...kept };
  const settings = generateSettings.omit({ model: true, chunk: true, target: true }).required();
  const known = settings.safeParse(rest);
  const parts = generateSettings.shape.chunk.unwrap().nullable().safeParse(chunk);
  const ran = requestedTarget.nullable().safeParse(target);
  const few = settings.shape.count.safeParse(variations);
  if (!known.success || !parts.success || !ran.success || !few.success) return null;
  if (few.data > LIMITS.variations.max) return null;
  return { ...known.data, chunk: parts.data, target: ran.data, variations: few.data };
}
