import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EncoderConfig } from '#bundle/manifest';
import type { StateDict, StoredTensor } from '#checkpoint/types';
import { encoderWeights } from '#networks/encoder';
import { rdmWeights } from '#networks/rdm';
import { ImportError } from '#importer/errors';
import type { ImportErrorCode } from '#importer/errors';
import { recognise } from '#importer/recognise';
import type { Recognised } from '#importer/recognise';
import { rcgSchedule } from '#importer/schedule';
import * as sample from './samples.ts';

const open = (section: StateDict, name = 'model') =>
  recognise(sample.checkpoint('file.pth', { [name]: section }));

async function refusal(work: Promise<unknown>): Promise<ImportError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ImportError)) throw new Error(`expected an ImportError, got ${error}`);
  expect(error.message.startsWith('file.pth: ')).toBe(true);
  return error;
}

const encoderNames = encoderWeights(sample.ENCODER).map(({ name }) => name);
const headless = (section: StateDict) => sample.changed(section, { without: /head\./ });
const bareEncoder = (prefix: string, plus: readonly StoredTensor[] = []) => {
  const specs = encoderWeights({ ...sample.ENCODER, head: 'none' });
  return sample.dict(sample.tensors(specs, { rename: (name) => prefix + name }), plus);
};
const one = (...names: readonly string[]) =>
  sample.dict(names.map((name) => sample.tensor(name, [4, 4])));

describe('what is found', () => {
  test('a MAGE file holds MAGE, encoder and tokenizer', async () => {
    const { parts, ignored, layout } = await open(sample.mageFile());
    expect(layout).toBe('MAGE of RCG');
    expect(parts.map(({ kind, within }) => [kind, within])).toEqual([
      ['mage', null],
      ['encoder', 'mage'],
      ['vqgan', 'mage'],
    ]);
    expect([...ignored.keys()]).toContain('token_emb.position_ids');
    expect([...ignored.keys()]).toContain('pretrained_encoder.head.1.num_batches_tracked');
    const encoder = parts.find(({ kind }) => kind === 'encoder');
    expect([...(encoder?.weights.keys() ?? [])].sort()).toEqual([...encoderNames].sort());
    expect(encoder?.keyOf.get('norm.bias')).toBe('pretrained_encoder.norm.bias');
  });

  test.each([
    ['unconditional', sample.RDM],
    ['class-conditional', sample.CLASS_RDM],
  ])('an %s RDM file gives its averaged weights under dotted names', async (_name, config) => {
    const { parts, ignored } = await open(sample.rdmFile(config));
    const rdm = parts.find(({ kind }) => kind === 'rdm');
    expect([...(rdm?.weights.keys() ?? [])].sort()).toEqual(
      rdmWeights(config)
        .map(({ name }) => name)
        .sort(),
    );
    expect(rdm?.keyOf.get('res_blocks.11.in_layers.2.weight')).toBe(
      'model_ema.diffusion_modelres_blocks11in_layers2weight',
    );
    expect(ignored.get('model.diffusion_model.out.0.weight')).toContain('live');
    expect(ignored.has('cond_stage_model.embedding.weight')).toBe(config.classes === 0);
  });

  test.each(['module.', ''])('a MoCo file with the prefix "%s"', async (prefix) => {
    const { parts, layout } = await open(sample.mocoFile(prefix), 'state_dict');
    expect(layout).toBe('MoCo v3 encoder');
    expect(parts).toHaveLength(1);
    expect(parts[0]?.encoder).toEqual({ kind: 'mocov3', head: true });
    expect([...(parts[0]?.weights.keys() ?? [])].sort()).toEqual([...encoderNames].sort());
  });

  test('the misspelt blocks of the ViT-L file are repaired', async () => {
    const wrong: Readonly<Record<string, string>> = {
      'blocks.13.norm1.': 'blocks.13.norm13.',
      'blocks.13.mlp.fc1.': 'blocks.13.mlp.fc13.',
      'blocks.14.norm2.': 'blocks.14.norm14.',
      'blocks.14.mlp.fc2.': 'blocks.14.mlp.fc14.',
    };
    const rename = (name: string) => {
      const start = Object.keys(wrong).find((right) => name.startsWith(right));
      const spelt = start === undefined ? name : `${wrong[start]}${name.slice(start.length)}`;
      return `module.base_encoder.${spelt}`;
    };
    const section = sample.dict(sample.tensors(encoderWeights(sample.ENCODER), { rename }));
    expect([...section.keys()]).toContain('module.base_encoder.blocks.14.mlp.fc14.bias');
    const { parts } = await open(section, 'state_dict');
    expect([...(parts[0]?.weights.keys() ?? [])].sort()).toEqual([...encoderNames].sort());
    expect(parts[0]?.keyOf.get('blocks.14.norm2.bias')).toBe(
      'module.base_encoder.blocks.14.norm14.bias',
    );
  });

  test.each(['state_dict', ''])('a tokenizer in the section "%s"', async (name) => {
    const { parts } = await open(sample.vqganFile(), name);
    expect(parts.map(({ kind, within }) => [kind, within])).toEqual([['vqgan', null]]);
    expect(parts[0]?.weights.has('decoder.conv_out.bias')).toBe(true);
  });

  test('a DINO teacher loses its last layer, a DeiT its classifier', async () => {
    const dino = { ...sample.ENCODER, kind: 'dino', head: 'dino' } as const;
    const rename = (name: string) => (name.startsWith('head.') ? name : `backbone.${name}`);
    const teacher = sample.dict(sample.tensors(encoderWeights(dino), { rename }), [
      sample.tensor('head.last_layer.weight_g', [4, 1]),
    ]);
    const found = await open(teacher, 'teacher');
    expect(found.parts[0]?.encoder).toEqual({ kind: 'dino', head: true });
    expect([...found.ignored.keys()]).toEqual(['head.last_layer.weight_g']);

    const deit = { ...sample.ENCODER, kind: 'deit', head: 'none' } as const;
    const bare = sample.dict(sample.tensors(encoderWeights(deit)), [
      sample.tensor('head.weight', [1000, 24]),
      sample.tensor('head.bias', [1000]),
    ]);
    const { parts, ignored } = await open(bare);
    expect(parts[0]?.encoder).toEqual({ kind: 'deit', head: false });
    expect([...ignored.keys()]).toEqual(['head.weight', 'head.bias']);
  });

  test.each<[string, () => Promise<Recognised>, EncoderConfig['kind'] | null]>([
    ['inside a MAGE', () => open(headless(sample.mageFile())), 'mocov3'],
    ['inside an RDM', () => open(headless(sample.rdmFile())), 'mocov3'],
    ['of MoCo v3', () => open(headless(sample.mocoFile()), 'state_dict'), 'mocov3'],
    ['of DINO', () => open(bareEncoder('backbone.'), 'teacher'), 'dino'],
    ['of nobody knows whom', () => open(bareEncoder(''), ''), null],
    [
      "of MoCo v3's linear evaluation",
      () =>
        open(bareEncoder('module.', [sample.tensor('module.head.weight', [9, 24])]), 'state_dict'),
      null,
    ],
  ])('an encoder without head %s', async (_where, read, kind) => {
    const { parts } = await read();
    const encoder = parts.find((part) => part.kind === 'encoder')?.encoder;
    expect(encoder).toEqual({ kind, head: false });
  });

  test('trailing unit axes of RDM weights are dropped, and no others', async () => {
    const grown = [...sample.rdmFile().values()].map((entry) =>
      entry.name.startsWith('model_ema.diff')
        ? sample.tensor(entry.name, [...entry.shape, 1, 1])
        : entry,
    );
    const { parts } = await open(sample.dict(grown));
    const rdm = parts.find(({ kind }) => kind === 'rdm');
    for (const { name, shape } of rdmWeights(sample.RDM)) {
      expect(rdm?.weights.get(name)?.shape).toEqual(shape);
    }
  });
});

describe('what is refused', () => {
  test.each<[string, StateDict, ImportErrorCode, RegExp]>([
    [
      'plain MAGE',
      one('token_emb.word_embeddings.weight', 'cls_token'),
      'unsupported',
      /plain MAGE/,
    ],
    [
      'class-label MAGE',
      one('token_emb.word_embeddings.weight', 'class_emb.weight'),
      'unsupported',
      /class labels/,
    ],
    [
      'DiT',
      one('x_embedder.proj.weight', 'rep_embedder.weight', 'final_layer.linear.weight'),
      'unsupported',
      /DiT.*not supported yet/,
    ],
    [
      'plain DiT',
      one('x_embedder.proj.weight', 'final_layer.linear.weight'),
      'unsupported',
      /diffusion transformer/,
    ],
    [
      'ADM',
      one('input_blocks.0.0.weight', 'rep_proj.weight'),
      'unsupported',
      /ADM.*not supported yet/,
    ],
    [
      'LDM',
      one('model.diffusion_model.input_blocks.0.0.weight', 'first_stage_model.x', 'betas'),
      'unsupported',
      /LDM.*not supported yet/,
    ],
    [
      'LDM, averages only',
      one('model_ema.diffusion_modelinput_blocks00weight', 'first_stage_model.x'),
      'unsupported',
      /LDM/,
    ],
    [
      'Stable Diffusion 1',
      one(
        'model.diffusion_model.input_blocks.0.0.weight',
        'first_stage_model.x',
        'cond_stage_model.transformer.x',
      ),
      'unsupported',
      /Stable Diffusion/,
    ],
    [
      'Stable Diffusion XL',
      one('model.diffusion_model.input_blocks.0.0.weight', 'conditioner.embedders.0.x'),
      'unsupported',
      /Stable Diffusion/,
    ],
    [
      'a diffusers UNet',
      one('down_blocks.0.resnets.0.conv1.weight'),
      'unsupported',
      /Stable Diffusion/,
    ],
    [
      'VQ-f8',
      one('quantize.embedding.weight', 'decoder.conv_in.weight', 'quant_conv.weight'),
      'unsupported',
      /another design/,
    ],
    ['ResNet of MoCo', one('module.base_encoder.conv1.weight'), 'unsupported', /ResNet/],
    [
      'a language model',
      one('transformer.h.0.attn.c_attn.weight'),
      'unknown-file',
      /transformer\.h\.0/,
    ],
    ['nothing', one(), 'no-weights', /optimizer/],
  ])('%s', async (_name, section, code, words) => {
    const error = await refusal(open(section));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.message).toContain('Nothing was changed.');
  });

  test('a file without dictionaries of weights', async () => {
    const error = await refusal(recognise(sample.checkpoint('file.pth', {})));
    expect(error.code).toBe('no-weights');
  });

  test('an RDM without averaged weights', async () => {
    const error = await refusal(open(sample.changed(sample.rdmFile(), { without: /^model_ema/ })));
    expect([error.code, /EMA weights/.test(error.message)]).toEqual(['no-ema', true]);
  });

  test.each<[string, () => StateDict, string]>([
    ['MAGE', sample.mageFile, 'decoder_extra.0.weight'],
    ['RDM', sample.rdmFile, 'model_ema.diffusion_modelres_blocks3in_layers7weight'],
    ['RDM', sample.rdmFile, 'first_thing'],
    ['MoCo', () => sample.mocoFile(), 'module.queue'],
    ['tokenizer', sample.vqganFile, 'post.weight'],
  ])('an unknown key in a %s file is named', async (layout, file, key) => {
    const section = sample.changed(file(), { plus: [sample.tensor(key, [2])] });
    const result = await open(section).then(
      ({ parts }) => parts.some(({ weights }) => weights.has(key)),
      (error: unknown) => error,
    );
    // A MAGE file's own keys have no prefix: those are checked against the weight table later.
    if (layout === 'MAGE') expect(result).toBe(true);
    else expect(result).toMatchObject({ code: 'unknown-key', key });
  });

  test('two keys for one weight', async () => {
    const twin = sample.tensor('pretrained_encoder.blocks.13.norm13.bias', [24]);
    const error = await refusal(open(sample.changed(sample.mageFile(), { plus: [twin] })));
    expect(error).toMatchObject({ code: 'duplicate-key', key: twin.name });
  });

  test('a block of the RDM missing in the middle', async () => {
    const section = sample.changed(sample.rdmFile(), { without: /res_blocks4|res_blocks\.4\./ });
    expect(await refusal(open(section))).toMatchObject({
      code: 'unknown-key',
      key: expect.stringContaining('res_blocks5'),
    });
  });
});

describe('the noise schedule', () => {
  const { betas, alphasBar } = rcgSchedule();
  const withSchedule = (key: string, values: readonly number[] | Float64Array) =>
    open(
      sample.changed(sample.rdmFile(), {
        without: new RegExp(`^${key}$`),
        plus: [sample.floats(key, values)],
      }),
    );

  test('is the one that the sampler uses', () => {
    expect(betas[0]).toBeCloseTo(0.0015, 12);
    expect(betas[999]).toBeCloseTo(0.0195, 12);
    expect(alphasBar[999]).toBeLessThan(1e-3);
  });

  test('may be absent', async () => {
    const section = sample.changed(sample.rdmFile(), { without: /^(betas|alphas_cumprod)$/ });
    await expect(open(section)).resolves.toBeDefined();
  });

  test.each([
    ['float16', (value: number) => new Uint16Array(Float16Array.of(value).buffer)],
    ['bfloat16', (value: number) => Uint16Array.of(brain(value))],
  ] as const)('may be rounded to %s', async (dtype, bits) => {
    const rounded = (key: string, values: Float64Array) => {
      const bytes = new Uint8Array(Uint16Array.from(values, (value) => bits(value)[0] ?? 0).buffer);
      return sample.holding({ name: key, dtype, shape: [values.length] }, bytes);
    };
    const rdmOf = (schedule: Float64Array) =>
      open(
        sample.changed(sample.rdmFile(), {
          without: /^(betas|alphas_cumprod)$/,
          plus: [rounded('betas', schedule), rounded('alphas_cumprod', alphasBar)],
        }),
      );
    await expect(rdmOf(betas)).resolves.toBeDefined();
    const off = betas.with(700, (betas[700] ?? 0) * 1.02);
    expect(await refusal(rdmOf(off))).toMatchObject({ code: 'other-schedule', key: 'betas' });
  });

  test.each<[string, string, readonly number[] | Float64Array]>([
    ['linear of DDPM', 'betas', betas.map((_, i) => 1e-4 + (i * 0.0199) / 999)],
    ['100 steps', 'betas', betas.slice(0, 100)],
    ['one value off', 'alphas_cumprod', alphasBar.with(500, (alphasBar[500] ?? 0) + 2e-6)],
    ['not a number', 'betas', betas.with(3, Number.NaN)],
  ])('is refused: %s', async (_name, key, values) => {
    const error = await refusal(withSchedule(key, values));
    expect(error).toMatchObject({ code: 'other-schedule', key });
  });
});

/** The upper half of a float32, rounded to the nearest. */
function brain(value: number): number {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  return (bits + 0x8000) >>> 16;
}

test('whatever the keys, the answer is parts or an ImportError', async () => {
  const words = fc.constantFrom(
    'model_ema.diffusion_model',
    'model.diffusion_model.',
    'pretrained_encoder.',
    'vqgan.',
    'betas',
    'token_emb.word_embeddings.weight',
    'latent_prior_proj.weight',
    'backbone.patch_embed.proj.weight',
    'module.',
    'base_encoder.',
    'quantize.embedding.weight',
    'decoder.',
    'out0weight',
    'head.',
    'fake_latent',
  );
  const key = fc.array(words, { minLength: 1, maxLength: 3 }).map((list) => list.join(''));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(key, { maxLength: 8 }), async (keys) => {
      const section = sample.dict(keys.map((name) => sample.tensor(name, [2])));
      const result = await open(section).then(
        ({ parts, ignored }) => {
          const used = parts.reduce((sum, { weights }) => sum + weights.size, 0);
          return used + ignored.size === keys.length;
        },
        (error: unknown) => error instanceof ImportError,
      );
      expect(result).toBe(true);
    }),
    { numRuns: 300 },
  );
});
