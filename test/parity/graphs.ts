import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { openWeights, weightsFile } from '#bundle/reader';
import type { NetworkKind } from '#bundle/manifest';
import { readFloat32 } from '#checkpoint/convert';
import type { ModelSizes, Network, Tensor } from '#engine/types';
import { encodeModel } from '#graph/onnx';
import { BUILDER_VERSION, NETWORK_OF, buildGraph, sizesOf } from '#networks/graphs';
import type { GraphName, Target } from '#networks/graphs';
import { cpuFacts } from '#runtime/device';
import { graphCache } from '#runtime/graph-cache';
import { checkFetches, fromRuntime, toRuntime } from '#runtime/tensor';
import { fileSource } from '#worker/files';
import type { FileSource } from '#worker/files';
import { loadManifest } from '#worker/importing';

/** The graphs of a bundle for one target, built with their intermediate results as outputs. */
export interface Graphs {
  readonly sizes: ModelSizes;
  /** The graph as a function; compiled and opened when it is first asked for. */
  network(name: GraphName): Promise<Network>;
  /** A weight of the bundle, as float32. */
  weight(kind: NetworkKind, name: string): Promise<Tensor<Float32Array>>;
  /** Closes what is open and removes what was compiled. */
  close(): Promise<void>;
}

/** What `openGraphs` needs to know. */
export interface GraphsOptions {
  /** Folder of the bundle. */
  readonly bundle: string;
  readonly target: Target;
  /** Folder for compiled graphs. */
  readonly scratch: string;
  readonly onProgress: (message: string) => void;
}

/**
 * Opens a bundle for replaying. Sessions are opened here rather than by the engine's runtime, which
 * runs the pictures of a batch one by one and joins only what it knows; here whole batches and
 * intermediate results pass.
 */
export async function openGraphs(options: GraphsOptions): Promise<Graphs> {
  const { bundle, target, scratch, onProgress } = options;
  const manifest = await loadManifest(bundle);
  const sources = new Map<NetworkKind, FileSource>();
  const sessions = new Map<GraphName, InferenceSession>();
  const weights = async (kind: NetworkKind) => {
    const source = sources.get(kind) ?? (await fileSource(join(bundle, weightsFile(kind))));
    sources.set(kind, source);
    return openWeights(source);
  };
  const cache = graphCache({
    root: scratch,
    hash: manifest.hash,
    target: `${target}-parity`,
    version: BUILDER_VERSION,
    compile: async (name, file, write) => {
      const graph = name as GraphName;
      const tensors = await weights(NETWORK_OF[graph]);
      const parts = { target, probe: true, draw: 'gumbel' } as const;
      await write(await encodeModel(buildGraph(graph, manifest.networks, tensors, parts), file));
    },
  });
  const openSession = async (name: GraphName): Promise<InferenceSession> => {
    const known = sessions.get(name);
    if (known) return known;
    onProgress(`${target}: building ${name}`);
    const { path } = await cache.find(name);
    onProgress(`${target}: opening ${name}`);
    const session = await InferenceSession.create(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: cpuFacts().cores,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
    sessions.set(name, session);
    onProgress(`${target}: running ${name}`);
    return session;
  };
  return {
    sizes: sizesOf(manifest),
    async network(name) {
      const session = await openSession(name);
      return async (feeds, fetches) => {
        checkFetches(name, session.outputNames, fetches);
        const results = await session.run(toRuntime(name, session.inputMetadata, feeds), fetches);
        return Object.fromEntries(
          fetches.map((fetch) => [fetch, fromRuntime(name, fetch, results[fetch])]),
        );
      };
    },
    async weight(kind, name) {
      const tensor = (await weights(kind)).get(name);
      if (!tensor) throw new Error(`the bundle's ${kind} has no ${name}`);
      return { shape: tensor.shape, data: await readFloat32(tensor) };
    },
    async close() {
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      for (const source of sources.values()) await source.close();
      sources.clear();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
