import { sampleRepresentations } from '#engine/representation';
import { noiseSchedule } from '#engine/schedule';
import type { Network, Tensor } from '#engine/types';
import { close, exact, liveWeights } from './compare.ts';
import type { Graphs } from './graphs.ts';
import type { Report } from './report.ts';
import { concatenated, filled, floats, ints, output, picked, recorder, rows } from './tensors.ts';
import { TOLERANCE } from './tolerance.ts';

/** √(1/ā), √(1/ā−1), √(1−a), √a, √a', direction, σ: a row of the graph's coefficients. */
type Coefficients = readonly [number, number, number, number, number, number, number];

/** A "step" that ends in what the network said: e = −p, and the next state is −e. */
const PREDICTION: Coefficients = [0, 1, 0, 1, 0, -1, 0];

/** One evaluation of the RDM, at a timestep of its own for every row (spec 3.1). */
export async function replayRdm(report: Report, graphs: Graphs): Promise<void> {
  await replayContext(report, graphs);
  const wanted = ['rdm_x0', 'rdm_eps', 'rdm_x0_live_weights'];
  if (!report.has('rdm_x', 'rdm_t') || !report.hasAny(...wanted)) return;
  const x = floats(await report.input('rdm_x'));
  const t = ints(await report.input('rdm_t'));
  const labels = await labelsOf(report, graphs, 'rdm_class');
  const { sqrt_recip_alphas_cumprod: recip, sqrt_recipm1_alphas_cumprod: recipm1 } =
    noiseSchedule();
  const rdm = await graphs.network('rdm');
  const x0: Tensor[] = [];
  const eps: Tensor[] = [];
  for (const [row, timestep] of t.data.entries()) {
    const at = {
      x: rows(x, row, row + 1),
      timestep,
      labels: labels ? rows(labels, row, row + 1) : null,
    };
    x0.push(await evaluate(rdm, at, PREDICTION));
    // A step that ends in the noise that the prediction implies.
    const noise = [recip[timestep] ?? NaN, recipm1[timestep] ?? NaN] as const;
    eps.push(await evaluate(rdm, at, [...noise, 0, 1, 0, 1, 0]));
  }
  await report.check('rdm_x0', close(TOLERANCE.rdm), () => concatenated(x0));
  await report.check('rdm_eps', close(TOLERANCE.rdm), () => concatenated(eps));
  if (report.has('rdm_x0', 'rdm_x0_live_weights')) {
    const rule = liveWeights(await report.input('rdm_x0'), TOLERANCE.rdm);
    await report.check('rdm_x0_live_weights', rule, () => concatenated(x0));
  }
}

async function evaluate(
  rdm: Network,
  at: { readonly x: Tensor; readonly timestep: number; readonly labels: Tensor | null },
  coefficients: Coefficients,
): Promise<Tensor> {
  const outputs = await rdm(
    {
      x: at.x,
      noise: filled([1, ...at.x.shape], 0),
      timesteps: filled([1], at.timestep),
      coefficients: { shape: [1, coefficients.length], data: Float32Array.from(coefficients) },
      ...(at.labels ? { labels: at.labels } : {}),
    },
    ['representation'],
  );
  return output(outputs, 'representation');
}

/** Rows of the class table. */
async function replayContext(report: Report, graphs: Graphs): Promise<void> {
  if (!report.has('rdm_class')) return;
  if (graphs.sizes.classes === 0) {
    report.skip('rdm_context', 'an unconditional RDM never reads it, and the bundle drops it');
    report.skip('rdm_class', 'an unconditional RDM takes no labels');
    return;
  }
  const labels = ints(await report.input('rdm_class'));
  const table = await graphs.weight('rdm', 'class_embedding.weight');
  await report.check('rdm_context', exact, () =>
    concatenated(Array.from(labels.data, (label) => rows(table, label, label + 1))),
  );
}

/** Labels i32 [B] for a class-conditional RDM; null for another. */
async function labelsOf(
  report: Report,
  graphs: Graphs,
  name: string,
): Promise<Tensor<Int32Array> | null> {
  if (!report.has(name)) return null;
  if (graphs.sizes.classes > 0) return ints(await report.input(name));
  report.skip(name, 'an unconditional RDM takes no labels');
  return null;
}

/** Whole DDIM runs through the engine's own loop, with the recorded noise (spec 3.4). */
export async function replayDdim(report: Report, graphs: Graphs): Promise<void> {
  for (const name of report.matching(/^ddim\d+_steps_eta$/)) {
    const run = name.slice(0, -'steps_eta'.length);
    const outputs = [`${run}result`, `${run}pred_x0`, `${run}x_after`];
    if (!report.has(`${run}xT`, `${run}noise`) || !report.hasAny(...outputs)) continue;
    const [steps = NaN, eta = NaN] = (await report.input(name)).data;
    const noise = { start: `${run}xT`, steps: `${run}noise`, labels: 'rdm_class' };
    const parts: Tensor[] = [];
    const states: Tensor[] = [];
    const result = await sample(report, graphs, {
      settings: { steps, eta },
      noise,
      onRun: (found) => {
        parts.push(output(found, 'pred_x0'));
        states.push(output(found, 'trajectory'));
      },
    });
    const within = close(TOLERANCE.ddim);
    if (report.has(`${run}kept_positions`) && report.hasAny(...outputs.slice(1))) {
      const kept = ints(await report.input(`${run}kept_positions`)).data;
      await report.check(`${run}pred_x0`, within, () => picked(concatenated(parts), kept));
      await report.check(`${run}x_after`, within, () => picked(concatenated(states), kept));
    }
    await report.check(`${run}result`, within, () => result);
  }
}

/** Representations of the decoding runs, sampled with their recorded noise. */
export async function replayDecodeRepresentations(
  report: Report,
  graphs: Graphs,
): Promise<ReadonlyMap<string, Tensor<Float32Array>>> {
  const made = new Map<string, Tensor<Float32Array>>();
  for (const { run, settings } of report.decodeRuns()) {
    if (!report.has(`${run}rdm_xT`, `${run}rdm_noise`)) continue;
    const result = await sample(report, graphs, {
      settings: { steps: settings.rdm_steps, eta: settings.eta },
      noise: { start: `${run}rdm_xT`, steps: `${run}rdm_noise`, labels: `${run}class_label` },
      onRun: () => undefined,
    });
    await report.check(`${run}rep`, close(TOLERANCE.ddim), () => result);
    made.set(run, result);
  }
  return made;
}

/** The engine's DDIM loop over recorded arrays. */
async function sample(
  report: Report,
  graphs: Graphs,
  replay: {
    readonly settings: { readonly steps: number; readonly eta: number };
    readonly noise: { readonly start: string; readonly steps: string; readonly labels: string };
    readonly onRun: (outputs: Readonly<Record<string, Tensor>>) => void;
  },
): Promise<Tensor<Float32Array>> {
  const start = floats(await report.input(replay.noise.start));
  const steps = floats(await report.input(replay.noise.steps));
  const labels = await labelsOf(report, graphs, replay.noise.labels);
  const [batch = 0] = start.shape;
  const { values } = await sampleRepresentations({
    network: recorder(await graphs.network('rdm'), ['pred_x0', 'trajectory'], ({ outputs }) =>
      replay.onRun(outputs),
    ),
    sizes: graphs.sizes,
    // Never drawn from: the noise is recorded.
    seeds: Array.from({ length: batch }, (_, picture) => picture),
    ...replay.settings,
    labels: labels ? [...labels.data] : null,
    noise: { start: start.data, steps: steps.data },
  });
  return { shape: start.shape, data: values };
}
