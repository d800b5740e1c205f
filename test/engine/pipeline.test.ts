import { describe, expect, test } from 'vitest';
import type { GenerateEvent, Picture } from '#engine/events';
import { generate } from '#engine/pipeline';
import type { GenerateRequest } from '#engine/pipeline';
import { decodePixels } from '#engine/pixels';
import type { Network, Plan } from '#engine/types';
import {
  SIZES,
  TOYS,
  decoded,
  recorded,
  someRepresentations,
  toyDecoder,
  toyMage,
  toyRdm,
} from './toys.ts';

const PLAN: Plan = {
  seeds: [7, 8, 9, 10, 11],
  source: { kind: 'sample', steps: 30, eta: 1, labels: [0, 1, null, 0, 1] },
  decoding: { steps: 3, temperature: 6, guidance: 2, schedule: 'linear' },
};

async function run(overrides: Partial<GenerateRequest> = {}) {
  const events: GenerateEvent[] = [];
  let clock = 0;
  const result = await generate({
    plan: PLAN,
    networks: TOYS,
    sizes: SIZES,
    chunk: 2,
    steps: false,
    onEvent: (event) => events.push(event),
    now: () => (clock += 10),
    ...overrides,
  });
  const pictures = events.flatMap((event) => (event.kind === 'picture' ? [event.picture] : []));
  return { result, events, pictures };
}

/** A picture without its times, which depend on the chunk. */
const content = ({ times: _, ...rest }: Picture) => rest;

describe('generate', () => {
  test('makes every picture of the plan, in order, complete', async () => {
    const { result, pictures } = await run();
    expect(result).toEqual({ pictures: 5 });
    expect(pictures.map(({ index, seed, label }) => [index, seed, label])).toEqual([
      [0, 7, 0],
      [1, 8, 1],
      [2, 9, 2],
      [3, 10, 0],
      [4, 11, 1],
    ]);
    for (const { representation, tokens, image, size } of pictures) {
      expect([representation.length, tokens.length, image.length, size]).toEqual([6, 8, 12, 2]);
      expect([...image.slice(0, 8)]).toEqual([...tokens]);
    }
    expect(new Set(pictures.map(({ tokens }) => tokens.join())).size).toBe(5);
  });

  test('pictures do not depend on the chunk', async () => {
    const { pictures } = await run({ chunk: 1 });
    for (const chunk of [2, 4, 64]) {
      expect((await run({ chunk })).pictures.map(content)).toEqual(pictures.map(content));
    }
  });

  test('a later seed alone is the same picture', async () => {
    const { pictures } = await run();
    const source = { kind: 'sample', steps: 30, eta: 1, labels: [null] } as const;
    const alone = await run({ plan: { ...PLAN, seeds: [9], source } });
    expect(alone.pictures.map(content)).toEqual(
      pictures.slice(2, 3).map((picture) => ({ ...content(picture), index: 0 })),
    );
  });

  test('tells how far the representations are, over the whole plan', async () => {
    const { events } = await run();
    const stages = events.flatMap((event) => (event.kind === 'stage' ? [event] : []));
    // 30 asked for are 31 executed, in segments of 25 and 6.
    expect(stages.map(({ done, total }) => [done, total])).toEqual([
      [50, 155],
      [62, 155],
      [112, 155],
      [124, 155],
      [149, 155],
      [155, 155],
    ]);
  });

  test('tells each step when asked, with the index in the plan', async () => {
    const { events } = await run({ steps: true });
    const steps = events.flatMap((event) => (event.kind === 'step' ? [event.report] : []));
    expect(steps.map(({ index }) => index)).toEqual([0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 4, 4, 4]);
    expect((await run()).events.some(({ kind }) => kind === 'step')).toBe(false);
  });

  test("shares a batch's time out evenly", async () => {
    const { pictures } = await run({ chunk: 5 });
    expect(pictures.map(({ times }) => times)).toEqual(
      Array(5).fill({ representation: 2, tokens: 2, pixels: 10 }),
    );
  });

  test('given representations need no RDM, are guided too, and come back in the picture', async () => {
    const values = someRepresentations(5);
    const { network, calls } = recorded(toyMage);
    const plan = { ...PLAN, source: { kind: 'given', values } } as const;
    const networks = { mage: network, decoder: toyDecoder };
    const { pictures, events } = await run({ plan, networks });
    expect(pictures.flatMap(({ representation }) => [...representation])).toEqual([...values]);
    expect(pictures.map(({ label }) => label)).toEqual([null, null, null, null, null]);
    expect(events.some(({ kind }) => kind === 'stage')).toBe(false);
    expect(calls[0]?.feeds['representation']?.shape[0]).toBe(4);
    const off = await run({ plan: { ...plan, decoding: { ...PLAN.decoding, guidance: 0 } } });
    expect(off.pictures.map(({ tokens }) => tokens)).not.toEqual(
      pictures.map(({ tokens }) => tokens),
    );
  });

  test('start grids reach the right pictures of every chunk', async () => {
    const tokens = new Int32Array(5 * 8).fill(SIZES.maskId);
    for (let picture = 0; picture < 5; picture++)
      tokens.fill(picture, picture * 8, picture * 8 + 3);
    const start = { tokens, step: 0, maskedAtStart: [5, 5, 5, 5, 5] };
    const { pictures } = await run({ plan: { ...PLAN, start } });
    expect(pictures.map((picture) => [...picture.tokens.slice(0, 3)])).toEqual(
      [0, 1, 2, 3, 4].map((id) => [id, id, id]),
    );
  });
});

describe('trouble', () => {
  test('a cancel keeps what is finished and starts nothing more', async () => {
    const cancel = new AbortController();
    const seen: number[] = [];
    const onEvent = (event: GenerateEvent) => {
      if (event.kind !== 'picture') return;
      seen.push(event.picture.index);
      if (event.picture.index === 2) cancel.abort();
    };
    await expect(run({ signal: cancel.signal, onEvent })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(seen).toEqual([0, 1, 2]);
  });

  test('a cancel before the start does nothing at all', async () => {
    const { network, calls } = recorded(toyRdm);
    const networks = { ...TOYS, rdm: network };
    await expect(run({ networks, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(calls).toEqual([]);
  });

  test.each(['rdm', 'mage', 'decoder'] as const)(
    'a missing %s is told before any work',
    async (name) => {
      const { network, calls } = recorded(toyRdm);
      const { [name]: _, ...networks } = { ...TOYS, rdm: network };
      const failed = run({ networks });
      await expect(failed).rejects.toMatchObject({ code: 'network-missing' });
      await expect(failed).rejects.toThrow(`no ${name} network`);
      expect(calls).toEqual([]);
    },
  );

  test.each<[string, Partial<Plan>]>([
    ['seeds', { seeds: [] }],
    ['seeds', { seeds: [1, 2, 3, 4, -5] }],
    ['rdmSteps', { source: { kind: 'sample', steps: 501, eta: 1, labels: null } }],
    ['eta', { source: { kind: 'sample', steps: 10, eta: 2, labels: null } }],
    ['labels', { source: { kind: 'sample', steps: 10, eta: 1, labels: [0] } }],
    ['representation', { source: { kind: 'given', values: new Float32Array(7) } }],
    ['representation', { source: { kind: 'given', values: new Float32Array(30).fill(NaN) } }],
    ['steps', { decoding: { ...PLAN.decoding, steps: 1001 } }],
    ['start', { start: { tokens: new Int32Array(3), step: 0, maskedAtStart: [] } }],
  ])('a plan with wrong %s is refused before any work', async (field, wrong) => {
    const { network, calls } = recorded(toyRdm);
    const networks = { ...TOYS, rdm: network };
    await expect(run({ plan: { ...PLAN, ...wrong }, networks })).rejects.toMatchObject({
      code: 'bad-plan',
      field,
    });
    expect(calls).toEqual([]);
  });

  test.each([0, -1, 1.5, NaN])('refuses a chunk of %d', async (chunk) => {
    await expect(run({ chunk })).rejects.toMatchObject({ code: 'bad-plan', field: 'chunk' });
  });
});

describe('pixels', () => {
  const decode = (tokens: Int32Array, network: Network = toyDecoder) =>
    decodePixels({ network, sizes: SIZES, tokens });

  test('decodes whole grids', async () => {
    expect(await decode(new Int32Array(16).fill(3))).toHaveLength(24);
  });

  test.each([
    ['a masked token', new Int32Array(8).fill(SIZES.maskId)],
    ['a token beyond the codes', new Int32Array(8).fill(5)],
    ['a negative token', new Int32Array(8).fill(-1)],
    ['half a grid', new Int32Array(4)],
    ['nothing', new Int32Array(0)],
  ])('refuses %s', async (_, tokens) => {
    await expect(decode(tokens)).rejects.toMatchObject({ code: 'bad-plan', field: 'tokens' });
  });

  test('a decoder of another size is named', async () => {
    const other: Network = () => Promise.resolve(decoded([1, 4, 4, 3], new Uint8Array(48)));
    await expect(decode(new Int32Array(8), other)).rejects.toMatchObject({ code: 'bad-output' });
  });

  test.each([Number.NaN, Infinity, -Infinity])(
    'refuses %d in a pixel, which no byte would show',
    async (value) => {
      const damaged: Network = async (feeds, fetches) => {
        const outputs = await toyDecoder(feeds, fetches);
        const { pixels } = outputs;
        if (pixels) pixels.data[pixels.data.length - 1] = value;
        return outputs;
      };
      await expect(decode(new Int32Array(8), damaged)).rejects.toMatchObject({
        code: 'bad-output',
        message: expect.stringContaining('not finite') as string,
      });
    },
  );
});
