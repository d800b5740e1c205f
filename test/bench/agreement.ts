import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { compileGraph } from '#runtime/compile';
import { graphFileNames, writeGraph } from '#runtime/graph-files';
import { openBundle } from '#worker/model';
import { decodeTokens } from '#engine/tokens';
import type { Feeds, Network } from '#engine/types';
import { sizesOf } from '#networks/graphs';

/** How near the 8-bit step comes to the portable one, over whole decodings. */
export interface Agreement {
  /** Cosine of the guided log-probabilities, over open places, mean. */
  readonly cosine: number;
  /** Part of the draws, given the same grid and noise, that are the same. */
  readonly draws: number;
  /** Part of the final tokens that are the same when each goes its own way. */
  readonly finals: number;
}

/** Decodes some pictures with both graphs, both from the same grids and each on its own. */
export async function measureAgreement(bundle: string, pictures: number): Promise<Agreement> {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-agreement-'));
  try {
    const weights = await openBundle(bundle);
    const { manifest } = weights;
    const sizes = sizesOf(manifest);
    const open = async (target: 'portable' | 'cpu-int8') => {
      const at = join(folder, target);
      await mkdir(at);
      await compileGraph(
        weights,
        { graph: 'mage', weightsFile: graphFileNames('mage').weights, target, probe: true },
        async (encoded) => {
          await writeGraph(at, 'mage', encoded);
        },
      );
      const session = await InferenceSession.create(join(at, graphFileNames('mage').model), {
        logSeverityLevel: 3,
      });
      return async (feeds: Feeds) => session.run(tensors(feeds));
    };
    const [exact, rounded] = [await open('portable'), await open('cpu-int8')];
    const sums = { dot: 0, a: 0, b: 0, same: 0, open: 0 };
    const both: Network = async (feeds) => {
      const [x, y] = [await exact(feeds), await rounded(feeds)];
      compare({ feeds, mask: sizes.maskId, codes: sizes.codes, sums }, x, y);
      return engineTensors(x);
    };
    const alone: Network = async (feeds) => engineTensors(await rounded(feeds));
    let same = 0;
    const { recommended } = manifest;
    for (let i = 0; i < pictures; i += 1) {
      const D = sizes.representation;
      const representations = Float32Array.from(
        { length: D },
        (_, d) => Math.sin((i * D + d) * 12.9898) * 1.4,
      );
      const request = { sizes, seeds: [i], representations, decoding: recommended };
      const a = await decodeTokens({ ...request, network: both });
      const b = await decodeTokens({ ...request, network: alone });
      same += a.filter((token, n) => token === b[n]).length;
    }
    return {
      cosine: sums.dot / Math.sqrt(sums.a * sums.b),
      draws: sums.same / sums.open,
      finals: same / (pictures * sizes.tokens),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Outputs = InferenceSession.ReturnType;

function compare(
  of: {
    feeds: Feeds;
    mask: number;
    codes: number;
    sums: Record<'dot' | 'a' | 'b' | 'same' | 'open', number>;
  },
  x: Outputs,
  y: Outputs,
): void {
  const { feeds, mask, codes, sums } = of;
  const numbers = (outputs: Outputs, name: string) => outputs[name]?.data as Float32Array;
  const [p, q] = [numbers(x, 'guided_log_probs'), numbers(y, 'guided_log_probs')];
  const [d, e] = [numbers(x, 'drawn'), numbers(y, 'drawn')];
  feeds['tokens']?.data.forEach((token, n) => {
    if (token !== mask) return;
    sums.open += 1;
    if (d[n] === e[n]) sums.same += 1;
    for (let k = n * codes; k < (n + 1) * codes; k += 1) {
      const [a, b] = [p[k] ?? 0, q[k] ?? 0];
      sums.dot += a * b;
      sums.a += a * a;
      sums.b += b * b;
    }
  });
}

function tensors(feeds: Feeds): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => {
      const type = data instanceof Float32Array ? 'float32' : 'int32';
      return [name, new Tensor(type, data, [...shape])];
    }),
  );
}

function engineTensors(outputs: Outputs): Awaited<ReturnType<Network>> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [
      name,
      { shape: [...tensor.dims], data: tensor.data as Float32Array },
    ]),
  );
}
