import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readPicture } from '#pictures/pictures';

const BIN = resolve(import.meta.dirname, '../../main/cli/bin.mjs');
const WATCH = resolve(import.meta.dirname, '../helpers/connections.mjs');

/** In front of a command: a network of its own, in which there is nothing, not even this machine. */
const ALONE = ['unshare', '--net', '--'];
const [unshare = '', ...options] = ALONE;
/** Only root may do that. */
const canBeAlone = spawnSync(unshare, [...options, 'true']).status === 0;

test('a picture is made without a network, and without trying to reach one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-network-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const connections = join(folder, 'connections');
  const quick = ['--rdm-steps', '10', '--steps', '4', '--seed', '5', '--out', folder];
  const command = [process.execPath, BIN, 'generate', ...quick];
  const [program = '', ...args] = canBeAlone ? [...ALONE, ...command] : command;
  const { status, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: {
      ...process.env,
      RCG_STUDIO_HOME: join(folder, 'home'),
      NODE_OPTIONS: `--import=${WATCH}`,
      CONNECTIONS: connections,
    },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(await readPicture(join(folder, 'starter-5.png'))).toMatchObject({ width: 128 });
  const lines = (await readFile(connections, 'utf8')).trim().split('\n');
  // The command and its engine were watched, at the least.
  expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBeGreaterThanOrEqual(2);
  expect(lines.filter((line) => !line.endsWith('started'))).toEqual([]);
});
