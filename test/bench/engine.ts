import { join, resolve } from 'node:path';
import { measureAgreement, type Agreement } from './agreement.ts';
import { benchCommand, type CommandCost } from './command.ts';
import { benchImport, type ImportCost } from './importing.ts';
import { benchStages } from './stages.ts';
import { against, markdown, short, type Row } from './table.ts';

export interface EngineOptions {
  /** Empty folder for everything that is written. */
  readonly folder: string;
  readonly quick: boolean;
  /** Only the stages, and no batches of 8. */
  readonly stages: boolean;
  readonly say: (message: string) => void;
}

/** What was measured from a checkpoint to a picture; null for what was left out. */
export interface EngineBench {
  readonly rows: readonly Row[];
  readonly agreement: Agreement;
  readonly command: CommandCost | null;
  readonly importing: ImportCost | null;
}

/** Measures stages, whole pictures, the command and an import. */
export async function benchEngine(options: EngineOptions): Promise<EngineBench> {
  const { folder, quick, stages, say } = options;
  const bundle = resolve(import.meta.dirname, '../../models/starter');
  const rows = against(
    'cpu-float32',
    await benchStages({
      bundle,
      cache: join(folder, 'cache'),
      runs: quick ? 1 : 3,
      batches: stages ? [1, 4] : [1, 4, 8],
      say,
    }),
  );
  say('comparing int8 with portable');
  const agreement = await measureAgreement(bundle, quick ? 1 : 8);
  const command = stages ? null : await benchCommand(join(folder, 'command'), say);
  const importing = quick || stages ? null : await benchImport(join(folder, 'import'), say);
  return { rows, agreement, command, importing };
}

/** The same for people. */
export function engineReport({ rows, agreement, command, importing }: EngineBench): string {
  const table = markdown(
    ['what', 'target', 'batch', 'ms', 'ms a picture', 'against cpu-float32'],
    rows.map(({ what, target, batch, ms, perPicture, ratio }) => [
      what,
      target,
      String(batch),
      short(ms),
      short(perPicture),
      ratio === null ? '' : `${short(ratio)} ×`,
    ]),
  );
  const { cosine, draws, finals } = agreement;
  const lines = [
    `int8 against portable: cosine of log-probabilities ${cosine.toFixed(5)}, same draws ` +
      `${(draws * 100).toFixed(1)} %, same final tokens ${(finals * 100).toFixed(1)} %`,
  ];
  if (command) {
    lines.push(
      `the command: first picture after ${short(command.firstSeconds)} s (${short(command.coldSeconds)} s ` +
        `when graphs must be compiled), each further one ${short(command.furtherSeconds)} s; ` +
        `the engine then holds ${Math.round(command.resident / 2 ** 20)} MiB`,
    );
  }
  if (importing) {
    lines.push(
      `import of ${short(importing.bytes / 1e9)} GB: ${short(importing.importSeconds)} s, a copy ` +
        `${short(importing.copySeconds)} s: ${Math.round(importing.ratio * 100)} % of its speed; ` +
        `peak memory ${Math.round(importing.peak / 2 ** 20)} MiB`,
    );
  }
  return `${table}\n\n${lines.join('\n')}`;
}
