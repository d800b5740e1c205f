import { StudioError } from '#api/errors';
import type { Manifest, NetworkKind } from '#bundle/manifest';
import { openWeights } from '#bundle/reader';
import type { ByteSource, StateDict } from '#checkpoint/types';
import { encodeModel, type EncodedModel } from '#graph/onnx';
import type { Model } from '#graph/types';
import { NETWORK_OF, buildGraph, type GraphName, type GraphOptions } from '#networks/graphs';

/** A bundle whose weight files can be opened. */
export interface WeightsOf {
  readonly manifest: Manifest;
  /** Opens a network's weight file. The caller of this closes it. */
  readonly open: (kind: NetworkKind) => Promise<ByteSource & { close(): Promise<void> }>;
}

/** What is to become of one graph of a bundle. */
export interface CompileRequest extends GraphOptions {
  readonly graph: GraphName;
  /** Name of the file beside the model that the weights are to lie in. */
  readonly weightsFile: string;
}

/** In the order of use: the first picture needs the RDM first. */
const GRAPHS: readonly GraphName[] = ['rdm', 'mage', 'decoder', 'encoder', 'tokenizer'];

/** The graphs that a bundle has networks for. */
export function graphsOf(manifest: Pick<Manifest, 'networks'>): readonly GraphName[] {
  return GRAPHS.filter((graph) => manifest.networks[NETWORK_OF[graph]] !== undefined);
}

/**
 * Builds a graph and hands it to `write`; the weight file is open until that is done.
 * @throws StudioError `bundle-damaged` when the weights are not those that the manifest describes
 */
export async function compileGraph(
  bundle: WeightsOf,
  request: CompileRequest,
  write: (encoded: EncodedModel) => Promise<void>,
): Promise<void> {
  const { graph, weightsFile, ...options } = request;
  const source = await bundle.open(NETWORK_OF[graph]);
  try {
    const weights = await openWeights(source);
    const model = build(bundle.manifest, weights, { graph, options });
    await write(await encodeModel(model, weightsFile));
  } finally {
    await source.close();
  }
}

function build(
  manifest: Manifest,
  weights: StateDict,
  { graph, options }: { readonly graph: GraphName; readonly options: GraphOptions },
): Model {
  try {
    return buildGraph(graph, manifest.networks, weights, options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StudioError(
      'bundle-damaged',
      `The weights of ${manifest.id} do not fit its manifest (${why}). Remove the model and import it again.`,
      { cause: error },
    );
  }
}
