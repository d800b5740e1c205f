import { basename, dirname, extname, join } from 'node:path';
import { StudioError } from '#api/errors';
import { makeFolder, readWhole, systemCode, writeAtomic } from '#pictures/files';
import { isNpy, MAX_NPY_BYTES, parseNpy, tokensOf, writeNpy } from '#pictures/npy';
import { checkOurs, encodePng, readPicture, readPngText, writePicture } from '#pictures/pictures';
import type { Written } from '#pictures/pictures';
import { SOFTWARE_KEYWORD, type Text } from '#pictures/png';
import { noRecipe, parseRecipe, recipeTexts, recipeTokens } from '#pictures/recipe';
import type { RgbImage } from '#worker/protocol';
import type { InstalledModel } from '../models/installed.ts';
import { modelRef, type Studio } from '../studio.ts';
import { planTarget, requireNetworks } from './plan.ts';

/** Pictures that cross to the engine together, and their bytes. */
const BATCH = 8;
const BATCH_BYTES = 1 << 26;

export interface EncodeRequest {
  readonly files: readonly string[];
  readonly model: string;
  readonly target?: string | undefined;
  /** .npy file to write. */
  readonly out: string;
}

export interface EncodeOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Writes the representations of pictures, one a row, and resolves with the array's shape. */
export async function encodeFiles(
  studio: Studio,
  { files, model: id, target, out }: EncodeRequest,
  { signal, onProgress }: EncodeOptions,
): Promise<readonly [number, number]> {
  const model = await studio.library.find(id);
  requireNetworks(model.manifest, ['encoder']);
  const ref = modelRef(studio, model, planTarget(target));
  const length = model.manifest.networks.encoder?.representation ?? 0;
  await checkPlace(out, [files.length, length]);
  const rows: Float32Array[] = [];
  let batch: RgbImage[] = [];
  let bytes = 0;
  for (const [i, file] of files.entries()) {
    const image = await readPicture(file);
    batch.push(image);
    bytes += image.data.length;
    if (batch.length < BATCH && bytes < BATCH_BYTES && i < files.length - 1) continue;
    // Made only once there is something to put into it, and before the long work.
    if (rows.length === 0) await makeFolder(dirname(out), 'out');
    const request = { model: ref, images: batch };
    rows.push(...(await studio.engine.call('encode', request, { signal })).representations);
    onProgress?.(rows.length);
    batch = [];
    bytes = 0;
  }
  const values = new Float32Array(rows.length * length);
  rows.forEach((row, i) => values.set(row, i * length));
  await writeNew(out, writeNpy([rows.length, length], values));
  return [rows.length, length];
}

/**
 * Refuses, before the long work, a name where another file lies. An array of the same shape may turn
 * out to be the same one.
 */
async function checkPlace(path: string, shape: readonly number[]): Promise<void> {
  const there = await present(path);
  if (there === undefined) return;
  try {
    if (parseNpy(there, path).shape.join() === shape.join()) return;
  } catch {
    // Not an array that we can read, so not ours.
  }
  throw inTheWay(path);
}

/** Writes a file unless another one is there; the same bytes may be. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const before = await present(path);
  if (before === undefined) await writeAtomic(path, bytes);
  else if (!Buffer.from(bytes).equals(before)) throw inTheWay(path);
}

async function present(path: string): Promise<Uint8Array | undefined> {
  return readWhole(path, MAX_NPY_BYTES).catch((error: unknown) => {
    if (error instanceof StudioError && systemCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  });
}

function inTheWay(path: string): StudioError {
  return new StudioError(
    'file-unavailable',
    `${path} is already there with other content; move it away, or choose another name with --out.`,
    { field: 'out' },
  );
}

export interface DecodeRequest {
  /** A PNG of ours, or an .npy of token ids. */
  readonly file: string;
  /** By default the model that made the PNG, or the starter. */
  readonly model?: string | undefined;
  readonly target?: string | undefined;
  /** Folder to write to. */
  readonly out: string;
}

export interface DecodeOptions {
  readonly signal: AbortSignal;
  readonly onFile: (file: string, written: Written) => void;
}

/** Makes the pictures of recorded tokens: `<name>-decoded.png`, numbered when there are several. */
export async function decodeFile(
  studio: Studio,
  { file, model: id, target, out }: DecodeRequest,
  { signal, onFile }: DecodeOptions,
): Promise<void> {
  const resolved = planTarget(target);
  const { model, grids, texts } = await readTokens(studio, file, id);
  requireNetworks(model.manifest, ['vqgan']);
  await makeFolder(out, 'out');
  const digits = String(grids.length).length;
  const stem = join(out, `${basename(file, extname(file))}-decoded`);
  const pathOf = (i: number) =>
    grids.length === 1 ? `${stem}.png` : `${stem}-${String(i + 1).padStart(digits, '0')}.png`;
  for (const i of grids.keys()) await checkOurs(pathOf(i));
  const ref = modelRef(studio, model, resolved);
  for (let from = 0; from < grids.length; from += BATCH) {
    const request = { model: ref, tokens: grids.slice(from, from + BATCH) };
    const { images } = await studio.engine.call('decode', request, { signal });
    for (const [i, image] of images.entries()) {
      const path = pathOf(from + i);
      onFile(path, await writePicture(path, await encodePng(image, texts)));
    }
  }
}

interface Tokens {
  readonly model: InstalledModel;
  readonly grids: readonly Int32Array[];
  /** What the pictures are to carry. */
  readonly texts: readonly Text[];
}

async function readTokens(
  { library, software }: Studio,
  file: string,
  id: string | undefined,
): Promise<Tokens> {
  const name = basename(file);
  const png = await readPngText(file);
  if (png !== null) {
    if (png.recipe === null) throw noRecipe(name);
    const recipe = parseRecipe(png.recipe, name);
    const model = await (id === undefined ? library.findMaker(recipe.model) : library.find(id));
    const tokens = Float64Array.from(recipeTokens(recipe));
    const array = { type: '<u2', shape: [tokens.length], data: tokens };
    const grids = tokensOf(array, sizesOf(model), name);
    // Pixels of another model's are not what the recipe makes.
    const isMaker = model.manifest.hash === recipe.model.hash;
    return { model, grids, texts: isMaker ? recipeTexts(recipe) : softwareTexts(software) };
  }
  const bytes = await readWhole(file, MAX_NPY_BYTES);
  if (!isNpy(bytes)) {
    throw new StudioError(
      'invalid-request',
      `${name} is neither a PNG nor an .npy file; give one of them.`,
    );
  }
  const model = await library.find(id ?? 'starter');
  const grids = tokensOf(parseNpy(bytes, name), sizesOf(model), name);
  return { model, grids, texts: softwareTexts(software) };
}

const softwareTexts = (software: string): readonly Text[] => [
  { keyword: SOFTWARE_KEYWORD, text: software },
];

/** A tokenizer without MAGE does not say how many tokens a picture has: 16 × 16 in every RCG. */
function sizesOf({ manifest }: InstalledModel): { tokens: number; codes: number } {
  const { mage, vqgan } = manifest.networks;
  return { tokens: mage?.tokens ?? 256, codes: vqgan?.codes ?? mage?.codes ?? 0 };
}
