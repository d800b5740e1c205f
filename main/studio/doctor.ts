import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { encodeError } from '#api/errors';
import { reasonText } from '#api/reasons';
import type { FileState } from '#api/images';
import type { DoctorCheck } from '#api/studio';
import { countDifferences } from '#pictures/recipe';
import { requireNetworks } from './making/plan.ts';
import { modelRef } from './studio.ts';
import type { Workshop } from './workshop.ts';

/** Below this the disk is worth a word, and below the other a warning in red. */
const LOW_DISK = 10e9;
const FULL_DISK = 500e6;
/** A backup is made every day that the studio is open. */
const OLD_BACKUP = 7 * 24 * 60 * 60 * 1000;
/** The newest pictures, which are read to their end; comparing reads all of them. */
const READ_PICTURES = 300;
/** Seeds of the trial run: any will do. */
const TRIAL_SEEDS = [1, 2];

/** What the doctor asks of the library. */
export interface LibraryFacts {
  /** SQLite's own check: `ok`, or what is wrong. */
  integrity(): string;
  /** The newest backup, checked: when it was made, and what is wrong with it. */
  backup(): { readonly at: number; readonly problem: string | null } | null;
}

/** Looks at everything that pictures depend on, by trying it. Never throws. */
export async function examine(
  shop: Workshop,
  library: LibraryFacts | null,
): Promise<readonly DoctorCheck[]> {
  const checks = [
    () => engineChecks(shop),
    () => diskCheck(shop),
    () => writeCheck(shop),
    () => (library === null ? Promise.resolve([]) : libraryChecks(shop, library)),
    () => modelChecks(shop),
    () => repeatCheck(shop),
  ];
  const found: DoctorCheck[] = [];
  for (const check of checks) {
    try {
      found.push(...(await check()));
    } catch (error) {
      const { message, reason } = encodeError(error);
      found.push({
        code: 'trouble',
        state: 'fail',
        values: { detail: message },
        ...(reason && { reason }),
      });
    }
  }
  return found;
}

async function engineChecks(shop: Workshop): Promise<readonly DoctorCheck[]> {
  const report = await shop.engine.call('doctor', {}, { signal: shop.closing });
  const { runtime, node, platform, cpu, cores, int8, cpuTarget } = report;
  shop.target.known = cpuTarget;
  return [
    { code: 'engine', state: 'ok', values: { runtime, node, platform } },
    { code: 'processor', state: 'ok', values: { cpu, cores, target: cpuTarget } },
    { code: int8 ? 'int8' : 'no-int8', state: int8 ? 'ok' : 'warn', values: {} },
    { code: 'memory', state: 'ok', values: { bytes: totalmem() } },
    ...report.providers.map(({ name, works, reason }): DoctorCheck => {
      const used = name === 'cpu';
      if (works)
        return { code: used ? 'provider' : 'provider-idle', state: 'ok', values: { name } };
      const values = { name, reason };
      // A device that no picture needs is worth knowing about, but nothing to put right.
      return used
        ? { code: 'no-provider', state: 'fail', values }
        : { code: 'provider-absent', state: 'note', values };
    }),
  ];
}

async function diskCheck({ files }: Workshop): Promise<readonly DoctorCheck[]> {
  const free = await files.freeBytes();
  const state = free < FULL_DISK ? 'fail' : free < LOW_DISK ? 'warn' : 'ok';
  return [{ code: 'disk', state, values: { free } }];
}

/** Writes a file. In a library that is only looked at, also this would be writing. */
async function writeCheck({ files, checkWritable }: Workshop): Promise<readonly DoctorCheck[]> {
  try {
    checkWritable();
  } catch {
    return [{ code: 'no-write', state: 'note', values: {} }];
  }
  const folder = await mkdtemp(join(files.folder, '.doctor-'));
  try {
    await writeFile(join(folder, 'test'), 'test', { flush: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return [{ code: 'write', state: 'ok', values: { folder: files.folder } }];
}

async function libraryChecks(
  { history, files, now }: Workshop,
  library: LibraryFacts,
): Promise<DoctorCheck[]> {
  const { folder } = files;
  const integrity = library.integrity();
  const rows = [...history().images.files()];
  const missing = rows.filter((row) => row.state === 'missing').length;
  const damaged = await countDamaged(files, rows);
  const backup = library.backup();
  return [
    integrity === 'ok'
      ? { code: 'database', state: 'ok', values: { folder } }
      : { code: 'database-damaged', state: 'fail', values: { detail: integrity } },
    missing === 0
      ? { code: 'files', state: 'ok', values: { count: rows.length } }
      : { code: 'files-missing', state: 'warn', values: { count: missing } },
    ...(damaged === 0
      ? []
      : [{ code: 'files-damaged', state: 'fail', values: { count: damaged } } as const]),
    backup === null
      ? { code: 'no-backup', state: 'warn', values: {} }
      : backup.problem === null
        ? now() - backup.at < OLD_BACKUP
          ? { code: 'backup', state: 'ok', values: { at: backup.at } }
          : { code: 'backup-old', state: 'warn', values: { at: backup.at } }
        : { code: 'backup-damaged', state: 'fail', values: { detail: backup.problem } },
  ];
}

/** How many of the newest pictures have a file that is there and not whole. */
async function countDamaged(
  files: Workshop['files'],
  rows: readonly { readonly path: string; readonly state: FileState }[],
): Promise<number> {
  let count = 0;
  for (const { path } of rows.filter(({ state }) => state === 'present').slice(-READ_PICTURES)) {
    if ((await files.check(path).catch(() => 'unread')) === 'damaged') count++;
  }
  return count;
}

async function modelChecks({ library }: Workshop): Promise<readonly DoctorCheck[]> {
  return (await library.list()).map((entry): DoctorCheck => {
    const { id } = entry;
    if (entry.state === 'damaged') {
      const values = { id, detail: entry.reason };
      return { code: 'model-damaged', state: 'fail', values, reason: entry.problem };
    }
    const [problem] = entry.verdict?.problems ?? [];
    if (problem === undefined) return { code: 'model', state: 'ok', values: { id } };
    const values = { id, detail: reasonText(problem) };
    return { code: 'model-damaged', state: 'fail', values, reason: problem };
  });
}

/** The same seeds, alone and together, must give the same tokens. */
async function repeatCheck(shop: Workshop): Promise<readonly DoctorCheck[]> {
  const { model: id, target } = shop.settings.get();
  const model = await shop.library.find(id);
  requireNetworks(model.manifest, ['rdm', 'mage', 'vqgan']);
  const { rdmSteps, eta, ...decoding } = model.manifest.preview;
  const run = async (chunk: number): Promise<readonly number[]> => {
    const tokens: number[] = [];
    await shop.engine.call(
      'generate',
      {
        model: modelRef(shop, model, target),
        plan: {
          seeds: TRIAL_SEEDS,
          source: { kind: 'sample', steps: rdmSteps, eta, labels: null },
          decoding,
        },
        chunk,
        steps: false,
      },
      {
        signal: shop.closing,
        onEvent: (event) => {
          if (event.kind === 'picture') tokens.push(...event.picture.tokens);
        },
      },
    );
    return tokens;
  };
  const differing = countDifferences(await run(1), await run(TRIAL_SEEDS.length));
  return [
    differing === 0
      ? { code: 'repeats', state: 'ok', values: { model: id } }
      : { code: 'does-not-repeat', state: 'fail', values: { model: id, differing } },
  ];
}
