/**
 * The studio's noise: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011), a function from (seed, stage, step, index) to bits and nothing else. So a picture's
 * numbers depend on its own seed only: it is the same alone, in any batch and after a resume.
 * Key = the seed's low 32 and high 21 bits; counter = (index, step, stage, 0). Recipes rely on this
 * layout: changing it changes every picture ever made.
 */

/** What the numbers are for. Never renumber: the value is part of the counter. */
const STAGES = {
  /** The RDM's start noise x_T. */
  representationStart: 1,
  /** The RDM's noise z; the step is the position in execution order. */
  representationStep: 2,
  /** The class label, where the model has no "any class". */
  label: 3,
  /** MAGE: word 0 draws the code, word 1 disturbs the confidence. */
  decoding: 4,
} as const;
type Stage = keyof typeof STAGES;

/** One named stream of numbers. */
export interface Stream {
  /** Safe integer ≥ 0. */
  readonly seed: number;
  readonly stage: Stage;
  readonly step: number;
}

const ROUNDS = 10;
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
/** Weyl increments of the key: the golden ratio and √3 − 1. */
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/**
 * Philox4x32-10 in place: `block` holds the counter in words 0–3 and the key in words 4–5; the
 * counter is replaced by four random words, the key stays.
 */
export function philox(block: Uint32Array): void {
  let c0 = block[0] as number;
  let c1 = block[1] as number;
  let c2 = block[2] as number;
  let c3 = block[3] as number;
  let k0 = block[4] as number;
  let k1 = block[5] as number;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highWord(M0, c0);
    const high1 = highWord(M1, c2);
    const low0 = Math.imul(M0, c0);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/** The upper 32 bits of the 64-bit product, by halves: no BigInt in the inner loop. */
function highWord(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const carry = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const middle = (Math.imul(aLow, bHigh) >>> 0) + (carry & 0xffff);
  return (Math.imul(aHigh, bHigh) + (carry >>> 16) + (middle >>> 16)) | 0;
}

/** Sets a block to (index, step, stage, 0) under the seed's key, and runs it. */
function draw(block: Uint32Array, stream: Stream, index: number): void {
  block[0] = index;
  block[1] = stream.step;
  block[2] = STAGES[stream.stage];
  block[3] = 0;
  block[4] = stream.seed; // the low 32 bits: a typed array keeps the number modulo 2^32
  block[5] = Math.floor(stream.seed / 2 ** 32);
  philox(block);
}

/**
 * Fills `out` with uniforms from word 0 of block i. 23 bits and a half: the largest value, 1 − 2⁻²⁴,
 * and the smallest, 2⁻²⁴, are float32 numbers, so rounding never reaches 0 or 1.
 */
export function uniforms(stream: Stream, out: Float32Array): void {
  const block = new Uint32Array(6);
  for (let i = 0; i < out.length; i++) {
    draw(block, stream, i);
    out[i] = (((block[0] as number) >>> 9) + 0.5) / 2 ** 23;
  }
}

/** Fills `out` with standard Gumbel draws, −log(−log u), from word 1 of block i. */
export function gumbels(stream: Stream, out: Float64Array): void {
  const block = new Uint32Array(6);
  for (let i = 0; i < out.length; i++) {
    draw(block, stream, i);
    out[i] = -Math.log(-Math.log(open01(block[1] as number)));
  }
}

/** Fills `out` with standard normals, four to a block: Box–Muller in float64, then float32. */
export function normals(stream: Stream, out: Float32Array): void {
  const block = new Uint32Array(6);
  for (let i = 0; i < out.length; i += 4) {
    draw(block, stream, i / 4);
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = Math.sqrt(-2 * Math.log(open01(block[pair] as number)));
      const angle = 2 * Math.PI * open01(block[pair + 1] as number);
      // What is beyond the end of `out` is dropped by the array itself.
      out[i + pair] = radius * Math.cos(angle);
      out[i + pair + 1] = radius * Math.sin(angle);
    }
  }
}

/** A whole number in 0…bound−1, from word 0 of block 0; `bound` is 1…2³¹. */
export function below(stream: Stream, bound: number): number {
  const block = new Uint32Array(6);
  draw(block, stream, 0);
  return Math.floor(open01(block[0] as number) * bound);
}

/** A word as a float64 strictly between 0 and 1. */
function open01(word: number): number {
  return (word + 0.5) / 2 ** 32;
}
