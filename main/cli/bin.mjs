#!/usr/bin/env node
// The command's first file. Plain JavaScript that any Node can read: it looks for a Node that runs
// TypeScript, which is this one, or the one that npm installed beside us, and hands over.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedNode } from './pinned-node.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
const runsTypeScript = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);

if (runsTypeScript) {
  // Compiled code is kept beside the compiled graphs, once there are any, for this process and the
  // engine's: the command starts in half the time.
  const { findHome, surroundings } = await import('../studio/home.ts');
  const { cache } = findHome(surroundings());
  if (existsSync(cache)) {
    process.env.NODE_COMPILE_CACHE ??= join(cache, 'code');
    module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  }
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const pinned = pinnedNode(fileURLToPath(new URL('../..', import.meta.url)));
  if (pinned === undefined) {
    console.error(
      `rcg-studio needs Node 22.18 or newer; this is ${process.version}, and npm has not installed one. ` +
        'Run npm ci in the project folder, or install a newer Node.',
    );
    process.exit(1);
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // Passed on, while this one waits for the other to tidy up. A terminal sends Ctrl-C to both, which
  // the other takes for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15));
  });
}
