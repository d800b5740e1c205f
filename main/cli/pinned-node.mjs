// Plain JavaScript that any Node can read.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The Node that npm installed beside us, or undefined. It is looked for in its own package: npm 10
 * makes no link to it, and on Windows the link is a script.
 * @param {string} root the folder of package.json
 * @returns {string | undefined}
 */
export function pinnedNode(root) {
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  const path = join(root, 'node_modules', `node-${system}-${process.arch}`, 'bin', program);
  return existsSync(path) ? path : undefined;
}
