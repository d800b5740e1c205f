import { describe, expect, test } from 'vitest';
import { pictureSide } from '#bundle/about';
import type { ShapeTable, TensorInfo } from '#checkpoint/types';
import { encoderConfig, encoderWeights } from '#networks/encoder';
import { mageConfig, mageWeights } from '#networks/mage';
import { checkWeights, NetworkError, type WeightSpec } from '#networks/network';
import { rdmConfig, rdmWeights } from '#networks/rdm';
import { vqganConfig, vqganWeights } from '#networks/vqgan';
import { NETWORKS } from './configs.ts';

const VQGAN = { ...NETWORKS.vqgan, multipliers: [1, 2] };

function table(
  specs: readonly WeightSpec[],
  change: Partial<Record<string, Partial<TensorInfo> | null>> = {},
): ShapeTable {
  const entries = specs.flatMap(({ name, shape }) => {
    const changed = change[name];
    return changed === null ? [] : [[name, { name, dtype: 'float32', shape, ...changed }] as const];
  });
  return new Map<string, TensorInfo>(entries);
}

const without = (specs: readonly WeightSpec[], part: string) =>
  specs.filter(({ name }) => !name.includes(part));

describe('sizes are read off the shapes', () => {
  test('MAGE', () => {
    expect(mageConfig(table(mageWeights(NETWORKS.mage)), { heads: 2, decoderHeads: 3 })).toEqual(
      NETWORKS.mage,
    );
  });
  test('RDM, with and without classes', () => {
    expect(rdmConfig(table(rdmWeights(NETWORKS.rdm)))).toEqual(NETWORKS.rdm);
    const plain = { ...NETWORKS.rdm, context: 0, classes: 0 };
    expect(rdmConfig(table(rdmWeights(plain)))).toEqual(plain);
  });
  test('tokenizer', () => {
    expect(vqganConfig(table(vqganWeights(VQGAN)))).toEqual(VQGAN);
    expect(pictureSide(VQGAN)).toBe(32);
    expect(pictureSide({ ...VQGAN, multipliers: [1, 1, 2, 2, 4] })).toBe(256);
  });
  test.each(['mocov3', 'dino', 'none'] as const)('encoder with head %s', (head) => {
    const config = {
      ...NETWORKS.encoder,
      head,
      ...(head === 'none' ? { headWidth: 0, representation: NETWORKS.encoder.width } : {}),
    };
    const hints = { kind: 'mocov3', heads: 3, sourceSize: 40 } as const;
    expect(encoderConfig(table(encoderWeights(config)), hints)).toEqual(config);
  });
  test.each([
    ['B', 768, 12, 12],
    ['L', 1024, 24, 16],
    ['H', 1280, 32, 16],
  ])('MAGE-%s needs no recipe', (_letter, width, depth, heads) => {
    const config = { ...NETWORKS.mage, width, depth, decoderWidth: width, decoderDepth: 8 };
    const found = mageConfig(table(mageWeights(config)), {});
    expect(found).toMatchObject({ heads, decoderHeads: 16 });
  });
  test.each([
    ['depth', { depth: 6 }],
    ['decoder width', { decoderWidth: 512 }],
    ['decoder depth', { decoderDepth: 4 }],
    ['width', { width: 1024 }],
  ])('a MAGE-B of another %s has heads that nobody knows', (_what, change) => {
    const base = { width: 768, depth: 12, decoderWidth: 768, decoderDepth: 8 };
    const weights = table(mageWeights({ ...NETWORKS.mage, ...base, ...change }));
    const error = caught(() => mageConfig(weights, {}));
    expect(error).toMatchObject({ code: 'unknown-size', network: 'mage', key: 'heads' });
    expect(String(error)).toContain('{"mage": {"heads": N, "dec_heads": N}}');
    expect(caught(() => mageConfig(weights, { heads: 16 }))).toMatchObject({ key: 'dec_heads' });
    const told = mageConfig(weights, { heads: 8, decoderHeads: 4 });
    expect(told).toMatchObject({ heads: 8, decoderHeads: 4 });
  });
  test.each([
    ['mocov3', 384, 12, 12],
    ['dino', 384, 12, 6],
    ['ibot', 384, 12, 6],
    ['deit', 384, 12, 6],
    ['mocov3', 768, 12, 12],
    ['dino', 768, 12, 12],
    ['mocov3', 1024, 24, 16],
    ['ibot', 1024, 24, 16],
  ] as const)('a %s ViT of width %i and depth %i has %i heads', (kind, width, depth, heads) => {
    const config = { ...NETWORKS.encoder, width, depth, heads, imageSize: 224, sourceSize: 256 };
    const found = encoderConfig(table(encoderWeights(config)), { kind });
    expect(found).toEqual({ ...config, kind });
  });
  test.each([
    [384, 10],
    [768, 2],
    [1024, 12],
    [192, 12],
  ])('a ViT of width %i and depth %i has heads that nobody knows', (width, depth) => {
    const weights = table(encoderWeights({ ...NETWORKS.encoder, width, depth }));
    const error = caught(() => encoderConfig(weights, { kind: 'dino' }));
    expect(error).toMatchObject({ code: 'unknown-size', network: 'encoder', key: 'heads' });
    expect(String(error)).toContain('{"encoder": {"heads": N}}');
    expect(encoderConfig(weights, { kind: 'dino', heads: 2 })).toMatchObject({ heads: 2 });
  });
});

describe('weights that do not make a network', () => {
  const specs = mageWeights(NETWORKS.mage);
  const hints = { heads: 2, decoderHeads: 3 };
  const check =
    (change: Parameters<typeof table>[1], more: readonly WeightSpec[] = []) =>
    () =>
      checkWeights('mage', specs, table([...specs, ...more], change));

  test.each([
    ['missing-key', 'norm.bias', check({ 'norm.bias': null })],
    ['unknown-key', 'blocks.9.extra', check({}, [{ name: 'blocks.9.extra', shape: [1] }])],
    ['wrong-shape', 'norm.bias', check({ 'norm.bias': { shape: [33] } })],
    [
      'wrong-shape',
      'blocks.1.attn.qkv.weight',
      check({ 'blocks.1.attn.qkv.weight': { shape: [32, 96] } }),
    ],
    ['wrong-dtype', 'fake_latent', check({ fake_latent: { dtype: 'int64' } })],
    ['missing-key', 'fake_latent', () => mageConfig(table(without(specs, 'fake_latent')), hints)],
    [
      'missing-key',
      'blocks.0.mlp.fc1.weight',
      () => mageConfig(table(without(specs, 'blocks.')), hints),
    ],
    ['unknown-size', 'heads', () => mageConfig(table(specs), {})],
    ['unknown-size', 'heads', () => mageConfig(table(specs), { heads: 5, decoderHeads: 3 })],
    ['unknown-size', 'dec_heads', () => mageConfig(table(specs), { heads: 2, decoderHeads: 7 })],
    [
      'wrong-shape',
      'token_emb.word_embeddings.weight',
      () => mageConfig(table(specs), { ...hints, codes: 61 }),
    ],
    [
      'wrong-shape',
      'fake_latent',
      () => mageConfig(table(specs, { fake_latent: { shape: [12] } }), hints),
    ],
    [
      'unknown-size',
      'heads',
      () => encoderConfig(table(encoderWeights(NETWORKS.encoder)), { kind: 'mocov3' }),
    ],
    [
      'wrong-shape',
      'pos_embed',
      () =>
        encoderConfig(table(encoderWeights(NETWORKS.encoder)), {
          kind: 'mocov3',
          heads: 3,
          imageSize: 64,
        }),
    ],
    ['missing-key', 'input_proj.weight', () => rdmConfig(new Map())],
    ['missing-key', 'encoder.conv_in.weight', () => vqganConfig(new Map())],
    [
      'wrong-shape',
      'encoder.conv_in.weight',
      () => vqganConfig(table(vqganWeights({ ...VQGAN, channels: 48 }))),
    ],
  ] as const)('%s names %s', (code, key, act) => {
    const error = caught(act);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ code, key });
    expect((error as Error).message).toContain(key);
  });
});

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
}
