import { describe, expect, test } from 'vitest';
import type { StepReport } from '#engine/events';
import type { ModelSizes, Network } from '#engine/types';
import { createPreviewer, newLedger } from '#worker/live-preview';
import type { LivePreviews, PreviewEvent } from '#worker/protocol';
import { decoded } from '../engine/toys.ts';

const sizes: ModelSizes = {
  representation: 2,
  tokens: 4,
  codes: 9,
  maskId: 20,
  imageSize: 2,
  classes: 0,
  unconditionalClass: null,
};

/** A previewer whose decodes take `cost` milliseconds of a clock that the test moves. */
function previewer(wanted: Partial<LivePreviews> = {}, cost = 10, ledger = newLedger()) {
  let time = 0;
  const seen: PreviewEvent[] = [];
  const network: Network = ({ tokens }) => {
    time += cost;
    const first = tokens?.data[0] ?? 0;
    const data = new Uint8Array(12).fill(first);
    return Promise.resolve(decoded([1, 2, 2, 3], data));
  };
  const made = createPreviewer({
    network,
    sizes,
    wanted: { every: 1, gapMs: 0, share: 1, ...wanted },
    ledger,
    emit: (event) => seen.push(event),
    now: () => time,
  });
  const step = async (index: number, at: number, steps = 16): Promise<void> => {
    time += 20;
    made.note({ kind: 'step', report: report(index, at, steps) });
    await made.between();
  };
  return { ...made, seen, step, pass: (ms: number) => (time += ms), time: () => time };
}

function report(index: number, step: number, steps: number): StepReport {
  return {
    index,
    step,
    steps,
    guidance: 0,
    tokens: new Int32Array(4).fill(20),
    sampled: new Int32Array(4).fill(step % 9),
    probability: new Float32Array(4),
    entropy: new Float32Array(4),
    second: new Float32Array(4),
  };
}

describe('previews in the middle of a run', () => {
  test('show what a step drew, and say which', async () => {
    const { step, seen } = previewer();
    await step(3, 11);
    expect(seen).toEqual([
      { kind: 'preview', index: 3, step: 11, image: new Uint8Array(12).fill(2), size: 2, ms: 10 },
    ]);
  });

  test('do not come before the middle of a picture', async () => {
    const { step, seen } = previewer();
    for (let at = 1; at <= 7; at++) await step(0, at);
    expect(seen).toEqual([]);
    await step(0, 8);
    await step(1, 2, 3);
    expect(seen.map((event) => [event.index, event.step])).toEqual([
      [0, 8],
      [1, 2],
    ]);
  });

  test('come only of every so many steps, and never of the last', async () => {
    const { step, seen } = previewer({ every: 4 });
    for (let at = 1; at <= 16; at++) await step(0, at);
    expect(seen.map((event) => event.step)).toEqual([8, 12]);
  });

  test('keep their distance', async () => {
    const { step, seen } = previewer({ gapMs: 100 });
    for (let at = 1; at <= 15; at++) await step(0, at);
    // A step takes 20 ms and a decode 10: one in five steps.
    expect(seen.length).toBeLessThanOrEqual(4);
  });

  test('take no more than their share of the run, however dear they are', async () => {
    for (const cost of [1, 30, 500]) {
      const { step, seen, time } = previewer({ share: 0.04 }, cost);
      for (let picture = 0; picture < 200; picture++) {
        for (let at = 1; at <= 16; at++) await step(picture, at);
      }
      // The first is a guess: what one costs is not known before.
      expect(seen.length * cost).toBeLessThanOrEqual(0.04 * time() + cost);
      expect(seen.length).toBeGreaterThan(1);
    }
  });

  test('keep to their share over many short runs too: a chunk is one', async () => {
    const ledger = newLedger();
    let [decodes, time] = [0, 0];
    for (let run = 0; run < 100; run++) {
      const one = previewer({ share: 0.02 }, 60, ledger);
      for (let picture = 0; picture < 4; picture++) {
        for (let at = 1; at <= 16; at++) await one.step(picture, at);
      }
      decodes += one.seen.length;
      time += one.time();
    }
    expect(60 * decodes).toBeLessThanOrEqual(0.02 * time + 60);
    expect(60 * decodes).toBeGreaterThan(0.01 * time);
  });

  test('take turns among the pictures of a chunk, the newest step of each', async () => {
    const { note, between, seen, pass } = previewer({ gapMs: 50 });
    for (let at = 1; at <= 9; at++) {
      for (const index of [0, 1, 2]) note({ kind: 'step', report: report(index, 6 + at, 16) });
      pass(60);
      await between();
    }
    expect(seen.map((event) => event.index)).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
    expect(seen.map((event) => event.step)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('a picture that is done needs none', async () => {
    const { note, between, seen } = previewer();
    note({ kind: 'step', report: report(0, 9, 16) });
    const picture = {
      index: 0,
      seed: 0,
      label: null,
      representation: new Float32Array(2),
      tokens: new Int32Array(4),
      image: new Uint8Array(12),
      size: 2,
      times: { representation: 0, tokens: 0, pixels: 0 },
    };
    note({ kind: 'picture', picture });
    await between();
    expect(seen).toEqual([]);
  });
});
