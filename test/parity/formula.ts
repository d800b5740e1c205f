import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { DType, StateDict, StoredTensor } from '#checkpoint/types';
import { readJson } from './json.ts';

/**
 * Weights that a formula rebuilds (a fixture's weights.json): every element is the hash of its
 * index, so full-size networks need no large files.
 */

const entry = z.object({
  dtype: z.enum(['float32', 'int64', 'int32']),
  shape: z.array(z.int().nonnegative()),
  index: z.int().nonnegative(),
  kind: z.enum(['uniform', 'constant', 'as_is']),
  mean: z.number().optional(),
  amp: z.number().optional(),
  value: z.number().optional(),
});
type Entry = z.infer<typeof entry>;

const group = z.object({
  salt: z.int(),
  prefix_in_mage_file: z.string().optional(),
  keys: z.record(z.string(), entry),
});

/** weights.json: one group a network. */
export const formulaSchema = z.record(z.string(), group);
export type Formula = z.infer<typeof formulaSchema>;

/** probe.json: first values and sum of some tensors of each group. */
const probeSchema = z.record(
  z.string(),
  z.record(z.string(), z.object({ first: z.array(z.number()), sum: z.number() })),
);
type Probe = z.infer<typeof probeSchema>;

/** Elements generated at a time: 4 MiB of float32. */
const CHUNK = 1 << 20;

/**
 * The formula in a fixture folder, tried against probe.json where there is one.
 * @throws Error when what it generates is not what was recorded.
 */
export async function readFormula(folder: string): Promise<Formula> {
  const formula = formulaSchema.parse(await readJson(join(folder, 'weights.json')));
  const probe = join(folder, 'probe.json');
  if (!existsSync(probe)) return formula;
  const problems = await checkProbe(formula, probeSchema.parse(await readJson(probe)));
  if (problems.length > 0) throw new Error(`the weight generator is wrong: ${problems.join('; ')}`);
  return formula;
}

/** The 32-bit mixing function of the formula. */
export function mix(value: number): number {
  let x = value >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

/** The tensors of one group, made piece by piece as they are read, under `prefix` + key. */
export function formulaTensors(formula: Formula, name: string, prefix = ''): StateDict {
  const found = formula[name];
  if (!found) throw new Error(`weights.json has no group ${name}`);
  const tensors = new Map<string, StoredTensor>();
  for (const [key, spec] of Object.entries(found.keys)) {
    tensors.set(prefix + key, formulaTensor(prefix + key, spec, found.salt));
  }
  return tensors;
}

function formulaTensor(name: string, spec: Entry, salt: number): StoredTensor {
  const dtype: DType = spec.dtype;
  const count = spec.shape.reduce((product, size) => product * size, 1);
  return {
    name,
    dtype,
    shape: spec.shape,
    async *chunks() {
      for (let start = 0; start < count; start += CHUNK) {
        yield await Promise.resolve(generate(spec, salt, [start, Math.min(count, start + CHUNK)]));
      }
    },
  };
}

/** Elements `from`…`to`−1 of a tensor, as little-endian bytes. */
function generate(
  spec: Entry,
  salt: number,
  [from, to]: readonly [number, number],
): Uint8Array<ArrayBuffer> {
  const length = to - from;
  if (spec.dtype !== 'float32') {
    // Integers are constants or tables of positions; neither is random.
    const at = (i: number): number => (spec.kind === 'as_is' ? from + i : (spec.value ?? 0));
    if (spec.dtype === 'int32')
      return new Uint8Array(Int32Array.from({ length }, (_, i) => at(i)).buffer);
    return new Uint8Array(BigInt64Array.from({ length }, (_, i) => BigInt(at(i))).buffer);
  }
  const values = new Float32Array(length);
  if (spec.kind === 'constant') {
    values.fill(spec.value ?? 0);
  } else if (spec.kind === 'as_is') {
    for (let i = 0; i < length; i += 1) values[i] = from + i;
  } else {
    const { mean = 0, amp = 0 } = spec;
    const seed = mix(Math.imul(spec.index + 1, 0x9e3779b9) + Math.imul(salt, 0x85ebca6b));
    for (let i = 0; i < length; i += 1) {
      const u = mix(from + i + seed) / 2 ** 32;
      values[i] = mean + amp * (2 * u - 1);
    }
  }
  return new Uint8Array(values.buffer);
}

/** Lines about tensors that do not come out as probe.json says; none when the generator is right. */
export async function checkProbe(formula: Formula, probe: Probe): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, tensors] of Object.entries(probe)) {
    const made = formulaTensors(formula, name);
    for (const [key, wanted] of Object.entries(tensors)) {
      const tensor = made.get(key);
      if (!tensor) {
        problems.push(`${name}: ${key}: not in weights.json`);
        continue;
      }
      const { first, sum } = await firstAndSum(tensor, wanted.first.length);
      const firstsAgree = wanted.first.every((value, i) => value === first[i]);
      // float64 sums in another order differ in the last digits.
      const sumAgrees = Math.abs(sum - wanted.sum) <= 1e-6 * Math.max(1, Math.abs(wanted.sum));
      if (!firstsAgree) problems.push(`${name}: ${key}: starts ${first.join(', ')}`);
      if (!sumAgrees) problems.push(`${name}: ${key}: sums to ${sum}, expected ${wanted.sum}`);
    }
  }
  return problems;
}

async function firstAndSum(
  tensor: StoredTensor,
  count: number,
): Promise<{ first: number[]; sum: number }> {
  const first: number[] = [];
  let sum = 0;
  for await (const chunk of tensor.chunks()) {
    const values = new Float32Array(chunk.buffer, chunk.byteOffset, chunk.byteLength / 4);
    for (const value of values) {
      if (first.length < count) first.push(value);
      sum += value;
    }
  }
  return { first, sum };
}
