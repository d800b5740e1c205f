import { resolve } from 'node:path';
import { defineConfig, type EnvironmentOptions } from 'vite';
import { writeLicences } from './licences.ts';

// Compiled, the desktop host is three programs: main and the engine as modules, the preload as
// CommonJS, because a sandboxed preload can be nothing else. Packages stay outside: the native ones
// must, and the others gain nothing. Each program's files lie flat in their folder, since sources
// find package.json and models two folders up.

const ROOT = `${import.meta.dirname}/../..`;

/** One program: its folder under `out`, its entry, and the name of what becomes of that. */
function program(folder: string, entry: string, name: string): EnvironmentOptions {
  return {
    consumer: 'server',
    build: {
      outDir: `out/${folder}`,
      emptyOutDir: true,
      target: 'node24',
      minify: false,
      rolldownOptions: {
        input: entry,
        output: {
          format: name.endsWith('.cjs') ? 'cjs' : 'es',
          entryFileNames: name,
          chunkFileNames: '[name]-[hash].js',
        },
      },
    },
  };
}

export default defineConfig({
  root: ROOT,
  publicDir: false,
  environments: {
    main: program('main', 'main/electron/main.ts', 'main.js'),
    worker: program('worker', 'main/worker/entry.ts', 'entry.js'),
    preload: program('preload', 'main/electron/preload.ts', 'index.cjs'),
  },
  builder: {
    async buildApp({ environments, build }) {
      const { main, worker, preload } = environments;
      for (const each of [main, worker, preload]) if (each !== undefined) await build(each);
      const beside = main?.config.build.outDir ?? 'out/main';
      await writeLicences(ROOT, resolve(ROOT, beside, '../licences'));
    },
  },
});
