import type { Progress } from '#api/jobs';
import type { Events } from './events.svelte.ts';

/** A decode step that was seen, or one that was made again from a recipe. */
export interface LiveStep {
  readonly step: number;
  /** [N], `mask` where open after this step. */
  readonly tokens: readonly number[];
  /** Bits [N] of what was open before it; empty when not told. */
  readonly entropy: readonly number[];
  /** Percent [N]: how likely the second choice was; empty when not told. */
  readonly second: readonly number[];
  readonly preview: string | null;
}

/** A picture that is being made, or was made since the window opened. */
export interface LivePicture {
  readonly job: number;
  readonly index: number;
  readonly seed: number;
  readonly stage: Progress['stage'];
  readonly done: number;
  readonly total: number;
  readonly mask: number | null;
  readonly steps: readonly LiveStep[];
}

/** Pictures whose steps are kept. One holds about 20 steps of two lists of 256 numbers. */
const KEPT = 64;

/** The decoding of pictures as it is told, step by step. */
export class Live {
  #pictures = $state.raw<ReadonlyMap<string, LivePicture>>(new Map());
  /** The picture that was told of last. */
  latest = $state.raw<LivePicture | null>(null);

  constructor(events: Events) {
    events.on('progress', (event) => this.take(event.progress));
  }

  get(job: number, index: number): LivePicture | null {
    return this.#pictures.get(keyOf(job, index)) ?? null;
  }

  take(progress: Progress): void {
    const key = keyOf(progress.job, progress.index);
    const picture = follow(this.#pictures.get(key) ?? null, progress);
    const next = new Map(this.#pictures);
    next.delete(key);
    next.set(key, picture);
    for (const oldest of next.keys()) {
      if (next.size <= KEPT) break;
      next.delete(oldest);
    }
    this.#pictures = next;
    this.latest = picture;
  }
}

function keyOf(job: number, index: number): string {
  return `${job}:${index}`;
}

/** The picture after one more message. A step that comes again, as after a resume, is replaced. */
export function follow(before: LivePicture | null, progress: Progress): LivePicture {
  const { job, index, seed, stage, done, total } = progress;
  const mask = progress.mask ?? before?.mask ?? null;
  const steps = before?.steps ?? [];
  if (stage !== 'tokens' || progress.tokens === undefined || done < 1) {
    return { job, index, seed, stage, done, total, mask, steps };
  }
  const step: LiveStep = {
    step: done,
    tokens: progress.tokens,
    entropy: progress.entropy ?? [],
    second: progress.second ?? [],
    preview: progress.preview ?? null,
  };
  return {
    ...{ job, index, seed, stage, done, total, mask },
    steps: [...steps.filter((other) => other.step < done), step],
  };
}

/** Share of a picture's work that is done, by what the stages cost on a processor. */
export function pictureFraction(picture: LivePicture | null): number {
  if (picture === null) return 0;
  const part = picture.total === 0 ? 0 : picture.done / picture.total;
  switch (picture.stage) {
    case 'representation':
      return 0.15 * part;
    case 'tokens':
      return 0.15 + 0.75 * part;
    case 'pixels':
      return 0.9 + 0.1 * part;
  }
}
