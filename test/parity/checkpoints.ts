import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { openWeights, weightsFile } from '#bundle/reader';
import { openCheckpoint } from '#checkpoint/open';
import { readFloat32 } from '#checkpoint/convert';
import type { StateDict, StoredTensor } from '#checkpoint/types';
import { recognise } from '#importer/recognise';
import type { FoundPart } from '#importer/recognise';
import { fileSource } from '#worker/files';
import type { FileSource } from '#worker/files';
import { importBundle } from '#worker/importing';
import { storedTensor, writeTorchZip } from '../helpers/torch-stream.ts';
import { largestDifference } from './compare.ts';
import type { Fixture, FixtureConfig } from './fixture.ts';
import { formulaTensors, readFormula } from './formula.ts';
import type { Formula } from './formula.ts';
import { scheduleBuffers } from './schedule-buffers.ts';

/** Where an import's files go, and how it says what it does. */
export interface ImportOptions {
  /** Scratch folder; the bundle becomes a folder in it. */
  readonly scratch: string;
  readonly onProgress: (message: string) => void;
}

/**
 * Imports a fixture's checkpoints with the product's importer. Weights from a formula are written
 * as PyTorch files of the official layout first.
 * @returns folder of the bundle
 */
export async function importFixture(fixture: Fixture, options: ImportOptions): Promise<string> {
  const { scratch, onProgress } = options;
  const written = join(scratch, 'checkpoints');
  const files = fixture.formula
    ? await writeFormula(fixture.folder, written, onProgress)
    : fixture.checkpoints;
  onProgress(`importing ${files.map((file) => basename(file)).join(', ')}`);
  const library = join(scratch, 'library');
  let spoke = performance.now();
  const { id } = await importBundle(
    { files, recipe: recipeOf(fixture.config), attachments: [], id: null, library },
    {
      onProgress: ({ done, total, file }) => {
        // A word a second: the importer speaks for every tensor.
        if (performance.now() - spoke < 1000) return;
        spoke = performance.now();
        onProgress(`importing ${file}: ${Math.floor((100 * done) / Math.max(1, total))} %`);
      },
    },
  );
  await rm(written, { recursive: true, force: true });
  return join(library, id);
}

/** What shapes cannot tell of a fixture's networks. */
function recipeOf({ derived, encoder, mage, vqgan }: FixtureConfig): unknown {
  return {
    name: 'parity',
    image_size: derived.image_size,
    grid: derived.grid,
    encoder: { heads: encoder.heads, image_size: derived.encoder_input },
    mage: { heads: mage.heads, dec_heads: mage.dec_heads, codebook: vqgan.n_embed },
  };
}

/** mage.pth and rdm.pth as the training scripts save them, with the passengers that they carry. */
async function writeFormula(
  folder: string,
  target: string,
  onProgress: (message: string) => void,
): Promise<readonly string[]> {
  const formula = await readFormula(folder);
  await mkdir(target, { recursive: true });
  const passenger = (group: string): StateDict =>
    formulaTensors(formula, group, prefixOf(formula, group));
  const files: Readonly<Record<string, StateDict>> = {
    'mage.pth': new Map([
      ...formulaTensors(formula, 'mage'),
      ...passenger('encoder'),
      ...passenger('vqgan'),
    ]),
    'rdm.pth': new Map([
      ...bufferTensors(),
      ...formulaTensors(formula, 'rdm'),
      ...passenger('encoder'),
    ]),
  };
  for (const [name, model] of Object.entries(files)) {
    onProgress(`writing ${name} from its formula`);
    await writeTorchZip(join(target, name), { model });
  }
  return Object.keys(files).map((name) => join(target, name));
}

function prefixOf(formula: Formula, group: string): string {
  const prefix = formula[group]?.prefix_in_mage_file;
  if (prefix === undefined) throw new Error(`weights.json gives no prefix for ${group}`);
  return prefix;
}

/** The noise-schedule buffers of an RDM file, which weights.json does not list. */
function bufferTensors(): StateDict {
  return new Map(
    Object.entries(scheduleBuffers()).map(([name, values]): [string, StoredTensor] => [
      name,
      storedTensor(
        { name, dtype: 'float32', shape: [values.length] },
        new Uint8Array(values.buffer),
      ),
    ]),
  );
}

/** How a network in one of the files compares with the one in the bundle. */
export interface Agreement {
  /** `mocov3.pth.tar: encoder` */
  readonly what: string;
  /** Largest difference of any weight; NaN where names or shapes differ. */
  readonly error: number;
  readonly tensors: number;
  /** Whether the bundle leaves the encoder's projection head aside. */
  readonly headUnused: boolean;
}

/** How the weights of a projection head begin. */
const HEAD = 'head.';

/**
 * Compares every network that a fixture's files hold with the bundle's. A bundle takes each from one
 * file only, and the other files, written in other ways, must read the same.
 */
export async function compareFiles(
  checkpoints: readonly string[],
  bundle: string,
): Promise<readonly Agreement[]> {
  const found: Agreement[] = [];
  for (const path of checkpoints) {
    const source = await fileSource(path);
    try {
      const { parts } = await recognise(await openCheckpoint(source, { crc32 }));
      for (const part of parts) {
        const stored = await fileSource(join(bundle, weightsFile(part.kind)));
        found.push(await compareParts(part, stored).finally(() => stored.close()));
      }
    } finally {
      await source.close();
    }
  }
  return found;
}

async function compareParts(part: FoundPart, stored: FileSource): Promise<Agreement> {
  const what = `${part.file}: ${part.kind}`;
  const weights = await openWeights(stored);
  // A MAGE that was trained without the projection takes the feature before it (spec 2.5).
  const hasHead = (names: Iterable<string>) => [...names].some((name) => name.startsWith(HEAD));
  const headUnused =
    part.kind === 'encoder' && hasHead(part.weights.keys()) && !hasHead(weights.keys());
  const expected = [...part.weights].filter(([name]) => !headUnused || !name.startsWith(HEAD));
  const agreement = { what, tensors: expected.length, headUnused };
  if (expected.length !== weights.size) return { ...agreement, error: NaN };
  let error = 0;
  for (const [name, tensor] of expected) {
    const twin = weights.get(name);
    if (!twin || twin.shape.join() !== tensor.shape.join()) return { ...agreement, error: NaN };
    error = Math.max(error, largestDifference(await readFloat32(tensor), await readFloat32(twin)));
  }
  return { ...agreement, error };
}
