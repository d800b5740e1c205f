import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findServed, leaveAddress } from '#http/served';
import { serve } from '#http/server';
import { hostOptions } from '#studio/host-options';
import { unavailable } from '#studio/library/state';
import { wholeNumber } from '#studio/making/numbers';
import { openStudio } from '#studio/open-studio';
import type { Session } from './session.ts';

export interface ServeCommand {
  readonly port: string;
  /** False with --no-open. */
  readonly open: boolean;
  readonly library?: string;
}

/** serve: opens the studio and answers a browser until it is interrupted */
export async function serveCommand(
  { studio, io, print, signal }: Session,
  { port, open, library }: ServeCommand,
): Promise<number> {
  const wanted = wholeNumber('port', port, { min: 0, max: 65_535 });
  const opened = await openStudio({
    ...hostOptions(studio.home, io.channel),
    ...(library === undefined ? {} : { libraryFolder: resolve(library) }),
  });
  try {
    const { folder } = opened.shop.files;
    // Its owner has a window; a second one could only say so. Other troubles can be mended in a window.
    if (opened.state.kind === 'locked') {
      const served = await findServed(studio.home, folder);
      if (served === null) throw unavailable(opened.state);
      print.result({ url: served.url, library: folder }, `RCG Studio runs already: ${served.url}`);
      if (open) openBrowser(await served.entry(), io.env);
      return 0;
    }
    const token = randomBytes(24).toString('base64url');
    const renderer = fileURLToPath(new URL('../../out/renderer', import.meta.url));
    const host = await serve(opened, { port: wanted, token, renderer });
    const leave = await leaveAddress(studio.home, { port: host.port, token });
    print.result({ url: host.url, library: folder }, `RCG Studio: ${host.url}`);
    if (opened.state.kind !== 'open') print.note(unavailable(opened.state).message);
    print.note('It runs until you press Ctrl-C.');
    if (open) openBrowser(host.entry(), io.env);
    await stopped(signal);
    await leave();
    await host.close();
  } finally {
    await opened.close();
  }
  return 0;
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
}

/**
 * Opens the address where there is a screen; whoever has none, or no browser, reads the printed one.
 * Everybody on the computer can read what a program was started with.
 */
function openBrowser(url: string, env: Session['io']['env']): void {
  const command = browserCommand(env);
  if (command === undefined) return;
  const [program, ...args] = command;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

function browserCommand(env: Session['io']['env']): readonly [string, ...string[]] | undefined {
  switch (process.platform) {
    case 'darwin':
      return ['open'];
    case 'win32':
      return ['cmd', '/c', 'start', ''];
    default:
      return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined;
  }
}
