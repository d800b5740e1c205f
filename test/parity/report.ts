import type { Comparison, Computed, Rule } from './compare.ts';
import { judgeLeftovers } from './catalogue.ts';
import type { DecodeRun, Fixture } from './fixture.ts';
import type { NpyArray } from './npy.ts';

/**
 * What a replay of one folder on one target found. Every array that is read through it counts as
 * used, so whatever is left over at the end was forgotten.
 */
export class Report {
  /** Checks that failed. */
  failures = 0;
  /** Checks made. */
  checks = 0;
  readonly #fixture: Fixture;
  readonly #print: (line: string) => void;
  readonly #progress: (message: string) => void;
  readonly #used = new Set<string>();

  constructor(
    fixture: Fixture,
    lines: {
      readonly print: (line: string) => void;
      readonly progress: (message: string) => void;
    },
  ) {
    this.#fixture = fixture;
    this.#print = lines.print;
    this.#progress = lines.progress;
  }

  has(...names: readonly string[]): boolean {
    return names.every((name) => this.#fixture.has(name));
  }

  hasAny(...names: readonly string[]): boolean {
    return names.some((name) => this.#fixture.has(name));
  }

  /** Names of the folder's arrays that match, sorted. */
  matching(pattern: RegExp): readonly string[] {
    return this.#fixture.names.filter((name) => pattern.test(name));
  }

  /** The folder's decoding runs: what their arrays' names begin with, and their settings. */
  decodeRuns(): readonly { readonly run: string; readonly settings: DecodeRun }[] {
    return this.#fixture.config.decode_runs.map((settings, index) => ({
      run: `decode${index}_`,
      settings,
    }));
  }

  /** An array to feed to the product. */
  async input(name: string): Promise<NpyArray> {
    this.#used.add(name);
    return this.#fixture.read(name);
  }

  /** Compares an array, when the folder has it, with what `compute` gives for it. */
  async check(
    name: string,
    rule: Rule,
    compute: (expected: NpyArray) => Computed | Promise<Computed>,
  ): Promise<boolean> {
    return this.recheck(name, name, rule, compute);
  }

  /** Compares an array a second time, under a label that says how this differs. */
  async recheck(
    label: string,
    name: string,
    rule: Rule,
    compute: (expected: NpyArray) => Computed | Promise<Computed>,
  ): Promise<boolean> {
    if (!this.#fixture.has(name)) return true;
    const expected = await this.input(name);
    return this.note(label, rule(expected, await compute(expected)));
  }

  /** Prints a comparison, and counts it. */
  note(name: string, { error, ok, rule, note, details = [] }: Comparison): boolean {
    this.checks += 1;
    if (!ok) this.failures += 1;
    const size = Number.isNaN(error) ? 'none' : error === 0 ? '0' : error.toExponential(2);
    this.#print(
      `  ${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(39)} error ${size.padEnd(9)} ${rule.padEnd(22)} ${note}`.trimEnd(),
    );
    for (const line of details) this.say(line);
    return ok;
  }

  /** A word on how far a long part has come. */
  progress(message: string): void {
    this.#progress(message);
  }

  /** A line of words: where a decode went another way, which ids differ. */
  say(line: string): void {
    this.#print(`        ${line}`);
  }

  /** Marks an array as not needed on purpose, and says why. */
  skip(name: string, reason: string): void {
    if (!this.#fixture.has(name) || this.#used.has(name)) return;
    this.#used.add(name);
    this.#print(`  --    ${name.padEnd(39)} unused: ${reason}`);
  }

  /** Something that stopped a part of the replay. */
  fail(what: string, cause: unknown): void {
    this.checks += 1;
    this.failures += 1;
    this.#print(`  FAIL  ${what}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }

  /** Accounts for every array of the folder that nothing used. */
  finish(usedElsewhere: ReadonlySet<string>): void {
    const used = new Set([...this.#used, ...usedElsewhere]);
    for (const { name, reason, excused } of judgeLeftovers(this.#fixture.names, used)) {
      if (excused) this.#print(`  --    ${name.padEnd(39)} unused: ${reason}`);
      else this.fail(name, reason);
    }
  }

  get used(): ReadonlySet<string> {
    return this.#used;
  }
}
