import { InferenceSession } from 'onnxruntime-node';
import { StudioError } from '#api/errors';
import type { Network, Networks, Tensor } from '#engine/types';
import type { GraphName } from '#networks/graphs';
import type { GraphCache } from './graph-cache.ts';
import { splitBatch, type PictureAxis } from './split-batch.ts';
import { checkFetches, fromRuntime, toRuntime } from './tensor.ts';

/** Which graphs to run, and how. */
export interface SessionsOptions {
  /** The graphs that the bundle has networks for. */
  readonly graphs: readonly GraphName[];
  readonly cache: GraphCache;
  /** Threads of one run: physical cores. */
  readonly threads: number;
  /**
   * Hands batches to the graphs as they come, instead of picture by picture. For comparing with the
   * original; results may then depend on the batch.
   */
  readonly wholeBatches?: boolean;
}

/** The graphs of a model as functions. */
export interface Sessions {
  /** Each opens its graph when it is first called, and again after a release. */
  readonly networks: Networks;
  /** Opens graphs now that will be called soon. */
  prepare(graphs: readonly GraphName[]): Promise<void>;
  /** Gives all memory back. No run may be under way. */
  release(): Promise<void>;
}

/**
 * Where the pictures lie in the inputs of each graph (engine/types) that runs pictures one at a
 * time. In 8 bits activations are scaled over the whole tensor, so there it must be; in float32 it
 * costs nothing, for one picture has hundreds of rows already and fills the processor. The RDM has
 * one row a picture: four together take half as long again as one. It is float32 for every target,
 * and its rows come out the same in any batch, which a test of the service checks.
 */
const PICTURE_AXES: Readonly<
  Record<Exclude<GraphName, 'rdm'>, Readonly<Record<string, PictureAxis>>>
> = {
  encoder: { image: 'first' },
  mage: {
    tokens: 'first',
    representation: 'rows',
    is_null: 'rows',
    guidance: 'first',
    uniforms: 'first',
    confidence_noise: 'first',
    mask_count: 'first',
  },
  decoder: { tokens: 'first' },
  tokenizer: { image: 'first' },
};

/** Opens the graphs of one model lazily, from a cache of compiled graphs. */
export function openSessions(options: SessionsOptions): Sessions {
  const opened = new Map<GraphName, Promise<InferenceSession>>();
  const session = (graph: GraphName): Promise<InferenceSession> => {
    const existing = opened.get(graph);
    if (existing) return existing;
    const opening = openGraph(graph, options);
    opened.set(graph, opening);
    // A graph that did not open is tried again by the next call.
    opening.catch(() => {
      if (opened.get(graph) === opening) opened.delete(graph);
    });
    return opening;
  };
  const network = (graph: GraphName): Network => {
    const run: Network = async (feeds, fetches) =>
      runGraph(graph, await session(graph), { feeds, fetches });
    return graph === 'rdm' || options.wholeBatches === true
      ? run
      : splitBatch(run, PICTURE_AXES[graph]);
  };
  return {
    networks: Object.fromEntries(options.graphs.map((graph) => [graph, network(graph)])),
    async prepare(graphs) {
      for (const graph of graphs) await session(graph);
    },
    async release() {
      // Taken out first: a call that comes meanwhile must not be given a session that goes.
      const going = [...opened.values()];
      opened.clear();
      for (const result of await Promise.allSettled(going)) {
        if (result.status === 'fulfilled') await result.value.release();
      }
    },
  };
}

async function openGraph(
  graph: GraphName,
  { cache, threads }: SessionsOptions,
): Promise<InferenceSession> {
  const found = await cache.find(graph);
  try {
    return await createSession(found.path, threads);
  } catch (error) {
    if (found.built) throw asFailure(graph, 'opened', error);
  }
  // Damaged since it was compiled, or removed between the look and the opening.
  const rebuilt = await cache.rebuild(graph);
  try {
    return await createSession(rebuilt.path, threads);
  } catch (error) {
    throw asFailure(graph, 'opened', error);
  }
}

async function createSession(path: string, threads: number): Promise<InferenceSession> {
  // By path, not from memory: weights are mapped from their file then.
  return InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // Threads spin between the operators of a run: without that the RDM, thousands of small ones,
    // takes twice as long (150 ms instead of 75 for 250 steps on two cores). They stop when a run
    // ends, for else each costs another 35 ms of processor time.
    extra: { session: { force_spinning_stop: '1' } },
  });
}

async function runGraph(
  graph: GraphName,
  session: InferenceSession,
  {
    feeds,
    fetches,
  }: { readonly feeds: Parameters<Network>[0]; readonly fetches: readonly string[] },
): Promise<Readonly<Record<string, Tensor>>> {
  checkFetches(graph, session.outputNames, fetches);
  const tensors = toRuntime(graph, session.inputMetadata, feeds);
  let results: InferenceSession.ReturnType;
  try {
    results = await session.run(tensors, fetches);
  } catch (error) {
    throw asFailure(graph, 'run', error);
  }
  return Object.fromEntries(fetches.map((name) => [name, fromRuntime(graph, name, results[name])]));
}

function asFailure(graph: GraphName, verb: 'opened' | 'run', error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  if (/bad_?alloc|allocate memory|out of memory/i.test(reason)) {
    return new StudioError(
      'out-of-memory',
      `The memory of this computer is not enough for the ${graph} network. Close other programs, or make fewer pictures at once.`,
      { cause: error },
    );
  }
  return new Error(`the graph ${graph} could not be ${verb}: ${reason}`, { cause: error });
}
