import type { LiveStep } from '../state/live.svelte.ts';

/** How many tokens are decided, came in this step, and are open after it. */
export interface TokenCounts {
  readonly decided: number;
  readonly fresh: number | null;
  readonly open: number;
}

/** Counts of a step; `before` is the step before it, where that was told. */
export function countTokens(
  step: Pick<LiveStep, 'step' | 'tokens'>,
  before: Pick<LiveStep, 'tokens'> | undefined,
  mask: number,
): TokenCounts {
  const openOf = ({ tokens }: Pick<LiveStep, 'tokens'>) =>
    tokens.filter((token) => token === mask).length;
  const open = openOf(step);
  const openBefore = before === undefined ? step.tokens.length : openOf(before);
  const known = before !== undefined || step.step === 1;
  return {
    decided: step.tokens.length - open,
    fresh: known ? openBefore - open : null,
    open,
  };
}

/** How uncertain the tokens of a picture were. */
export interface Uncertainty {
  /** [N] entropy */
  readonly bits: readonly number[];
  /** [N] percent: how likely the second choice was. */
  readonly second: readonly number[];
}

/**
 * Of every token at the moment it was decided, or now where it is still open: the uncertainty of
 * the picture as it stands after step `last` (counted from 1).
 */
export function uncertainty(
  steps: readonly LiveStep[],
  mask: number,
  last = Number.POSITIVE_INFINITY,
): Uncertainty | null {
  const known = steps.filter((step) => step.step <= last && step.entropy.length > 0);
  const first = known[0];
  if (first === undefined) return null;
  const bits = [...first.entropy];
  const second = [...first.second];
  for (const [index, step] of known.entries()) {
    const before = known[index - 1];
    if (before === undefined) continue;
    step.entropy.forEach((value, token) => {
      if (before.tokens[token] !== mask) return;
      bits[token] = value;
      second[token] = step.second[token] ?? 0;
    });
  }
  return { bits, second };
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Tokens that the cosine schedule decides in each of n steps of N tokens. */
export function plannedCounts(tokens: number, steps: number): readonly number[] {
  let open = tokens;
  return Array.from({ length: steps }, (_, k) => {
    const wanted = Math.floor(tokens * Math.cos((Math.PI / 2) * ((k + 1) / steps)));
    const left = k + 1 === steps ? 0 : Math.max(1, Math.min(open - 1, wanted));
    const fresh = Math.max(0, open - left);
    open = left;
    return fresh;
  });
}

export interface Ramp {
  readonly guidance: number;
  readonly schedule: 'linear' | 'constant' | 'cosine' | 'none';
  readonly steps: number;
}

/** The guidance weight after `step` of the ramp's steps, counted from 1. */
export function guidanceAt({ guidance, schedule, steps }: Ramp, step: number): number {
  const part = step / steps;
  switch (schedule) {
    case 'linear':
      return guidance * part;
    case 'constant':
      return guidance;
    case 'cosine':
      return (guidance * (1 - Math.cos(Math.PI * part))) / 2;
    case 'none':
      return 0;
  }
}

/** DDIM steps that really run when `steps` are asked for: the schedule of 1000 must divide. */
export function executedSteps(steps: number): number {
  return Math.ceil(1000 / Math.floor(1000 / steps));
}

/** The numbers of a recipe's representation: f32 little-endian, base64. */
export function decodeFloats(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getFloat32(i * 4, true));
}

/** The length of a representation, and that of every standardised one of its size: √(D − 1). */
export function lengths(values: Float32Array): { readonly own: number; readonly sphere: number } {
  const own = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return { own, sphere: Math.sqrt(Math.max(0, values.length - 1)) };
}

/** The grid's side for N tokens: they always form a square. */
export function sideOf(tokens: number): number {
  return Math.round(Math.sqrt(tokens));
}
