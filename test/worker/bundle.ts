import { createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Manifest, NetworkKind } from '#bundle/manifest';
import { MANIFEST_FILE } from '#bundle/reader';
import { bundleFiles, finishManifest, type BundleNetwork, type WrittenFile } from '#bundle/writer';
import { readFloat32 } from '#checkpoint/convert';
import type { StateDict } from '#checkpoint/types';
import { TINY, syntheticNetworks } from './synthetic.ts';

const SETTINGS = {
  rdmSteps: 10,
  eta: 1,
  steps: 4,
  guidance: 1,
  schedule: 'linear',
  temperature: 1,
} as const;
const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');

/**
 * Writes a bundle of untrained networks into a folder, and returns its manifest.
 * @param spoilt the weight whose last number is to be NaN
 */
export async function writeBundle(
  folder: string,
  configs: Manifest['networks'] = TINY,
  spoilt?: { readonly kind: NetworkKind; readonly name: string },
): Promise<Manifest> {
  const weights = syntheticNetworks(configs);
  const networks = (Object.keys(configs) as NetworkKind[]).flatMap((kind): BundleNetwork[] => {
    const config = configs[kind];
    const sound = weights[kind];
    const tensors = sound && kind === spoilt?.kind ? spoil(sound, spoilt.name) : sound;
    return config && tensors ? [{ kind, config, weights: tensors, source: 'synthetic' }] : [];
  });
  const content = {
    id: 'tiny',
    title: { en: 'Tiny' },
    unconditionalClass: null,
    recommended: SETTINGS,
    preview: SETTINGS,
    networks,
    classes: [],
    licences: [],
  };
  await mkdir(folder, { recursive: true });
  const files: WrittenFile[] = [];
  for (const file of bundleFiles(content)) {
    const handle = await open(path.join(folder, file.path), 'w');
    const hash = createHash('sha256');
    for await (const chunk of file.chunks()) {
      hash.update(chunk);
      await handle.write(chunk);
    }
    await handle.close();
    files.push({ path: file.path, size: file.size, sha256: hash.digest('hex') });
  }
  const sources = new Map([['synthetic', 0]]);
  const manifest = finishManifest(content, { files, sources, sha256 });
  await writeFile(path.join(folder, MANIFEST_FILE), JSON.stringify(manifest));
  return manifest;
}

function spoil(weights: StateDict, name: string): StateDict {
  const tensor = weights.get(name);
  if (!tensor) throw new Error(`there is no ${name} to spoil`);
  const chunks = async function* () {
    const values = await readFloat32(tensor);
    values[values.length - 1] = Number.NaN;
    yield new Uint8Array(values.buffer);
  };
  return new Map([...weights, [name, { ...tensor, chunks }]]);
}
