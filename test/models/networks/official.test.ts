import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replayFolder, TARGETS } from '../../parity/replay.ts';

/** Arrays recorded from the official code. They lie beside the repository where they exist. */
const FIXTURES = resolve(import.meta.dirname, '../../../../shared/fixtures/open');
const folders = existsSync(FIXTURES) ? readdirSync(FIXTURES).sort() : [];

describe.skipIf(folders.length === 0)('networks and sampling are the official ones', () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'rcg-official-'));
  });
  afterAll(async () => {
    await rm(scratch, { recursive: true });
  });

  test.each(folders)('%s', { timeout: 300_000 }, async (folder) => {
    const lines: string[] = [];
    const holds = await replayFolder(join(FIXTURES, folder), {
      scratch: join(scratch, folder),
      targets: TARGETS,
      print: (line) => void lines.push(line),
      progress: () => undefined,
    });
    const failed = lines.filter((line) => line.includes('FAIL'));
    expect(failed, lines.join('\n')).toEqual([]);
    expect(holds).toBe(true);
  });
});
