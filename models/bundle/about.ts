import type { EncoderConfig, Manifest, NetworkKind, VqganConfig } from './manifest.ts';

/** A network's sizes, for an interface that has the words: a code and the values that fill it in. */
export interface About {
  readonly code: 'about-encoder' | 'about-rdm' | 'about-rdm-classes' | 'about-mage' | 'about-vqgan';
  readonly values: Readonly<Record<string, string | number>>;
}

const ENCODERS: Readonly<Record<EncoderConfig['kind'], string>> = {
  mocov3: 'MoCo v3',
  dino: 'DINO',
  ibot: 'iBOT',
  deit: 'DeiT',
};
/** Side of the grid of tokens that a tokenizer is used with. */
export const GRID = 16;

/** The sizes of one network of a model; null where the model lacks it. */
export function aboutNetwork(networks: Manifest['networks'], kind: NetworkKind): About | null {
  const { encoder, rdm, mage, vqgan } = networks;
  if (kind === 'encoder' && encoder !== undefined) {
    const { width, depth, imageSize: pixels } = encoder;
    return {
      code: 'about-encoder',
      values: { name: ENCODERS[encoder.kind], width, depth, pixels },
    };
  }
  if (kind === 'rdm' && rdm !== undefined) {
    const { width, depth, classes } = rdm;
    return classes > 0
      ? { code: 'about-rdm-classes', values: { width, depth, classes } }
      : { code: 'about-rdm', values: { width, depth } };
  }
  if (kind === 'mage' && mage !== undefined) {
    const { width, depth, decoderWidth, decoderDepth, tokens } = mage;
    return { code: 'about-mage', values: { width, depth, decoderWidth, decoderDepth, tokens } };
  }
  if (kind === 'vqgan' && vqgan !== undefined) {
    const { channels, codes } = vqgan;
    const multipliers = vqgan.multipliers.join(', ');
    const pixels = pictureSide(vqgan, mage?.tokens);
    return { code: 'about-vqgan', values: { channels, multipliers, codes, pixels } };
  }
  return null;
}

/** Side of a picture in pixels: each level but the first halves it on the way to the tokens. */
export function pictureSide(
  { multipliers }: Pick<VqganConfig, 'multipliers'>,
  tokens = GRID * GRID,
): number {
  return Math.sqrt(tokens) * 2 ** (multipliers.length - 1);
}
