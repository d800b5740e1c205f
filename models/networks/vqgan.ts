// The VQGAN tokenizer, in the form that MAGE uses (converted from JAX): no attention, average
// pooling, bias-free 3×3 convolutions. Spec 4.1. Pictures are in [0,1].
import { GRID, pictureSide } from '#bundle/about';
import type { VqganConfig } from '#bundle/manifest';
import type { ShapeTable } from '#checkpoint/types';
import { averagePool, convolution, instanceNormalization, resize } from '#graph/picture-ops';
import type { Value } from '#graph/types';
import type { Layers } from './layers.ts';
import { countBlocks, NetworkError, sizedBy, type WeightSpec } from './network.ts';

/** Groups of every GroupNorm. */
const GROUPS = 32;
const EPSILON = 1e-6;

type Norm = (net: Layers, x: Value, name: string) => Value;

/**
 * Sizes of a tokenizer, read off its tensors.
 * @throws NetworkError when they make none.
 */
export function vqganConfig(table: ShapeTable): VqganConfig {
  const size = (key: string, axes: number) => sizedBy('vqgan', table, { key, axes }).shape;
  const [channels] = size('encoder.conv_in.weight', 4);
  const levels = countBlocks(table, 'encoder.down.', '.block.0.conv1.weight');
  const blocks = countBlocks(table, 'encoder.down.0.block.', '.conv1.weight');
  const multipliers = Array.from({ length: levels }, (_, level) => {
    const [out] = size(`encoder.down.${level}.block.0.conv1.weight`, 4);
    return Math.max(1, Math.round(out / channels));
  });
  if (channels % GROUPS !== 0) {
    const where = { network: 'vqgan', key: 'encoder.conv_in.weight' } as const;
    const why = `has ${channels} channels, which do not make ${GROUPS} groups to normalise`;
    throw new NetworkError('wrong-shape', where, why);
  }
  const [codes, latent] = size('quantize.embedding.weight', 2);
  return { channels, multipliers, blocks, latent, codes };
}

/** A residual block, in the order of the decoder or encoder. */
interface Block {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

interface Level {
  readonly index: number;
  readonly channels: number;
  readonly blocks: readonly Block[];
}

/** The levels of one half, first to run first. */
function levelsOf(config: VqganConfig, half: 'encoder' | 'decoder'): readonly Level[] {
  const { channels, multipliers, blocks } = config;
  const order = multipliers.map((multiplier, index) => ({ multiplier, index }));
  if (half === 'decoder') order.reverse();
  let from = half === 'encoder' ? channels : channels * (multipliers.at(-1) ?? 1);
  return order.map(({ multiplier, index }) => {
    const to = channels * multiplier;
    const path = half === 'encoder' ? 'encoder.down' : 'decoder.up';
    const list = Array.from({ length: blocks }, (_, j) => {
      const block = { name: `${path}.${index}.block.${j}`, from, to };
      from = to;
      return block;
    });
    return { index, channels: to, blocks: list };
  });
}

function middle(config: VqganConfig, half: 'encoder' | 'decoder'): readonly Block[] {
  const channels = config.channels * (config.multipliers.at(-1) ?? 1);
  return ['block_1', 'block_2'].map((name) => ({
    name: `${half}.mid.${name}`,
    from: channels,
    to: channels,
  }));
}

/** The weight table (spec 4.1). */
export function vqganWeights(config: VqganConfig): WeightSpec[] {
  const { channels, latent: z, codes } = config;
  const deep = channels * (config.multipliers.at(-1) ?? 1);
  const norm = (name: string, size: number) => [
    { name: `${name}.weight`, shape: [size] },
    { name: `${name}.bias`, shape: [size] },
  ];
  const ofBlock = ({ name, from, to }: Block) => [
    ...norm(`${name}.norm1`, from),
    { name: `${name}.conv1.weight`, shape: [to, from, 3, 3] },
    ...norm(`${name}.norm2`, to),
    { name: `${name}.conv2.weight`, shape: [to, to, 3, 3] },
    ...(from === to ? [] : [{ name: `${name}.nin_shortcut.weight`, shape: [to, to, 1, 1] }]),
  ];
  const upsample = ({ index, channels: c }: Level) =>
    index === 0
      ? []
      : [
          { name: `decoder.up.${index}.upsample.conv.weight`, shape: [c, c, 3, 3] },
          { name: `decoder.up.${index}.upsample.conv.bias`, shape: [c] },
        ];
  return [
    { name: 'encoder.conv_in.weight', shape: [channels, 3, 3, 3] },
    ...levelsOf(config, 'encoder').flatMap((level) => level.blocks.flatMap(ofBlock)),
    ...middle(config, 'encoder').flatMap(ofBlock),
    ...norm('encoder.norm_out', deep),
    { name: 'encoder.conv_out.weight', shape: [z, deep, 1, 1] },
    { name: 'encoder.conv_out.bias', shape: [z] },
    { name: 'decoder.conv_in.weight', shape: [deep, z, 3, 3] },
    { name: 'decoder.conv_in.bias', shape: [deep] },
    ...middle(config, 'decoder').flatMap(ofBlock),
    ...levelsOf(config, 'decoder').flatMap((level) => [
      ...level.blocks.flatMap(ofBlock),
      ...upsample(level),
    ]),
    ...norm('decoder.norm_out', channels * (config.multipliers[0] ?? 1)),
    { name: 'decoder.conv_out.weight', shape: [3, channels * (config.multipliers[0] ?? 1), 3, 3] },
    { name: 'decoder.conv_out.bias', shape: [3] },
    { name: 'quantize.embedding.weight', shape: [codes, z] },
  ];
}

/** Tokens to pixels: `tokens` i32 [B,256] → `image` u8 [B,S,S,3], `pixels` f32 [B,3,S,S]. */
export function vqganDecoder(net: Layers, config: VqganConfig): void {
  const { ops, weights } = net;
  const { builder } = ops;
  const z = config.latent;
  const tokens = builder.input('tokens', 'int32', ['B', GRID * GRID]);
  const codes = ops.gather(weights.tensor('quantize.embedding.weight'), tokens, 0); // [B,256,z]
  const grid = ops.reshape(
    ops.transpose(codes, [0, 2, 1]),
    [0, z, GRID, GRID],
    ['B', z, GRID, GRID],
  );
  let h = conv(net, grid, 'decoder.conv_in', { pad: 1, bias: true });
  for (const block of middle(config, 'decoder')) h = residual(net, h, block);
  for (const level of levelsOf(config, 'decoder')) {
    for (const block of level.blocks) h = residual(net, h, block);
    if (level.index > 0) {
      h = conv(net, upsample(net, h), `decoder.up.${level.index}.upsample.conv`, {
        pad: 1,
        bias: true,
      });
    }
  }
  const pixels = conv(net, ops.silu(groupNorm(net, h, 'decoder.norm_out')), 'decoder.conv_out', {
    pad: 1,
    bias: true,
  });
  builder.output('pixels', pixels);
  // The original truncates to 8 bits, it does not round.
  const bytes = ops.cast(ops.clip(ops.mul(pixels, ops.scalar(255)), 0, 255), 'uint8');
  builder.output('image', ops.transpose(bytes, [0, 2, 3, 1]));
}

/** Pixels to tokens: `image` u8 [B,S,S,3] → `tokens` i32 [B,256], `latent` f32 [B,z,16,16]. */
export function vqganEncoder(net: Layers, config: VqganConfig): void {
  const { ops } = net;
  const { builder } = ops;
  const side = pictureSide(config);
  const image = builder.input('image', 'uint8', ['B', side, side, 3]);
  const unit = ops.div(ops.cast(image, 'float32'), ops.scalar(255));
  let h = conv(net, ops.transpose(unit, [0, 3, 1, 2]), 'encoder.conv_in', { pad: 1 });
  for (const level of levelsOf(config, 'encoder')) {
    for (const block of level.blocks) h = residual(net, h, block, preciseGroupNorm);
    if (level.index < config.multipliers.length - 1) h = averagePool(ops, h);
  }
  for (const block of middle(config, 'encoder')) h = residual(net, h, block, preciseGroupNorm);
  const last = ops.silu(preciseGroupNorm(net, h, 'encoder.norm_out'));
  const latent = conv(net, last, 'encoder.conv_out', { bias: true });
  builder.output('latent', latent);
  builder.output('tokens', ops.cast(nearestCode(net, latent, config), 'int32'));
}

/** argmin over |z|² + |e|² − 2 z·e: int64 [B,256]; the first of equals. */
function nearestCode(net: Layers, latent: Value, config: VqganConfig): Value {
  const { ops, weights } = net;
  const { latent: size, codes } = config;
  const rows = ops.transpose(
    ops.reshape(latent, [0, size, GRID * GRID], ['B', size, GRID * GRID]),
    [0, 2, 1],
  ); // [B,256,z]
  const squares = weights.computed(
    'quantize.squares',
    { tensors: ['quantize.embedding.weight'], shape: [codes] },
    (table = new Float32Array()) =>
      Float32Array.from({ length: codes }, (_, code) =>
        table
          .subarray(code * size, (code + 1) * size)
          .reduce((sum, value) => sum + value * value, 0),
      ),
  );
  const lengths = ops.add(ops.sum(ops.mul(rows, rows), true), squares);
  const products = ops.matmul(rows, weights.transposed('quantize.embedding.weight'));
  return ops.argMin(ops.sub(lengths, ops.mul(products, ops.scalar(2))));
}

/**
 * GN, swish, conv; GN, swish, conv; plus the shortcut. Where channels change, the published blocks
 * put their 1×1 convolution on their own output h and drop the input.
 */
function residual(net: Layers, x: Value, block: Block, norm: Norm = groupNorm): Value {
  const { ops } = net;
  const { name } = block;
  let h = conv(net, ops.silu(norm(net, x, `${name}.norm1`)), `${name}.conv1`, { pad: 1 });
  h = conv(net, ops.silu(norm(net, h, `${name}.norm2`)), `${name}.conv2`, { pad: 1 });
  if (block.from === block.to) return ops.add(x, h);
  return ops.add(h, conv(net, h, `${name}.nin_shortcut`, {}));
}

function conv(
  net: Layers,
  x: Value,
  name: string,
  options: { readonly pad?: number; readonly bias?: boolean },
): Value {
  const bias = options.bias ? { bias: net.weights.tensor(`${name}.bias`) } : {};
  const weight = net.weights.tensor(`${name}.weight`);
  return convolution(net.ops, x, weight, { ...bias, pad: options.pad ?? 0 });
}

/**
 * GroupNorm with 32 groups and eps 1e-6. ONNX's own (before opset 21) scales per group, so the
 * normalisation is an InstanceNormalization over groups, scaled per channel behind it.
 */
function groupNorm(net: Layers, x: Value, name: string): Value {
  const { ops } = net;
  const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
  const size = (Number(channels) / GROUPS) * Number(height) * Number(width);
  const grouped = ops.reshape(x, [0, GROUPS, size], [batch, GROUPS, size]);
  return perChannel(
    net,
    { like: x, normalized: instanceNormalization(ops, grouped, EPSILON) },
    name,
  );
}

/**
 * The same to the last digits, at the price of a pass over memory. The runtime adds up a group of a
 * quarter of a million equal pixels in float32, whose errors all point one way; codes are compared
 * to the fourth digit. Means of rows, and then of those, have no such sums.
 */
function preciseGroupNorm(net: Layers, x: Value, name: string): Value {
  const { ops } = net;
  const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
  const rows = (Number(channels) / GROUPS) * Number(height);
  const to = [GROUPS, rows, Number(width)];
  const grouped = ops.reshape(x, [0, ...to], [batch, ...to]);
  const mean = (of: Value): Value => {
    const ofRows = ops.reshape(ops.mean(of), [0, GROUPS, rows], [batch, GROUPS, rows]);
    return ops.unsqueeze(ops.mean(ofRows), 3);
  };
  const centred = ops.sub(grouped, mean(grouped));
  const variance = mean(ops.mul(centred, centred));
  const deviation = ops.unary('Sqrt', ops.add(variance, ops.scalar(EPSILON)));
  return perChannel(net, { like: x, normalized: ops.div(centred, deviation) }, name);
}

/** Back to the shape of the picture, with each channel's scale and shift. */
function perChannel(
  { ops, weights }: Layers,
  { like, normalized }: { readonly like: Value; readonly normalized: Value },
  name: string,
): Value {
  const sizes = like.shape.slice(1).map(Number);
  const back = ops.reshape(normalized, [0, ...sizes], like.shape);
  const part = (of: string) => weights.tensor(`${name}.${of}`, [sizes[0] ?? 1, 1, 1]);
  return ops.add(ops.mul(back, part('weight')), part('bias'));
}

/** Nearest neighbour, twice the size. */
function upsample(net: Layers, x: Value): Value {
  const [, , height = 1, width = 1] = x.shape;
  return resize(
    net.ops,
    x,
    { height: Number(height) * 2, width: Number(width) * 2 },
    {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    },
  );
}
