import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '#api/errors';
import type { GraphName } from '#networks/graphs';
import { compileGraph, graphsOf, type WeightsOf } from './compile.ts';
import { graphFileNames, writeGraph } from './graph-files.ts';
import { makeFolders } from './folders.ts';

/** How an export reports and is stopped. */
export interface ExportOptions {
  readonly signal?: AbortSignal;
  /** Graphs done, of how many, and the file that is written now. */
  readonly onProgress?: (progress: {
    readonly done: number;
    readonly total: number;
    readonly file: string;
  }) => void;
}

const README = 'README.txt';

/** What each graph takes and gives; sizes are the model's own. */
const ABOUT: Readonly<Record<GraphName, string>> = {
  encoder: `encoder.onnx: a picture to its representation.
  in   image           uint8   [B,S,S,3]  RGB
  out  representation  float32 [B,D]      standardised
  out  projection      float32 [B,D]      before that
  out  feature         float32 [B,W]      of the class token`,
  rdm: `rdm.onnx: n DDIM steps of the representation diffusion model.
  in   x               float32 [B,D]      normal noise to begin with
  in   noise           float32 [n,B,D]    normal noise of each step
  in   timesteps       float32 [n]        from high to low
  in   coefficients    float32 [n,7]      sqrt(1/a), sqrt(1/a - 1), sqrt(1 - a), sqrt(a),
                                          sqrt(a'), direction, sigma; a, a': alpha bar now, next
  in   labels          int32   [B]        only of a class-conditional model
  out  representation  float32 [B,D]`,
  mage: `mage.onnx: one step of MAGE's parallel decoding. R = B, or 2B when guided: then the rows of
the condition come first, and those of the null condition behind them.
  in   tokens              int32   [B,N]    mask id where unknown
  in   representation      float32 [R,D]
  in   is_null             float32 [R]      1: use the learned null condition
  in   guidance            float32 [B]      weight of the guidance in this step
  in   uniforms            float32 [B,N]    in (0,1): draws the codes
  in   confidence_noise    float32 [B,N]    Gumbel noise, times the temperature of this step
  in   mask_count          int32   [B]      tokens that stay masked after this step
  out  sampled             int32   [B,N]
  out  tokens_out          int32   [B,N]    input of the next step
  out  probability         float32 [B,N]
  out  entropy             float32 [B,N]    bits
  out  second_probability  float32 [B,N]    of the code that is second in likelihood`,
  decoder: `decoder.onnx: tokens to a picture.
  in   tokens          int32   [B,N]
  out  image           uint8   [B,S,S,3]  RGB
  out  pixels          float32 [B,3,S,S]  before rounding`,
  tokenizer: `tokenizer.onnx: a picture to its tokens.
  in   image           uint8   [B,S,S,3]  RGB
  out  tokens          int32   [B,N]
  out  latent          float32 [B,z,16,16]`,
};

/**
 * Writes the graphs of a bundle as portable ONNX files with external data into a folder that is new
 * or empty. What was written is removed again when it does not work out.
 * @returns the names of the files
 * @throws StudioError `invalid-request` when there is something in the folder, `cancelled`
 */
export async function exportBundle(
  bundle: WeightsOf,
  folder: string,
  options: ExportOptions = {},
): Promise<readonly string[]> {
  const created = await claim(folder);
  const files: string[] = [];
  try {
    const graphs = graphsOf(bundle.manifest);
    for (const [done, graph] of graphs.entries()) {
      if (options.signal?.aborted) {
        throw new StudioError('cancelled', 'Cancelled; nothing was exported.');
      }
      const names = graphFileNames(graph);
      options.onProgress?.({ done, total: graphs.length, file: names.model });
      files.push(names.model, names.weights);
      const request = { graph, weightsFile: names.weights, target: 'portable' } as const;
      await compileGraph(bundle, request, async (encoded) => {
        await writeGraph(folder, graph, encoded);
      });
    }
    files.push(README);
    await writeFile(path.join(folder, README), readme(bundle, graphs));
    return files;
  } catch (error) {
    for (const file of files) await rm(path.join(folder, file), { force: true });
    if (created) await rmdir(folder).catch(() => undefined);
    throw error;
  }
}

/** Makes sure the folder is there and empty. Returns whether it was made now. */
async function claim(folder: string): Promise<boolean> {
  const created = await makeFolders(folder);
  const entries = await readdir(folder);
  if (entries.length > 0) {
    throw new StudioError(
      'invalid-request',
      `${folder} is not empty, so nothing was exported. Name a new or an empty folder.`,
      { field: 'folder' },
    );
  }
  return created;
}

function readme({ manifest }: WeightsOf, graphs: readonly GraphName[]): string {
  const licences = manifest.licences.map(({ title, covers }) => `  ${title} (${covers})`);
  return [
    `${manifest.title.en}: ONNX graphs, opset 17, standard operators, float32.`,
    `Bundle ${manifest.id}, SHA-256 ${manifest.hash}.`,
    'Each .onnx file needs the .bin file of the same name beside it: its weights.',
    'B pictures, D numbers of a representation, N tokens of a picture, S its side in pixels.',
    ...graphs.map((graph) => ABOUT[graph]),
    ...(licences.length > 0 ? [`Licences:\n${licences.join('\n')}`] : []),
    '',
  ].join('\n\n');
}
