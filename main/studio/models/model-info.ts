import { join } from 'node:path';
import type { ModelInfo } from '#api/models';
import { aboutNetwork, pictureSide } from '#bundle/about';
import type { Manifest, NetworkKind } from '#bundle/manifest';
import { readWhole } from '#pictures/files';
import type { LibraryEntry } from './installed.ts';

const KINDS = ['encoder', 'rdm', 'mage', 'vqgan'] as const satisfies readonly NetworkKind[];
const CARD = 'CARD.md';
const MAX_CARD_BYTES = 1 << 20;

/** What a model that cannot be read would recommend: nothing runs with it. */
const NO_SETTINGS = {
  rdmSteps: 1,
  eta: 1,
  steps: 1,
  guidance: 0,
  schedule: 'none',
  temperature: 0,
} as const;

/** A bundle as windows show it. */
export async function modelInfo(entry: LibraryEntry): Promise<ModelInfo> {
  const { id, shipped, folder } = entry;
  if (entry.state === 'damaged') {
    return {
      id,
      title: { en: id },
      state: 'damaged',
      problem: entry.problem,
      verified: null,
      folder,
      shipped,
      hash: '',
      bytes: 0,
      imageSize: 0,
      classes: [],
      unconditionalClass: null,
      parts: KINDS.map((kind) => ({ kind, present: false, about: null, sha256: null, bytes: 0 })),
      recommended: NO_SETTINGS,
      preview: NO_SETTINGS,
      licences: [],
      card: null,
    };
  }
  const { manifest } = entry;
  const parts = KINDS.map((kind) => partInfo(manifest, kind));
  return {
    id,
    title: manifest.title,
    state: parts.every((part) => part.present) ? 'ready' : 'incomplete',
    problem: null,
    verified: entry.verdict && { at: entry.verdict.at, problems: entry.verdict.problems },
    folder,
    shipped,
    hash: manifest.hash,
    bytes: manifest.files.reduce((sum, file) => sum + file.size, 0),
    imageSize: imageSize(manifest),
    // Classes mean something only to an RDM that knows them.
    classes: classNames(manifest),
    unconditionalClass: manifest.unconditionalClass,
    parts,
    recommended: manifest.recommended,
    preview: manifest.preview,
    licences: manifest.licences,
    card: await readCard(folder),
  };
}

/** Names of the labels that the RDM knows; a label without a name is called by its index. */
function classNames({ networks, classes }: Manifest): ModelInfo['classes'] {
  const labels = networks.rdm?.classes ?? 0;
  return Array.from({ length: labels }, (_, index) => classes[index] ?? { en: String(index) });
}

function partInfo(manifest: Manifest, kind: (typeof KINDS)[number]): ModelInfo['parts'][number] {
  const file = manifest.files.find(({ path }) => path === `${kind}.safetensors`);
  return {
    kind,
    present: manifest.networks[kind] !== undefined,
    about: aboutNetwork(manifest.networks, kind),
    sha256: file?.sha256 ?? null,
    bytes: file?.size ?? 0,
  };
}

function imageSize({ networks: { vqgan, mage } }: Manifest): number {
  return vqgan === undefined ? 0 : pictureSide(vqgan, mage?.tokens);
}

function readCard(folder: string): Promise<string | null> {
  return readWhole(join(folder, CARD), MAX_CARD_BYTES).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => null,
  );
}
