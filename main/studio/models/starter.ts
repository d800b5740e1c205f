import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MANIFEST_FILE, MAX_MANIFEST_BYTES, readManifest } from '#bundle/reader';
import { fileError, makeFolder, readWhole } from '#pictures/files';
import type { Methods } from '#worker/protocol';
import type { Engine } from '../studio.ts';
import { planImport } from './imports.ts';

/** The files of a starter folder; MAGE's file carries the encoder and the tokenizer too. */
const CHECKPOINTS = ['mage.pth', 'rdm.pth'];

export interface StarterOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (event: Methods['import']['event']) => void;
}

/**
 * Rebuilds a shipped bundle from a folder of checkpoints: imports beside it, then replaces the files
 * that an import writes. Files written by hand (licence, training scripts) stay as they are.
 */
export async function buildStarter(
  engine: Engine,
  { from, bundle }: { readonly from: string; readonly bundle: string },
  { signal, onProgress }: StarterOptions,
): Promise<Methods['import']['result']> {
  await makeFolder(bundle);
  const id = basename(bundle);
  const named = {
    files: CHECKPOINTS.map((name) => join(from, name)),
    recipe: join(from, 'recipe.json'),
    card: join(from, 'CARD.md'),
    statistics: join(from, 'statistics.safetensors'),
    id,
  };
  const temporary = await mkdtemp(join(dirname(resolve(bundle)), '.starter-'));
  try {
    const request = await planImport(named, temporary);
    const result = await engine.call('import', request, { signal, onEvent: onProgress });
    await replaceGenerated(join(temporary, result.id), bundle);
    return result;
  } catch (error) {
    throw fileError(error, 'rebuild', bundle);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The manifest goes last: until then the old one is there and its hashes tell that it is stale. */
async function replaceGenerated(fresh: string, bundle: string): Promise<void> {
  const names = await readdir(fresh);
  const old = await generatedFiles(bundle);
  for (const name of names.filter((one) => one !== MANIFEST_FILE)) {
    await rename(join(fresh, name), join(bundle, name));
  }
  await rename(join(fresh, MANIFEST_FILE), join(bundle, MANIFEST_FILE));
  for (const name of old) {
    if (!names.includes(name)) await rm(join(bundle, name), { force: true });
  }
}

/** Files that the bundle's present manifest lists; none when there is no sound one. */
async function generatedFiles(bundle: string): Promise<readonly string[]> {
  try {
    const bytes = await readWhole(join(bundle, MANIFEST_FILE), MAX_MANIFEST_BYTES);
    return readManifest(new TextDecoder().decode(bytes)).files.map((file) => file.path);
  } catch {
    return [];
  }
}
