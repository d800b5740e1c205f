import type { Feeds, ModelSizes, Network, Networks } from '#engine/types';

/** A model small enough to reason about: 8 tokens of 5 codes, pictures of 2×2. */
export const SIZES: ModelSizes = {
  representation: 6,
  tokens: 8,
  codes: 5,
  maskId: 99,
  imageSize: 2,
  classes: 3,
  unconditionalClass: 2,
};

/** A network that also keeps what it was fed. */
export interface Recorded {
  readonly network: Network;
  readonly calls: { readonly feeds: Feeds; readonly fetches: readonly string[] }[];
}

export function recorded(network: Network): Recorded {
  const calls: Recorded['calls'] = [];
  return {
    calls,
    network: async (feeds, fetches) => {
      calls.push({ feeds, fetches });
      return network(feeds, fetches);
    },
  };
}

/** The shape of one input. */
export function shapeOf(feeds: Feeds, name: string): readonly number[] {
  return input(feeds, name).shape;
}

/** The numbers of one input. */
export function numbersOf(feeds: Feeds, name: string): number[] {
  return [...input(feeds, name).data];
}

/** Row `row` of an input of rows. */
export function rowOfInput(feeds: Feeds, name: string, row: number): number[] {
  const { shape, data } = input(feeds, name);
  const length = data.length / (shape[0] ?? 1);
  return [...data.subarray(row * length, (row + 1) * length)];
}

function input(feeds: Feeds, name: string) {
  const found = feeds[name];
  if (found === undefined) throw new Error(`not fed: ${name}`);
  return found;
}

/** DDIM as spec 3.4 states it, around a predictor that says x0 = tanh(x) + label. */
export const toyRdm: Network = (feeds) => {
  const [B = 0, D = 0] = shapeOf(feeds, 'x');
  const x = numbersOf(feeds, 'x');
  const noise = numbersOf(feeds, 'noise');
  const coefficients = numbersOf(feeds, 'coefficients');
  const labels = 'labels' in feeds ? numbersOf(feeds, 'labels') : [];
  const n = numbersOf(feeds, 'timesteps').length;
  for (let k = 0; k < n; k++) {
    const [recip = 0, recipm1 = 1, q = 0, rootA = 1, rootAp = 0, direction = 0, sigma = 0] =
      coefficients.slice(k * 7, k * 7 + 7);
    for (let i = 0; i < B * D; i++) {
      const now = x[i] ?? NaN;
      const p = Math.tanh(now) + (labels[Math.floor(i / D)] ?? 0);
      const e = (recip * now - p) / recipm1;
      const p0 = (now - q * e) / rootA;
      const next = rootAp * p0 + direction * e + sigma * (noise[k * B * D + i] ?? NaN);
      x[i] = Math.fround(next);
    }
  }
  return Promise.resolve({ representation: { shape: [B, D], data: Float32Array.from(x) } });
};

/**
 * A MAGE step after the contract. The draw is the uniform's share of the codes, moved by guidance
 * and representation, so that every feed shows in the tokens.
 */
export const toyMage: Network = (feeds) => {
  const [B = 0, N = 0] = shapeOf(feeds, 'tokens');
  const sampled = new Int32Array(B * N);
  const tokensOut = new Int32Array(B * N);
  const probability = new Float32Array(B * N).fill(Infinity);
  const entropy = new Float32Array(B * N);
  const second = new Float32Array(B * N);
  for (let row = 0; row < B; row++) {
    const before = rowOfInput(feeds, 'tokens', row);
    const uniforms = rowOfInput(feeds, 'uniforms', row);
    const noise = rowOfInput(feeds, 'confidence_noise', row);
    const shift = Math.round((numbersOf(feeds, 'guidance')[row] ?? NaN) * 2);
    const lean = rowOfInput(feeds, 'representation', row).filter((value) => value > 0).length;
    const confidence = before.map((token, i) => {
      const at = row * N + i;
      const u = uniforms[i] ?? NaN;
      sampled[at] = token === SIZES.maskId ? (Math.floor(u * 5) + shift + lean) % 5 : token;
      if (token !== SIZES.maskId) return Infinity;
      probability[at] = u;
      entropy[at] = 1;
      second[at] = 0.25;
      return Math.log(u) + (noise[i] ?? NaN);
    });
    const m = numbersOf(feeds, 'mask_count')[row] ?? NaN;
    const cut = confidence.toSorted((a, b) => a - b)[m - 1] ?? NaN;
    confidence.forEach((value, i) => {
      const at = row * N + i;
      tokensOut[at] = value <= cut ? SIZES.maskId : (sampled[at] ?? -1);
    });
  }
  const shape = [B, N];
  return Promise.resolve({
    sampled: { shape, data: sampled },
    tokens_out: { shape, data: tokensOut },
    probability: { shape, data: probability },
    entropy: { shape, data: entropy },
    second_probability: { shape, data: second },
  });
};

/** Each pixel byte is a token. */
export const toyDecoder: Network = (feeds) => {
  const [B = 0] = shapeOf(feeds, 'tokens');
  const data = new Uint8Array(B * 12);
  for (let row = 0; row < B; row++) {
    const tokens = rowOfInput(feeds, 'tokens', row);
    data.set([...tokens, ...tokens.slice(0, 4)], row * 12);
  }
  return Promise.resolve(decoded([B, 2, 2, 3], data));
};

/** What a decoder gives for pictures u8 [B,S,S,3]: those, and the same before the truncation. */
export function decoded(
  shape: readonly [B: number, height: number, width: number, channels: 3],
  data: Uint8Array,
): Awaited<ReturnType<Network>> {
  const [B, height, width, channels] = shape;
  const pixels = new Float32Array(data.length);
  for (let at = 0; at < data.length; at++) {
    const [channel, place] = [at % channels, Math.floor(at / channels) % (height * width)];
    const picture = Math.floor(at / (channels * height * width));
    pixels[(picture * channels + channel) * height * width + place] = (data[at] ?? 0) / 255;
  }
  return { image: { shape, data }, pixels: { shape: [B, channels, height, width], data: pixels } };
}

export const TOYS: Networks = { rdm: toyRdm, mage: toyMage, decoder: toyDecoder };

/** Representations with different numbers in every row. */
export function someRepresentations(count: number): Float32Array {
  return Float32Array.from({ length: count * SIZES.representation }, (_, i) => Math.sin(i * 1.7));
}
