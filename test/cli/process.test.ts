import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../studio/helpers.ts';

const bin = fileURLToPath(new URL('../../main/cli/bin.mjs', import.meta.url));

/** Runs the command as a shell would. */
async function command(args: readonly string[], closeOutput = false) {
  const home = await temporaryFolder();
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, RCG_STUDIO_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  if (closeOutput) child.stdout.destroy();
  else child.stdout.on('data', (data: Buffer) => (text.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text.err += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...text };
}

describe('the command as a process', () => {
  test('prints its version', async () => {
    expect(await command(['--version'])).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d/) as string,
      err: '',
    });
  });

  test('ends with 2 at once on wrong usage, although the engine is starting', async () => {
    const { code, out, err } = await command(['generate', '--steps', 'many', '--model', 'absent']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/absent/);
  });

  test.skipIf(!existsSync('/dev/full'))('says so when its output cannot be written', async () => {
    const home = await temporaryFolder();
    const full = await open('/dev/full', 'w');
    const child = spawn(process.execPath, [bin, 'models', 'list'], {
      env: { ...process.env, RCG_STUDIO_HOME: home },
      stdio: ['ignore', full.fd, 'pipe'],
    });
    let err = '';
    child.stderr?.on('data', (data: Buffer) => (err += data.toString()));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    await full.close();
    expect(code).toBe(1);
    expect(err).toMatch(/^What this command prints cannot be written \(ENOSPC\)\..*\n$/);
  });

  test('is quiet when nobody reads its output', async () => {
    expect(await command(['help'], true)).toEqual({ code: 0, out: '', err: '' });
  });
});
