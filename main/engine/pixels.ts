import { EngineError } from './errors.ts';
import { bytes, finiteFloats, tensor } from './tensor.ts';
import type { ModelSizes, Network } from './types.ts';

/** Stage 3 for B pictures. */
export interface PixelsRequest {
  readonly network: Network;
  readonly sizes: ModelSizes;
  /** i32 [B,N], every token known. */
  readonly tokens: Int32Array;
}

/**
 * Decodes complete token grids to pictures u8 [B,S,S,3] (spec 4.5: truncated, not rounded).
 * @throws EngineError 'bad-plan' for tokens that are none, 'bad-output' from a damaged decoder
 */
export async function decodePixels({ network, sizes, tokens }: PixelsRequest): Promise<Uint8Array> {
  const { tokens: N, codes, imageSize: S } = sizes;
  const B = tokens.length / N;
  if (!Number.isInteger(B) || B === 0) {
    throw new EngineError(
      'bad-plan',
      `${tokens.length} tokens are not whole pictures of ${N}.`,
      'tokens',
    );
  }
  for (const token of tokens) {
    if (token < 0 || token >= codes) {
      const what =
        token === sizes.maskId ? 'A token is not decided yet' : `Token ${token} is unknown`;
      throw new EngineError(
        'bad-plan',
        `${what}: this model's tokens are 0 to ${codes - 1}.`,
        'tokens',
      );
    }
  }
  const outputs = await network({ tokens: tensor([B, N], tokens) }, ['image', 'pixels']);
  // What is not a number becomes 0 or 255 in a byte: only the pixels before that give it away.
  finiteFloats(outputs, 'pixels', [B, 3, S, S]);
  return bytes(outputs, 'image', [B, S, S, 3]);
}
