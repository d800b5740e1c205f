import { StudioError } from '#api/errors';
import type { Operation } from '#api/images';
import type { Manifest } from '#bundle/manifest';
import type { StoredImage, StoredJob } from '#history/types';
import { makeRecipe, recipeRepresentation } from '#pictures/recipe';
import type { Methods, ModelRef, OpenedModel, Picture } from '#worker/protocol';
import { gatherEvents, type Gathering } from '../events.ts';
import { modelRef } from '../studio.ts';
import type { Workshop } from '../workshop.ts';
import { madeImages } from './made-images.ts';
import { batches, batchPlan, fitsResume, pictureSource, type Batch } from './job-plan.ts';
import type { Pace } from './pace.ts';
import { savePicture } from './picture-store.ts';
import { wantedPreviews, type Previews } from './previews.ts';
import type { DrawBudget } from './progress.ts';
import { createResumeKeeper, type ResumeKeeper } from './resume-keeper.ts';
import { createWatch, type Watch } from './watch.ts';

type Event = Methods['generate']['event'];

/** How a run is steered, and what it tells. */
export interface RunOptions {
  readonly signal: AbortSignal;
  readonly previews: Previews;
  readonly pace: Pace;
  readonly budget: DrawBudget;
  /** After each picture that was kept, or several. */
  readonly onSaved: () => void;
  /** So many pictures at once did not fit into memory: the run goes on with fewer. */
  readonly onFewer: (chunk: number) => void;
}

/** What all batches of a run share. */
interface Run extends RunOptions {
  readonly shop: Workshop;
  readonly job: StoredJob;
  readonly manifest: Manifest;
  readonly ref: ModelRef;
  readonly opened: OpenedModel;
  /** The picture that the job starts from. */
  readonly parent: StoredImage | null;
  readonly keeper: ResumeKeeper;
  readonly watch: Watch;
  /** What windows hear of pictures that were kept. */
  readonly landings: Gathering;
}

/**
 * Makes the pictures of a job that are not there yet, and keeps each. However it ends, what was
 * half decoded is written down. Rejects with the reason when it does not come to the end.
 */
export async function runJob(shop: Workshop, job: StoredJob, options: RunOptions): Promise<void> {
  const { jobs, images } = shop.history();
  const model = await shop.library.find(job.settings.model);
  const { manifest } = model;
  const ref = modelRef(shop, model, job.settings.target);
  const parent = job.source.kind === 'image' ? images.get(job.source.image) : null;
  const opened = await shop.engine.call('open', ref, { signal: options.signal });
  const watch = createWatch(shop, {
    job: job.id,
    seed: job.settings.seed,
    mask: opened.sizes.maskId,
    previews: options.previews,
    budget: options.budget,
  });
  const landings = gatherEvents((events) => {
    options.budget.land();
    for (const event of events) shop.events.publish(event);
    options.onSaved();
  }, options.budget.wait);
  const common = { ...options, shop, manifest, ref, opened, parent, watch, landings };
  const attempt = async (chunk: number): Promise<void> => {
    const now = jobs.get(job.id);
    const maker = { manifest, target: opened.target };
    const before = jobs.loadResume(job.id).filter((one) => fitsResume(one, job, maker));
    const keeper = createResumeKeeper(jobs, {
      job: job.id,
      maker: { model: manifest.hash, target: opened.target },
      before,
      eager: job.strikes > 0,
      now: shop.now,
    });
    try {
      await runBatches({ ...common, job: now, keeper }, batches(now, before, chunk));
    } finally {
      keeper.flush();
    }
  };
  try {
    await withFewer(job.settings.chunk, attempt, options.onFewer);
  } finally {
    watch.close();
    landings.close();
  }
}

/** Halves the chunk for as long as it does not fit into memory. */
async function withFewer(
  chunk: number,
  attempt: (chunk: number) => Promise<void>,
  onFewer: (chunk: number) => void,
): Promise<void> {
  try {
    await attempt(chunk);
  } catch (error) {
    if (!(error instanceof StudioError && error.code === 'out-of-memory' && chunk > 1)) throw error;
    const fewer = Math.ceil(chunk / 2);
    onFewer(fewer);
    await withFewer(fewer, attempt, onFewer);
  }
}

/** The engine goes on with the next batch while the last pictures are still being written. */
async function runBatches(run: Run, all: readonly Batch[]): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([run.signal, failed.signal]);
  let failure: unknown;
  let writing: Promise<void> = Promise.resolve();
  const fail = (error: unknown): void => {
    failure ??= error;
    failed.abort();
  };
  const keep = (index: number, picture: Picture): void => {
    writing = writing
      .then(async () => {
        if (failure === undefined) await keepPicture(run, index, picture);
      })
      .catch(fail);
  };
  try {
    for (const batch of all) await runBatch(run, batch, { signal, keep, fail });
  } catch (error) {
    failure ??= error;
  }
  await writing;
  if (failure !== undefined) throw failure;
}

interface BatchOptions {
  readonly signal: AbortSignal;
  readonly keep: (index: number, picture: Picture) => void;
  readonly fail: (error: unknown) => void;
}

async function runBatch(
  run: Run,
  batch: Batch,
  { signal, keep, fail }: BatchOptions,
): Promise<void> {
  const { shop, job, manifest, ref, parent, watch } = run;
  await shop.files.checkSpace();
  const given = parent === null ? null : recipeRepresentation(parent.recipe);
  const plan = batchPlan(job, batch, { manifest, given });
  const previews = wantedPreviews(shop.settings.get().previews, shop.events.listeners);
  const indexOf = (row: number) => batch.indexes[row] ?? 0;
  await shop.engine.call(
    'generate',
    {
      model: ref,
      plan,
      chunk: batch.indexes.length,
      steps: true,
      ...(previews === undefined ? {} : { previews }),
    },
    {
      signal,
      onEvent: (event) => {
        watch.take(event, indexOf);
        if (event.kind === 'picture') keep(indexOf(event.picture.index), event.picture);
        try {
          note(run, event, indexOf);
        } catch (error) {
          // The history cannot be written: going on would only lose more.
          fail(error);
        }
      },
    },
  );
}

function note({ keeper, pace }: Run, event: Event, indexOf: (row: number) => number): void {
  switch (event.kind) {
    case 'stage':
      pace.stage(indexOf(0), event.done / Math.max(1, event.total));
      return;
    case 'represented':
      keeper.represented(indexOf(event.index), event.representation);
      return;
    case 'step': {
      const { report } = event;
      pace.step(indexOf(report.index), report.step / report.steps);
      keeper.step(indexOf(report.index), report);
      return;
    }
    case 'picture':
      pace.finished(indexOf(event.picture.index));
      return;
    case 'preview':
      return;
  }
}

async function keepPicture(run: Run, index: number, picture: Picture): Promise<void> {
  const { shop, job, manifest, opened, parent, keeper, landings } = run;
  const parentName = parent === null ? null : `${parent.uid}.png`;
  const source = pictureSource(job, picture, { manifest, parentName });
  const label = source.kind === 'sample' ? source.label : null;
  const { steps, temperature, guidance, schedule } = job.settings;
  const recipe = makeRecipe(
    { ...picture, label },
    {
      software: shop.software,
      model: manifest,
      target: opened.target,
      source,
      decoding: { steps, temperature, guidance, schedule },
    },
  );
  const operation: Operation = parent === null ? 'generate' : 'variation';
  const image = { width: picture.size, height: picture.size, data: picture.image };
  const kept = await savePicture(shop, image, {
    recipe,
    modelTitle: manifest.title.en,
    operation,
    parents: parent === null ? [] : [{ id: parent.id, uid: parent.uid, operation }],
    times: picture.times,
    job: { id: job.id, index, createdAt: job.createdAt },
  });
  keeper.saved(index);
  shop.history().jobs.forgetCrashes(job.id);
  const made = await madeImages(shop, kept, manifest);
  landings.publish({ kind: 'images', ids: kept.changed, ...made });
}
