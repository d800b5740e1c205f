// The self-supervised encoder: a ViT with its projection head, and the standardisation that makes
// its output a representation. MoCo v3 (Chen, Xie, He 2021); also DINO, iBOT and DeiT. Spec 2.
import type { EncoderConfig } from '#bundle/manifest';
import type { ShapeTable } from '#checkpoint/types';
import { convolution, resize } from '#graph/picture-ops';
import type { Value } from '#graph/types';
import { transformerWeights, type Layers } from './layers.ts';
import { countBlocks, NetworkError, requireHeads, sizedBy, type WeightSpec } from './network.ts';

/** ImageNet's mean and standard deviation of the three channels. */
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];
/**
 * Published sizes: ViT-S, B and L. MoCo v3 gives its ViT-S 12 heads, everybody else 6 (spec 2.2,
 * 2.5), so width and depth alone do not tell them.
 */
const PRESETS: readonly {
  readonly width: number;
  readonly depth: number;
  readonly heads: Readonly<Record<EncoderConfig['kind'], number>>;
}[] = [
  { width: 384, depth: 12, heads: { mocov3: 12, dino: 6, ibot: 6, deit: 6 } },
  { width: 768, depth: 12, heads: { mocov3: 12, dino: 12, ibot: 12, deit: 12 } },
  { width: 1024, depth: 24, heads: { mocov3: 16, dino: 16, ibot: 16, deit: 16 } },
];
/** Where the published encoders resize their pictures from. */
const PUBLISHED = { source: 256, image: 224 };
const MOCO_LAYERS = [0, 3, 6] as const;
const DINO_LAYERS = [0, 2, 4] as const;

/** What a recipe file, or the kind of file, says about an encoder that its shapes cannot. */
export interface EncoderHints {
  readonly kind: EncoderConfig['kind'];
  readonly heads?: number;
  /** Side of the picture fed to the graph. */
  readonly sourceSize?: number;
  /** Side that the ViT works at. */
  readonly imageSize?: number;
}

/**
 * Sizes of an encoder, read off its tensors.
 * @throws NetworkError `unknown-size` when the head count is neither given nor of a known size.
 */
export function encoderConfig(table: ShapeTable, hints: EncoderHints): EncoderConfig {
  const size = (key: string, axes: number) => sizedBy('encoder', table, { key, axes }).shape;
  const [width, , patchSize] = size('patch_embed.proj.weight', 4);
  const [, positions] = size('pos_embed', 3);
  const [mlpWidth] = size('blocks.0.mlp.fc1.weight', 2);
  const side = Math.round(Math.sqrt(positions - 1)) * (patchSize ?? 1);
  if (hints.imageSize !== undefined && hints.imageSize !== side) {
    const why = `fits pictures of ${side} px, the recipe says ${hints.imageSize}`;
    throw new NetworkError('wrong-shape', { network: 'encoder', key: 'pos_embed' }, why);
  }
  const depth = countBlocks(table, 'blocks.', '.norm1.weight');
  const preset = PRESETS.find((known) => known.width === width && known.depth === depth);
  const heads = requireHeads(hints.heads ?? preset?.heads[hints.kind], {
    network: 'encoder',
    key: 'heads',
    width,
    what: `a ViT of width ${width} and depth ${depth}`,
    recipe: '{"encoder": {"heads": N}}',
  });
  const head = table.has('head.6.weight')
    ? 'mocov3'
    : table.has('head.mlp.4.weight')
      ? 'dino'
      : 'none';
  const last = head === 'mocov3' ? 'head.6.weight' : 'head.mlp.4.weight';
  const first = head === 'mocov3' ? 'head.0.weight' : 'head.mlp.0.weight';
  return {
    kind: hints.kind,
    sourceSize: hints.sourceSize ?? (side === PUBLISHED.image ? PUBLISHED.source : side),
    imageSize: side,
    patchSize: patchSize ?? 1,
    width,
    depth,
    heads,
    mlpWidth,
    head,
    headWidth: head === 'none' ? 0 : size(first, 2)[0],
    representation: head === 'none' ? width : size(last, 2)[0],
  };
}

/** The weight table (spec 2.4 and 2.5). */
export function encoderWeights(config: EncoderConfig): WeightSpec[] {
  const { width: w, patchSize: p } = config;
  const positions = (config.imageSize / p) ** 2 + 1;
  return [
    { name: 'cls_token', shape: [1, 1, w] },
    { name: 'pos_embed', shape: [1, positions, w] },
    { name: 'patch_embed.proj.weight', shape: [w, 3, p, p] },
    { name: 'patch_embed.proj.bias', shape: [w] },
    ...transformerWeights('blocks', { depth: config.depth, width: w, mlpWidth: config.mlpWidth }),
    { name: 'norm.weight', shape: [w] },
    { name: 'norm.bias', shape: [w] },
    ...headWeights(config),
  ];
}

function headWeights(config: EncoderConfig): WeightSpec[] {
  const { width: w, headWidth: h, representation: d } = config;
  const sizes = [
    [h, w],
    [h, h],
    [d, h],
  ] as const;
  if (config.head === 'none') return [];
  if (config.head === 'dino') {
    return DINO_LAYERS.flatMap((layer, i) => [
      { name: `head.mlp.${layer}.weight`, shape: sizes[i] ?? [] },
      { name: `head.mlp.${layer}.bias`, shape: [sizes[i]?.[0] ?? 0] },
    ]);
  }
  return MOCO_LAYERS.flatMap((layer, i) => {
    const [out, input] = sizes[i] ?? [0, 0];
    const names = layer === 6 ? [] : ['weight', 'bias'];
    return [
      { name: `head.${layer}.weight`, shape: [out, input] },
      ...[...names, 'running_mean', 'running_var'].map((part) => ({
        name: `head.${layer + 1}.${part}`,
        shape: [out],
      })),
    ];
  });
}

/**
 * `image` u8 [B,S,S,3] → `representation` f32 [B,D], and on the way there `feature` [B,W] (class
 * token) and `projection` [B,D] (head's output, not standardised).
 */
export function vitEncoder(net: Layers, config: EncoderConfig, options: { probe: boolean }): void {
  const { ops, weights } = net;
  const { builder } = ops;
  const { sourceSize: s, imageSize, width, patchSize } = config;
  const image = builder.input('image', 'uint8', ['B', s, s, 3]);
  const unit = ops.transpose(ops.div(ops.cast(image, 'float32'), ops.scalar(255)), [0, 3, 1, 2]);
  const channels = (values: readonly number[]) =>
    ops.constant(Float32Array.from(values), [3, 1, 1]);
  const normal = ops.div(ops.sub(unit, channels(MEAN)), channels(DEVIATION));
  const input = s === imageSize ? normal : smaller(net, normal, imageSize);
  if (options.probe) builder.output('input', input);

  const patches = convolution(ops, input, weights.tensor('patch_embed.proj.weight'), {
    bias: weights.tensor('patch_embed.proj.bias'),
    stride: patchSize,
  });
  const count = (imageSize / patchSize) ** 2;
  const flat = ops.transpose(
    ops.reshape(patches, [0, width, count], ['B', width, count]),
    [0, 2, 1],
  );
  const start = ops.expand(
    weights.tensor('cls_token'),
    ops.concat([ops.shapeRow(image, 0), ops.int64s(1, width)], 0),
    ['B', 1, width],
  );
  const x = ops.add(ops.concat([start, flat], 1), weights.tensor('pos_embed'));
  const encoded = net.transformer(x, {
    blocks: 'blocks',
    depth: config.depth,
    heads: config.heads,
    norm: 'norm',
  });
  const feature = ops.gather(encoded, ops.constant(Int32Array.of(0), []), 1); // [B,W]
  const projection = project(net, feature, config);
  builder.output('feature', feature);
  builder.output('projection', projection);
  builder.output('representation', standardize(net, projection, config.representation));
}

/** torch's bicubic: a = −0.75, half-pixel centres, no antialiasing. */
function smaller(net: Layers, x: Value, side: number): Value {
  return resize(
    net.ops,
    x,
    { height: side, width: side },
    {
      mode: 'cubic',
      cubic_coeff_a: { float: -0.75 },
      coordinate_transformation_mode: 'half_pixel',
      exclude_outside: 0,
    },
  );
}

/** The projection head (spec 2.3), or for DINO and iBOT theirs (spec 2.5). */
function project(net: Layers, feature: Value, config: EncoderConfig): Value {
  const { ops } = net;
  if (config.head === 'none') return feature;
  if (config.head === 'dino') {
    const [first, second, last] = DINO_LAYERS.map((layer) => `head.mlp.${layer}`);
    const hidden = net.linearGelu(net.linearGelu(feature, first ?? ''), second ?? '');
    return net.linear(hidden, last ?? '');
  }
  let h = feature;
  for (const layer of MOCO_LAYERS) {
    const out = layer === 6 ? config.representation : config.headWidth;
    h = batchNorm(net, net.product(h, `head.${layer}`, { large: false }), {
      name: `head.${layer + 1}`,
      size: out,
      affine: layer !== 6,
    });
    if (layer !== 6) h = ops.unary('Relu', h);
  }
  return h;
}

/**
 * BatchNorm1d in evaluation mode, eps 1e-5, as a scale and a shift: ONNX Runtime 1.29 loses the
 * input of a BatchNormalization behind a MatMul when it fuses the two.
 */
function batchNorm(
  net: Layers,
  x: Value,
  norm: { readonly name: string; readonly size: number; readonly affine: boolean },
): Value {
  const { ops, weights } = net;
  const { name, size, affine } = norm;
  const of = (...parts: string[]) => ({
    tensors: parts.map((part) => `${name}.${part}`),
    shape: [size],
  });
  const scale = (variance: number, gamma = 1) => gamma / Math.sqrt(variance + 1e-5);
  const affineParts = affine ? ['weight', 'bias'] : [];
  const gamma = weights.computed(
    `${name}.scale`,
    of('running_var', ...affineParts.slice(0, 1)),
    (variance = new Float32Array(), weight) => variance.map((v, i) => scale(v, weight?.[i])),
  );
  const beta = weights.computed(
    `${name}.shift`,
    of('running_mean', 'running_var', ...affineParts),
    (mean = new Float32Array(), variance = new Float32Array(), weight, bias) =>
      mean.map((m, i) => (bias?.[i] ?? 0) - m * scale(variance[i] ?? 1, weight?.[i])),
  );
  return ops.add(ops.mul(x, gamma), beta);
}

/** (h − mean) / std over the row; std with divisor D−1, no epsilon (spec 2.3). */
function standardize(net: Layers, h: Value, size: number): Value {
  const { ops } = net;
  const centred = ops.sub(h, ops.mean(h));
  const squares = ops.sum(ops.mul(centred, centred), true);
  const deviation = ops.unary('Sqrt', ops.div(squares, ops.scalar(size - 1)));
  return ops.div(centred, deviation);
}
