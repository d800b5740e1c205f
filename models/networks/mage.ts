// MAGE, the masked generative encoder, conditioned on a representation: one step of its iterative
// decoding as one graph. Li et al., "MAGE" (2023), and RCG section 3.3; spec 4.2 and 4.4.
import type { MageConfig } from '#bundle/manifest';
import type { ShapeTable } from '#checkpoint/types';
import type { Value } from '#graph/types';
import { transformerWeights, type Layers } from './layers.ts';
import { countBlocks, NetworkError, requireHeads, sizedBy, type WeightSpec } from './network.ts';

/** Class slots behind the codes of MAGE's vocabulary, and the mask id behind those. */
const CLASS_SLOTS = 1000;
/**
 * MAGE-B, L and H (spec 4.2). Heads count as known only where all four sizes agree: shapes cannot
 * tell them, and a wrong number gives wrong pictures without any error.
 */
const PRESETS = [
  { letter: 'B', width: 768, depth: 12, heads: 12 },
  { letter: 'L', width: 1024, depth: 24, heads: 16 },
  { letter: 'H', width: 1280, depth: 32, heads: 16 },
] as const;
/** The decoder of all three, as wide as their encoder. */
const PRESET_DECODER = { depth: 8, heads: 16 };

/** What a recipe file can say about a MAGE that its shapes cannot. */
export interface MageHints {
  readonly heads?: number;
  readonly decoderHeads?: number;
  readonly codes?: number;
}

/**
 * Sizes of a MAGE, read off its tensors.
 * @throws NetworkError `unknown-size` when the head counts are neither given nor of a known size.
 */
export function mageConfig(table: ShapeTable, hints: MageHints): MageConfig {
  const size = (key: string, axes: number) => sizedBy('mage', table, { key, axes }).shape;
  const [vocabulary, width] = size('token_emb.word_embeddings.weight', 2);
  const [positions] = size('token_emb.position_embeddings.weight', 2);
  const [, representation] = size('fake_latent', 2);
  const [decoderWidth] = size('decoder_embed.weight', 2);
  const depth = countBlocks(table, 'blocks.', '.norm1.weight');
  const decoderDepth = countBlocks(table, 'decoder_blocks.', '.norm1.weight');
  const [mlpWidth] = size('blocks.0.mlp.fc1.weight', 2);
  const [decoderMlpWidth] = size('decoder_blocks.0.mlp.fc1.weight', 2);
  const codes = hints.codes ?? vocabulary - CLASS_SLOTS - 1;
  if (codes < 1 || codes + CLASS_SLOTS + 1 !== vocabulary) {
    const why = `${vocabulary} rows cannot hold ${codes} codes, ${CLASS_SLOTS} class slots and a mask`;
    throw new NetworkError(
      'wrong-shape',
      { network: 'mage', key: 'token_emb.word_embeddings.weight' },
      why,
    );
  }
  const preset = publishedSize({ width, depth, decoderWidth, decoderDepth });
  const about = {
    network: 'mage',
    what: `a MAGE of width ${width}, depth ${depth}, decoder width ${decoderWidth} and decoder depth ${decoderDepth}`,
    recipe: '{"mage": {"heads": N, "dec_heads": N}}',
  } as const;
  const heads = requireHeads(hints.heads ?? preset?.heads, { ...about, key: 'heads', width });
  const decoderHeads = requireHeads(
    hints.decoderHeads ?? (preset ? PRESET_DECODER.heads : undefined),
    { ...about, key: 'dec_heads', width: decoderWidth },
  );
  return {
    representation,
    codes,
    tokens: positions - 1,
    vocabulary,
    width,
    depth,
    heads,
    mlpWidth,
    decoderWidth,
    decoderDepth,
    decoderHeads,
    decoderMlpWidth,
  };
}

/** Which of the published sizes this is; undefined when none. */
export function publishedSize(
  sizes: Pick<MageConfig, 'width' | 'depth' | 'decoderWidth' | 'decoderDepth'>,
): (typeof PRESETS)[number] | undefined {
  const { width, depth, decoderWidth, decoderDepth } = sizes;
  if (decoderWidth !== width || decoderDepth !== PRESET_DECODER.depth) return undefined;
  return PRESETS.find((preset) => preset.width === width && preset.depth === depth);
}

/** The weight table (spec 4.2). */
export function mageWeights(config: MageConfig): WeightSpec[] {
  const { width: w, decoderWidth: d, vocabulary, representation, tokens } = config;
  return [
    { name: 'fake_latent', shape: [1, representation] },
    { name: 'token_emb.word_embeddings.weight', shape: [vocabulary, w] },
    { name: 'token_emb.position_embeddings.weight', shape: [tokens + 1, w] },
    { name: 'token_emb.LayerNorm.weight', shape: [w] },
    { name: 'token_emb.LayerNorm.bias', shape: [w] },
    { name: 'latent_prior_proj.weight', shape: [w, representation] },
    { name: 'latent_prior_proj.bias', shape: [w] },
    ...transformerWeights('blocks', { depth: config.depth, width: w, mlpWidth: config.mlpWidth }),
    { name: 'norm.weight', shape: [w] },
    { name: 'norm.bias', shape: [w] },
    { name: 'decoder_embed.weight', shape: [d, w] },
    { name: 'decoder_embed.bias', shape: [d] },
    { name: 'decoder_pos_embed_learned', shape: [1, tokens + 1, d] },
    ...transformerWeights('decoder_blocks', {
      depth: config.decoderDepth,
      width: d,
      mlpWidth: config.decoderMlpWidth,
    }),
    { name: 'decoder_norm.weight', shape: [d] },
    { name: 'decoder_norm.bias', shape: [d] },
    { name: 'mlm_layer.fc.weight', shape: [w, d] },
    { name: 'mlm_layer.fc.bias', shape: [w] },
    { name: 'mlm_layer.ln.weight', shape: [w] },
    { name: 'mlm_layer.ln.bias', shape: [w] },
    { name: 'mlm_layer.bias', shape: [1, 1, vocabulary] },
  ];
}

/** The id that stands for a token not known yet: the last of the vocabulary. */
export function maskIdOf(config: MageConfig): number {
  return config.vocabulary - 1;
}

/** Variants of the step graph. */
export interface MageGraphOptions {
  /** Adds intermediate results as outputs, for comparing with the original. */
  readonly probe: boolean;
  /** `gumbel` takes one noise value a code, as the original draws, instead of a uniform a token. */
  readonly draw: 'uniform' | 'gumbel';
}

/**
 * One decoding step. B pictures, R = B rows or, guided, 2B: conditional rows, then null rows.
 * Inputs and outputs as `Networks.mage` of the engine states.
 */
export function mageStep(net: Layers, config: MageConfig, options: MageGraphOptions): void {
  const { ops, weights } = net;
  const { tokens: n, codes: k, width: w } = config;
  const { builder } = ops;
  const tokens = builder.input('tokens', 'int32', ['B', n]);
  const representation = builder.input('representation', 'float32', ['R', config.representation]);
  const isNull = builder.input('is_null', 'float32', ['R']);
  const guidance = builder.input('guidance', 'float32', ['B']);
  const masked = ops.equal(tokens, ops.int(maskIdOf(config))); // [B,n]

  // The fake class token's place holds the projected representation, written after the LayerNorm.
  const nullRows = ops.lessOrEqual(ops.scalar(0.5), ops.unsqueeze(isNull, 1)); // [R,1]
  const condition = ops.where(nullRows, weights.tensor('fake_latent'), representation); // [R,D]
  const head = ops.unsqueeze(net.linear(condition, 'latent_prior_proj'), 1); // [R,1,w]
  const words = ops.gather(weights.tensor('token_emb.word_embeddings.weight'), tokens, 0);
  const placed = ops.add(words, weights.rows('token_emb.position_embeddings.weight', 1, n + 1));
  const embedded = net.layerNorm(placed, 'token_emb.LayerNorm', 1e-6); // [B,n,w]
  const copies = ops.div(ops.shapeRow(isNull, 0), ops.shapeRow(tokens, 0)); // int64 [1]: R/B
  const ones = ops.int64s(1, 1);
  const rows = ops.tile(embedded, ops.concat([copies, ones], 0), ['R', n, w]);
  const x = ops.concat([head, rows], 1); // [R,n+1,w]
  const encoded = net.transformer(x, { ...config, blocks: 'blocks', norm: 'norm' });

  const y = net.linear(encoded, 'decoder_embed', { large: true }); // [R,n+1,d]
  const first = ops.slice(y, 1, { from: 0, to: 1 });
  const maskedRows = ops.unsqueeze(
    ops.tile(masked, ops.concat([copies, ops.int64s(1)], 0), ['R', n]),
    2,
  );
  // Masked places take the class token's feature, not the mask_token parameter.
  const filled = ops.where(maskedRows, first, ops.slice(y, 1, { from: 1, to: n + 1 }));
  const z = ops.add(ops.concat([first, filled], 1), weights.tensor('decoder_pos_embed_learned'));
  const decoded = net.transformer(z, {
    blocks: 'decoder_blocks',
    depth: config.decoderDepth,
    heads: config.decoderHeads,
    norm: 'decoder_norm',
  });

  const features = maskedLanguageHead(net, ops.slice(decoded, 1, { from: 1, to: n + 1 }));
  const logits = ops.add(
    ops.matmul(features, weights.transposedRows('token_emb.word_embeddings.weight', k)),
    weights.computed(
      'mlm_layer.bias:codes',
      { tensors: ['mlm_layer.bias'], shape: [k] },
      (bias = new Float32Array()) => bias.slice(0, k),
    ),
  ); // [R,n,k]
  const pair = ops.reshapeTo(logits, ops.concat([copies, ops.int64s(-1, n, k)], 0), [
    'R/B',
    'B',
    n,
    k,
  ]);
  // Unguided there is one copy: first and last are the same, and their difference is 0.
  const conditional = ops.gather(pair, ops.constant(Int32Array.of(0), []), 0);
  const last = ops.gather(pair, ops.constant(Int32Array.of(-1), []), 0);
  const weight = ops.unsqueeze(ops.unsqueeze(guidance, 1), 2); // [B,1,1]
  const guided = ops.add(conditional, ops.mul(weight, ops.sub(conditional, last))); // [B,n,k]

  const logP = ops.logSoftmax(guided);
  const p = ops.unary('Exp', logP);
  const drawn =
    options.draw === 'gumbel'
      ? ops.argMax(ops.add(logP, builder.input('gumbel', 'float32', ['B', n, k])))
      : inverseCdf(net, p, builder.input('uniforms', 'float32', ['B', n])); // int64 [B,n]
  remask(net, { tokens, masked, drawn, logP, p, maskId: maskIdOf(config) });

  if (options.probe) {
    builder.output('embeddings', x);
    builder.output('encoder_out', encoded);
    builder.output('logits', logits);
    builder.output('guided_log_probs', logP);
    builder.output('drawn', ops.cast(drawn, 'int32'));
    const start = maskedLanguageHead(net, ops.slice(decoded, 1, { from: 0, to: 1 })); // [R,1,w]
    const table = weights.transposed('token_emb.word_embeddings.weight');
    const full = ops.add(ops.matmul(start, table), weights.tensor('mlm_layer.bias'));
    builder.output('full_logits0', ops.squeeze(full, 1));
  }
}

/** LN(GELU(fc(y))): features that are compared with the word embeddings. */
function maskedLanguageHead(net: Layers, y: Value): Value {
  return net.layerNorm(net.linearGelu(y, 'mlm_layer.fc'), 'mlm_layer.ln', 1e-5);
}

/**
 * Draws an index from each row of p by one uniform u in (0,1): the first index whose cumulative
 * probability exceeds u·total. In two levels, because a running sum over all codes is slow on GPUs.
 * @param p [B,n,k]
 * @param uniforms [B,n]
 * @returns int64 [B,n]
 */
function inverseCdf(net: Layers, p: Value, uniforms: Value): Value {
  const { ops } = net;
  const [, n = 1, k = 1] = p.shape;
  const size = blockSize(Number(k));
  const count = Number(k) / size;
  const blocks = ops.reshape(p, [0, 0, count, size], ['B', n, count, size]);
  const mass = ops.sum(blocks, false); // [B,n,count]
  const cdf = ops.cumsum(mass, { exclusive: false });
  const total = ops.slice(cdf, -1, { from: count - 1, to: count });
  const target = ops.mul(ops.unsqueeze(uniforms, 2), total); // [B,n,1]
  const countBelow = (sums: Value, level: Value, limit: number) => {
    const below = ops.sum(ops.cast(ops.lessOrEqual(sums, level), 'float32'), true);
    return ops.cast(ops.min(below, ops.scalar(limit)), 'int64'); // [B,n,1]
  };
  const block = countBelow(cdf, target, count - 1);
  const before = ops.gatherRows(ops.cumsum(mass, { exclusive: true }), block, 2); // [B,n]
  const row = ops.gatherRows(blocks, block, 2); // [B,n,size]
  const rest = ops.sub(target, ops.unsqueeze(before, 2));
  const within = countBelow(ops.cumsum(row, { exclusive: false }), rest, size - 1);
  const index = ops.add(ops.mul(block, ops.constant(BigInt64Array.of(BigInt(size)), [])), within);
  return ops.squeeze(index, 2);
}

/** The divisor of k nearest to √k. */
function blockSize(k: number): number {
  let size = Math.floor(Math.sqrt(k));
  while (k % size !== 0) size -= 1;
  return k / size;
}

/** Keeps known tokens, takes draws elsewhere, and masks the least certain again (spec 4.4). */
function remask(
  net: Layers,
  step: {
    readonly tokens: Value;
    readonly masked: Value;
    readonly drawn: Value;
    readonly logP: Value;
    readonly p: Value;
    readonly maskId: number;
  },
): void {
  const { ops } = net;
  const { builder } = ops;
  const { tokens, masked, drawn, logP, p, maskId } = step;
  const noise = builder.input('confidence_noise', 'float32', tokens.shape);
  const maskCount = builder.input('mask_count', 'int32', ['B']);
  const infinity = ops.scalar(Infinity);
  const sampled = ops.where(masked, ops.cast(drawn, 'int32'), tokens); // [B,n]
  const chosen = ops.gatherRows(logP, ops.unsqueeze(drawn, 2), 2); // [B,n]
  const confidence = ops.where(masked, ops.add(chosen, noise), infinity);
  const order = ops.sortAscending(confidence);
  const at = ops.cast(ops.sub(maskCount, ops.int(1)), 'int64');
  const cut = ops.unsqueeze(ops.gatherRows(order, ops.unsqueeze(at, 1), 1), 1); // [B,1]
  const again = ops.and(masked, ops.lessOrEqual(confidence, cut));
  const nats = ops.unary('Neg', ops.sum(ops.mul(p, logP), false));
  const bits = ops.mul(nats, ops.scalar(Math.LOG2E));
  builder.output('sampled', sampled);
  builder.output('tokens_out', ops.where(again, ops.int(maskId), sampled));
  builder.output('probability', ops.where(masked, ops.unary('Exp', chosen), infinity));
  builder.output('entropy', ops.where(masked, bits, ops.scalar(0)));
  const second = ops.squeeze(ops.slice(ops.largest(p, 2), 2, { from: 1, to: 2 }), 2); // [B,n]
  builder.output('second_probability', ops.where(masked, second, ops.scalar(0)));
}
