import { plannedCounts } from '../../renderer/generate/decode.ts';
import { numbers } from './fake-pictures.ts';

export const MASK = 1024;
export const TOKENS = 256;

export interface FakeStep {
  readonly step: number;
  readonly tokens: readonly number[];
  readonly entropy: readonly number[];
  readonly second: readonly number[];
}

/** Decode steps that look like the engine's: middle tokens last, bits falling as more is known. */
export function fakeSteps(seed: number, steps: number): readonly FakeStep[] {
  const next = numbers(seed);
  const order = Array.from({ length: TOKENS }, (_, token) => {
    const far = Math.hypot((token % 16) - 7.5, Math.floor(token / 16) - 7.5);
    return { token, rank: next() * 9 - far };
  }).sort((a, b) => a.rank - b.rank);
  const final = order.map(() => Math.floor(next() * MASK));
  const tokens = new Array<number>(TOKENS).fill(MASK);
  const counts = plannedCounts(TOKENS, steps);
  return counts.map((count, k) => {
    const entropy = tokens.map((token, index) => {
      const far = Math.hypot((index % 16) - 7.5, Math.floor(index / 16) - 7.5);
      const edge = Math.exp(-((far - 6.2) ** 2) / 1.6);
      const bits = token === MASK ? 1 + 7 * edge + 2 * next() - (2 * k) / steps : 0;
      return Math.round(Math.max(0, bits) * 10) / 10;
    });
    const done = counts.slice(0, k + 1).reduce((sum, each) => sum + each, 0);
    for (const { token } of order.slice(done - count, done)) tokens[token] = final[token] ?? 0;
    const second = entropy.map((bits) => Math.round((40 * bits) / (1 + bits)));
    return { step: k + 1, tokens: [...tokens], entropy, second };
  });
}
