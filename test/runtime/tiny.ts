import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { GraphBuilder } from '#graph/builder';
import { encodeModel, type EncodedModel } from '#graph/onnx';
import { graphCache, type GraphCache, type GraphCacheOptions } from '#runtime/graph-cache';

/** Elements of the tiny graph's weight: more than fits into the model file itself. */
export const WIDTH = 512;
export const HASH = 'a'.repeat(64);

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rcg-studio-test-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A graph in the place of a decoder: `tokens` i32 [B,512] → `image` i32 [B,512], each token plus
 * its position plus `bias`.
 */
export async function tinyGraph(weightsFile: string, bias = 0): Promise<EncodedModel> {
  const graph = new GraphBuilder('tiny', { '': 17 });
  const tokens = graph.input('tokens', 'int32', ['B', WIDTH]);
  const weight = graph.weight('positions', { type: 'int32', shape: [WIDTH] }, () => {
    const positions = Int32Array.from({ length: WIDTH }, (_, at) => at + bias);
    return new Uint8Array(positions.buffer);
  });
  const outputs = [{ type: 'int32', shape: ['B', WIDTH] }] as const;
  for (const sum of graph.node({ op: 'Add', inputs: [tokens, weight], outputs })) {
    graph.output('image', sum);
  }
  return encodeModel(graph.model(), weightsFile);
}

/** A cache of tiny graphs that counts its compilations. */
export function countingCache(
  root: string,
  change: Partial<GraphCacheOptions> = {},
): { readonly cache: GraphCache; readonly compiled: string[] } {
  const compiled: string[] = [];
  const cache = graphCache({
    root,
    hash: HASH,
    target: 'cpu-float32',
    version: 3,
    compile: async (graph, weightsFile, write) => {
      compiled.push(graph);
      await write(await tinyGraph(weightsFile));
    },
    ...change,
  });
  return { cache, compiled };
}
