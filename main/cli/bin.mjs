#!/usr/bin/env node
// The command's first file. Plain JavaScript that any Node can read: it looks for a Node that runs
// TypeScript, which is this one, or the one that npm installed beside us, and hands over.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
const runsTypeScript = major > 22 || (major === 22 && minor >= 18);

if (runsTypeScript) {
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const pinned = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
  if (!existsSync(pinned)) {
    console.error(
      `rcg-studio needs Node 22.18 or newer; this is ${process.version}, and npm has not installed one. ` +
        'Run npm ci in the project folder, or install a newer Node.',
    );
    process.exit(1);
  }
  const child = spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(child.status ?? 128 + (constants.signals[child.signal ?? 'SIGTERM'] ?? 15));
}
