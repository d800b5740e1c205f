import { describe, expect, test } from 'vitest';
import { sampleRepresentations } from '#engine/representation';
import type { SampleRequest } from '#engine/representation';
import type { Network } from '#engine/types';
import { SIZES, numbersOf, recorded, shapeOf, toyRdm } from './toys.ts';

const D = SIZES.representation;
const UNCONDITIONAL = { ...SIZES, classes: 0, unconditionalClass: null };

function request(overrides: Partial<SampleRequest> = {}): SampleRequest {
  return {
    network: toyRdm,
    sizes: SIZES,
    seeds: [7, 8, 9, 10],
    steps: 60,
    eta: 1,
    labels: null,
    ...overrides,
  };
}

describe('sampling representations', () => {
  test('a seed gives the same numbers alone, in a batch, and in segments of any length', async () => {
    const { values } = await sampleRepresentations(request());
    expect(new Set(values).size).toBe(4 * D);
    const alone = await sampleRepresentations(request({ seeds: [9] }));
    expect([...alone.values]).toEqual([...values.slice(2 * D, 3 * D)]);
    for (const segment of [1, 7, 1000]) {
      const again = await sampleRepresentations(request({ segment }));
      expect([...again.values]).toEqual([...values]);
    }
  });

  test('runs the executed steps in segments of at most 25, and reports each', async () => {
    const { network, calls } = recorded(toyRdm);
    const progress: string[] = [];
    const onProgress = (done: number, total: number) => progress.push(`${done}/${total}`);
    await sampleRepresentations(request({ network, onProgress }));
    expect(progress).toEqual(['25/63', '50/63', '63/63']);
    expect(calls.map(({ feeds }) => shapeOf(feeds, 'noise'))).toEqual([
      [25, 4, D],
      [25, 4, D],
      [13, 4, D],
    ]);
    const timesteps = calls.flatMap(({ feeds }) => numbersOf(feeds, 'timesteps'));
    expect([timesteps[0], timesteps.at(-1), timesteps.length]).toEqual([993, 1, 63]);
    expect(calls.map(({ feeds }) => shapeOf(feeds, 'coefficients'))).toEqual([
      [25, 7],
      [25, 7],
      [13, 7],
    ]);
    expect(calls.every(({ fetches }) => fetches.join() === 'representation')).toBe(true);
  });

  test("recorded noise takes the place of the seeds' own", async () => {
    const { network, calls } = recorded(toyRdm);
    const start = Float32Array.from({ length: D }, (_, i) => i);
    const steps = Float32Array.from({ length: 10 * D }, (_, i) => -i);
    const run = request({ network, seeds: [1], steps: 10, noise: { start, steps }, segment: 4 });
    const first = await sampleRepresentations(run);
    expect(numbersOf(calls[0]?.feeds ?? {}, 'x')).toEqual([...start]);
    expect(calls.flatMap(({ feeds }) => numbersOf(feeds, 'noise'))).toEqual([...steps]);
    const other = await sampleRepresentations({ ...run, seeds: [2] });
    expect([...other.values]).toEqual([...first.values]);
  });

  test('recorded noise of the wrong length is refused', async () => {
    const noise = { start: new Float32Array(D), steps: new Float32Array(D) };
    await expect(sampleRepresentations(request({ seeds: [1], noise }))).rejects.toMatchObject({
      code: 'bad-plan',
    });
  });

  test('eta 0 depends on the start only', async () => {
    const { network, calls } = recorded(toyRdm);
    await sampleRepresentations(request({ network, eta: 0 }));
    const noise = calls.flatMap(({ feeds }) => numbersOf(feeds, 'noise'));
    expect(noise.every((value) => value === 0)).toBe(true);
  });
});

describe('labels', () => {
  test('null is "any class" where the model has one', async () => {
    const { network, calls } = recorded(toyRdm);
    const { labels } = await sampleRepresentations(
      request({ network, labels: [0, null, 1, null] }),
    );
    expect(labels).toEqual([0, 2, 1, 2]);
    expect(calls.map(({ feeds }) => numbersOf(feeds, 'labels'))[0]).toEqual([0, 2, 1, 2]);
    expect((await sampleRepresentations(request())).labels).toEqual([2, 2, 2, 2]);
  });

  test("null without such a class is drawn from the picture's own seed", async () => {
    const sizes = { ...SIZES, classes: 1000, unconditionalClass: null };
    const { labels } = await sampleRepresentations(request({ sizes, steps: 1 }));
    expect(new Set(labels).size).toBe(4);
    const alone = await sampleRepresentations(request({ sizes, steps: 1, seeds: [9] }));
    expect(alone.labels).toEqual([labels[2]]);
  });

  test('an unconditional RDM is fed none', async () => {
    const { network, calls } = recorded(toyRdm);
    const { labels } = await sampleRepresentations(request({ network, sizes: UNCONDITIONAL }));
    expect(labels).toEqual([null, null, null, null]);
    expect(calls.every(({ feeds }) => !('labels' in feeds))).toBe(true);
  });

  test.each([
    ['a label beyond the classes', SIZES, [3, 0, 0, 0]],
    ['a negative label', SIZES, [-1, 0, 0, 0]],
    ['half a label', SIZES, [0.5, 0, 0, 0]],
    ['too few labels', SIZES, [0]],
    ['a label for a model without classes', UNCONDITIONAL, [0, null, null, null]],
  ])('refuses %s', async (_, sizes, labels) => {
    await expect(sampleRepresentations(request({ sizes, labels }))).rejects.toMatchObject({
      code: 'bad-plan',
      field: 'labels',
    });
  });
});

describe('trouble', () => {
  test.each([[[]], [[-1]], [[0.5]], [[NaN]], [[2 ** 53]]])('refuses seeds %j', async (seeds) => {
    await expect(sampleRepresentations(request({ seeds }))).rejects.toMatchObject({
      code: 'bad-plan',
      field: 'seeds',
    });
  });

  test('a cancel is felt between two segments', async () => {
    const cancel = new AbortController();
    const { network, calls } = recorded(toyRdm);
    const pause = () => {
      if (calls.length === 2) cancel.abort();
      return Promise.resolve();
    };
    const run = sampleRepresentations(request({ network, signal: cancel.signal, pause }));
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(calls).toHaveLength(2);
  });

  const answers =
    (data: Float32Array | Int32Array, shape: readonly number[]): Network =>
    () =>
      Promise.resolve({ representation: { shape, data } });
  test.each<[string, Network]>([
    ['NaN', answers(new Float32Array(4 * D).fill(NaN), [4, D])],
    ['infinity', answers(new Float32Array(4 * D).fill(Infinity), [4, D])],
    ['the wrong shape', answers(new Float32Array(4 * D), [D, 4])],
    ['too few numbers', answers(new Float32Array(1), [4, D])],
    ['the wrong type', answers(new Int32Array(4 * D), [4, D])],
    ['nothing', () => Promise.resolve({})],
  ])('a network that gives %s is named', async (_, network) => {
    await expect(sampleRepresentations(request({ network }))).rejects.toMatchObject({
      code: 'bad-output',
    });
  });

  test('an error of the network itself passes through', async () => {
    const broken: Network = () => Promise.reject(new Error('no memory'));
    await expect(sampleRepresentations(request({ network: broken }))).rejects.toThrow('no memory');
  });
});
