import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '#bundle/manifest';
import { realNumber, wholeNumber } from '#studio/making/numbers';
import { givenPlan, planGenerate, samplePlan, type GenerateRequest } from '#studio/making/plan';
import { failure, tinyManifest } from './helpers.ts';

const manifest = tinyManifest();

function plan(request: GenerateRequest, changes: Partial<Manifest> = {}) {
  return planGenerate(request, {
    manifest: { ...manifest, ...changes },
    source: 'sample',
    newSeed: () => 77,
  });
}

describe('a request is filled in', () => {
  test('from the recommended settings, and with a new seed', () => {
    expect(plan({})).toEqual({
      seeds: [77],
      target: 'cpu',
      chunk: 2,
      decoding: { steps: 16, temperature: 1, guidance: 0.5, schedule: 'linear' },
      rdmSteps: 250,
      eta: 1,
      label: null,
    });
  });

  test('from what is asked for, as text or as numbers', () => {
    const asked = {
      count: 3,
      seed: '5',
      guidance: '6e0',
      guidanceSchedule: 'cosine',
      temperature: '.5',
      steps: 8,
      rdmSteps: '50',
      eta: 0,
      chunk: '2',
      target: 'portable',
      class: 'food & drink',
    };
    expect(plan(asked)).toEqual({
      seeds: [5, 6, 7],
      target: 'portable',
      chunk: 2,
      decoding: { steps: 8, temperature: 0.5, guidance: 6, schedule: 'cosine' },
      rdmSteps: 50,
      eta: 0,
      label: 1,
    });
  });

  test('guidance that is asked for works although the model recommends none', () => {
    const none = { recommended: { ...manifest.recommended, schedule: 'none' as const } };
    expect(plan({ guidance: 3 }, none).decoding.schedule).toBe('linear');
    expect(plan({}, none).decoding.schedule).toBe('none');
    expect(plan({ guidance: 3, guidanceSchedule: 'none' }, none).decoding.schedule).toBe('none');
  });

  test('plans: one label a picture, and given rows going round', () => {
    const settings = plan({ count: 3, seed: 1, class: 0 });
    expect(samplePlan(settings).source).toEqual({
      kind: 'sample',
      steps: 250,
      eta: 1,
      labels: [0, 0, 0],
    });
    const rows = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
    expect(givenPlan(settings, rows)).toMatchObject({
      seeds: [1, 2, 3],
      source: { kind: 'given', values: Float32Array.of(1, 2, 3, 4, 1, 2) },
    });
  });
});

describe('a wrong field is named with its range', () => {
  const seeds = /0 to 9007199254740991/;
  test.each<[GenerateRequest, string, RegExp]>([
    [{ count: 0 }, 'count', /1 to 1000/],
    [{ count: 1001 }, 'count', /1 to 1000/],
    [{ count: 'many' }, 'count', /not many/],
    [{ seed: NaN }, 'seed', seeds],
    [{ seed: Infinity }, 'seed', seeds],
    [{ seed: 2 ** 53 }, 'seed', seeds],
    [{ seed: '9007199254740993' }, 'seed', seeds],
    [{ seed: -1 }, 'seed', seeds],
    [{ seed: 1.5 }, 'seed', seeds],
    [{ seed: 'abc' }, 'seed', seeds],
    [{ seed: '' }, 'seed', seeds],
    [{ seed: '0x10' }, 'seed', seeds],
    [{ seed: 2 ** 53 - 1, count: 2 }, 'seed', /0 to 9007199254740990/],
    [{ steps: 0 }, 'steps', /1 to 256/],
    [{ steps: '-1' }, 'steps', /1 to 256/],
    [{ steps: 1001 }, 'steps', /1 to 256/],
    [{ steps: 1.5 }, 'steps', /whole/],
    [{ rdmSteps: 0 }, 'rdm-steps', /1 to 500/],
    [{ rdmSteps: 1001 }, 'rdm-steps', /1 to 500/],
    [{ eta: 1.01 }, 'eta', /0 to 1/],
    [{ eta: -0.1 }, 'eta', /0 to 1/],
    [{ guidance: '1e9' }, 'guidance', /0 to 100/],
    [{ guidance: NaN }, 'guidance', /0 to 100/],
    [{ guidance: 'Infinity' }, 'guidance', /0 to 100/],
    [{ temperature: -1 }, 'temperature', /0 to 100/],
    [{ temperature: 'hot' }, 'temperature', /not hot/],
    [{ chunk: 65 }, 'chunk', /1 to 64/],
    [{ guidanceSchedule: 'steep' }, 'guidance-schedule', /linear, constant, cosine, none/],
    [{ target: 'cuda' }, 'target', /cpu, cpu-int8, cpu-float32, portable/],
    [{ class: 4 }, 'class', /0 to 3/],
    [{ class: '-1' }, 'class', /0 to 3/],
    [{ class: 1.5 }, 'class', /0 to 3/],
    [{ class: 'dragon' }, 'class', /choose among 0 tench/],
    [{ class: 'drink' }, 'class', /for example 1 Food & drink/],
    [{ class: '' }, 'class', /choose among/],
  ])('%o', async (request, field, message) => {
    expect(await failure(() => plan(request))).toMatchObject({
      code: 'invalid-request',
      field,
      message: expect.stringMatching(message) as string,
    });
  });

  test('numbers: only what lies within the bounds ever gets through', () => {
    const bounds = { min: -2, max: 5 };
    const anything = fc.oneof(
      fc.double(),
      fc.string(),
      fc.double().map(String),
      fc.maxSafeInteger(),
    );
    fc.assert(
      fc.property(anything, (given) => {
        for (const parse of [wholeNumber, realNumber]) {
          let value: number;
          try {
            value = parse('x', given, bounds);
          } catch {
            continue;
          }
          expect(value).toBe(Number(given) + 0);
          expect(value >= -2 && value <= 5 && !Object.is(value, -0)).toBe(true);
        }
      }),
    );
  });
});

describe('classes', () => {
  test.each([
    ['Food & drink', 1],
    ['FOOD & DRINK', 1],
    [' food & drink ', 1],
    ['食べ物と飲み物', 1],
    ['tench', 0],
    ['Tinca tinca', 0],
    ['テンチ', 0],
    ['0', 0],
    [2, 2],
    // The class with this name, not the one with this index.
    ['3', 2],
  ])('%s is label %d', (given, label) => {
    expect(plan({ class: given }).label).toBe(label);
  });

  test('a model without classes says so', async () => {
    const { rdm } = manifest.networks;
    const networks = {
      ...manifest.networks,
      ...(rdm && { rdm: { ...rdm, classes: 0, context: 0 } }),
    };
    const { field, message } = await failure(() => plan({ class: 1 }, { networks, classes: [] }));
    expect([field, message]).toEqual(['class', expect.stringMatching(/without classes/)]);
  });

  test('classes without names go by index', async () => {
    expect(plan({ class: '2' }, { classes: [] }).label).toBe(2);
    expect((await failure(() => plan({ class: 'x' }, { classes: [] }))).message).toMatch(/0 to 3/);
  });
});

describe('what the model or the source rules out', () => {
  test.each([['rdm'], ['mage'], ['vqgan']])('no %s network', async (kind) => {
    const networks = { ...manifest.networks, [kind]: undefined };
    expect(await failure(() => plan({}, { networks }))).toMatchObject({
      code: 'network-missing',
      message: expect.stringContaining(kind) as string,
    });
  });

  test.each([
    [{ class: 1 }, 'class'],
    [{ rdmSteps: 10 }, 'rdm-steps'],
    [{ eta: 0 }, 'eta'],
  ])('%o with a given representation', async (request, field) => {
    const refused = await failure(() =>
      planGenerate(request, { manifest, source: 'given', newSeed: () => 0 }),
    );
    expect(refused).toMatchObject({ code: 'invalid-request', field });
  });

  test('a given representation needs no RDM', () => {
    const networks = { ...manifest.networks, rdm: undefined };
    const context = { manifest: { ...manifest, networks } as Manifest, source: 'given' as const };
    expect(planGenerate({}, { ...context, newSeed: () => 3, count: 2 }).seeds).toEqual([3, 4]);
  });
});
