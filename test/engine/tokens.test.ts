import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StepReport } from '#engine/events';
import { decodeTokens } from '#engine/tokens';
import type { DecodeRequest } from '#engine/tokens';
import type { Network } from '#engine/types';
import {
  SIZES,
  numbersOf,
  recorded,
  rowOfInput,
  shapeOf,
  someRepresentations,
  toyMage,
} from './toys.ts';

const N = SIZES.tokens;
const D = SIZES.representation;
const M = SIZES.maskId;

const DECODING = { steps: 5, temperature: 6, guidance: 2, schedule: 'linear' } as const;

function request(overrides: Partial<DecodeRequest> = {}): DecodeRequest {
  const seeds = overrides.seeds ?? [7, 8, 9, 10];
  return {
    network: toyMage,
    sizes: SIZES,
    seeds,
    representations: someRepresentations(seeds.length),
    decoding: DECODING,
    ...overrides,
  };
}

/** Everything the network was told about one picture of a batch, call by call. */
async function feedsOf(seeds: readonly number[], seed: number, maxRows?: number) {
  const { network, calls } = recorded(toyMage);
  const representations = new Float32Array(seeds.length * D).fill(0.5);
  await decodeTokens(request({ network, seeds, representations, maxRows }));
  const perRow = ['tokens', 'uniforms', 'confidence_noise', 'guidance', 'mask_count'];
  const row = seeds.indexOf(seed);
  return calls.map(({ feeds }) => perRow.map((name) => rowOfInput(feeds, name, row)));
}

describe('noise', () => {
  test('a picture is fed the same numbers alone and in a batch', async () => {
    expect(await feedsOf([9], 9)).toEqual(await feedsOf([7, 8, 9, 10], 9));
  });

  test('and its tokens do not depend on how the batch is cut', async () => {
    const whole = await decodeTokens(request());
    for (const maxRows of [1, 2, 3, 5, 100]) {
      expect([...(await decodeTokens(request({ maxRows })))]).toEqual([...whole]);
    }
  });

  test('the confidence noise is T·(1−(k+1)/n) times a Gumbel draw: 0 in the last step', async () => {
    const { network, calls } = recorded(toyMage);
    await decodeTokens(request({ network, seeds: [7] }));
    const noise = calls.map(({ feeds }) => numbersOf(feeds, 'confidence_noise'));
    expect(noise[0]?.some((value) => Math.abs(value) > 1)).toBe(true);
    expect(noise.at(-1)?.map(Math.abs)).toEqual(Array(N).fill(0));
  });

  test('recorded noise is fed as it is, row by row, in place of the uniforms', async () => {
    const K = SIZES.codes;
    const { network, calls } = recorded((feeds, fetches) => {
      const [b = 0] = shapeOf(feeds, 'tokens');
      const uniforms = { shape: [b, N], data: new Float32Array(b * N).fill(0.5) };
      return toyMage({ ...feeds, uniforms }, fetches);
    });
    const noise = {
      categorical: {
        kind: 'gumbel' as const,
        values: (step: number) => Float32Array.from({ length: 2 * N * K }, (_, i) => step + i),
      },
      confidence: () => new Float32Array(2 * N).fill(0.1),
    };
    await decodeTokens(request({ network, seeds: [1, 2], noise, maxRows: 2 }));
    expect(calls).toHaveLength(2 * DECODING.steps);
    const [, second, third] = calls.map(({ feeds }) => feeds);
    expect('uniforms' in (second ?? {})).toBe(false);
    expect(shapeOf(second ?? {}, 'gumbel')).toEqual([1, N, K]);
    expect(numbersOf(second ?? {}, 'gumbel')[0]).toBe(N * K);
    expect(numbersOf(third ?? {}, 'gumbel')[0]).toBe(1);
    // The product is formed in float64 and rounded once.
    const expected = Math.fround(6 * (1 - 1 / 5) * Math.fround(0.1));
    expect(numbersOf(second ?? {}, 'confidence_noise')[0]).toBe(expected);
  });
});

describe('guidance', () => {
  const rows = async (decoding: Partial<DecodeRequest['decoding']>) => {
    const { network, calls } = recorded(toyMage);
    await decodeTokens(request({ network, seeds: [1, 2], decoding: { ...DECODING, ...decoding } }));
    return calls.map(({ feeds }) => ({
      rows: shapeOf(feeds, 'representation'),
      isNull: numbersOf(feeds, 'is_null'),
      weight: numbersOf(feeds, 'guidance'),
    }));
  };

  test('a guided step has conditional rows, then the same again to be made null', async () => {
    const { network, calls } = recorded(toyMage);
    await decodeTokens(request({ network, seeds: [1, 2] }));
    const feeds = calls[0]?.feeds ?? {};
    const values = [...someRepresentations(2)];
    expect(numbersOf(feeds, 'representation')).toEqual([...values, ...values]);
    expect(await rows({})).toEqual(
      [0.4, 0.8, 1.2, 1.6, 2].map((weight) => ({
        rows: [4, D],
        isNull: [0, 0, 1, 1],
        weight: [Math.fround(weight), Math.fround(weight)],
      })),
    );
  });

  test.each([{ guidance: 0 }, { schedule: 'none' as const }])('%j halves the rows', async (off) => {
    const unguided = { rows: [2, D], isNull: [0, 0], weight: [0, 0] };
    expect(await rows(off)).toEqual(Array(5).fill(unguided));
  });

  test('maxRows counts null rows too, but never splits a picture', async () => {
    const { network, calls } = recorded(toyMage);
    await decodeTokens(request({ network, maxRows: 5 }));
    expect(calls.slice(0, 2).map(({ feeds }) => shapeOf(feeds, 'representation')[0])).toEqual([
      4, 4,
    ]);
    const one = recorded(toyMage);
    await decodeTokens(request({ network: one.network, maxRows: 1 }));
    expect(one.calls.map(({ feeds }) => shapeOf(feeds, 'representation')[0])).toEqual(
      Array(20).fill(2),
    );
  });
});

describe('start grids', () => {
  test('known tokens stay, masked ones are made', async () => {
    const tokens = Int32Array.of(0, 1, M, 3, M, M, 1, 0);
    const start = { tokens, step: 0, maskedAtStart: [3] };
    const { network, calls } = recorded(toyMage);
    const final = await decodeTokens(request({ network, seeds: [7], start }));
    expect([0, 1, 3, 6, 7].map((i) => final[i])).toEqual([0, 1, 3, 1, 0]);
    expect(final.every((token) => token >= 0 && token < SIZES.codes)).toBe(true);
    expect(calls.map(({ feeds }) => numbersOf(feeds, 'mask_count')[0])).toEqual([2, 1, 1, 1, 1]);
    expect([...tokens]).toEqual([0, 1, M, 3, M, M, 1, 0]);
  });

  test('a picture without a masked token comes back as it is, without a call', async () => {
    const { network, calls } = recorded(toyMage);
    const tokens = Int32Array.from({ length: N }, (_, i) => i % 5);
    const start = { tokens, step: 0, maskedAtStart: [0] };
    expect([...(await decodeTokens(request({ network, seeds: [7], start })))]).toEqual([...tokens]);
    expect(calls).toEqual([]);
  });

  test('in a mixed batch finished pictures stay out of it, the others are as if alone', async () => {
    const known = Array<number>(N).fill(4);
    const partly = [M, M, M, M, 0, 0, 0, 0];
    const tokens = Int32Array.from([...known, ...partly, ...known, ...Array<number>(N).fill(M)]);
    const { network, calls } = recorded(toyMage);
    const start = { tokens, step: 0, maskedAtStart: [0, 4, 0, N] };
    const final = await decodeTokens(request({ network, start }));
    expect(calls.every(({ feeds }) => shapeOf(feeds, 'tokens')[0] === 2)).toBe(true);
    expect([...final.slice(0, N), ...final.slice(2 * N, 3 * N)]).toEqual([...known, ...known]);
    const alone = await decodeTokens(
      request({
        seeds: [8],
        representations: someRepresentations(2).slice(D),
        start: { tokens: Int32Array.from(partly), step: 0, maskedAtStart: [4] },
      }),
    );
    expect([...final.slice(N, 2 * N)]).toEqual([...alone]);
    expect([...final.slice(3 * N)]).toEqual([...(await decodeTokens(request())).slice(3 * N)]);
  });

  test('resuming after any step ends with the tokens of an uninterrupted run', async () => {
    const grids: Int32Array[] = [];
    const onStep = ({ tokens }: StepReport) => grids.push(tokens);
    const whole = await decodeTokens(request({ seeds: [7], onStep }));
    expect(grids).toHaveLength(5);
    for (const [done, tokens] of grids.slice(0, -1).entries()) {
      const start = { tokens, step: done + 1, maskedAtStart: [N] };
      const resumed = await decodeTokens(request({ seeds: [7], start }));
      expect([...resumed]).toEqual([...whole]);
    }
  });

  test('known tokens never change, whatever is known', async () => {
    const token = fc.oneof(fc.constant(M), fc.integer({ min: 0, max: SIZES.codes - 1 }));
    const grid = fc.array(token, { minLength: N, maxLength: N });
    await fc.assert(
      fc.asyncProperty(grid, fc.integer({ min: 1, max: 12 }), async (tokens, steps) => {
        const masked = tokens.filter((id) => id === M).length;
        const start = { tokens: Int32Array.from(tokens), step: 0, maskedAtStart: [masked] };
        const decoding = { ...DECODING, steps };
        const final = await decodeTokens(request({ seeds: [3], start, decoding }));
        tokens.forEach((id, i) => expect([id, M]).toContain(id === M ? M : final[i]));
        expect(final.every((id) => id >= 0 && id < SIZES.codes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  const all = Array<number>(N).fill(M);
  test.each([
    ['too few tokens', { tokens: Int32Array.of(M), step: 0, maskedAtStart: [1] }],
    [
      'an unknown token',
      { tokens: Int32Array.of(...all.slice(1), 5), step: 0, maskedAtStart: [N] },
    ],
    [
      'a negative token',
      { tokens: Int32Array.of(...all.slice(1), -1), step: 0, maskedAtStart: [N] },
    ],
    ['no counts', { tokens: Int32Array.from(all), step: 0, maskedAtStart: [] }],
    ['a count below what is masked', { tokens: Int32Array.from(all), step: 0, maskedAtStart: [7] }],
    ['a count beyond the tokens', { tokens: Int32Array.from(all), step: 0, maskedAtStart: [9] }],
    ['a step beyond the last', { tokens: Int32Array.from(all), step: 5, maskedAtStart: [N] }],
    ['a negative step', { tokens: Int32Array.from(all), step: -1, maskedAtStart: [N] }],
  ])('refuses %s', async (_, start) => {
    await expect(decodeTokens(request({ seeds: [7], start }))).rejects.toMatchObject({
      code: 'bad-plan',
      field: 'start',
    });
  });
});

describe('reports', () => {
  test('each step of each picture, with its own copies; the last draws are the result', async () => {
    const reports: StepReport[] = [];
    const onStep = (report: StepReport) => reports.push(report);
    const final = await decodeTokens(request({ seeds: [7, 8], onStep }));
    expect(reports.map(({ index, step, steps }) => `${index}:${step}/${steps}`)).toEqual(
      [1, 2, 3, 4, 5].flatMap((step) => [`0:${step}/5`, `1:${step}/5`]),
    );
    const masked = reports
      .filter(({ index }) => index === 0)
      .map(({ tokens }) => tokens.filter((token) => token === M).length);
    expect(masked).toEqual([7, 6, 4, 2, 1]);
    expect([...(reports.at(-1)?.sampled ?? [])]).toEqual([...final.slice(N)]);
    const last = reports.at(-1);
    expect(last?.probability.filter((p) => p === Infinity)).toHaveLength(6);
    expect(last?.entropy.filter((bits) => bits === 0)).toHaveLength(6);
    expect(last?.second.filter((probability) => probability === 0.25)).toHaveLength(N - 6);
    reports[0]?.sampled.fill(-5);
    expect(final.includes(-5)).toBe(false);
  });

  test('the uncertainty is not asked for when nobody listens', async () => {
    const { network, calls } = recorded(toyMage);
    await decodeTokens(request({ network }));
    expect(calls[0]?.fetches).toEqual(['sampled', 'tokens_out', 'probability']);
  });
});

describe('trouble', () => {
  test('a cancel is felt before the next step', async () => {
    const cancel = new AbortController();
    const { network, calls } = recorded(toyMage);
    const onStep = ({ step }: StepReport) => {
      if (step === 2) cancel.abort();
    };
    const run = decodeTokens(request({ network, seeds: [7], signal: cancel.signal, onStep }));
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(calls).toHaveLength(2);
  });

  test('the caller gets a pause before every call', async () => {
    let pauses = 0;
    const pause = () => {
      pauses += 1;
      return Promise.resolve();
    };
    await decodeTokens(request({ pause }));
    expect(pauses).toBe(5);
  });

  /** The toy with one number of one output replaced. */
  const broken =
    (name: string, value: number): Network =>
    async (feeds, fetches) => {
      const outputs = await toyMage(feeds, fetches);
      outputs[name]?.data.fill(value, 0, 1);
      return outputs;
    };
  test.each([
    ['a draw beyond the codes', broken('sampled', 5)],
    ['a negative draw', broken('sampled', -1)],
    ['the mask as a draw', broken('sampled', M)],
    ['a grid that is not its draws', broken('tokens_out', 77)],
    ['a probability that is NaN', broken('probability', NaN)],
  ])('%s is named', async (_, network) => {
    await expect(decodeTokens(request({ network }))).rejects.toMatchObject({ code: 'bad-output' });
  });

  test('a changed known token is named', async () => {
    const start = { tokens: Int32Array.of(0, M, M, M, M, M, M, M), step: 0, maskedAtStart: [7] };
    const run = decodeTokens(request({ seeds: [7], start, network: broken('sampled', 1) }));
    await expect(run).rejects.toMatchObject({ code: 'bad-output' });
  });

  test.each([
    ['steps', { steps: 0 }],
    ['steps', { steps: 257 }],
    ['steps', { steps: 1.5 }],
    ['temperature', { temperature: -1 }],
    ['temperature', { temperature: Infinity }],
    ['guidance', { guidance: NaN }],
    ['guidance', { guidance: -1 }],
  ])('refuses %s of %j', async (field, wrong) => {
    const decoding = { ...DECODING, ...wrong };
    await expect(decodeTokens(request({ decoding }))).rejects.toMatchObject({
      code: 'bad-plan',
      field,
    });
  });

  test('refuses representations that do not fit, or are not numbers', async () => {
    for (const representations of [new Float32Array(3), new Float32Array(4 * D).fill(NaN)]) {
      await expect(decodeTokens(request({ representations }))).rejects.toMatchObject({
        code: 'bad-plan',
        field: 'representation',
      });
    }
    await expect(decodeTokens(request({ maxRows: 0 }))).rejects.toMatchObject({ field: 'chunk' });
  });
});
