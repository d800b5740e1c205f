// npm run bench -- [--quick] [--stages | --studio] [--out FILE]: measures, prints tables, writes JSON.
// --stages measures the stages alone, without batches of 8; --studio measures the studio alone. The
// studio's window has to be built before: npm run build.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchEngine, engineReport } from './engine.ts';
import { benchStudio } from './studio/studio.ts';
import { short } from './table.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    stages: { type: 'boolean', default: false },
    studio: { type: 'boolean', default: false },
    out: { type: 'string', default: 'bench.json' },
  },
});
const { quick, stages, studio: studioOnly, out } = values;
const folder = await mkdtemp(join(tmpdir(), 'rcg-bench-'));
const say = (message: string) => process.stderr.write(`${message}\n`);
try {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    node: process.version,
    // What else the machine does: numbers of a busy one say little.
    load: loadavg()[0] ?? NaN,
  };
  const { cpu, cores, node, load } = machine;
  console.log(`\n${cpu}, ${cores} cores, Node ${node}, load before ${short(load)}\n`);
  const engine = studioOnly
    ? null
    : await benchEngine({ folder: join(folder, 'engine'), quick, stages, say });
  if (engine) console.log(`${engineReport(engine)}\n`);
  const show = (text: string) => console.log(text);
  const studio = stages
    ? null
    : await benchStudio({ folder: join(folder, 'studio'), quick, say, show });
  await writeFile(out, JSON.stringify({ machine, ...engine, studio }, null, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}
