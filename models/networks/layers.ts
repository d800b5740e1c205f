import type { StateDict } from '#checkpoint/types';
import type { GraphBuilder } from '#graph/builder';
import { Ops } from '#graph/ops';
import { matmulShape, requireNorm, requireShape, sizeOf } from '#graph/shapes';
import { GraphError, type Value } from '#graph/types';
import { Weights } from './weights.ts';

/**
 * What a graph is made for. `portable` uses standard ONNX operators and float32 only: it is the
 * reference, and what is exported. The `cpu` targets use ONNX Runtime's fused operators; `cpu-int8`
 * also multiplies the transformer's large matrices in 8 bits.
 */
export type Target = 'cpu-int8' | 'cpu-float32' | 'portable';

/** Operator sets that the target's graphs use. */
export function opsetsOf(target: Target): Readonly<Record<string, number>> {
  return target === 'portable' ? { '': 17 } : { '': 17, 'com.microsoft': 1 };
}

const SQRT_2 = Math.SQRT2;

/** The layers that the networks share, in the form that suits the target. */
export class Layers {
  readonly ops: Ops;
  readonly weights: Weights;
  readonly #target: Target;

  constructor(builder: GraphBuilder, tensors: StateDict, target: Target) {
    this.ops = new Ops(builder);
    this.weights = new Weights(this.ops, tensors);
    this.#target = target;
  }

  /** Layers of a Loop's body, over the same weights. */
  within(builder: GraphBuilder, tensors: StateDict): Layers {
    return new Layers(builder, tensors, this.#target);
  }

  /** x·Wᵀ, without bias. `large` matrices may be multiplied in 8 bits. */
  product(x: Value, name: string, options: { readonly large: boolean }): Value {
    if (options.large && this.#target === 'cpu-int8') {
      const { matrix, scales } = this.weights.quantized(`${name}.weight`);
      const shape = matmulShape(x.shape, matrix.shape);
      return this.ops.microsoft('DynamicQuantizeMatMul', [x, matrix, scales], shape);
    }
    return this.ops.matmul(x, this.weights.transposed(`${name}.weight`));
  }

  /** torch.nn.Linear. */
  linear(x: Value, name: string, options: { readonly large?: boolean } = {}): Value {
    const product = this.product(x, name, { large: options.large ?? false });
    return this.ops.add(product, this.weights.tensor(`${name}.bias`));
  }

  /** torch.nn.LayerNorm over the last axis. */
  layerNorm(x: Value, name: string, epsilon: number): Value {
    const gamma = this.weights.tensor(`${name}.weight`);
    const beta = this.weights.tensor(`${name}.bias`);
    return this.ops.layerNormalization(x, { gamma, beta, epsilon });
  }

  /** GELU in its exact form, ½x(1 + erf(x/√2)). */
  gelu(x: Value): Value {
    if (this.#target !== 'portable') return this.ops.microsoft('Gelu', [x], x.shape);
    const erf = this.ops.unary('Erf', this.ops.div(x, this.ops.scalar(SQRT_2)));
    const product = this.ops.mul(x, this.ops.add(erf, this.ops.scalar(1)));
    return this.ops.mul(product, this.ops.scalar(0.5));
  }

  /** GELU(x·Wᵀ + b) */
  linearGelu(x: Value, name: string): Value {
    if (this.#target === 'portable') return this.gelu(this.linear(x, name));
    const product = this.product(x, name, { large: true });
    const bias = this.weights.tensor(`${name}.bias`);
    requireNorm('BiasGelu', product, bias);
    return this.ops.microsoft('BiasGelu', [product, bias], product.shape);
  }

  /**
   * The end of a pre-norm half block: sum = x + (delta + bias), and the next LayerNorm of it.
   * @param delta the Linear's product, [B,S,W]; its bias is `linear`'s
   */
  addAndNormalize(
    x: Value,
    delta: Value,
    names: { readonly linear: string; readonly norm: string; readonly epsilon: number },
  ): { readonly sum: Value; readonly normalized: Value } {
    const bias = this.weights.tensor(`${names.linear}.bias`);
    if (this.#target === 'portable') {
      const sum = this.ops.add(x, this.ops.add(delta, bias));
      return { sum, normalized: this.layerNorm(sum, names.norm, names.epsilon) };
    }
    const gamma = this.weights.tensor(`${names.norm}.weight`);
    const beta = this.weights.tensor(`${names.norm}.bias`);
    requireNorm('SkipLayerNormalization', x, gamma, beta, bias);
    requireShape('SkipLayerNormalization', delta, x.shape);
    const same = { type: 'float32', shape: x.shape } as const;
    const [normalized, sum] = this.ops.builder.node({
      op: 'SkipLayerNormalization',
      domain: 'com.microsoft',
      inputs: [delta, x, gamma, beta, bias],
      attributes: { epsilon: { float: names.epsilon } },
      outputs: [same, null, null, same],
    });
    if (!normalized || !sum) throw new GraphError('SkipLayerNormalization lost an output');
    return { sum, normalized };
  }

  /** Softmax attention of timm's ViT: `qkv` [B,S,3W] in the order (3, heads, head size). */
  attention(qkv: Value, heads: number): Value {
    const [batch = 1, length = 1] = qkv.shape;
    const width = sizeOf(qkv.shape, -1) / 3;
    if (!Number.isInteger(width / heads)) throw new GraphError(`${heads} heads of width ${width}`);
    const [query, key, value] = this.ops.split(qkv, 3);
    if (!query || !key || !value) throw new GraphError('attention without q, k and v');
    if (this.#target !== 'portable') {
      const inputs = [query, key, value];
      const attributes = { num_heads: heads };
      return this.ops.microsoft('MultiHeadAttention', inputs, query.shape, attributes);
    }
    const size = width / heads;
    const split = (x: Value, perm: readonly number[]) =>
      this.ops.transpose(
        this.ops.reshape(x, [0, 0, heads, size], [batch, length, heads, size]),
        perm,
      );
    const scores = this.ops.matmul(split(query, [0, 2, 1, 3]), split(key, [0, 2, 3, 1]));
    const scaled = this.ops.mul(scores, this.ops.scalar(size ** -0.5));
    const mixed = this.ops.matmul(this.ops.softmax(scaled), split(value, [0, 2, 1, 3]));
    const merged = this.ops.transpose(mixed, [0, 2, 1, 3]);
    return this.ops.reshape(merged, [0, 0, width], [batch, length, width]);
  }

  /**
   * A stack of timm's pre-norm blocks and the LayerNorm behind it (spec 2.2), eps 1e-6.
   * x += proj(attention(LN(x))); x += fc2(GELU(fc1(LN(x)))).
   */
  transformer(
    x: Value,
    options: {
      readonly blocks: string;
      readonly depth: number;
      readonly heads: number;
      readonly norm: string;
    },
  ): Value {
    const { blocks, depth, heads, norm } = options;
    const epsilon = 1e-6;
    let sum = x;
    let normalized = this.layerNorm(x, depth > 0 ? `${blocks}.0.norm1` : norm, epsilon);
    for (let i = 0; i < depth; i += 1) {
      const block = `${blocks}.${i}`;
      const qkv = this.linear(normalized, `${block}.attn.qkv`, { large: true });
      const mixed = this.product(this.attention(qkv, heads), `${block}.attn.proj`, { large: true });
      ({ sum, normalized } = this.addAndNormalize(sum, mixed, {
        linear: `${block}.attn.proj`,
        norm: `${block}.norm2`,
        epsilon,
      }));
      const hidden = this.linearGelu(normalized, `${block}.mlp.fc1`);
      const out = this.product(hidden, `${block}.mlp.fc2`, { large: true });
      ({ sum, normalized } = this.addAndNormalize(sum, out, {
        linear: `${block}.mlp.fc2`,
        norm: i + 1 < depth ? `${blocks}.${i + 1}.norm1` : norm,
        epsilon,
      }));
    }
    return normalized;
  }
}

/** The weight table of a stack of pre-norm blocks (spec 2.4). */
export function transformerWeights(
  blocks: string,
  sizes: { readonly depth: number; readonly width: number; readonly mlpWidth: number },
): { readonly name: string; readonly shape: readonly number[] }[] {
  const { depth, width: w, mlpWidth: h } = sizes;
  return Array.from({ length: depth }, (_, i) => [
    { name: `${blocks}.${i}.norm1.weight`, shape: [w] },
    { name: `${blocks}.${i}.norm1.bias`, shape: [w] },
    { name: `${blocks}.${i}.attn.qkv.weight`, shape: [3 * w, w] },
    { name: `${blocks}.${i}.attn.qkv.bias`, shape: [3 * w] },
    { name: `${blocks}.${i}.attn.proj.weight`, shape: [w, w] },
    { name: `${blocks}.${i}.attn.proj.bias`, shape: [w] },
    { name: `${blocks}.${i}.norm2.weight`, shape: [w] },
    { name: `${blocks}.${i}.norm2.bias`, shape: [w] },
    { name: `${blocks}.${i}.mlp.fc1.weight`, shape: [h, w] },
    { name: `${blocks}.${i}.mlp.fc1.bias`, shape: [h] },
    { name: `${blocks}.${i}.mlp.fc2.weight`, shape: [w, h] },
    { name: `${blocks}.${i}.mlp.fc2.bias`, shape: [w] },
  ]).flat();
}
