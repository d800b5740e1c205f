import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
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
    // Its owner has a window; a second one could only say so. Other troubles can be mended in a window.
    if (opened.state.kind === 'locked') throw unavailable(opened.state);
    const host = await serve(opened, {
      port: wanted,
      token: randomBytes(24).toString('base64url'),
      renderer: fileURLToPath(new URL('../../out/renderer', import.meta.url)),
    });
    print.result({ url: host.url, library: opened.shop.files.folder }, `RCG Studio: ${host.url}`);
    if (opened.state.kind !== 'open') print.note(unavailable(opened.state).message);
    print.note('It runs until you press Ctrl-C.');
    if (open) openBrowser(host.entry(), io.env);
    await stopped(signal);
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
