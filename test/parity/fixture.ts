import { readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { checkpointFiles } from './checkpoint-files.ts';
import { readJson } from './json.ts';
import { readNpy } from './npy.ts';
import type { NpyArray } from './npy.ts';

const decodeRun = z.object({
  batch: z.int().positive(),
  num_iter: z.int().positive(),
  temp: z.number(),
  cfg: z.number(),
  rdm_steps: z.int().positive(),
  eta: z.number(),
});
export type DecodeRun = z.infer<typeof decodeRun>;

/** Recordings of other networks than MAGE say which one draws the pixels. */
const generatorSchema = z.object({ generator: z.string() });

/** The parts of config.json that a replay needs; the rest is for people. */
const networksSchema = z.object({
  encoder: z.object({ heads: z.int().positive() }),
  mage: z.object({ heads: z.int().positive(), dec_heads: z.int().positive() }),
  vqgan: z.object({ n_embed: z.int().positive() }),
  derived: z.object({
    grid: z.int().positive(),
    image_size: z.int().positive(),
    encoder_input: z.int().positive(),
  }),
  decode_runs: z.array(decodeRun),
});
export type FixtureConfig = z.infer<typeof networksSchema>;

/** The same, with the runs as they were asked for where config.json does not list those recorded. */
const configSchema = z
  .looseObject({ decode_runs: z.unknown().optional(), decode: z.unknown().optional() })
  .transform(({ decode_runs, decode, ...rest }) => ({
    ...rest,
    decode_runs: decode_runs ?? decode ?? [],
  }))
  .pipe(networksSchema);

/** A folder of recorded arrays, read one at a time. */
export interface Fixture {
  readonly folder: string;
  readonly config: FixtureConfig;
  /** Names in arrays/, without the suffix, sorted. */
  readonly names: readonly string[];
  /** Checkpoint files, absolute; empty when the weights come from a formula. */
  readonly checkpoints: readonly string[];
  /** Whether the weights come from weights.json. */
  readonly formula: boolean;
  has(name: string): boolean;
  /** @throws Error when there is no such array. */
  read(name: string): Promise<NpyArray>;
}

/**
 * Opens a fixture folder.
 * @throws Error when it is not one, naming what is missing.
 */
export async function openFixture(folder: string): Promise<Fixture> {
  const config = parseConfig(folder, await readJson(join(folder, 'config.json')));
  const files = await readdir(join(folder, 'arrays'));
  // Copying from a Mac leaves a hidden ._x.npy beside x.npy.
  const names = files
    .flatMap((file) => (/^[^.].*\.npy$/.test(file) ? [file.slice(0, -4)] : []))
    .sort();
  const known = new Set(names);
  const weights = join(folder, 'checkpoints');
  const checkpoints = existsSync(weights) ? await checkpointFiles(weights) : [];
  const formula = existsSync(join(folder, 'weights.json'));
  if (checkpoints.length === 0 && !formula) {
    throw new Error(`${folder} has neither checkpoints/ nor weights.json`);
  }
  return {
    folder,
    config,
    names,
    checkpoints,
    formula: checkpoints.length === 0,
    has: (name) => known.has(name),
    read: (name) => readNpy(join(folder, 'arrays', `${name}.npy`)),
  };
}

/** config.json, or a sentence on what is wrong with it. */
function parseConfig(folder: string, value: unknown): FixtureConfig {
  const other = generatorSchema.safeParse(value).data?.generator;
  if (other !== undefined && other.toLowerCase() !== 'mage') {
    throw new Error(
      `${basename(folder)} was recorded with the pixel generator ${other.toUpperCase()}, which ` +
        'RCG Studio does not run: it draws pictures with MAGE only.',
    );
  }
  const { data, error } = configSchema.safeParse(value);
  if (data) return data;
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`config.json cannot be used: ${problems.join('; ')}`);
}
