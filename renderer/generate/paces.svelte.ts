import type { ImageDetail } from '#api/images';
import { isRecord } from '../state/is-record.ts';
import { executedSteps } from './decode.ts';
import type { Kept } from '../state/session.ts';

/** What one step of each stage takes, in milliseconds; null for a stage that was not seen yet. */
interface Pace {
  readonly rdmStep: number | null;
  readonly decodeStep: number;
  readonly pixels: number;
}

const NAME = 'paces';
const MOST = 30;

/** How fast each model was on each target of this machine, remembered with the session. */
export class Paces {
  #known = $state.raw<ReadonlyMap<string, Pace>>(new Map());
  readonly #kept: Kept;

  constructor(kept: Kept) {
    this.#kept = kept;
    this.#known = read(kept.get(NAME));
  }

  /** The pace of a model on a target; null where it never ran here. */
  of(machine: string, model: string, target: string): Pace | null {
    return this.#known.get(keyOf(machine, model, target)) ?? null;
  }

  /** A picture was made on this machine. */
  learn(machine: string, { recipe, times }: Pick<ImageDetail, 'recipe' | 'times'>): void {
    if (times.tokens <= 0) return;
    const { source } = recipe;
    const key = keyOf(machine, recipe.model.id, recipe.target);
    const before = this.#known.get(key)?.rdmStep ?? null;
    const rdmStep =
      source.kind === 'sample' ? times.representation / executedSteps(source.rdmSteps) : before;
    const pace = { rdmStep, decodeStep: times.tokens / recipe.steps, pixels: times.pixels };
    const next = new Map(this.#known);
    next.delete(key);
    this.#known = new Map([...next.set(key, pace)].slice(-MOST));
    this.#kept.set(NAME, JSON.stringify([...this.#known]));
  }
}

function keyOf(machine: string, model: string, target: string): string {
  return [machine, model, target].join('\n');
}

function read(text: string | null): ReadonlyMap<string, Pace> {
  try {
    const kept: unknown = JSON.parse(text ?? '[]');
    const entries = Array.isArray(kept) ? (kept as readonly unknown[]) : [];
    return new Map(entries.filter(isEntry));
  } catch {
    return new Map();
  }
}

function isEntry(entry: unknown): entry is readonly [string, Pace] {
  if (!Array.isArray(entry)) return false;
  const [key, pace]: readonly unknown[] = entry;
  if (typeof key !== 'string' || !isRecord(pace)) return false;
  const { rdmStep, decodeStep, pixels } = pace;
  return isTime(decodeStep) && isTime(pixels) && (rdmStep === null || isTime(rdmStep));
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
