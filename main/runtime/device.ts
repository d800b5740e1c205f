import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { RequestedTarget, ResolvedTarget } from '#api/recipe';

/** What decides how graphs are run on this machine. */
export interface CpuFacts {
  /** The processor's name, for the doctor. */
  readonly model: string;
  /** Cores that may be used; a pair of hyper-threads counts once where that can be told. */
  readonly cores: number;
  /** Whether it has the dot-product instructions that make int8 faster than float32. */
  readonly int8: boolean;
}

/** What the operating system says about itself; tests hand in other machines. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Text of /proc/cpuinfo; null where there is none. */
  readonly cpuinfo: string | null;
  /** Hardware threads that this process may use. */
  readonly parallelism: number;
  /** The processor's name, used where cpuinfo does not tell. */
  readonly model: string;
}

/** Without one of these, int8 products take as long as float32 ones, or saturate (plain AVX2). */
const X64_DOT_PRODUCT = ['avx512_vnni', 'avx_vnni', 'amx_int8'];

/** This machine, as far as the choice of target and thread count goes. */
export function thisMachine(): Machine {
  const model = os.cpus()[0]?.model.trim() ?? '';
  return {
    platform: process.platform,
    arch: process.arch,
    cpuinfo: process.platform === 'linux' ? readText('/proc/cpuinfo') : null,
    parallelism: os.availableParallelism(),
    model: model === '' ? 'unknown processor' : model,
  };
}

/** Judges a machine by what it says about itself. What it does not say counts as absent. */
export function cpuFacts(machine: Machine = thisMachine()): CpuFacts {
  const { cpuinfo } = machine;
  const parsed = cpuinfo === null ? null : parseCpuinfo(cpuinfo);
  const physical = parsed?.cores ?? machine.parallelism;
  return {
    model: parsed?.model ?? machine.model,
    // A container may have fewer threads than the machine has cores.
    cores: Math.max(1, Math.min(physical, machine.parallelism)),
    int8: int8Pays(machine, parsed?.flags ?? new Set()),
  };
}

/** The target that a request means on this machine. */
export function resolveTarget(
  requested: RequestedTarget,
  facts: Pick<CpuFacts, 'int8'> = cpuFacts(),
): ResolvedTarget {
  if (requested !== 'cpu') return requested;
  return facts.int8 ? 'cpu-int8' : 'cpu-float32';
}

interface Cpuinfo {
  readonly model: string | null;
  /** Physical cores; null where core ids are not listed (ARM). */
  readonly cores: number | null;
  /** Instruction sets that every core has. */
  readonly flags: ReadonlySet<string>;
}

function parseCpuinfo(text: string): Cpuinfo {
  let model: string | null = null;
  const flags: string[][] = [];
  const cores = new Set<string>();
  for (const block of text.split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    }
    model ??= fields.get('model name') ?? null;
    const list = fields.get('flags') ?? fields.get('Features');
    if (list !== undefined) flags.push(list.split(/\s+/));
    const core = fields.get('core id');
    if (core !== undefined) cores.add(`${fields.get('physical id') ?? '0'}:${core}`);
  }
  const [first = [], ...others] = flags;
  const common = first.filter((flag) => others.every((list) => list.includes(flag)));
  return { model, cores: cores.size > 0 ? cores.size : null, flags: new Set(common) };
}

function int8Pays({ platform, arch }: Machine, flags: ReadonlySet<string>): boolean {
  if (platform === 'linux' && arch === 'x64')
    return X64_DOT_PRODUCT.some((flag) => flags.has(flag));
  if (platform === 'linux' && arch === 'arm64') return flags.has('asimddp');
  // Every Apple processor has the dot-product instructions.
  return platform === 'darwin' && arch === 'arm64';
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
