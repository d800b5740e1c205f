import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
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

  test.skipIf(process.platform !== 'linux')(
    'starts a browser with an address that is good once, and tells its secret to nobody',
    async () => {
      const home = await temporaryFolder();
      const opener = join(home, 'xdg-open');
      await writeFile(
        opener,
        `#!/bin/sh\nprintf '%s' "$1" > ${home}/asked.part\nmv ${home}/asked.part ${home}/asked\n`,
        {
          mode: 0o755,
        },
      );
      const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--json'], {
        env: {
          ...process.env,
          RCG_STUDIO_HOME: home,
          PATH: `${home}:${process.env['PATH'] ?? ''}`,
          DISPLAY: ':0',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'close');
      onTestFinished(async () => {
        child.kill('SIGTERM');
        await ended;
      });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const { url } = JSON.parse(line.toString()) as { readonly url: string };
      await expect.poll(() => existsSync(join(home, 'asked'))).toBe(true);
      const asked = await readFile(join(home, 'asked'), 'utf8');
      const token = new URL(url).searchParams.get('token') ?? '';
      expect(token.length).toBeGreaterThan(20);
      expect(asked).not.toContain(token);
      const visit = async () => (await fetch(asked, { redirect: 'manual' })).status;
      expect([await visit(), await visit()]).toEqual([303, 401]);
    },
  );

  test('is quiet when nobody reads its output', async () => {
    expect(await command(['help'], true)).toEqual({ code: 0, out: '', err: '' });
  });
});
