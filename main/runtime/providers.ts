import { InferenceSession, Tensor, env, listSupportedBackends } from 'onnxruntime-node';
import { GraphBuilder } from '#graph/builder';
import { encodeModel } from '#graph/onnx';

/** How one execution provider did on a graph of one node. */
export interface ProviderReport {
  readonly name: string;
  readonly works: boolean;
  /** What happened, and what to do if that is not what a person wants. */
  readonly detail: string;
  /** The runtime's own words where it does not work, else empty. */
  readonly reason: string;
}

/** Version of ONNX Runtime. */
export function runtimeVersion(): string {
  return env.versions.node ?? env.versions.common;
}

/** Tries every execution provider that this build of ONNX Runtime knows. */
export async function tryProviders(): Promise<readonly ProviderReport[]> {
  const model = await oneNode();
  const reports: ProviderReport[] = [];
  for (const { name } of listSupportedBackends()) {
    reports.push(await tryProvider(name, model));
  }
  return reports;
}

async function tryProvider(name: string, model: Uint8Array): Promise<ProviderReport> {
  try {
    const session = await InferenceSession.create(model, {
      executionProviders: [name],
      // Fatal only: that a provider is missing is our report, not a line of log.
      logSeverityLevel: 4,
    });
    try {
      const result = await session.run({ x: new Tensor('float32', new Float32Array([1, 2]), [2]) });
      const sum = result['y']?.data;
      const right = sum instanceof Float32Array && sum[0] === 2 && sum[1] === 4;
      if (right) return { name, works: true, detail: worksDetail(name), reason: '' };
      return fails(name, 'It ran, but its numbers are wrong');
    } finally {
      await session.release();
    }
  } catch (error) {
    return fails(name, error instanceof Error ? error.message : String(error));
  }
}

function worksDetail(name: string): string {
  return name === 'cpu'
    ? 'Pictures are made with this.'
    : 'It works here, but this version makes pictures on the processor.';
}

function fails(name: string, message: string): ProviderReport {
  // The runtime's own source line and condition stand before its sentence.
  const reason = message
    .replaceAll(/\s+/g, ' ')
    .replace(/^\/onnxruntime_src.* was false\. /, '')
    .replace(/[. ]+$/, '');
  const advice =
    name === 'cpu'
      ? 'Reinstall RCG Studio: npm ci.'
      : 'Nothing to do: pictures are made on the processor.';
  return { name, works: false, detail: `${reason}. ${advice}`, reason };
}

/** y = x + x for two numbers. */
async function oneNode(): Promise<Uint8Array> {
  const graph = new GraphBuilder('probe', { '': 17 });
  const x = graph.input('x', 'float32', [2]);
  const [y] = graph.node({
    op: 'Add',
    inputs: [x, x],
    outputs: [{ type: 'float32', shape: [2] }],
  });
  if (y) graph.output('y', y);
  return (await encodeModel(graph.model(), '')).proto;
}
