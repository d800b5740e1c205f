import { describe, expect, test } from 'vitest';
import type { Manifest } from '#bundle/manifest';
import { ImportError } from '#importer/errors';
import { cardLicence, licencesOf } from '#importer/licences';
import { presetOf, previewOf } from '#importer/presets';
import { checkRecipe, parseRecipe, textOf, withSettings } from '#importer/recipe';
import * as sample from './samples.ts';

const networks: Manifest['networks'] = {
  encoder: sample.ENCODER,
  rdm: sample.CLASS_RDM,
  mage: sample.MAGE,
  vqgan: sample.VQGAN,
};

const COMPLETE = {
  name: 'tiny',
  version: 1,
  title: 'Tiny',
  image_size: 32,
  grid: 16,
  encoder: {
    kind: 'mocov3',
    image_size: 32,
    patch_size: 8,
    width: 24,
    depth: 15,
    heads: 3,
    mlp_dim: 20,
    rep_dim: 16,
  },
  rdm: {
    model_channels: 14,
    bottleneck_channels: 10,
    time_embed_dim: 6,
    num_res_blocks: 12,
    context_channels: 5,
    class_cond: true,
    n_classes: 7,
    unconditional_class: 6,
    classes: ['1', '2', '3', '4', '5', '6', '7'],
  },
  vqgan: { ch: 32, ch_mult: [1, 2], num_res_blocks: 1, z_channels: 11, n_embed: 9 },
  mage: {
    width: 12,
    depth: 2,
    heads: 3,
    dec_width: 8,
    dec_depth: 1,
    dec_heads: 2,
    codebook: 9,
    class_slots: 1000,
  },
} as const;

function refusal(work: () => unknown): ImportError {
  try {
    work();
  } catch (error) {
    if (error instanceof ImportError && error.code === 'recipe') return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('sizes in a recipe', () => {
  test('that agree are accepted', () => {
    expect(() => checkRecipe(parseRecipe(COMPLETE), networks)).not.toThrow();
  });

  // Every number of the recipe in turn is made wrong by one.
  const places = (value: unknown, path: readonly string[] = []): (readonly string[])[] => {
    if (typeof value === 'number') return path[0] === 'version' ? [] : [path];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]));
  };
  test.each(places(COMPLETE).map((path) => [path.join('.')]))('%s off by one is named', (field) => {
    const wrong: Record<string, unknown> = structuredClone(COMPLETE);
    const path = field.split('.');
    let at = wrong;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
    const last = path.at(-1) ?? '';
    at[last] = Number(at[last]) + 1;
    const named = field.startsWith('vqgan.ch_mult') ? 'vqgan.ch_mult' : field;
    expect(refusal(() => checkRecipe(parseRecipe(wrong), networks)).key).toBe(named);
  });

  test('of parts that are not there are not compared', () => {
    const recipe = parseRecipe({
      rdm: { model_channels: 1, unconditional_class: 3, classes: ['x'] },
    });
    expect(() => checkRecipe(recipe, { mage: sample.MAGE, vqgan: sample.VQGAN })).not.toThrow();
  });

  test('of the unused table of an unconditional RDM are not compared', () => {
    const rdm = { class_cond: false, n_classes: 1, context_channels: 24 };
    expect(() => checkRecipe(parseRecipe({ rdm }), { ...networks, rdm: sample.RDM })).not.toThrow();
    const wrong = parseRecipe({ rdm: { class_cond: true } });
    expect(refusal(() => checkRecipe(wrong, { ...networks, rdm: sample.RDM })).key).toBe(
      'rdm.class_cond',
    );
  });

  test('too few class names, or a label beyond them', () => {
    const few = parseRecipe({ rdm: { classes: ['a', 'b'] } });
    expect(refusal(() => checkRecipe(few, networks)).key).toBe('rdm.classes');
    const beyond = parseRecipe({ rdm: { unconditional_class: 7 } });
    expect(refusal(() => checkRecipe(beyond, networks)).key).toBe('rdm.unconditional_class');
  });
});

describe('the form of a recipe', () => {
  test.each([[null], [undefined], [{}]])('%j says nothing', (json) => {
    expect(parseRecipe(json)).toEqual({});
  });

  test.each<[unknown, string]>([
    ['text', ''],
    [[], ''],
    [{ unknown: 1 }, 'unknown'],
    [{ mage: { head: 3 } }, 'mage.head'],
    [{ mage: { heads: '3' } }, 'mage.heads'],
    [{ mage: { heads: 0 } }, 'mage.heads'],
    [{ mage: { heads: 1.5 } }, 'mage.heads'],
    [{ encoder: { kind: 'clip' } }, 'encoder.kind'],
    [{ encoder: { heads: Number.POSITIVE_INFINITY } }, 'encoder.heads'],
    [{ vqgan: { ch_mult: [] } }, 'vqgan.ch_mult'],
    [{ defaults: { steps: 257 } }, 'defaults.steps'],
    [{ defaults: { rdm_steps: 501 } }, 'defaults.rdm_steps'],
    [{ defaults: { guidance: -1 } }, 'defaults.guidance'],
    [{ preview: { guidance_schedule: 'steep' } }, 'preview.guidance_schedule'],
    [{ version: 2 }, 'version'],
    [{ title: { ja: '題' } }, 'title'],
    [{ name: '' }, 'name'],
    [{ rdm: { classes: [''] } }, 'rdm.classes.0'],
  ])('%j is refused, naming %s', (json, field) => {
    const error = refusal(() => parseRecipe(json));
    expect(error.key).toBe(field);
    expect(error.message).toContain(field === '' ? '(root)' : field);
  });
});

test('settings and names', () => {
  const { recommended } = presetOf(sample.MAGE, sample.RDM);
  expect(withSettings(recommended, undefined)).toEqual(recommended);
  expect(withSettings(recommended, { guidance_schedule: 'cosine', eta: 0 })).toEqual({
    ...recommended,
    schedule: 'cosine',
    eta: 0,
  });
  expect(previewOf({ ...recommended, rdmSteps: 10, steps: 3 })).toMatchObject({
    rdmSteps: 10,
    steps: 3,
  });
  expect(textOf('a')).toEqual({ en: 'a' });
  expect(textOf({ en: 'a', ja: 'あ' })).toEqual({ en: 'a', ja: 'あ' });
});

test.each([
  [768, 12, sample.RDM, 'rcg-b', 'RCG-B', 6, 1],
  [1024, 24, sample.RDM, 'rcg-l', 'RCG-L', 11, 6],
  [1024, 24, sample.CLASS_RDM, 'rcg-l-class', 'RCG-L with classes', 11, 6],
  [1280, 32, undefined, 'rcg-h-without-rdm', 'RCG-H without RDM', 11, 6],
  [256, 5, sample.CLASS_RDM, 'rcg-256x5-class', 'RCG-256×5 with classes', 6, 1],
] as const)('preset of width %i and depth %i', (width, depth, rdm, ...expected) => {
  const sizes = { width, depth, decoderWidth: width, decoderDepth: 8 };
  const { id, title, recommended } = presetOf({ ...sample.MAGE, ...sizes }, rdm);
  expect([id, title.en, recommended.temperature, recommended.guidance]).toEqual(expected);
});

describe('licences', () => {
  test.each([
    ['---\nlicense: cc-by-4.0\n---\n', 'cc-by-4.0'],
    ['\uFEFF---\r\ntags: [x]\r\nlicense: "MIT"  # comment\r\n---\r\ntext', 'MIT'],
    ['---\nlicence: Apache-2.0\n---', 'Apache-2.0'],
    ['# no front matter\nlicense: mit\n', null],
    ['---\ntitle: x\n---\nlicense: mit\n', null],
    ['---\nlicense:\n---\n', null],
    ['', null],
  ])('of the card %j', (card, licence) => {
    expect(cardLicence(card)).toBe(licence);
  });

  test('of published weights, with MoCo or without', () => {
    const published = (mocoEncoder: boolean) => licencesOf({ card: undefined, mocoEncoder });
    expect(published(true).map(({ id }) => id)).toEqual([
      'MIT',
      'CC-BY-NC-4.0',
      'LicenseRef-ImageNet',
    ]);
    expect(published(false).map(({ id }) => id)).toEqual([
      'MIT',
      'Apache-2.0',
      'LicenseRef-ImageNet',
    ]);
    expect(published(true)[0]?.text).toContain('Copyright (c) 2023 Tianhong Li');
  });

  test('in short words link to what binds', () => {
    const named = ['cc-by-4.0', 'cc-by-nc-4.0', 'cc0-1.0', 'apache-2.0'].flatMap((name) =>
      licencesOf({ card: `---\nlicense: ${name}\n---\n`, mocoEncoder: true }),
    );
    const published = [true, false].flatMap((mocoEncoder) =>
      licencesOf({ card: undefined, mocoEncoder }).slice(1),
    );
    for (const { text } of [...named, ...published]) {
      expect(text).toContain('summary');
      expect(text).toMatch(/https:\/\/[\w./-]+$/);
    }
  });

  test('are found in no time, however many blanks the card has', () => {
    const blanks = ' '.repeat(1_000_000);
    expect(cardLicence(`---\nlicense: mit${blanks}x\n---\n`)).toBe('mit');
    expect(cardLicence(`---\nlicense: mit #${blanks}\n---\n`)).toBe('mit');
  });

  test('with unprintable names are shown in one short line', () => {
    const card = `---\nlicense: \u001b[2J${'x'.repeat(5000)}\n---\n`;
    const [licence] = licencesOf({ card, mocoEncoder: true });
    expect(licence?.title).toMatch(/^\?\[2Jx{100,}…$/);
    expect(licence?.text.length).toBeLessThan(300);
  });

  test('that nobody knows are shown as they are', () => {
    const of = (name: string) =>
      licencesOf({ card: `---\nlicense: ${name}\n---\n`, mocoEncoder: true });
    expect(of('house-rules')).toMatchObject([{ id: 'house-rules', nonCommercial: false }]);
    expect(of('cc-by-nc-sa-4.0')).toMatchObject([{ nonCommercial: true }]);
  });
});
