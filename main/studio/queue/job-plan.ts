import { StudioError } from '#api/errors';
import type { RecipeSource } from '#api/recipe';
import type { CreateJob, Job } from '#api/jobs';
import type { Manifest } from '#bundle/manifest';
import type { Resume } from '#history/types';
import type { Methods, Picture } from '#worker/protocol';
import { wholeNumber } from '../making/numbers.ts';
import { planGenerate } from '../making/plan.ts';

type Plan = Methods['generate']['request']['plan'];
export type JobSettings = Job['settings'];
/** What plans depend on of a job. */
type Planned = Pick<Job, 'settings'>;

/** What a job's settings depend on beside the request. */
export interface ResolveContext {
  readonly manifest: Manifest;
  /** What the person's settings say. */
  readonly fallback: Pick<JobSettings, 'target' | 'chunk'>;
  readonly newSeed: () => number;
}

/**
 * Every setting of a job, none left to default. A wrong one is a StudioError `invalid-request` that
 * names it, a network that the model lacks `network-missing`.
 */
export function resolveSettings(
  { source, settings }: CreateJob,
  { manifest, fallback, newSeed }: ResolveContext,
): JobSettings {
  const sampled = source.kind === 'sample';
  const label = sampled ? checkLabel(settings.label ?? null, manifest) : null;
  const planned = planGenerate(
    {
      count: settings.count,
      seed: settings.seed,
      guidance: settings.guidance,
      guidanceSchedule: settings.schedule,
      temperature: settings.temperature,
      steps: settings.steps,
      target: settings.target ?? fallback.target,
      chunk: settings.chunk ?? fallback.chunk,
      // Settings of the RDM stay as they are in the window when a picture takes its place.
      ...(sampled ? { rdmSteps: settings.rdmSteps, eta: settings.eta } : {}),
    },
    { manifest, source: sampled ? 'sample' : 'given', newSeed },
  );
  return {
    model: manifest.id,
    target: planned.target,
    count: planned.seeds.length,
    seed: planned.seeds[0] ?? 0,
    label,
    rdmSteps: planned.rdmSteps,
    eta: planned.eta,
    ...planned.decoding,
    chunk: planned.chunk,
  };
}

function checkLabel(label: number | null, manifest: Manifest): number | null {
  if (label === null) return null;
  const labels = manifest.networks.rdm?.classes ?? 0;
  if (labels === 0) {
    throw new StudioError(
      'invalid-request',
      `Model ${manifest.id} was trained without classes; choose "any".`,
      { field: 'label' },
    );
  }
  return wholeNumber('label', label, { min: 0, max: labels - 1 });
}

/** Pictures of a job that one call of the engine makes, together. */
export interface Batch {
  readonly indexes: readonly number[];
  /** Those of `indexes` were decoded so far already; null: from the start. */
  readonly resumes: readonly Resume[] | null;
}

/**
 * What is left of a job, in batches of at most `chunk`: first what was half decoded, by the step it
 * had come to, since a batch begins at one step; then the rest in order.
 */
export function batches(
  job: Pick<Job, 'total'> & { readonly doneIndexes: readonly number[] },
  resumes: readonly Resume[],
  chunk: number,
): readonly Batch[] {
  const done = new Set(job.doneIndexes);
  const open = resumes.filter(({ index }) => !done.has(index) && index < job.total);
  const begun = [...Map.groupBy(open, ({ step }) => step).values()].flatMap((group) =>
    split(group, chunk).map((part) => ({
      indexes: part.map(({ index }) => index),
      resumes: part,
    })),
  );
  for (const { index } of open) done.add(index);
  const rest = Array.from({ length: job.total }, (_, index) => index).filter((i) => !done.has(i));
  return [...begun, ...split(rest, chunk).map((indexes) => ({ indexes, resumes: null }))];
}

function split<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** What a plan depends on beside the job. */
export interface JobModel {
  readonly manifest: Manifest;
  /** f32 [D] of the picture that the job starts from. */
  readonly given: Float32Array | null;
}

/** The engine's plan for a batch. */
export function batchPlan(job: Planned, batch: Batch, model: JobModel): Plan {
  const { settings } = job;
  const { steps, temperature, guidance, schedule, seed } = settings;
  const { indexes, resumes } = batch;
  const tokens = model.manifest.networks.mage?.tokens ?? 0;
  const start = resumes && {
    tokens: joinInts(resumes.map((resume) => resume.tokens)),
    step: resumes[0]?.step ?? 0,
    maskedAtStart: resumes.map(() => tokens),
  };
  return {
    seeds: indexes.map((index) => seed + index),
    decoding: { steps, temperature, guidance, schedule },
    source: batchSource(job, batch, model),
    ...(start === null ? {} : { start }),
  };
}

function batchSource(
  job: Planned,
  { indexes, resumes }: Batch,
  { given, manifest }: JobModel,
): Plan['source'] {
  const { label, rdmSteps, eta } = job.settings;
  if (given !== null) {
    return { kind: 'given', values: joinFloats(indexes.map(() => given)) };
  }
  // A label that the engine draws from the seed is known only to the engine: it samples again.
  if (resumes !== null && (label !== null || !drawsLabels(manifest))) {
    return { kind: 'given', values: joinFloats(resumes.map((resume) => resume.representation)) };
  }
  const labels = label === null ? null : indexes.map(() => label);
  return { kind: 'sample', steps: rdmSteps, eta, labels };
}

function drawsLabels({ networks, unconditionalClass }: Manifest): boolean {
  return (networks.rdm?.classes ?? 0) > 0 && unconditionalClass === null;
}

/**
 * Whether a half-decoded picture can go on: its first steps must come from the very weights and
 * arithmetic that its recipe will name, and what was kept must fit them.
 */
export function fitsResume(
  resume: Resume,
  job: Planned,
  { manifest, target }: { readonly manifest: Manifest; readonly target: string },
): boolean {
  const { mage } = manifest.networks;
  return (
    mage !== undefined &&
    resume.model === manifest.hash &&
    resume.target === target &&
    resume.tokens.length === mage.tokens &&
    resume.representation.length === mage.representation &&
    Number.isInteger(resume.step) &&
    resume.step >= 1 &&
    resume.step < job.settings.steps
  );
}

/** Where a picture's representation came from, for its recipe. */
export function pictureSource(
  job: Planned,
  picture: Pick<Picture, 'label'>,
  { manifest, parentName }: { readonly manifest: Manifest; readonly parentName: string | null },
): RecipeSource {
  if (parentName !== null) return { kind: 'representation', name: parentName };
  const { rdmSteps, eta, label } = job.settings;
  const classes = manifest.networks.rdm?.classes ?? 0;
  // A resumed picture was given its representation, and so the engine was given no label.
  const known = label ?? (classes > 0 ? manifest.unconditionalClass : null);
  return { kind: 'sample', rdmSteps, eta, label: picture.label ?? known };
}

function joinFloats(rows: readonly ArrayLike<number>[]): Float32Array {
  const length = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * length);
  rows.forEach((row, i) => values.set(Array.from(row), i * length));
  return values;
}

function joinInts(rows: readonly ArrayLike<number>[]): Int32Array {
  const length = rows[0]?.length ?? 0;
  const values = new Int32Array(rows.length * length);
  rows.forEach((row, i) => values.set(Array.from(row), i * length));
  return values;
}
