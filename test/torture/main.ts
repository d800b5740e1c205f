import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { torture } from './torture.ts';

/** `npm run torture -- --kills 200 [--seed N] [--keep]` */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    keep: { type: 'boolean', default: false },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-torture-'));
console.log(`${values.kills} kills, seed ${values.seed}, in ${folder}`);
const report = await torture({
  kills: Number(values.kills),
  seed: Number(values.seed),
  folder,
  log: (line) => console.log(line),
});
const { kills, jobs, pictures, halfDecoded, problems } = report;
console.log(
  `Killed: main ${kills.main}, engine ${kills.engine}, both ${kills.both}. ` +
    `${jobs} jobs, ${pictures} pictures, ${halfDecoded} of them found half decoded on the way.`,
);
for (const problem of problems) console.log(`PROBLEM: ${problem}`);
console.log(problems.length === 0 ? 'Nothing was lost.' : `${problems.length} problems.`);
if (problems.length === 0 && !values.keep) await rm(folder, { recursive: true, force: true });
process.exitCode = problems.length === 0 ? 0 : 1;
