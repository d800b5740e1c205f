import { StudioError } from '#api/errors';
import type { Recipe, RecipeSource } from '#api/recipe';
import type { Manifest } from '#bundle/manifest';
import { encodePng, writePicture, type Written } from '#pictures/pictures';
import { makeRecipe, recipeTexts } from '#pictures/recipe';
import type { Methods, ModelRef, Picture, RgbImage, StageTimes } from '#worker/protocol';
import type { Engine } from '../studio.ts';

type Request = Methods['generate']['request'];

/** Pictures to make and to write. */
export interface MakeJob {
  readonly model: ModelRef;
  readonly manifest: Manifest;
  readonly plan: Request['plan'];
  readonly chunk: number;
  readonly software: string;
  /** Where each picture's representation comes from, by its index in the plan. */
  readonly source: (index: number) => RecipeSource;
  /** The file of each picture, by its index in the plan and what it turned out to be. */
  readonly path: (index: number, recipe: Recipe) => string | Promise<string>;
}

/** A picture that lies on the disk, whole. */
export interface MadePicture {
  readonly index: number;
  readonly path: string;
  readonly recipe: Recipe;
  readonly times: StageTimes;
  readonly image: RgbImage;
  readonly written: Written;
}

export interface MakeOptions {
  readonly signal: AbortSignal;
  /** After each picture is written, in order. */
  readonly onPicture: (picture: MadePicture) => void;
  /** Part of all the work that is done, 0…1, never falling; when given, the engine reports steps. */
  readonly onProgress?: ((part: number) => void) | undefined;
}

/**
 * Makes the pictures of a plan and writes each as soon as it is done. Whatever ends the work early,
 * its error says how many pictures are whole; those stay.
 */
export async function makePictures(
  engine: Engine,
  job: MakeJob,
  { signal, onPicture, onProgress }: MakeOptions,
): Promise<readonly MadePicture[]> {
  const { model, plan, chunk } = job;
  const made: MadePicture[] = [];
  // A disk that fills up ends the engine's work as well.
  const failed = new AbortController();
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;
  const progress = progressOf(plan.seeds.length, chunk);

  try {
    const { target } = await engine.call('open', model, { signal });
    const write = async (picture: Picture): Promise<void> => {
      if (failure !== undefined) return;
      try {
        const written = await writeOne(picture, job, target);
        made.push(written);
        onPicture(written);
      } catch (error) {
        failure = error;
        failed.abort();
      }
    };
    try {
      await engine.call(
        'generate',
        { model, plan, chunk, steps: onProgress !== undefined },
        {
          signal: AbortSignal.any([signal, failed.signal]),
          onEvent: (event) => {
            if (event.kind === 'picture') writing = writing.then(() => write(event.picture));
            onProgress?.(progress(event));
          },
        },
      );
    } finally {
      await writing;
    }
    if (failure !== undefined) throw failure;
  } catch (error) {
    throw withCount(failure ?? error, made.length, plan.seeds.length);
  }
  return made;
}

async function writeOne(
  picture: Picture,
  job: MakeJob,
  target: Recipe['target'],
): Promise<MadePicture> {
  const { index, image: data, size, times } = picture;
  const { software, manifest, plan } = job;
  const source = job.source(index);
  const making = { software, model: manifest, target, source, decoding: plan.decoding };
  const recipe = makeRecipe(picture, making);
  const image = { width: size, height: size, data };
  const path = await job.path(index, recipe);
  const written = await writePicture(path, await encodePng(image, recipeTexts(recipe)));
  return { index, path, recipe, times, image, written };
}

/** Adds to an error that ends a batch what is safe. */
function withCount(error: unknown, whole: number, total: number): unknown {
  if (!(error instanceof StudioError) || error.field !== undefined) return error;
  const safe =
    whole === 0
      ? 'No picture had been written.'
      : `${whole} of ${total} pictures had been written; they are whole.`;
  return new StudioError(error.code, `${error.message} ${safe}`, { cause: error });
}

/** Rough parts of a picture's work; only a bar depends on them. */
const REPRESENTATION_PART = 0.25;
const TOKENS_PART = 0.65;

type Event = Methods['generate']['event'];

/** Turns events into the part of all the work that is done. */
function progressOf(count: number, chunk: number): (event: Event) => number {
  const parts = new Map<number, number>();
  let done = 0;
  let highest = 0;
  return (event) => {
    switch (event.kind) {
      case 'stage': {
        const last = Math.min(count, done + chunk);
        for (let i = done; i < last; i++) {
          parts.set(i, (REPRESENTATION_PART * event.done) / Math.max(1, event.total));
        }
        break;
      }
      case 'step': {
        const { index, step, steps } = event.report;
        parts.set(index, REPRESENTATION_PART + (TOKENS_PART * step) / steps);
        break;
      }
      case 'picture':
        parts.set(event.picture.index, 1);
        done++;
        break;
      case 'represented':
      case 'preview':
        break;
    }
    const sum = parts.values().reduce((total, part) => total + part, 0);
    highest = Math.max(highest, Math.min(1, sum / count));
    return highest;
  };
}
