// npm run bench -- [--quick] [--stages] [--out FILE]: measures, prints tables, writes JSON.
// --stages leaves out the command and the import, and batches of 8.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureAgreement } from './agreement.ts';
import { benchCommand } from './command.ts';
import { benchImport } from './importing.ts';
import { benchStages } from './stages.ts';
import { against, markdown, short } from './table.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    stages: { type: 'boolean', default: false },
    out: { type: 'string', default: 'bench.json' },
  },
});
const bundle = resolve(import.meta.dirname, '../../models/starter');
const folder = await mkdtemp(join(tmpdir(), 'rcg-bench-'));
const say = (message: string) => process.stderr.write(`${message}\n`);
try {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    node: process.version,
  };
  const rows = against(
    'cpu-float32',
    await benchStages({
      bundle,
      cache: join(folder, 'cache'),
      runs: values.quick ? 1 : 3,
      batches: values.stages ? [1, 4] : [1, 4, 8],
      say,
    }),
  );
  say('comparing int8 with portable');
  const agreement = await measureAgreement(bundle, values.quick ? 1 : 8);
  const command = values.stages ? null : await benchCommand(join(folder, 'command'), say);
  const importing =
    values.quick || values.stages ? null : await benchImport(join(folder, 'import'), say);
  console.log(`\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`);
  console.log(
    markdown(
      ['what', 'target', 'batch', 'ms', 'ms a picture', 'against cpu-float32'],
      rows.map(({ what, target, batch, ms, perPicture, ratio }) => [
        what,
        target,
        String(batch),
        short(ms),
        short(perPicture),
        ratio === null ? '' : `${short(ratio)} ×`,
      ]),
    ),
  );
  const { cosine, draws, finals } = agreement;
  console.log(
    `\nint8 against portable: cosine of log-probabilities ${cosine.toFixed(5)}, same draws ` +
      `${(draws * 100).toFixed(1)} %, same final tokens ${(finals * 100).toFixed(1)} %`,
  );
  if (command) {
    console.log(
      `the command: first picture after ${short(command.firstSeconds)} s (${short(command.coldSeconds)} s ` +
        `when graphs must be compiled), each further one ${short(command.furtherSeconds)} s; ` +
        `the engine then holds ${Math.round(command.resident / 2 ** 20)} MiB`,
    );
  }
  if (importing) {
    console.log(
      `import of ${short(importing.bytes / 1e9)} GB: ${short(importing.importSeconds)} s, a copy ` +
        `${short(importing.copySeconds)} s: ${Math.round(importing.ratio * 100)} % of its speed; ` +
        `peak memory ${Math.round(importing.peak / 2 ** 20)} MiB`,
    );
  }
  await writeFile(
    values.out,
    JSON.stringify({ machine, rows, agreement, command, importing }, null, 2),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
