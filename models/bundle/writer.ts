import { writeSafetensors } from '#checkpoint/safetensors';
import type { StateDict } from '#checkpoint/types';
import type { Manifest, NetworkKind } from './manifest.ts';
import { weightsFile } from './reader.ts';

/** A network as it goes into a bundle. */
export interface BundleNetwork {
  readonly kind: NetworkKind;
  readonly config: NonNullable<Manifest['networks'][NetworkKind]>;
  /** Canonical names in the order of the weight table. */
  readonly weights: StateDict;
  /** Name of the file it was taken from. */
  readonly source: string;
}

/** Everything about a bundle but its bytes. */
export interface BundleContent extends Pick<
  Manifest,
  'id' | 'title' | 'unconditionalClass' | 'recommended' | 'preview'
> {
  readonly networks: readonly BundleNetwork[];
  readonly classes: readonly Manifest['classes'][number][];
  readonly licences: readonly Manifest['licences'][number][];
}

/** A file of a bundle, yet to be written. */
export interface BundleFile {
  readonly path: string;
  readonly kind: NetworkKind;
  /** Bytes that `chunks` will yield. */
  readonly size: number;
  /** The content, in pieces of a MiB or so. Can be asked for once. */
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** A file that has been written. */
export type WrittenFile = Manifest['files'][number];

/** Hashes text as UTF-8, to 64 lower-case hexadecimal digits. */
type Sha256 = (text: string) => string;

/** Networks stand in this order in every bundle. */
const ORDER: readonly NetworkKind[] = ['encoder', 'rdm', 'mage', 'vqgan'];

/** The weight files of a bundle, one a network. Who writes and hashes them is the caller's affair. */
export function bundleFiles(content: Pick<BundleContent, 'networks'>): readonly BundleFile[] {
  return ordered(content).map(({ kind, weights }) => {
    const { size, chunks } = writeSafetensors(weights);
    return { path: weightsFile(kind), kind, size, chunks };
  });
}

/** What only the written files tell. */
export interface WrittenBundle {
  /** Every file of the bundle but the manifest. */
  readonly files: readonly WrittenFile[];
  /** Sizes of the imported files, by name. */
  readonly sources: ReadonlyMap<string, number>;
  readonly sha256: Sha256;
}

/** The manifest of a bundle whose other files have been written. */
export function finishManifest(content: BundleContent, written: WrittenBundle): Manifest {
  const { sha256 } = written;
  const { id, title, classes, unconditionalClass, recommended, preview, licences } = content;
  const hashOf = (kind: NetworkKind): string => {
    const file = written.files.find(({ path }) => path === weightsFile(kind));
    if (!file) throw new Error(`${weightsFile(kind)} was not written`);
    return file.sha256;
  };
  const networks: Manifest['networks'] = Object.fromEntries(
    ordered(content).map(({ kind, config }) => [kind, config]),
  );
  const sources = [...written.sources].flatMap(([name, size]) => {
    const taken = ordered(content).filter(({ source }) => source === name);
    if (taken.length === 0) return [];
    const parts = taken.map(({ kind }) => ({ kind, weights: hashOf(kind) }));
    return [{ name, size, digest: sha256(canonicalJson(parts)) }];
  });
  return {
    format: 'rcg-studio-bundle',
    version: 1,
    id,
    title,
    hash: bundleHash(networks, written),
    networks,
    unconditionalClass,
    classes: [...classes],
    recommended,
    preview,
    licences: [...licences],
    sources,
    files: [...written.files],
  };
}

/**
 * What recipes call a model by: SHA-256 over the configuration and the weight hash of each network.
 * Titles, settings and licences may change without making it another model.
 */
export function bundleHash(
  networks: Manifest['networks'],
  written: Pick<WrittenBundle, 'files' | 'sha256'>,
): string {
  const parts = Object.entries(networks).map(([kind, config]) => {
    const path = weightsFile(kind as NetworkKind);
    const weights = written.files.find((file) => file.path === path)?.sha256 ?? '';
    return [kind, { config, weights }] as const;
  });
  return written.sha256(canonicalJson(Object.fromEntries(parts)));
}

/**
 * JSON with the fields of every object sorted, so that equal values give equal text.
 * @internal
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    const fields = Object.entries(inner);
    return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

function ordered(content: Pick<BundleContent, 'networks'>): readonly BundleNetwork[] {
  return [...content.networks].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}
