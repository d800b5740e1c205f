import { extname, join } from 'node:path';
import { LIMITS } from '#api/recipe';
import { mix } from '#engine/interpolate';
import { makeFolder } from '#pictures/files';
import { checkOurs, encodePng, writePicture, type Written } from '#pictures/pictures';
import { SOFTWARE_KEYWORD } from '#pictures/png';
import { joinStrip } from '#pictures/strip';
import { modelRef, type Studio } from '../studio.ts';
import { readEndpoint, representationOf, type Endpoint } from './endpoint.ts';
import { makePictures, type MakeOptions } from './make.ts';
import { oneOf, wholeNumber, type Given } from './numbers.ts';
import { givenPlan, planGenerate, type GenerateRequest } from './plan.ts';

/** A request for the pictures between two ends: each a picture, an .npy file or a seed. */
export interface PathRequest extends Omit<GenerateRequest, 'count'> {
  readonly from: string;
  readonly to: string;
  readonly model: string;
  readonly out: string;
  readonly frames: Given;
  readonly mode: string;
}

/** The picture of all frames side by side. */
export interface Strip {
  readonly file: string;
  readonly frames: number;
  readonly written: Written;
}

/** Makes the frames of an interpolation, both ends included, and a strip of them. */
export async function makePath(
  studio: Studio,
  request: PathRequest,
  options: MakeOptions,
): Promise<Strip> {
  const frames = wholeNumber('frames', request.frames, LIMITS.frames);
  const mode = oneOf('mode', request.mode, ['slerp', 'lerp']);
  const model = await studio.library.find(request.model);
  const { manifest } = model;
  const a = await readEndpoint(request.from, manifest);
  const b = await readEndpoint(request.to, manifest);
  const drawn = a.kind === 'seed' || b.kind === 'seed';
  const one = planGenerate(request, {
    manifest,
    newSeed: studio.newSeed,
    source: drawn ? 'sample' : 'given',
  });
  // All frames share one seed: they differ by their representations only.
  const settings = { ...one, seeds: Array.from({ length: frames }, () => one.seeds[0] ?? 0) };

  await makeFolder(request.out, 'out');
  const stem = join(request.out, `${fileNameOf(a)}-to-${fileNameOf(b)}`);
  const digits = Math.max(2, String(frames).length);
  const path = (i: number) => `${stem}-${String(i + 1).padStart(digits, '0')}.png`;
  const strip = `${stem}-strip.png`;
  for (const file of [...settings.seeds.keys().map(path), strip]) await checkOurs(file);

  const ref = modelRef(studio, model, settings.target);
  const how = { model: ref, drawing: settings, signal: options.signal };
  const first = await representationOf(a, studio.engine, how);
  const last = await representationOf(b, studio.engine, how);
  const at = (i: number) => i / (frames - 1);
  const job = {
    manifest,
    path,
    model: ref,
    plan: givenPlan(
      settings,
      settings.seeds.map((_, i) => mix({ from: first, to: last, mode }, at(i))),
    ),
    chunk: settings.chunk,
    software: studio.software,
    source: (i: number) =>
      ({
        kind: 'interpolation',
        from: a.name,
        to: b.name,
        mode,
        at: at(i),
      }) as const,
  };
  const made = await makePictures(studio.engine, job, options);
  const image = joinStrip(made.map((picture) => picture.image));
  const texts = [{ keyword: SOFTWARE_KEYWORD, text: studio.software }];
  return { file: strip, frames, written: await writePicture(strip, await encodePng(image, texts)) };
}

/** An end's part of a file name: short, and without what file systems mind. */
function fileNameOf(end: Endpoint): string {
  const name = end.name.slice(0, end.name.length - extname(end.name).length);
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 40);
}
