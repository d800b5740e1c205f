import { StudioError } from '#api/errors';
import { breathe, type Control } from '#engine/errors';
import { makeMosaic } from '#engine/mosaic';
import { prepare } from '#engine/picture';
import { generate } from '#engine/pipeline';
import { decodePixels } from '#engine/pixels';
import { checkPlan, needNetwork } from '#engine/plan';
import { finiteFloats, ints } from '#engine/tensor';
import type { GraphName } from '#networks/graphs';
import type { Tensor } from '#engine/types';
import { exportBundle } from '#runtime/export';
import { examine } from './doctor.ts';
import { fileError } from './files.ts';
import { importBundle, inspectCheckpoint, previewImport, verifyBundle } from './importing.ts';
import { createPreviewer, newLedger } from './live-preview.ts';
import { openBundle, type Model, type ModelShelf } from './model.ts';
import type { MethodName, Methods, RgbImage } from './protocol.ts';

/** How a method reports, and learns that it is to stop. */
export interface Context<M extends MethodName> {
  readonly signal: AbortSignal;
  readonly emit: (event: Methods[M]['event']) => void;
}

/** What carries out each method. */
export type Handlers = {
  readonly [M in MethodName]: (
    request: Methods[M]['request'],
    context: Context<M>,
  ) => Promise<Methods[M]['result']>;
};

/** Pixels of the largest picture that is taken: 30,000 × 6,000, half a gigabyte. */
const MAX_PIXELS = 180_000_000;

/** The methods of the protocol over engine, runtime and importer. */
export function createMethods(shelf: ModelShelf): Handlers {
  const ledger = newLedger();
  return {
    open: async (request) => {
      const { target, sizes } = await shelf.open(request);
      return { target, sizes };
    },
    generate: async ({ model: ref, plan, chunk, steps, previews }, context) => {
      const control = controlOf(context);
      const model = await shelf.open(ref);
      const { networks, sizes } = model;
      // A plan that cannot be carried out is refused before anything is compiled for it.
      checkPlan(plan, sizes, networks);
      const first: GraphName[] = plan.source.kind === 'sample' ? ['rdm'] : [];
      await ready(model, [...first, 'mage', 'decoder'], control);
      const now = () => performance.now();
      const network = needNetwork(networks, 'decoder');
      const watch =
        previews &&
        createPreviewer({ network, sizes, wanted: previews, ledger, emit: context.emit, now });
      return generate({
        signal: control.signal,
        pause: async () => {
          await control.pause?.();
          await watch?.between();
        },
        plan,
        networks,
        sizes,
        chunk,
        // A processor is busy with one picture: the next would only hold up the first.
        together: 1,
        steps,
        onEvent: (event) => {
          context.emit(event);
          watch?.note(event);
        },
        now,
      });
    },
    encode: async ({ model: ref, images }, context) => {
      const { manifest, networks, sizes } = await shelf.open(ref);
      const network = needNetwork(networks, 'encoder');
      const size = manifest.networks.encoder?.sourceSize ?? 0;
      const representations: Float32Array[] = [];
      for await (const image of prepared(images, size, context)) {
        const outputs = await network({ image }, ['representation']);
        const shape = [1, sizes.representation];
        representations.push(finiteFloats(outputs, 'representation', shape));
      }
      return { representations };
    },
    tokenize: async ({ model: ref, images }, context) => {
      const { networks, sizes } = await shelf.open(ref);
      const network = needNetwork(networks, 'tokenizer');
      const grids: Int32Array[] = [];
      for await (const image of prepared(images, sizes.imageSize, context)) {
        const outputs = await network({ image }, ['tokens']);
        grids.push(ints(outputs, 'tokens', [1, sizes.tokens]));
      }
      return { tokens: grids };
    },
    decode: async ({ model: ref, tokens }, context) => {
      const { networks, sizes } = await shelf.open(ref);
      const network = needNetwork(networks, 'decoder');
      const images: RgbImage[] = [];
      for (const grid of tokens) {
        await breathe(controlOf(context));
        if (grid.length !== sizes.tokens) {
          throw refuse(
            'tokens',
            `A picture of this model has ${sizes.tokens} tokens, not ${grid.length}.`,
          );
        }
        const data = await decodePixels({ network, sizes, tokens: grid });
        images.push({ width: sizes.imageSize, height: sizes.imageSize, data });
      }
      return { images };
    },
    mosaic: async ({ model: ref }, context) => {
      const { networks, sizes } = await shelf.open(ref);
      const network = needNetwork(networks, 'decoder');
      return { patches: await makeMosaic({ network, sizes, ...controlOf(context) }) };
    },
    previewImport: async (request) => previewImport(request),
    import: async (request, { signal, emit }) =>
      importBundle(request, { signal, onProgress: emit }),
    verify: async ({ bundle }, { signal, emit }) => ({
      problems: await verifyBundle(bundle, { signal, onProgress: emit }),
    }),
    export: async ({ bundle, folder }, { signal, emit }) => {
      const source = await openBundle(bundle);
      try {
        return { files: await exportBundle(source, folder, { signal, onProgress: emit }) };
      } catch (error) {
        throw exportFailure(error, folder);
      }
    },
    inspect: async ({ file }) => inspectCheckpoint(file),
    doctor: async () => examine(),
  };
}

/** What fails in an export is the writing: the folder is to be named, and is the request's fault. */
function exportFailure(error: unknown, folder: string): unknown {
  const known = fileError(error, folder);
  if (known === error || !(known instanceof StudioError) || known.code === 'disk-full')
    return known;
  const { code, message, reason } = known;
  const inFile = reason?.code === 'file-in-file';
  const why = inFile ? `${folder} cannot be a folder: a part of it is a file.` : message;
  return new StudioError(code, why, { cause: error, field: 'folder', reason });
}

/** Lets messages in between steps; without that a cancel would wait for the end. */
function controlOf({ signal }: Pick<Context<MethodName>, 'signal'>): Control {
  return { signal, pause: () => new Promise((resolve) => setImmediate(resolve)) };
}

/** Opens graphs one by one, so that a cancel need not wait for the compilation of all. */
async function ready(model: Model, graphs: readonly GraphName[], control: Control): Promise<void> {
  for (const graph of graphs) {
    await breathe(control);
    await model.prepare([graph]);
  }
}

/** The pictures one by one as the square that encoder and tokenizer take, u8 [1,S,S,3]. */
async function* prepared(
  images: readonly RgbImage[],
  size: number,
  context: Pick<Context<MethodName>, 'signal'>,
): AsyncGenerator<Tensor> {
  for (const image of images) checkImage(image);
  for (const image of images) {
    await breathe(controlOf(context));
    const data = prepare(image, { short: size, crop: size });
    yield { shape: [1, size, size, 3], data };
  }
}

function checkImage({ width, height, data }: RgbImage): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1) {
      throw refuse('images', `A picture cannot be ${width} by ${height} pixels.`);
    }
  }
  if (width * height > MAX_PIXELS) {
    throw refuse(
      'images',
      `A picture of ${width} by ${height} pixels is too large; the limit is ${MAX_PIXELS / 1e6} million.`,
    );
  }
  if (data.length !== width * height * 3) {
    throw refuse('images', `${data.length} bytes are not ${width} by ${height} RGB pixels.`);
  }
}

function refuse(field: string, message: string): StudioError {
  return new StudioError('invalid-request', message, { field });
}
