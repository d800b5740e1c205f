import { describe, expect, test } from 'vitest';
import { readTensor } from '#checkpoint/convert';
import type { StateDict } from '#checkpoint/types';
import { ImportError } from '#importer/errors';
import { planImport } from '#importer/plan';
import type { ImportOptions } from '#importer/plan';
import { encoderWeights } from '#networks/encoder';
import { vqganWeights } from '#networks/vqgan';
import * as sample from './samples.ts';

const { checkpoint } = sample;
const mage = (section: StateDict = sample.mageFile()) => checkpoint('mage.pth', { model: section });
const rdm = (section: StateDict = sample.rdmFile()) => checkpoint('rdm.pth', { model: section });
const moco = () => checkpoint('moco.tar', { state_dict: sample.mocoFile() });
const vqgan = () => checkpoint('vqgan.ckpt', { '': sample.vqganFile() });

const plan = (
  files: Parameters<typeof planImport>[0],
  recipe: unknown = sample.HEADS,
  options: Omit<ImportOptions, 'recipe'> = {},
) => planImport(files, { recipe, ...options });

async function refusal(work: Promise<unknown>): Promise<ImportError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ImportError)) throw new Error(`expected an ImportError, got ${error}`);
  return error;
}

/** Files with one tensor of another shape, or gone. */
const reshaped = (section: StateDict, key: string, shape: readonly number[] | null) =>
  sample.dict(
    [...section.values()].flatMap((entry) => {
      if (entry.name !== key) return [entry];
      return shape === null ? [] : [sample.tensor(key, shape)];
    }),
  );

describe('a complete plan', () => {
  test('from MAGE and RDM alone', async () => {
    const made = await plan([mage(), rdm()]);
    expect(made.parts.map(({ kind, from }) => [kind, from])).toEqual([
      ['vqgan', 'mage.pth'],
      ['mage', 'mage.pth'],
      ['rdm', 'rdm.pth'],
      ['encoder', 'mage.pth'],
    ]);
    expect(Object.fromEntries(made.networks.map(({ kind, config }) => [kind, config]))).toEqual({
      encoder: sample.ENCODER,
      rdm: sample.RDM,
      mage: sample.MAGE,
      vqgan: sample.VQGAN,
    });
    expect(made).toMatchObject({
      id: 'rcg-12x2',
      missing: [],
      classes: [],
      unconditionalClass: null,
    });
    expect(made.title.en).toBe('RCG-12×2');
    expect(made.warnings).toEqual([{ code: 'no-settings', values: {} }]);
    expect(made.licences.map(({ id }) => id)).toEqual([
      'MIT',
      'CC-BY-NC-4.0',
      'LicenseRef-ImageNet',
    ]);
    expect(made.preview).toEqual({ ...made.recommended, rdmSteps: 50, steps: 8 });
  });

  test('the order of the files does not matter', async () => {
    const [one, other] = [await plan([mage(), rdm()]), await plan([rdm(), mage()])];
    expect(one.parts).toEqual(other.parts);
    expect(one.networks.map(({ weights }) => [...weights.keys()])).toEqual(
      other.networks.map(({ weights }) => [...weights.keys()]),
    );
  });

  test('the recipe names everything that shapes cannot tell', async () => {
    const classes = ['a', { en: 'b', ja: 'び' }, 'c', 'd', 'e', 'f', 'any'];
    const recipe = {
      ...sample.HEADS,
      name: 'My Model 2',
      title: { en: 'Mine', ja: '私の' },
      image_size: 32,
      rdm: { class_cond: true, n_classes: 7, unconditional_class: 6, classes },
      defaults: { steps: 12, guidance: 0.5 },
      preview: { guidance: 0, steps: 4 },
    };
    const made = await plan([mage(), rdm(sample.rdmFile(sample.CLASS_RDM))], recipe);
    expect(made).toMatchObject({
      id: 'my-model-2',
      title: { en: 'Mine', ja: '私の' },
      unconditionalClass: 6,
      recommended: { steps: 12, guidance: 0.5, temperature: 6, rdmSteps: 250 },
      preview: { steps: 4, guidance: 0, temperature: 6, rdmSteps: 50 },
      warnings: [],
    });
    expect(made.classes).toHaveLength(7);
    expect(made.classes[0]).toEqual({ en: 'a' });
  });

  test('MAGE alone, and what that disables', async () => {
    const made = await plan([mage()]);
    expect(made.missing).toEqual([{ kind: 'rdm' }]);
    expect(made.id).toBe('rcg-12x2-without-rdm');
    const bare = sample.changed(sample.mageFile(), { without: /^pretrained_encoder/ });
    expect((await plan([mage(bare)])).missing.map(({ kind }) => kind)).toEqual(['encoder', 'rdm']);
  });

  test('an encoder and a tokenizer from files of their own', async () => {
    const bare = sample.changed(sample.mageFile(), { without: /^(pretrained_encoder|vqgan)/ });
    const made = await plan([moco(), vqgan(), mage(bare), rdm()]);
    expect(made.parts.map(({ kind, from }) => `${kind} ${from}`)).toEqual([
      'vqgan vqgan.ckpt',
      'mage mage.pth',
      'rdm rdm.pth',
      'encoder moco.tar',
    ]);
  });

  test('files that are not needed are named', async () => {
    const { warnings } = await plan([mage(), moco(), vqgan(), rdm()]);
    expect(warnings).toContainEqual({
      code: expect.stringMatching(/^not-needed/),
      values: { file: 'moco.tar', other: 'mage.pth', part: 'encoder' },
    });
    expect(warnings.filter(({ code }) => code.startsWith('not-needed'))).toHaveLength(2);
  });

  test('an RDM trained with another encoder of the same size', async () => {
    const others = [...sample.rdmFile().values()].map((entry) =>
      entry.name === 'pretrained_encoder.norm.bias'
        ? sample.tensor(entry.name, entry.shape, { salt: 9 })
        : entry,
    );
    const { warnings } = await plan([mage(), rdm(sample.dict(others))]);
    expect(warnings).toContainEqual({
      code: 'trained-apart',
      values: { file: 'rdm.pth', other: 'mage.pth', part: 'encoder' },
    });
  });

  test('a licence named by the card takes the place of the published ones', async () => {
    const card = '---\nlicense: cc-by-4.0\ntags: [a]\n---\n# Card\n';
    const { licences } = await plan([mage(), rdm()], sample.HEADS, { card });
    expect(licences.map(({ id, nonCommercial }) => [id, nonCommercial])).toEqual([
      ['CC-BY-4.0', false],
    ]);
  });

  test('an id that was asked for', async () => {
    expect((await plan([mage()], sample.HEADS, { id: 'here-1.0' })).id).toBe('here-1.0');
    for (const id of ['', '../up', 'Upper', 'a/b', '.hidden', 'x'.repeat(65)]) {
      expect((await refusal(plan([mage()], sample.HEADS, { id }))).code).toBe('id');
    }
  });
});

describe('an encoder', () => {
  const headless = sample.changed(sample.mageFile(), { without: /^pretrained_encoder\.head\./ });
  const kindOf = ({ networks }: Awaited<ReturnType<typeof plan>>) =>
    networks.find(({ kind }) => kind === 'encoder')?.config;
  /** A MAGE of representations as wide as the encoder, 24, with or without the encoder's head. */
  const drawsFeatures = (keep = true) => {
    const section = sample.mageFile({ ...sample.MAGE, representation: 24 });
    return keep ? section : sample.changed(section, { without: /^pretrained_encoder\.head\./ });
  };

  test('without head inside a MAGE is MoCo v3, under its licence', async () => {
    const made = await plan([mage(drawsFeatures(false))]);
    expect(kindOf(made)).toMatchObject({ kind: 'mocov3', head: 'none', representation: 24 });
    expect(made.licences.map(({ id }) => id)).toContain('CC-BY-NC-4.0');
    expect(made.warnings.map(({ code }) => code)).not.toContain('head-unused');
  });

  test('without head is what the recipe says', async () => {
    const recipe = { ...sample.HEADS, encoder: { heads: 3, kind: 'deit' } };
    const made = await plan([mage(drawsFeatures(false))], recipe);
    expect(kindOf(made)).toMatchObject({ kind: 'deit' });
    expect(made.licences.map(({ id }) => id)).not.toContain('CC-BY-NC-4.0');
  });

  test('that is not in the files counts as the one that the recipe says', async () => {
    const bare = sample.changed(sample.mageFile(), { without: /^pretrained_encoder/ });
    const recipe = { ...sample.HEADS, encoder: { kind: 'dino' } };
    const { licences } = await plan([mage(bare)], recipe);
    expect(licences.map(({ id }) => id)).toContain('Apache-2.0');
  });

  test('with a head is what the head says, whatever the recipe', async () => {
    const recipe = { ...sample.HEADS, encoder: { heads: 3, kind: 'deit' } };
    const error = await refusal(plan([mage()], recipe));
    expect(error).toMatchObject({ code: 'recipe', key: 'encoder.kind' });
  });

  test('that tells nothing of its training needs a recipe', async () => {
    const specs = encoderWeights({ ...sample.ENCODER, head: 'none' });
    const bare = checkpoint('vit.pth', { '': sample.dict(sample.tensors(specs)) });
    const own = sample.changed(drawsFeatures(), { without: /^pretrained_encoder/ });
    const error = await refusal(plan([mage(own), bare]));
    expect(error).toMatchObject({ code: 'unknown-size', file: 'vit.pth', key: 'encoder.kind' });
    expect(error.message).toContain('{"encoder": {"kind": "dino"}}');
    const recipe = { ...sample.HEADS, encoder: { heads: 3, kind: 'dino' } };
    expect(kindOf(await plan([mage(own), bare], recipe))).toMatchObject({ kind: 'dino' });
  });

  test('has its head left aside by a MAGE that was trained on the features before it', async () => {
    const made = await plan([mage(drawsFeatures())]);
    expect(kindOf(made)).toMatchObject({ kind: 'mocov3', head: 'none', representation: 24 });
    const weights = made.networks.find(({ kind }) => kind === 'encoder')?.weights;
    expect([...(weights?.keys() ?? [])].filter((name) => name.startsWith('head.'))).toEqual([]);
    expect(made.warnings).toContainEqual({
      code: 'head-unused',
      values: { file: 'mage.pth', key: 'pretrained_encoder.head.' },
    });
    expect(made.licences.map(({ id }) => id)).toContain('CC-BY-NC-4.0');
  });

  test('without head does not belong to a MAGE that was trained with one', async () => {
    const error = await refusal(plan([mage(headless)]));
    expect(error).toMatchObject({ code: 'size-mismatch', key: 'encoder' });
  });
});

describe('what does not make a model', () => {
  test.each([
    ['nothing', [], 'No file was given'],
    ['an RDM alone', [rdm()], 'MAGE checkpoint'],
    ['an encoder and a tokenizer', [moco(), vqgan()], 'MAGE checkpoint'],
    [
      'a MAGE without tokenizer',
      [mage(sample.changed(sample.mageFile(), { without: /^vqgan/ }))],
      'tokenizer file',
    ],
  ] as const)('%s', async (_name, files, words) => {
    const error = await refusal(plan(files));
    expect(error.code).toBe('missing-part');
    expect(error.message).toContain(words);
  });

  test('two of a kind', async () => {
    const second = checkpoint('second.pth', { model: sample.mageFile() });
    expect(await refusal(plan([mage(), second]))).toMatchObject({
      code: 'conflict',
      file: 'second.pth',
    });
  });

  test('an encoder of another size than the one inside MAGE', async () => {
    const key = 'module.base_encoder.head.6.weight';
    const section = reshaped(sample.mocoFile(), key, [17, 20]);
    const error = await refusal(plan([mage(), checkpoint('moco.tar', { state_dict: section })]));
    expect(error).toMatchObject({ code: 'conflict', file: 'moco.tar', key });
  });

  test('an RDM of another representation', async () => {
    const section = sample.changed(sample.rdmFile({ ...sample.RDM, representation: 20 }), {
      without: /^pretrained_encoder/,
    });
    const error = await refusal(plan([mage(), rdm(section)]));
    expect(error).toMatchObject({ code: 'size-mismatch', file: 'rdm.pth', key: 'rdm' });
    expect(error.message).toContain('20 numbers');
  });

  test('a tokenizer with another number of codes', async () => {
    const section = reshaped(sample.mageFile(), 'vqgan.quantize.embedding.weight', [10, 11]);
    expect(await refusal(plan([mage(section)]))).toMatchObject({
      code: 'size-mismatch',
      key: 'vqgan',
    });
  });

  test.each<[string, readonly number[] | null, RegExp]>([
    ['decoder_blocks.0.attn.qkv.weight', [24, 9], /shape \[24, 9\]/],
    ['vqgan.decoder.conv_out.bias', null, /missing/],
    ['fake_latent', null, /missing/],
    ['latent_prior_proj.bias', null, /missing/],
    ['pretrained_encoder.blocks.3.norm1.weight', null, /./],
    ['mlm_layer.bias', [1010], /axes|shape/],
  ])('%s wrong or gone', async (key, shape, words) => {
    const error = await refusal(plan([mage(reshaped(sample.mageFile(), key, shape))]));
    expect(error).toMatchObject({ code: 'wrong-weights', file: 'mage.pth' });
    expect(error.message).toMatch(words);
    expect(error.message).toContain('mage.pth');
  });

  test('a tokenizer without levels, whose every key fits', async () => {
    const flat = vqganWeights({ ...sample.VQGAN, multipliers: [] });
    const rename = (name: string) => `vqgan.${name}`;
    const section = sample.changed(sample.mageFile(), {
      without: /^vqgan\./,
      plus: sample.tensors(flat, { rename }),
    });
    expect(await refusal(plan([mage(section)]))).toMatchObject({
      code: 'wrong-weights',
      file: 'mage.pth',
      key: 'multipliers',
    });
  });

  test('a network of tensors without elements', async () => {
    const section = sample.rdmFile({ ...sample.RDM, width: 0 });
    expect(await refusal(plan([mage(), rdm(section)]))).toMatchObject({
      code: 'wrong-weights',
      file: 'rdm.pth',
      key: 'width',
    });
  });

  test('a key that no MAGE has', async () => {
    const plus = [sample.tensor('decoder_extra.weight', [2])];
    const error = await refusal(plan([mage(sample.changed(sample.mageFile(), { plus }))]));
    expect(error).toMatchObject({ code: 'wrong-weights', key: 'decoder_extra.weight' });
  });

  test('weights that are not numbers with a fraction', async () => {
    const plus = [sample.tensor('norm.bias', [12], { dtype: 'int32' })];
    const section = sample.changed(sample.mageFile(), { without: /^norm\.bias$/, plus });
    expect(await refusal(plan([mage(section)]))).toMatchObject({ key: 'norm.bias' });
  });

  test.each([Number.NaN, Infinity, -Infinity])(
    'a weight of %d, found as it is read',
    async (value) => {
      const key = 'pretrained_encoder.norm.bias';
      const values = Array.from({ length: 24 }, (_, i) => (i === 23 ? value : i));
      const plus = [sample.floats(key, values)];
      const section = sample.changed(sample.mageFile(), {
        without: /^pretrained_encoder\.norm\.bias$/,
        plus,
      });
      const { networks } = await plan([mage(section)]);
      const read = async () => {
        for (const { weights } of networks) {
          for (const weight of weights.values()) await readTensor(weight);
        }
      };
      const error = await refusal(read());
      expect(error).toMatchObject({ code: 'not-finite', file: 'mage.pth', key });
      expect(error.message).toContain('Nothing was changed.');
    },
  );

  test('head counts that nobody knows', async () => {
    const error = await refusal(plan([mage()], null));
    expect(error).toMatchObject({ code: 'unknown-size', file: 'mage.pth', key: 'mage.heads' });
    expect(error.message).toContain('{"mage": {"heads": N, "dec_heads": N}}');
  });

  test('head counts that do not divide the width', async () => {
    const error = await refusal(
      plan([mage()], { ...sample.HEADS, mage: { heads: 5, dec_heads: 2 } }),
    );
    expect(error).toMatchObject({ code: 'unknown-size', key: 'mage.heads' });
  });
});
