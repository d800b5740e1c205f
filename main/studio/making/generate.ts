import { lstat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { StudioError } from '#api/errors';
import { LIMITS, type Recipe, type RecipeSource } from '#api/recipe';
import { makeFolder } from '#pictures/files';
import { checkReplaceable, readPicture, readPngText } from '#pictures/pictures';
import { parseRecipe } from '#pictures/recipe';
import type { RgbImage } from '#worker/protocol';
import { modelRef, type Studio } from '../studio.ts';
import type { InstalledModel } from '../models/installed.ts';
import { readRepresentations } from './endpoint.ts';
import { makePictures, type MadePicture, type MakeJob, type MakeOptions } from './make.ts';
import { givenPlan, planGenerate, requireNetworks, samplePlan } from './plan.ts';
import type { GenerateRequest, GenerateSettings } from './plan.ts';

/** A request for picture files. */
export interface GenerateFiles extends GenerateRequest {
  readonly model: string;
  /** Folder to write to. */
  readonly out: string;
  /** Picture to take the representation from. */
  readonly fromImage?: string | undefined;
  /** .npy file to take representations from. */
  readonly representation?: string | undefined;
}

/**
 * Makes pictures and writes them as `<model>-<seed>.png`, numbered where the same seed has made
 * another picture there. Everything that can be wrong with the
 * request is found before the engine is asked for anything.
 */
export async function generate(
  studio: Studio,
  request: GenerateFiles,
  options: MakeOptions,
): Promise<readonly MadePicture[]> {
  const { fromImage, representation, out } = request;
  if (fromImage !== undefined && representation !== undefined) {
    throw new StudioError('invalid-request', 'Give from-image or representation, not both.', {
      field: 'representation',
    });
  }
  const model = await studio.library.find(request.model);
  const { manifest } = model;
  const rows = representation && (await readRepresentations(representation, manifest));
  if (rows && rows.length > LIMITS.count.max && request.count === undefined) {
    throw new StudioError(
      'invalid-request',
      `${basename(representation)} holds ${rows.length} representations, and at most ${LIMITS.count.max} ` +
        'pictures are made at once; say with --count how many of them to use.',
      { field: 'count' },
    );
  }
  const settings = planGenerate(request, {
    manifest,
    newSeed: studio.newSeed,
    source: fromImage === undefined && !rows ? 'sample' : 'given',
    ...(rows ? { count: rows.length } : {}),
  });
  if (fromImage !== undefined) requireNetworks(manifest, ['encoder']);

  // Read before a folder is made for what cannot be.
  const image = fromImage === undefined ? undefined : await readPicture(fromImage);
  await makeFolder(out, 'out');
  const path = (index: number) => join(out, `${model.id}-${settings.seeds[index] ?? index}.png`);
  for (const [index, seed] of settings.seeds.entries()) {
    await checkReplaceable(path(index), ({ recipe }) => recipeOf(recipe)?.seed === seed);
  }
  const what = rows
    ? given(settings, rows, { kind: 'representation', name: basename(representation) })
    : fromImage === undefined || image === undefined
      ? sampled(settings)
      : given(settings, await encodeOne(studio, model, { settings, image, options }), {
          kind: 'picture',
          name: basename(fromImage),
        });
  return makePictures(
    studio.engine,
    {
      ...what,
      manifest,
      path: (index, recipe) => freeName(path(index), recipe),
      model: modelRef(studio, model, settings.target),
      chunk: settings.chunk,
      software: studio.software,
    },
    options,
  );
}

type What = Pick<MakeJob, 'plan' | 'source'>;

function sampled(settings: GenerateSettings): What {
  const { rdmSteps, eta, label } = settings;
  return {
    plan: samplePlan(settings),
    source: () => ({ kind: 'sample', rdmSteps, eta, label }),
  };
}

function given(
  settings: GenerateSettings,
  rows: readonly Float32Array[],
  source: RecipeSource,
): What {
  return { plan: givenPlan(settings, rows), source: () => source };
}

async function encodeOne(
  studio: Studio,
  model: InstalledModel,
  from: { settings: GenerateSettings; image: RgbImage; options: MakeOptions },
): Promise<readonly Float32Array[]> {
  const { settings, image, options } = from;
  const { representations } = await studio.engine.call(
    'encode',
    { model: modelRef(studio, model, settings.target), images: [image] },
    { signal: options.signal },
  );
  return representations;
}

/** The recipe of a text, or undefined when it is none that we can read. */
function recipeOf(text: string | null): Recipe | undefined {
  try {
    return text === null ? undefined : parseRecipe(text, '');
  } catch {
    return undefined;
  }
}

/** The first of `name.png`, `name-2.png`, … where nothing is, or this very picture. */
async function freeName(path: string, recipe: Recipe): Promise<string> {
  const stem = path.slice(0, -extname(path).length);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? path : `${stem}-${number}${extname(path)}`;
    if (await mayHold(name, recipe)) return name;
  }
}

async function mayHold(path: string, recipe: Recipe): Promise<boolean> {
  // A folder that is gone is found out by the writing.
  if ((await lstat(path).catch(() => undefined)) === undefined) return true;
  const texts = await readPngText(path).catch(() => null);
  const there = recipeOf(texts?.recipe ?? null);
  // Whichever version of the program wrote it.
  return isDeepStrictEqual({ ...there, software: '' }, { ...recipe, software: '' });
}
