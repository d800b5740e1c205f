import { describe, expect, test } from 'vitest';
import { cpuFacts, resolveTarget, thisMachine, type Machine } from '#runtime/device';

function core(fields: Readonly<Record<string, string | number>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}\t: ${value}\n`)
    .join('');
}

function linux(blocks: readonly string[], change: Partial<Machine> = {}): Machine {
  return {
    platform: 'linux',
    arch: 'x64',
    cpuinfo: blocks.join('\n'),
    parallelism: blocks.length,
    model: 'from the system',
    ...change,
  };
}

const zen4 = (id: number) =>
  core({
    processor: id,
    'model name': 'AMD EPYC 9554',
    'physical id': 0,
    'core id': id,
    flags: 'fpu sse2 avx2 avx512f avx512_vnni',
  });

describe('cores', () => {
  test('two hyper-threads are one core', () => {
    const threads = [0, 0, 1, 1].map((id, processor) =>
      core({ processor, 'physical id': 0, 'core id': id, flags: 'avx2' }),
    );
    expect(cpuFacts(linux(threads)).cores).toBe(2);
  });

  test('equal core ids on two sockets are two cores', () => {
    const sockets = [0, 1].map((socket) =>
      core({ processor: socket, 'physical id': socket, 'core id': 0, flags: 'avx2' }),
    );
    expect(cpuFacts(linux(sockets)).cores).toBe(2);
  });

  test('a container that may use fewer threads than there are cores', () => {
    const machine = linux([zen4(0), zen4(1), zen4(2), zen4(3)], { parallelism: 2 });
    expect(cpuFacts(machine).cores).toBe(2);
  });

  test.each([
    ['no cpuinfo', null],
    ['an empty one', ''],
    ['one without core ids', core({ processor: 0, Features: 'fp asimd' })],
    ['one that is no such text', '\u0000\u0001 : : :\n\n\n:::'],
  ])('%s: as many as the system says', (_, cpuinfo) => {
    expect(cpuFacts(linux([], { cpuinfo, parallelism: 6 })).cores).toBe(6);
  });

  test('never fewer than one', () => {
    expect(cpuFacts(linux([], { cpuinfo: null, parallelism: 0 })).cores).toBe(1);
  });
});

describe('int8', () => {
  test.each(['avx512_vnni', 'avx_vnni', 'amx_int8'])('pays with %s', (flag) => {
    const machine = linux([core({ processor: 0, 'core id': 0, flags: `sse2 avx2 ${flag}` })]);
    expect(cpuFacts(machine).int8).toBe(true);
  });

  test.each([
    ['plain AVX2', 'sse2 avx2 fma'],
    ['AVX-512 without VNNI', 'avx2 avx512f avx512bw'],
    ['a flag that only looks like it', 'avx2 not_avx_vnni avx_vnni_int8x'],
    ['no flags', ''],
  ])('does not pay with %s', (_, flags) => {
    expect(cpuFacts(linux([core({ processor: 0, flags })])).int8).toBe(false);
  });

  test('does not pay where only some cores have it', () => {
    const machine = linux([zen4(0), core({ processor: 1, 'core id': 1, flags: 'avx2' })]);
    expect(cpuFacts(machine).int8).toBe(false);
  });

  test.each<readonly [string, string, string | null, boolean]>([
    ['linux', 'arm64', core({ processor: 0, Features: 'fp asimd asimddp' }), true],
    ['linux', 'arm64', core({ processor: 0, Features: 'fp asimd' }), false],
    ['darwin', 'arm64', null, true],
    ['darwin', 'x64', null, false],
    ['win32', 'x64', null, false],
    ['win32', 'arm64', null, false],
    ['linux', 'riscv64', core({ processor: 0, flags: 'avx512_vnni' }), false],
  ])('%s %s', (platform, arch, cpuinfo, int8) => {
    expect(cpuFacts(linux([], { platform, arch, cpuinfo, parallelism: 4 })).int8).toBe(int8);
  });
});

test('the name comes from cpuinfo where it is there', () => {
  expect(cpuFacts(linux([zen4(0)])).model).toBe('AMD EPYC 9554');
  expect(cpuFacts(linux([core({ processor: 0 })])).model).toBe('from the system');
});

test('this machine has a name, a core, and a verdict', () => {
  const facts = cpuFacts(thisMachine());
  expect(facts.model).not.toBe('');
  expect(facts.cores).toBeGreaterThanOrEqual(1);
  expect(facts.int8).toBeTypeOf('boolean');
});

test('only "cpu" is a question', () => {
  expect(resolveTarget('cpu', { int8: true })).toBe('cpu-int8');
  expect(resolveTarget('cpu', { int8: false })).toBe('cpu-float32');
  for (const target of ['cpu-int8', 'cpu-float32', 'portable'] as const) {
    expect(resolveTarget(target, { int8: false })).toBe(target);
    expect(resolveTarget(target, { int8: true })).toBe(target);
  }
});
