import { Bench } from 'tinybench';
import type { ResolvedTarget } from '#api/recipe';
import { generate } from '#engine/pipeline';
import { decodeTokens } from '#engine/tokens';
import { sampleRepresentations } from '#engine/representation';
import type { ModelSizes, Networks, Plan } from '#engine/types';
import { modelShelf } from '#worker/model';
import { median, type Row } from './table.ts';

const TARGETS: readonly ResolvedTarget[] = ['cpu-float32', 'cpu-int8', 'portable'];

/** What a model recommends, as the stages take it. */
interface Recommended {
  readonly rdmSteps: number;
  readonly eta: number;
  readonly decoding: Plan['decoding'];
}

/** How long to measure. */
export interface StageOptions {
  /** Folder of the bundle. */
  readonly bundle: string;
  /** Folder for compiled graphs. */
  readonly cache: string;
  /** Runs of each thing. */
  readonly runs: number;
  readonly batches: readonly number[];
  readonly say: (message: string) => void;
}

/** Measures every stage and whole pictures on every target and batch. */
export async function benchStages(options: StageOptions): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const target of TARGETS) {
    const shelf = modelShelf();
    const began = performance.now();
    const model = await shelf.open({ ...options, target });
    await model.prepare(['rdm', 'mage', 'decoder', 'encoder']);
    const compiled = performance.now() - began;
    await shelf.rest();
    const reopening = performance.now();
    await model.prepare(['rdm', 'mage', 'decoder', 'encoder']);
    const opened = performance.now() - reopening;
    rows.push(row('compile and open graphs', { target, batch: 1, ms: compiled }));
    rows.push(row('open compiled graphs', { target, batch: 1, ms: opened }));
    const { networks, sizes, manifest } = model;
    const full = settings(manifest.recommended);
    const preview = settings(manifest.preview);
    for (const batch of options.batches) {
      options.say(`${target}, batch ${batch}`);
      const work = stages({ networks, sizes, batch, full, preview });
      for (const [what, run] of Object.entries(work)) {
        rows.push(row(what, { target, batch, ms: await measure(run, options.runs) }));
      }
    }
    await shelf.rest();
  }
  return rows;
}

function row(what: string, of: { target: string; batch: number; ms: number }): Row {
  return { what, ...of, perPicture: of.ms / of.batch, ratio: null };
}

function settings(of: {
  readonly rdmSteps: number;
  readonly eta: number;
  readonly steps: number;
  readonly guidance: number;
  readonly schedule: Plan['decoding']['schedule'];
  readonly temperature: number;
}): Recommended {
  const { rdmSteps, eta, steps, guidance, schedule, temperature } = of;
  return { rdmSteps, eta, decoding: { steps, guidance, schedule, temperature } };
}

/** The median of some runs after one that does not count. */
async function measure(run: () => Promise<unknown>, runs: number): Promise<number> {
  const samples: number[] = [];
  const bench = new Bench({ time: 0, iterations: runs, warmupIterations: 1, warmupTime: 0 });
  bench.add('run', async () => {
    const began = performance.now();
    await run();
    samples.push(performance.now() - began);
  });
  await bench.run();
  return median(samples.slice(-runs));
}

function stages(of: {
  readonly networks: Networks;
  readonly sizes: ModelSizes;
  readonly batch: number;
  readonly full: Recommended;
  readonly preview: Recommended;
}): Record<string, () => Promise<unknown>> {
  const { networks, sizes, batch, full, preview } = of;
  const { rdm, mage, decoder, encoder } = networks;
  if (!rdm || !mage || !decoder || !encoder) throw new RangeError('the model lacks a network');
  const seeds = Array.from({ length: batch }, (_, i) => 1000 + i);
  const D = sizes.representation;
  const representations = Float32Array.from({ length: batch * D }, (_, i) => Math.sin(i * 12.9898));
  const tokens = Int32Array.from({ length: batch * sizes.tokens }, (_, i) => (i * 7) % sizes.codes);
  const S = sizes.imageSize;
  const image = Uint8Array.from({ length: batch * S * S * 3 }, (_, i) => i % 256);
  const whole = (chosen: Recommended) => () =>
    generate({
      plan: {
        seeds,
        source: { kind: 'sample', steps: chosen.rdmSteps, eta: chosen.eta, labels: null },
        decoding: chosen.decoding,
      },
      networks,
      sizes,
      chunk: batch,
      steps: false,
      onEvent: () => undefined,
      now: () => performance.now(),
    });
  return {
    [`RDM, ${full.rdmSteps} steps`]: () =>
      sampleRepresentations({
        network: rdm,
        sizes,
        seeds,
        steps: full.rdmSteps,
        eta: full.eta,
        labels: null,
      }),
    [`MAGE, ${full.decoding.steps} guided steps`]: () =>
      decodeTokens({ network: mage, sizes, seeds, representations, decoding: full.decoding }),
    decoder: () => decoder({ tokens: { shape: [batch, sizes.tokens], data: tokens } }, ['image']),
    encoder: () => encoder({ image: { shape: [batch, S, S, 3], data: image } }, ['representation']),
    'whole picture': whole(full),
    'preview picture': whole(preview),
  };
}
