import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
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

/** The parts of config.json that a replay needs; the rest is for people. */
const configSchema = z.object({
  encoder: z.object({ heads: z.int().positive() }),
  mage: z.object({ heads: z.int().positive(), dec_heads: z.int().positive() }),
  vqgan: z.object({ n_embed: z.int().positive() }),
  derived: z.object({
    grid: z.int().positive(),
    image_size: z.int().positive(),
    encoder_input: z.int().positive(),
  }),
  decode_runs: z.array(decodeRun).default([]),
});
export type FixtureConfig = z.infer<typeof configSchema>;

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
  const config = configSchema.parse(await readJson(join(folder, 'config.json')));
  const files = await readdir(join(folder, 'arrays'));
  const names = files.flatMap((file) => (file.endsWith('.npy') ? [file.slice(0, -4)] : [])).sort();
  const known = new Set(names);
  const weights = join(folder, 'checkpoints');
  const checkpoints = existsSync(weights)
    ? (await readdir(weights)).sort().map((file) => join(weights, file))
    : [];
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

/** A parsed JSON file. */
export async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8')) as unknown;
}
