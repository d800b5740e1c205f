import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// One page for both hosts. Addresses are relative, because Electron serves the page from
// `app://studio/` and the HTTP host from its own root. Nothing is inlined, so that the policy
// `script-src 'self'` holds; assets stay files for the same reason.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: '../out/renderer',
    emptyOutDir: true,
    target: 'chrome130',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Read from this machine's disk: one large file is as good as ten small ones.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
