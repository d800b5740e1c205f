import { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import { rowId } from './ids.ts';
import { guidanceSchedule, LIMITS, requestedTarget } from './recipe.ts';

// Plain data that crosses a boundary. Inputs are schemas, because hosts check them; outputs are
// types, because they come from us. Times are milliseconds since 1970, unless a name says otherwise.

const bounded = (bounds: { readonly min: number; readonly max: number }) =>
  z.number().min(bounds.min).max(bounds.max);

const whole = (bounds: { readonly min: number; readonly max: number }) =>
  z.int().min(bounds.min).max(bounds.max);

/** The settings of the Generate view. What is absent comes from the model's recommendation. */
export const generateSettings = z.strictObject({
  model: z.string().max(64).optional(),
  target: requestedTarget.optional(),
  count: whole(LIMITS.count).optional(),
  seed: whole(LIMITS.seed).optional(),
  /** Index of a class; null is "any". */
  label: z.int().nonnegative().nullable().optional(),
  rdmSteps: whole(LIMITS.rdmSteps).optional(),
  eta: bounded(LIMITS.eta).optional(),
  steps: whole(LIMITS.steps).optional(),
  temperature: bounded(LIMITS.temperature).optional(),
  guidance: bounded(LIMITS.guidance).optional(),
  schedule: guidanceSchedule.optional(),
  chunk: whole(LIMITS.chunk).optional(),
});

export type GenerateSettings = z.infer<typeof generateSettings>;

/** What a job starts from: noise, or the representation of a picture in the library. */
export const jobSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sample') }),
  /** New pictures from a library picture's representation. */
  z.strictObject({ kind: z.literal('image'), image: rowId }),
]);

export type JobSource = z.infer<typeof jobSource>;

export const createJob = z.strictObject({ source: jobSource, settings: generateSettings });

export type CreateJob = z.infer<typeof createJob>;

/** Settings with every number filled in. `label` null is "any". */
export type ResolvedSettings = {
  readonly [K in keyof GenerateSettings]-?: Exclude<GenerateSettings[K], undefined>;
};

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed' | 'parked';

/** A job of the queue: pictures of one recipe. */
export interface Job {
  readonly id: number;
  readonly state: JobState;
  readonly createdAt: number;
  readonly source: JobSource;
  /** Every setting resolved: what will run. */
  readonly settings: ResolvedSettings;
  readonly total: number;
  /** Pictures saved, in the order they were made. */
  readonly images: readonly number[];
  /** The index in the job of each of `images`. */
  readonly indexes: readonly number[];
  /** Indexes of pictures that were made and then deleted for good, ascending. */
  readonly deleted: readonly number[];
  /** The furthest of the pictures that were left half decoded: a retry goes on from there. */
  readonly halfMade: { readonly index: number; readonly step: number } | null;
  /** Pictures decoded together, where memory allows fewer than the settings ask for; else null. */
  readonly together: number | null;
  /** Why it failed or was parked. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** Milliseconds still to go, by this run's own pace; null when not known yet. */
  readonly timeLeft: number | null;
}

/** The queue as a whole. */
export interface QueueState {
  readonly paused: boolean;
  /** Why it stopped by itself; null when it did not. */
  readonly trouble: Job['error'];
  /**
   * The job that ran when the studio ended without being closed, until it gets on; with the picture
   * that was half made, if one was.
   */
  readonly interrupted: (Pick<Job, 'halfMade'> & { readonly job: number }) | null;
}

/** How far the picture that is being made is. */
export interface Progress {
  readonly job: number;
  /** Index of the picture in its job. */
  readonly index: number;
  readonly seed: number;
  readonly stage: 'representation' | 'tokens' | 'pixels';
  readonly done: number;
  readonly total: number;
  /** u16 [N] of the step, `mask` where still open; absent before decoding. */
  readonly tokens?: readonly number[];
  /** Bits [N], one decimal. */
  readonly entropy?: readonly number[];
  /** Percent [N]: how likely the second choice was. */
  readonly second?: readonly number[];
  readonly mask?: number;
  /** Address of a preview of this step, when previews are on and this step has one. */
  readonly preview?: string;
}
