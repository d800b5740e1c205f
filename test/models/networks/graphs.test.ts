import { describe, expect, test } from 'vitest';
import type { Tensor } from '#engine/types';
import type { GraphName, Target } from '#networks/graphs';
import { largestDifference, runModel } from '../../helpers/graphs.ts';
import { graphOf, NETWORKS } from './configs.ts';

const N = 256;
const MASK = NETWORKS.mage.vocabulary - 1;
const D = 12;

/** A repeatable number in (0,1). */
const unit = (i: number) => ((i * 7919 + 13) % 997) / 998 + 0.0005;
const floats = (shape: readonly number[], of = (i: number) => unit(i) * 2 - 1): Tensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
});
const bytes = (shape: readonly number[]): Tensor => ({
  shape,
  data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 31) % 256),
});

/** Inputs of a decoding step of `b` pictures: a third of the tokens is known. */
function step(b: number, options: { readonly guided: boolean; readonly guidance?: number }) {
  const rows = options.guided ? 2 * b : b;
  const rep = floats([b, D]);
  const twice = Float32Array.from({ length: rows * D }, (_, i) => rep.data[i % (b * D)] ?? 0);
  return {
    tokens: {
      shape: [b, N],
      data: Int32Array.from({ length: b * N }, (_, i) => (i % 3 === 0 ? i % 60 : MASK)),
    },
    representation: { shape: [rows, D], data: twice },
    is_null: { shape: [rows], data: Float32Array.from({ length: rows }, (_, i) => +(i >= b)) },
    guidance: { shape: [b], data: new Float32Array(b).fill(options.guidance ?? 0) },
    uniforms: floats([b, N], unit),
    confidence_noise: floats([b, N]),
    mask_count: { shape: [b], data: new Int32Array(b).fill(100) },
  };
}

const FEEDS: Readonly<Record<GraphName, Readonly<Record<string, Tensor>>>> = {
  encoder: { image: bytes([2, 40, 40, 3]) },
  rdm: {
    x: floats([2, D]),
    noise: floats([3, 2, D]),
    timesteps: { shape: [3], data: Float32Array.of(801, 401, 1) },
    coefficients: floats([3, 7], (i) => 0.5 + unit(i) / 2),
    labels: { shape: [2], data: Int32Array.of(4, 0) },
  },
  mage: step(2, { guided: true, guidance: 1.5 }),
  decoder: {
    tokens: { shape: [2, N], data: Int32Array.from({ length: 2 * N }, (_, i) => i % 60) },
  },
  tokenizer: { image: bytes([2, 32, 32, 3]) },
};

describe.each(Object.keys(FEEDS) as GraphName[])('%s', (name) => {
  test('the fused form computes what the portable one does', async () => {
    const portable = await runModel(graphOf(name, { target: 'portable' }), FEEDS[name]);
    const fused = await runModel(graphOf(name, { target: 'cpu-float32' }), FEEDS[name]);
    expect(Object.keys(fused)).toEqual(Object.keys(portable));
    for (const [output, { shape, data }] of Object.entries(portable)) {
      expect(fused[output]?.shape, output).toEqual(shape);
      const tolerance = data instanceof Float32Array ? 2e-4 : data instanceof Uint8Array ? 1 : 0;
      const finite = (values: ArrayLike<number> = []) =>
        Array.from(values, (v) => (v === Infinity ? -1 : v));
      expect(
        largestDifference(finite(fused[output]?.data), finite(data)),
        output,
      ).toBeLessThanOrEqual(tolerance);
    }
  });

  test('the portable form uses standard operators only', () => {
    expect(graphOf(name, { target: 'portable' }).opsets).toEqual({ '': 17 });
  });

  test('a row of a batch is what it is alone', async () => {
    const alone = Object.fromEntries(
      Object.entries(FEEDS[name]).map(([input, tensor]) => [
        input,
        firstPicture(name, input, tensor),
      ]),
    );
    const model = graphOf(name, { target: 'portable' });
    const [one, two] = [await runModel(model, alone), await runModel(model, FEEDS[name])];
    for (const [output, { data }] of Object.entries(one)) {
      expect(Array.from(two[output]?.data.subarray(0, data.length) ?? []), output).toEqual(
        Array.from(data),
      );
    }
  });
});

/** The part of an input of two pictures that is the first one's. */
function firstPicture(name: GraphName, input: string, tensor: Tensor): Tensor {
  const { shape, data } = tensor;
  if (input === 'timesteps' || input === 'coefficients') return tensor;
  if (input === 'noise') {
    const rows = [0, 1, 2].flatMap((s) => Array.from(data.subarray(s * 2 * D, s * 2 * D + D)));
    return { shape: [3, 1, D], data: Float32Array.from(rows) };
  }
  const [count = 0, ...rest] = shape;
  const size = data.length / count;
  if (name === 'mage' && count === 4) {
    const rows = [0, 2].flatMap((row) => Array.from(data.subarray(row * size, (row + 1) * size)));
    return { shape: [2, ...rest], data: Float32Array.from(rows) };
  }
  return { shape: [1, ...rest], data: data.slice(0, size) };
}

describe('a decoding step', () => {
  const run = async (feeds: Readonly<Record<string, Tensor>>, target: Target = 'portable') =>
    runModel(graphOf('mage', { target, probe: true }), feeds);

  test('never changes a known token, and masks as many again as it is told', async () => {
    const feeds = step(2, { guided: true, guidance: 2 });
    const { sampled, tokens_out: out, probability, entropy } = await run(feeds);
    feeds.tokens.data.forEach((token, i) => {
      if (token === MASK) return;
      expect(sampled?.data[i]).toBe(token);
      expect(out?.data[i]).toBe(token);
      expect(probability?.data[i]).toBe(Infinity);
      expect(entropy?.data[i]).toBe(0);
    });
    for (const row of [0, 1]) {
      const masked = out?.data.subarray(row * N, (row + 1) * N) as Int32Array;
      expect(masked.filter((token) => token === MASK).length).toBe(100);
    }
  });

  test('draws by the inverse of the cumulative distribution', async () => {
    const feeds = step(1, { guided: false });
    const { guided_log_probs: logP, drawn } = await run(feeds);
    for (let i = 0; i < N; i += 1) {
      const p = Array.from(logP?.data.subarray(i * 60, (i + 1) * 60) ?? [], Math.exp);
      const target = (feeds.uniforms.data[i] ?? 0) * p.reduce((a, b) => a + b, 0);
      let sum = 0;
      const index = p.findIndex((value) => (sum += value) > target);
      expect(drawn?.data[i]).toBe(index);
    }
  });

  test('extreme uniforms stay inside the codebook', async () => {
    const feeds = {
      ...step(1, { guided: false }),
      uniforms: floats([1, N], (i) => (i % 2 ? 1 - 2 ** -24 : 2 ** -24)),
    };
    const { drawn } = await run(feeds);
    expect(Math.min(...(drawn?.data ?? []))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...(drawn?.data ?? []))).toBeLessThan(60);
  });

  test('weight 0 with both rows is the unguided step', async () => {
    const guided = await run(step(2, { guided: true, guidance: 0 }));
    const plain = await run(step(2, { guided: false }));
    expect(guided['sampled']).toEqual(plain['sampled']);
    expect(guided['tokens_out']).toEqual(plain['tokens_out']);
  });

  test('guidance is cond + s (cond − uncond)', async () => {
    const { logits, guided_log_probs: logP } = await run(step(1, { guided: true, guidance: 3 }));
    const [cond, uncond] = [
      logits?.data.subarray(0, 60) ?? [],
      logits?.data.subarray(N * 60, N * 60 + 60) ?? [],
    ];
    const guided = Array.from(cond, (c, i) => c + 3 * (c - (uncond[i] ?? 0)));
    const total = Math.log(guided.reduce((sum, l) => sum + Math.exp(l), 0));
    expect(
      largestDifference(
        guided.map((l) => l - total),
        Array.from(logP?.data.subarray(0, 60) ?? []),
      ),
    ).toBeLessThan(1e-4);
  });

  test('the null row does not see the representation', async () => {
    const feeds = step(1, { guided: true, guidance: 1 });
    const other = { ...feeds, representation: floats([2, D], (i) => unit(i + 500)) };
    const [a, b] = [await run(feeds), await run(other)];
    const nullRow = (x: typeof a) => Array.from(x['logits']?.data.subarray(N * 60) ?? []);
    expect(nullRow(a)).toEqual(nullRow(b));
  });

  test('entropy is in bits, at most log2 of the codes', async () => {
    const { guided_log_probs: logP, entropy } = await run(step(1, { guided: false }));
    const first = Array.from(logP?.data.subarray(60, 120) ?? []);
    const bits = -first.reduce((sum, l) => sum + Math.exp(l) * l, 0) / Math.LN2;
    expect(entropy?.data[1]).toBeCloseTo(bits, 3);
    expect(Math.max(...(entropy?.data ?? []))).toBeLessThanOrEqual(Math.log2(60) + 1e-4);
  });

  test('the second probability is that of the code second in likelihood', async () => {
    const feeds = step(2, { guided: true, guidance: 2 });
    const { guided_log_probs: logP, second_probability: second } = await run(feeds);
    const known = Array.from({ length: 2 * N }, (_, i) => feeds.tokens.data[i] !== MASK);
    expect(known.filter(Boolean).length).toBeGreaterThan(0);
    known.forEach((isKnown, i) => {
      const row = Array.from(logP?.data.subarray(60 * i, 60 * (i + 1)) ?? []);
      const expected = isKnown ? 0 : Math.exp(row.sort((a, b) => b - a)[1] ?? NaN);
      expect(second?.data[i]).toBeCloseTo(expected, 6);
    });
  });

  test('8 bits stay near float32', async () => {
    const feeds = step(1, { guided: false });
    const [exact, rounded] = [await run(feeds), await run(feeds, 'cpu-int8')];
    const a = exact['logits']?.data ?? new Float32Array();
    const b = rounded['logits']?.data ?? new Float32Array();
    const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => {
      let sum = 0;
      for (let i = 0; i < x.length; i += 1) sum += (x[i] ?? 0) * (y[i] ?? 0);
      return sum;
    };
    expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeGreaterThan(0.99);
  });
});

test('a representation is standardised with the sample deviation', async () => {
  const { representation } = await runModel(
    graphOf('encoder', { target: 'portable' }),
    FEEDS.encoder,
  );
  const row = Array.from(representation?.data.subarray(0, D) ?? []);
  const mean = row.reduce((a, b) => a + b, 0) / D;
  const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (D - 1);
  expect(mean).toBeCloseTo(0, 5);
  expect(variance).toBeCloseTo(1, 4);
});

test('pixels are truncated to 8 bits, channels last', async () => {
  const { image, pixels } = await runModel(
    graphOf('decoder', { target: 'portable' }),
    FEEDS.decoder,
  );
  const at = (c: number, i: number) => pixels?.data[c * 32 * 32 + i] ?? NaN;
  for (let i = 0; i < 32 * 32; i += 37) {
    for (const c of [0, 1, 2]) {
      const value = Math.trunc(
        Math.fround(Math.min(255, Math.max(0, Math.fround(at(c, i) * 255)))),
      );
      expect(image?.data[i * 3 + c]).toBe(value);
    }
  }
});

test('DDIM steps in one run are those of several', async () => {
  const model = graphOf('rdm', { target: 'portable' });
  const all = await runModel(model, FEEDS.rdm);
  const { x, noise, timesteps, coefficients, labels } = FEEDS.rdm as Record<string, Tensor>;
  let state = x;
  for (const k of [0, 1, 2]) {
    const result = await runModel(model, {
      x: state as Tensor,
      noise: {
        shape: [1, 2, D],
        data: noise?.data.slice(k * 2 * D, (k + 1) * 2 * D) as Float32Array,
      },
      timesteps: { shape: [1], data: timesteps?.data.slice(k, k + 1) as Float32Array },
      coefficients: {
        shape: [1, 7],
        data: coefficients?.data.slice(k * 7, k * 7 + 7) as Float32Array,
      },
      labels: labels as Tensor,
    });
    state = result['representation'];
  }
  expect(largestDifference(state?.data ?? [], all['representation']?.data ?? [])).toBeLessThan(
    1e-5,
  );
});
