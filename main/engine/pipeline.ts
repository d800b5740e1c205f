import { EngineError, breathe } from './errors.ts';
import type { Control } from './errors.ts';
import type { GenerateEvent } from './events.ts';
import { decodePixels } from './pixels.ts';
import { checkPlan, needNetwork } from './plan.ts';
import { sampleRepresentations } from './representation.ts';
import type { SampledRepresentations } from './representation.ts';
import { rowOf } from './tensor.ts';
import { decodeTokens } from './tokens.ts';
import type { ModelSizes, Networks, Plan, StartGrid } from './types.ts';

/** A plan, and what to carry it out with. */
export interface GenerateRequest extends Control {
  readonly plan: Plan;
  readonly networks: Networks;
  readonly sizes: ModelSizes;
  /** Pictures that are made together, 1 or more. The pictures do not depend on it. */
  readonly chunk: number;
  readonly onEvent: (event: GenerateEvent) => void;
  /** Whether `represented` and `step` events are wanted; they cost two more outputs a step. */
  readonly steps: boolean;
  /** Milliseconds from any fixed point. */
  readonly now: () => number;
  /**
   * Pictures of a chunk whose tokens are decoded together; all of them unless said otherwise. Where
   * that is no faster, on a processor, 1 gives the first picture sooner.
   */
  readonly together?: number;
}

/**
 * Makes the pictures of a plan, a chunk at a time: noise → representations → tokens → pixels, as in
 * the paper's figure. Each picture is an event as soon as it is done; what was reported before a
 * cancel or an error stays good. Resolves with the number of pictures.
 */
export async function generate(request: GenerateRequest): Promise<{ readonly pictures: number }> {
  const { plan, sizes, networks, chunk } = request;
  checkPlan(plan, sizes, networks);
  if (!Number.isInteger(chunk) || chunk < 1) {
    throw new EngineError('bad-plan', `A chunk is 1 picture or more, not ${chunk}.`, 'chunk');
  }
  const count = plan.seeds.length;
  for (let first = 0; first < count; first += chunk) {
    await generateChunk(request, first, Math.min(count, first + chunk));
  }
  return { pictures: count };
}

async function generateChunk(request: GenerateRequest, first: number, end: number): Promise<void> {
  const { plan, sizes, now, onEvent } = request;
  const seeds = plan.seeds.slice(first, end);
  const began = now();

  const { values, labels } = await representations(request, first, end);
  const represented = now();
  if (request.steps) {
    for (const row of seeds.keys()) {
      const representation = rowOf(values, row, sizes.representation).slice();
      const label = labels[row] ?? null;
      onEvent({ kind: 'represented', index: first + row, label, representation });
    }
  }

  const shared = (represented - began) / seeds.length;
  const together = request.together ?? seeds.length;
  for (let from = 0; from < seeds.length; from += together) {
    const group = { values, labels, first, from, to: Math.min(seeds.length, from + together) };
    await paintGroup(request, group, shared);
  }
}

/** Rows `from` … `to`−1 of a chunk that begins with picture `first`: stages 2 and 3. */
async function paintGroup(
  request: GenerateRequest,
  group: SampledRepresentations & {
    readonly first: number;
    readonly from: number;
    readonly to: number;
  },
  representation: number,
): Promise<void> {
  const { plan, networks, sizes, now, onEvent } = request;
  const [first, end] = [group.first + group.from, group.first + group.to];
  const D = sizes.representation;
  const values = group.values.slice(group.from * D, group.to * D);
  const seeds = plan.seeds.slice(first, end);
  const began = now();
  const tokens = await decodeTokens({
    ...control(request),
    network: needNetwork(networks, 'mage'),
    sizes,
    seeds,
    representations: values,
    decoding: plan.decoding,
    start: plan.start && startOf(plan.start, { first, end, N: sizes.tokens }),
    onStep: request.steps
      ? (report) => onEvent({ kind: 'step', report: { ...report, index: first + report.index } })
      : undefined,
  });
  const decoded = now();

  // One at a time: a picture that is done need not wait for the others.
  const decoder = needNetwork(networks, 'decoder');
  for (const [row, seed] of seeds.entries()) {
    await breathe(request);
    const start = now();
    const grid = rowOf(tokens, row, sizes.tokens).slice();
    const image = await decodePixels({ network: decoder, sizes, tokens: grid });
    const times = {
      representation,
      tokens: (decoded - began) / seeds.length,
      pixels: now() - start,
    };
    onEvent({
      kind: 'picture',
      picture: {
        index: first + row,
        seed,
        label: group.labels[group.from + row] ?? null,
        representation: rowOf(values, row, D).slice(),
        tokens: grid,
        image,
        size: sizes.imageSize,
        times,
      },
    });
  }
}

/** Stage 1, or the representations that the plan brings along. */
async function representations(
  request: GenerateRequest,
  first: number,
  end: number,
): Promise<SampledRepresentations> {
  const { plan, networks, sizes, onEvent } = request;
  const { source, seeds } = plan;
  if (source.kind === 'given') {
    const D = sizes.representation;
    return { values: source.values.slice(first * D, end * D), labels: [] };
  }
  return sampleRepresentations({
    ...control(request),
    network: needNetwork(networks, 'rdm'),
    sizes,
    seeds: seeds.slice(first, end),
    steps: source.steps,
    eta: source.eta,
    labels: source.labels?.slice(first, end) ?? null,
    onProgress: (done, total) => {
      onEvent({
        kind: 'stage',
        stage: 'representation',
        done: first * total + (end - first) * done,
        total: seeds.length * total,
      });
    },
  });
}

function control({ signal, pause }: GenerateRequest): Control {
  return { signal, pause };
}

/** The part of a start grid that belongs to the pictures first…end−1. */
function startOf(
  start: StartGrid,
  { first, end, N }: { readonly first: number; readonly end: number; readonly N: number },
): StartGrid {
  return {
    tokens: start.tokens.slice(first * N, end * N),
    step: start.step,
    maskedAtStart: start.maskedAtStart.slice(first, end),
  };
}
