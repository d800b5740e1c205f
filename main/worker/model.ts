import path from 'node:path';
import { StudioError } from '#api/errors';
import type { ResolvedTarget } from '#api/recipe';
import type { Manifest } from '#bundle/manifest';
import { weightsFile } from '#bundle/reader';
import type { ModelSizes, Networks } from '#engine/types';
import { BUILDER_VERSION, sizesOf, type GraphName } from '#networks/graphs';
import { compileGraph, graphsOf, type WeightsOf } from '#runtime/compile';
import { cpuFacts, resolveTarget } from '#runtime/device';
import { graphCache } from '#runtime/graph-cache';
import { openSessions, type Sessions } from '#runtime/sessions';
import { streamRange } from '#checkpoint/source';
import { fileSource, type FileSource } from './files.ts';
import { hashStream } from './hashing.ts';
import { loadManifest } from './importing.ts';
import type { ModelRef } from './protocol.ts';

/** A bundle, ready to run on one target. */
export interface Model {
  readonly manifest: Manifest;
  readonly target: ResolvedTarget;
  readonly sizes: ModelSizes;
  readonly networks: Networks;
  /** Opens those of the graphs that the bundle has. */
  prepare(graphs: readonly GraphName[]): Promise<void>;
}

/** Keeps the model that was used last, so that its sessions serve the next request too. */
export interface ModelShelf {
  /** The model of a request; another that was open gives its memory back. */
  open(ref: ModelRef): Promise<Model>;
  /** Gives back the memory of sessions; the next use opens them again. */
  rest(): Promise<void>;
}

/** An empty shelf. One model at a time: two large ones would not fit into memory. */
export function modelShelf(): ModelShelf {
  const facts = cpuFacts();
  let held:
    { readonly key: string; readonly model: Model; readonly sessions: Sessions } | undefined;
  return {
    async open(ref) {
      // Read every time: the bundle may have been removed or replaced since.
      const bundle = await openBundle(ref.bundle);
      const target = resolveTarget(ref.target, facts);
      const key = JSON.stringify([ref.bundle, ref.cache, target, bundle.manifest.hash]);
      if (held?.key === key) return held.model;
      await held?.sessions.release();
      held = undefined;
      const sessions = sessionsOf(bundle, { target, cache: ref.cache, threads: facts.cores });
      held = { key, sessions, model: modelOf(bundle.manifest, target, sessions) };
      return held.model;
    },
    async rest() {
      await held?.sessions.release();
    },
  };
}

/**
 * The manifest of a bundle folder, and its weight files. What is opened is what was imported: a
 * graph compiled from other bytes would be kept under this bundle's hash, and outlive the damage.
 */
export async function openBundle(folder: string): Promise<WeightsOf> {
  const manifest = await loadManifest(folder).catch((error: unknown) => {
    if (error instanceof StudioError && error.code === 'file-unavailable') {
      throw new StudioError(
        'model-not-found',
        `There is no model in ${folder}. See which models are installed, or import it again.`,
        { cause: error },
      );
    }
    throw error;
  });
  const checked = new Set<string>();
  return {
    manifest,
    open: async (kind) => {
      const name = weightsFile(kind);
      const source = await fileSource(path.join(folder, name), `${manifest.id}/${name}`);
      try {
        if (!checked.has(name)) await checkWeights(source, manifest, name);
      } catch (error) {
        await source.close();
        throw error;
      }
      checked.add(name);
      return source;
    },
  };
}

async function checkWeights(source: FileSource, manifest: Manifest, name: string): Promise<void> {
  const listed = manifest.files.find((file) => file.path === name);
  const damaged = (what: string): StudioError =>
    new StudioError(
      'bundle-damaged',
      `${source.name} ${what}. Remove the model and import it again.`,
    );
  if (source.size !== listed?.size) {
    throw damaged(`has ${source.size} bytes instead of ${listed?.size ?? 'none'}`);
  }
  const chunks = streamRange(source, { offset: 0, length: source.size }, source.name);
  const { sha256 } = await hashStream(chunks, {});
  if (sha256 !== listed.sha256) throw damaged('is not as it was imported: its content has changed');
}

function sessionsOf(
  bundle: WeightsOf,
  { target, cache, threads }: { target: ResolvedTarget; cache: string; threads: number },
): Sessions {
  const graphs = graphsOf(bundle.manifest);
  return openSessions({
    graphs,
    threads,
    cache: graphCache({
      root: cache,
      hash: bundle.manifest.hash,
      target,
      version: BUILDER_VERSION,
      compile: async (name, file, write) => {
        const graph = graphs.find((each) => each === name);
        if (graph === undefined) throw new RangeError(`${name} is not a graph of this model`);
        await compileGraph(bundle, { graph, weightsFile: file, target }, write);
      },
    }),
  });
}

function modelOf(manifest: Manifest, target: ResolvedTarget, sessions: Sessions): Model {
  for (const kind of ['mage', 'vqgan'] as const) {
    if (manifest.networks[kind]) continue;
    throw new StudioError(
      'network-missing',
      `The model ${manifest.id} has no ${kind} network, so it cannot make pictures. Import it again together with the file that holds it.`,
    );
  }
  const { networks } = sessions;
  return {
    manifest,
    target,
    sizes: sizesOf(manifest),
    networks,
    prepare: async (graphs) => {
      await sessions.prepare(graphs.filter((graph) => networks[graph] !== undefined));
    },
  };
}
