import type { Feeds, Network, Tensor, TensorData } from '#engine/types';

/**
 * Where the pictures lie in a graph's input: along its first axis, along its second, along the
 * first with the guided rows behind the plain ones (B or 2B), or nowhere (the same for all).
 */
export type PictureAxis = 'first' | 'second' | 'rows' | 'none';

/**
 * Runs pictures one at a time and joins the results along their first axis. What a picture becomes
 * then cannot depend on its neighbours: activations that are quantised over a whole tensor, or
 * kernels chosen by the number of rows, would make it so.
 * @param axes where the pictures lie in every input that may come
 */
export function splitBatch(network: Network, axes: Readonly<Record<string, PictureAxis>>): Network {
  return async (feeds, fetches) => {
    const batch = batchOf(feeds, axes);
    if (batch === 1) return network(feeds, fetches);
    const parts: Readonly<Record<string, Tensor>>[] = [];
    for (let picture = 0; picture < batch; picture += 1) {
      parts.push(await network(feedsOf(feeds, axes, { picture, batch }), fetches));
    }
    const joined: Record<string, Tensor> = {};
    for (const name of fetches) {
      joined[name] = join(parts.map((part) => tensorOf(part, name)));
    }
    return joined;
  };
}

/** Number of pictures, as the inputs with a plain picture axis agree on it. */
function batchOf(feeds: Feeds, axes: Readonly<Record<string, PictureAxis>>): number {
  let batch: number | undefined;
  for (const [name, tensor] of Object.entries(feeds)) {
    const axis = axes[name];
    if (axis === undefined) throw new RangeError(`${name} is not an input of this graph`);
    if (axis === 'none' || axis === 'rows') continue;
    const size = tensor.shape[axis === 'first' ? 0 : 1];
    if (size === undefined || (batch !== undefined && size !== batch)) {
      throw new RangeError(
        `${name} has shape [${tensor.shape.join(', ')}], which does not hold ${batch ?? 'any'} pictures`,
      );
    }
    batch = size;
  }
  if (batch === undefined || batch < 1) throw new RangeError('there are no pictures in the feeds');
  return batch;
}

function feedsOf(
  feeds: Feeds,
  axes: Readonly<Record<string, PictureAxis>>,
  at: { readonly picture: number; readonly batch: number },
): Feeds {
  const one: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(feeds)) {
    one[name] = pictureOf(name, tensor, { axis: axes[name] ?? 'none', ...at });
  }
  return one;
}

function pictureOf(
  name: string,
  tensor: Tensor,
  at: { readonly axis: PictureAxis; readonly picture: number; readonly batch: number },
): Tensor {
  const { axis, picture, batch } = at;
  if (axis === 'none') return tensor;
  // Seen as [outer, batch, inner]: the plain axis has outer 1, guided rows have outer 2.
  const [first = 0, second = 0] = tensor.shape;
  const outer = axis === 'first' ? 1 : axis === 'second' ? first : first / batch;
  if (axis === 'rows' && outer !== 1 && outer !== 2) {
    throw new RangeError(`${name} has ${first} rows for ${batch} pictures, not as many or twice`);
  }
  const inner = tensor.data.length / (outer * batch);
  const data = emptyLike(tensor.data, outer * inner);
  for (let row = 0; row < outer; row += 1) {
    const from = (row * batch + picture) * inner;
    data.set(tensor.data.subarray(from, from + inner), row * inner);
  }
  const shape =
    axis === 'second'
      ? [first, second / batch, ...tensor.shape.slice(2)]
      : [outer, ...tensor.shape.slice(1)];
  return { shape, data };
}

function join(parts: readonly Tensor[]): Tensor {
  const [head] = parts;
  if (!head) throw new RangeError('nothing to join');
  const length = parts.reduce((sum, part) => sum + part.data.length, 0);
  const data = emptyLike(head.data, length);
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  return { shape: [rows, ...head.shape.slice(1)], data };
}

function tensorOf(outputs: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = outputs[name];
  if (!tensor) throw new RangeError(`the graph did not compute ${name}`);
  return tensor;
}

function emptyLike(data: TensorData, length: number): TensorData {
  if (data instanceof Float32Array) return new Float32Array(length);
  if (data instanceof Int32Array) return new Int32Array(length);
  return new Uint8Array(length);
}
