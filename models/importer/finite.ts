import { allFinite } from '#checkpoint/convert';
import { printable } from '#checkpoint/errors';
import type { StoredTensor } from '#checkpoint/types';
import { ImportError } from './errors.ts';

/**
 * The tensor, refused while it is read if it holds anything but finite numbers: one of them spoils
 * every picture, and no later stage could name it.
 * @param place its file, and its key there
 */
export function onlyFinite(
  tensor: StoredTensor,
  place: { readonly file: string; readonly key: string },
): StoredTensor {
  return {
    ...tensor,
    async *chunks() {
      for await (const chunk of tensor.chunks()) {
        if (!allFinite(tensor.dtype, chunk)) throw notFinite(place);
        yield chunk;
      }
    },
  };
}

function notFinite(place: { readonly file: string; readonly key: string }): ImportError {
  return new ImportError(
    'not-finite',
    place,
    `"${printable(place.key)}" holds numbers that are not finite (NaN, or too large), so its training ` +
      'went wrong or the file is damaged. Choose another checkpoint. Nothing was changed.',
  );
}
