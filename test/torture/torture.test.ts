import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { torture } from './torture.ts';

/** The short form of `npm run torture`; children are found through /proc. */
test.runIf(process.platform === 'linux')(
  'three kills in a queue of jobs lose nothing',
  { timeout: 180_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-torture-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const report = await torture({ kills: 3, seed: 5, folder, log: () => undefined });
    expect(report.problems).toEqual([]);
    expect(report.jobs).toBeGreaterThanOrEqual(2);
  },
);
