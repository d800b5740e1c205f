import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Hundreds of engines and commands are started: each has half to do where compiled code is kept.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../node_modules/.cache/compiled');

const common = {
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // What is waited for comes in milliseconds, but not where every core is busy with other tests.
  expect: { poll: { timeout: 20_000 } },
} as const;

export default defineConfig({
  test: {
    // Much of the time a test waits for another process: on two cores two files run at once.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: [['default', { summary: false }], './test/summary.ts'],
    projects: [
      {
        // The renderer's classes hold runes, which only the Svelte compiler understands.
        plugins: [svelte({ configFile: false })],
        resolve: { conditions: ['browser'] },
        test: { ...common, name: 'renderer', include: ['test/renderer/**/*.test.ts'] },
      },
      {
        test: {
          ...common,
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/renderer/**'],
        },
      },
    ],
  },
});
