// RDM, the representation diffusion model: an MLP that predicts the clean representation, and a
// run of its DDIM steps as one graph. RCG section 3.2 and appendix; spec 3.
import type { RdmConfig } from '#bundle/manifest';
import type { ShapeTable, StateDict } from '#checkpoint/types';
import { loop } from '#graph/loop';
import { GraphError, type Value } from '#graph/types';
import type { Layers } from './layers.ts';
import { countBlocks, sizedBy, type WeightSpec } from './network.ts';

/** Coefficients of a step, in the order of the `coefficients` input (spec 3.4). */
const COEFFICIENTS = 7;

/** Sizes of an RDM, read off its tensors. */
export function rdmConfig(table: ShapeTable): RdmConfig {
  const size = (key: string, axes: number) => sizedBy('rdm', table, { key, axes }).shape;
  const [width, representation] = size('input_proj.weight', 2);
  const [timeEmbedding] = size('time_embed.0.weight', 2);
  const [bottleneck] = size('res_blocks.0.in_layers.2.weight', 2);
  const conditional = table.has('res_blocks.0.context_layers.1.weight');
  const [classes, context] = conditional ? size('class_embedding.weight', 2) : [0, 0];
  const depth = countBlocks(table, 'res_blocks.', '.in_layers.2.weight');
  return { representation, width, bottleneck, timeEmbedding, depth, context, classes };
}

/** The weight table (spec 3.2), with the names of the live weights; the values are the EMA's. */
export function rdmWeights(config: RdmConfig): WeightSpec[] {
  const { width: w, bottleneck: b, timeEmbedding: e, representation: d, context: c } = config;
  const blocks = Array.from({ length: config.depth }, (_, i) => [
    { name: `res_blocks.${i}.in_layers.0.weight`, shape: [w] },
    { name: `res_blocks.${i}.in_layers.0.bias`, shape: [w] },
    { name: `res_blocks.${i}.in_layers.2.weight`, shape: [b, w] },
    { name: `res_blocks.${i}.in_layers.2.bias`, shape: [b] },
    { name: `res_blocks.${i}.emb_layers.1.weight`, shape: [b, e] },
    { name: `res_blocks.${i}.emb_layers.1.bias`, shape: [b] },
    ...(c > 0
      ? [
          { name: `res_blocks.${i}.context_layers.1.weight`, shape: [b, c] },
          { name: `res_blocks.${i}.context_layers.1.bias`, shape: [b] },
        ]
      : []),
    { name: `res_blocks.${i}.out_layers.0.weight`, shape: [b] },
    { name: `res_blocks.${i}.out_layers.0.bias`, shape: [b] },
    { name: `res_blocks.${i}.out_layers.3.weight`, shape: [w, b] },
    { name: `res_blocks.${i}.out_layers.3.bias`, shape: [w] },
  ]);
  return [
    { name: 'time_embed.0.weight', shape: [e, w] },
    { name: 'time_embed.0.bias', shape: [e] },
    { name: 'time_embed.2.weight', shape: [e, e] },
    { name: 'time_embed.2.bias', shape: [e] },
    { name: 'input_proj.weight', shape: [w, d] },
    { name: 'input_proj.bias', shape: [w] },
    ...blocks.flat(),
    { name: 'out.0.weight', shape: [w] },
    { name: 'out.0.bias', shape: [w] },
    { name: 'out.2.weight', shape: [d, w] },
    { name: 'out.2.bias', shape: [d] },
    ...(c > 0 ? [{ name: 'class_embedding.weight', shape: [config.classes, c] }] : []),
  ];
}

/** How an RDM graph is to be built. */
export interface RdmGraphOptions {
  readonly tensors: StateDict;
  /** Adds what every step predicted, and the state after it, as outputs. */
  readonly probe: boolean;
}

/**
 * n DDIM steps. The parts that depend on the timestep or the label alone are computed once, as
 * tables; the Loop then runs the blocks. Inputs and outputs as `Networks.rdm` of the engine states.
 */
export function rdmSteps(net: Layers, config: RdmConfig, options: RdmGraphOptions): void {
  const { ops } = net;
  const { builder } = ops;
  const { representation: d, depth } = config;
  const x = builder.input('x', 'float32', ['B', d]);
  const noise = builder.input('noise', 'float32', ['n', 'B', d]);
  const timesteps = builder.input('timesteps', 'float32', ['n']);
  const coefficients = builder.input('coefficients', 'float32', ['n', COEFFICIENTS]);
  const times = timeTables(net, config, timesteps); // [n,depth,bottleneck]
  const contexts = config.context > 0 ? contextTables(net, config) : null; // [depth,B,bottleneck]

  const inner = builder.body('ddim_step');
  const iteration = inner.input('iteration', 'int64', []);
  const condition = inner.input('go_on', 'bool', []);
  const state = inner.input('state', 'float32', ['B', d]);
  const body = net.within(inner, options.tensors);
  const time = body.ops.gather(times, iteration, 0); // [depth,bottleneck]
  const additions = Array.from({ length: depth }, (_, i) => {
    const index = body.ops.constant(Int32Array.of(i), []);
    const ofTime = body.ops.gather(time, index, 0); // [bottleneck]
    return contexts ? body.ops.add(body.ops.gather(contexts, index, 0), ofTime) : ofTime;
  });
  const predicted = denoise(body, state, additions); // x0, [B,D]
  const row = body.ops.gather(coefficients, iteration, 0); // [7]
  const z = body.ops.gather(noise, iteration, 0); // [B,D]
  const next = ddimUpdate(body, { x: state, x0: predicted, z, row });
  inner.output('go_on_out', condition);
  inner.output('state_out', next);
  if (options.probe) {
    inner.output('pred_x0_step', predicted);
    inner.output('state_step', next);
  }
  const steps = ops.squeeze(ops.shapeRow(timesteps, 0), 0);
  const run = { times: steps, carried: [x], count: 'n' };
  const [result, predictions, states] = loop(builder, inner.graph(), run);
  if (!result) throw new GraphError('Loop without a result');
  builder.output('representation', result);
  if (predictions && states) {
    builder.output('pred_x0', predictions);
    builder.output('trajectory', states);
  }
}

/** Timestep embedding and each block's share of it: [n,depth,bottleneck]. */
function timeTables(net: Layers, config: RdmConfig, timesteps: Value): Value {
  const { ops, weights } = net;
  const half = Math.floor(config.width / 2);
  // As torch computes them, in float32: a difference of one unit in the last place of a frequency
  // becomes 1000 of them in the angle.
  const step = Math.fround(-Math.log(10000));
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(step * i) / half)),
  );
  const angles = ops.mul(ops.unsqueeze(timesteps, 1), ops.constant(frequencies)); // [n,half]
  const waves = [ops.unary('Cos', angles), ops.unary('Sin', angles)];
  const odd = config.width % 2 === 1;
  const zeros = odd ? [ops.mul(ops.slice(angles, 1, { from: 0, to: 1 }), ops.scalar(0))] : [];
  const sinusoid = ops.concat([...waves, ...zeros], 1); // [n,width]
  const hidden = ops.silu(net.linear(sinusoid, 'time_embed.0'));
  const embedding = ops.silu(net.linear(hidden, 'time_embed.2')); // [n,E]
  const blocks = blockNames(config);
  // in_layers' bias is added here too: both are the same for every picture of the batch.
  const [matrix, bias] = weights.stacked(
    blocks.map((block) => `${block}.emb_layers.1`),
    blocks.map((block) => [`${block}.emb_layers.1.bias`, `${block}.in_layers.2.bias`]),
  );
  const table = ops.add(ops.matmul(embedding, matrix), bias);
  return ops.reshape(
    table,
    [0, config.depth, config.bottleneck],
    ['n', config.depth, config.bottleneck],
  );
}

/** Each block's share of the class embedding: [depth,B,bottleneck]. */
function contextTables(net: Layers, config: RdmConfig): Value {
  const { ops, weights } = net;
  const labels = ops.builder.input('labels', 'int32', ['B']);
  const context = ops.gather(weights.tensor('class_embedding.weight'), labels, 0); // [B,C]
  const layers = blockNames(config).map((block) => `${block}.context_layers.1`);
  const [matrix, bias] = weights.stacked(
    layers,
    layers.map((layer) => [`${layer}.bias`]),
  );
  const table = ops.add(ops.matmul(ops.silu(context), matrix), bias);
  const shaped = ops.reshape(
    table,
    [0, config.depth, config.bottleneck],
    ['B', config.depth, config.bottleneck],
  );
  return ops.transpose(shaped, [1, 0, 2]);
}

function blockNames(config: RdmConfig): string[] {
  return Array.from({ length: config.depth }, (_, i) => `res_blocks.${i}`);
}

/**
 * The network: x [B,D] to the predicted clean representation (spec 3.1).
 * @param additions what timestep and label add inside each block
 */
function denoise(net: Layers, x: Value, additions: readonly Value[]): Value {
  const { ops } = net;
  let h = net.linear(x, 'input_proj');
  additions.forEach((addition, i) => {
    const block = `res_blocks.${i}`;
    const activated = ops.silu(net.layerNorm(h, `${block}.in_layers.0`, 1e-5));
    const product = net.product(activated, `${block}.in_layers.2`, { large: false });
    const u = ops.add(product, addition);
    const out = ops.silu(net.layerNorm(u, `${block}.out_layers.0`, 1e-5));
    h = ops.add(h, net.linear(out, `${block}.out_layers.3`));
  });
  return net.linear(ops.silu(net.layerNorm(h, 'out.0', 1e-6)), 'out.2');
}

/**
 * x0 to eps with one set of constants and back with another, as the original does (spec 3.4):
 * the result is nearly, not exactly, the identity.
 */
function ddimUpdate(
  net: Layers,
  step: { readonly x: Value; readonly x0: Value; readonly z: Value; readonly row: Value },
): Value {
  const { ops } = net;
  const { x, x0, z, row } = step;
  const coefficient = (i: number) => ops.slice(row, 0, { from: i, to: i + 1 });
  const [recip, recipm1, q, sqrtA, sqrtPrev, direction, sigma] = Array.from(
    { length: COEFFICIENTS },
    (_, i) => coefficient(i),
  );
  if (!recip || !recipm1 || !q || !sqrtA || !sqrtPrev || !direction || !sigma) {
    throw new GraphError('a DDIM step without its coefficients');
  }
  const eps = ops.div(ops.sub(ops.mul(recip, x), x0), recipm1);
  const clean = ops.div(ops.sub(x, ops.mul(q, eps)), sqrtA);
  const drift = ops.add(ops.mul(sqrtPrev, clean), ops.mul(direction, eps));
  return ops.add(drift, ops.mul(sigma, z));
}
