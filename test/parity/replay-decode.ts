import { decodePixels } from '#engine/pixels';
import { confidenceTemperature } from '#engine/schedule';
import { decodeTokens } from '#engine/tokens';
import type { DecodingSettings, Tensor } from '#engine/types';
import { close, exact, ids, levels } from './compare.ts';
import type { Computed } from './compare.ts';
import type { Graphs } from './graphs.ts';
import type { DecodeRun } from './fixture.ts';
import type { NpyArray } from './npy.ts';
import type { Report } from './report.ts';
import { floats, output, recorder, rows, stacked } from './tensors.ts';
import type { Recording } from './tensors.ts';
import { TOLERANCE } from './tolerance.ts';

/** Positions between two that the logit probe holds. */
const PROBE_STRIDE = 37;
/** The probe holds every (codes / 8)th code. */
const PROBE_CODES = 8;

/** What a step showed, picture rows first. */
interface StepTrace {
  readonly tokensIn: Tensor;
  readonly tokensOut: Tensor;
  readonly drawn: Tensor;
  readonly sampled: Tensor;
  readonly probability: Tensor;
  readonly maskCount: Tensor;
  readonly guidance: Tensor;
  readonly confidenceNoise: Tensor;
  readonly probe: Computed;
}

/**
 * Whole decoding runs through the engine's own loop, with the recorded noise (spec 4.4).
 * @param representations of each run, as this program sampled them
 * @returns final ids i32 [B,N] of each run
 */
export async function replayDecoding(
  report: Report,
  graphs: Graphs,
  representations: ReadonlyMap<string, Tensor<Float32Array>>,
): Promise<ReadonlyMap<string, Int32Array>> {
  const made = new Map<string, Int32Array>();
  for (const { run, settings } of report.decodeRuns()) {
    if (!report.has(`${run}cat_gumbel`, `${run}conf_gumbel`)) continue;
    const representation =
      representations.get(run) ??
      (report.has(`${run}rep`) ? floats(await report.input(`${run}rep`)) : undefined);
    if (!representation) continue;
    made.set(run, await decodeRun(report, graphs, { run, settings, representation }));
  }
  return made;
}

async function decodeRun(
  report: Report,
  graphs: Graphs,
  replay: {
    readonly run: string;
    readonly settings: DecodeRun;
    readonly representation: Tensor<Float32Array>;
  },
): Promise<Int32Array> {
  const { run, settings, representation } = replay;
  const { sizes } = graphs;
  const decoding: DecodingSettings = {
    steps: settings.num_iter,
    temperature: settings.temp,
    guidance: settings.cfg,
    schedule: 'linear',
  };
  const gumbel = floats(await report.input(`${run}cat_gumbel`));
  const confidence = floats(await report.input(`${run}conf_gumbel`));
  const expected = report.has(`${run}drawn_ids`) ? await report.input(`${run}drawn_ids`) : null;
  const probed = report.has(`${run}logit_probe`) ? await report.input(`${run}logit_probe`) : null;
  const steps: StepTrace[] = [];
  const divergences: string[] = [];
  const [batch = 0] = representation.shape;
  const network = recorder(
    await graphs.network('mage'),
    ['drawn', 'guided_log_probs', 'probability'],
    (recording) => {
      const noise = rows(gumbel, steps.length, steps.length + 1);
      const logP = output(recording.outputs, 'guided_log_probs');
      steps.push(traceStep(recording, probeOf(logP, probed?.shape.slice(1) ?? [])));
      const step = steps.length - 1;
      const divergence = expected && firstDivergence({ expected, recording, noise, step });
      if (divergence) divergences.push(divergence);
      report.progress(`${run.slice(0, -1)}: step ${steps.length} of ${decoding.steps}`);
    },
  );
  const final = await decodeTokens({
    network,
    sizes,
    seeds: Array.from({ length: batch }, (_, picture) => picture),
    representations: representation.data,
    decoding,
    noise: {
      categorical: { kind: 'gumbel', values: (step) => rows(gumbel, step, step + 1).data },
      confidence: (step) => rows(confidence, step, step + 1).data,
    },
  });
  await compareSteps(report, { run, steps, decoding, maskId: sizes.maskId });
  await report.check(`${run}final_ids`, ids, () => ({
    shape: [batch, sizes.tokens],
    data: final,
  }));
  if (divergences[0] !== undefined) report.say(divergences[0]);
  return final;
}

function traceStep({ feeds, outputs }: Recording, probe: Computed): StepTrace {
  return {
    tokensIn: output(feeds, 'tokens'),
    tokensOut: output(outputs, 'tokens_out'),
    drawn: output(outputs, 'drawn'),
    sampled: output(outputs, 'sampled'),
    probability: output(outputs, 'probability'),
    maskCount: output(feeds, 'mask_count'),
    guidance: output(feeds, 'guidance'),
    confidenceNoise: output(feeds, 'confidence_noise'),
    probe,
  };
}

async function compareSteps(
  report: Report,
  replay: {
    readonly run: string;
    readonly steps: readonly StepTrace[];
    readonly decoding: DecodingSettings;
    readonly maskId: number;
  },
): Promise<void> {
  const { run, steps, decoding, maskId } = replay;
  const all = (pick: (step: StepTrace) => Computed) => () => stacked(steps.map(pick));
  /** A number a step: the batch's first row. */
  const each = (pick: (step: StepTrace, index: number) => number) => () => ({
    shape: [steps.length],
    data: steps.map(pick),
  });
  await report.check(
    `${run}cfg_scale`,
    close(TOLERANCE.scale),
    each((s) => s.guidance.data[0] ?? NaN),
  );
  await report.check(
    `${run}conf_temperature`,
    close(TOLERANCE.scale),
    each((_, step) => confidenceTemperature(decoding, step)),
  );
  await report.check(
    `${run}mask_len`,
    exact,
    each((s) => s.maskCount.data[0] ?? NaN),
  );
  await report.check(
    `${run}tokens_in`,
    ids,
    all((s) => s.tokensIn),
  );
  await report.check(
    `${run}logit_probe`,
    close(TOLERANCE.logits),
    all((s) => s.probe),
  );
  await report.check(
    `${run}drawn_ids`,
    ids,
    all((s) => s.drawn),
  );
  await report.check(
    `${run}sampled_ids`,
    ids,
    all((s) => s.sampled),
  );
  await report.check(
    `${run}selected_probs`,
    close(TOLERANCE.probability),
    all((s) => s.probability),
  );
  if (report.has(`${run}conf_temperature`)) {
    const temperatures = (await report.input(`${run}conf_temperature`)).data;
    await report.recheck(
      `${run}conf_gumbel, scaled`,
      `${run}conf_gumbel`,
      (gumbel, got) => close(TOLERANCE.noise)(scaledSteps(gumbel, temperatures), got),
      all((s) => s.confidenceNoise),
    );
  }
  await report.check(
    `${run}masking`,
    exact,
    all(({ tokensOut: { shape, data } }) => ({
      shape,
      data: Array.from(data, (token) => (token === maskId ? 1 : 0)),
    })),
  );
  await report.check(
    `${run}tokens_out`,
    ids,
    all((s) => s.tokensOut),
  );
}

/** Every step's noise times that step's temperature, in float64, then float32. */
function scaledSteps(gumbel: NpyArray, temperatures: ArrayLike<number>): NpyArray {
  const size = gumbel.data.length / (gumbel.shape[0] ?? 1);
  const scale = (index: number) => temperatures[Math.floor(index / size)] ?? NaN;
  return { shape: gumbel.shape, data: Float32Array.from(gumbel.data, (g, i) => g * scale(i)) };
}

/** Log-probabilities [B,P,C] at the recorded positions and codes. */
function probeOf(logP: Tensor, [, positions = 0, codes = 0]: readonly number[]): Computed {
  const [batch = 0, n = 0, k = 0] = logP.shape;
  const stride = Math.floor(k / PROBE_CODES);
  const data: number[] = [];
  for (let row = 0; row < batch; row += 1) {
    for (let position = 0; position < positions; position += 1) {
      for (let code = 0; code < codes; code += 1) {
        data.push(logP.data[(row * n + position * PROBE_STRIDE) * k + code * stride] ?? NaN);
      }
    }
  }
  return { shape: [batch, positions, codes], data };
}

/** A line about the first position whose draw differs, with how close the two codes were. */
function firstDivergence(at: {
  readonly expected: NpyArray;
  readonly recording: Recording;
  readonly noise: Tensor;
  readonly step: number;
}): string | null {
  const drawn = output(at.recording.outputs, 'drawn');
  const logP = output(at.recording.outputs, 'guided_log_probs');
  const [, n = 0, k = 0] = logP.shape;
  const offset = at.step * drawn.data.length;
  const index = drawn.data.findIndex((id, i) => id !== at.expected.data[offset + i]);
  if (index < 0) return null;
  const ours = drawn.data[index] ?? NaN;
  const theirs = at.expected.data[offset + index] ?? NaN;
  const score = (id: number) =>
    (logP.data[index * k + id] ?? NaN) + (at.noise.data[index * k + id] ?? NaN);
  const gap = score(ours) - score(theirs);
  return (
    `first differing draw: step ${at.step + 1}, picture ${Math.floor(index / n)}, position ` +
    `${index % n}: ${ours} instead of ${theirs}, ahead by ${gap.toExponential(2)} log units`
  );
}

/** Pictures of the runs' final ids (spec 4.5). */
export async function replayDecodedPictures(
  report: Report,
  graphs: Graphs,
  decoded: ReadonlyMap<string, Int32Array>,
): Promise<void> {
  for (const [run, tokens] of decoded) {
    if (!report.has(`${run}image_u8`)) continue;
    const network = await graphs.network('decoder');
    const { sizes } = graphs;
    await report.check(`${run}image_u8`, levels, async () => ({
      shape: [tokens.length / sizes.tokens, sizes.imageSize, sizes.imageSize, 3],
      data: await decodePixels({ network, sizes, tokens }),
    }));
  }
}
