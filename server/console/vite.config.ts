/**
 * How the console is built: static files with hashed names under dist/console, which the server sends
 * as they are. Nothing is inlined into the page, so a policy without inline scripts holds. The build
 * fails when the script that the overview needs at first load grows beyond its limit.
 */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type Rolldown } from 'vite';

/** Gzipped script of the first load, the chart's own chunk left out. */
const firstLoadLimitBytes = 300 * 1024;

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
const gzipped = (chunk: Rolldown.OutputChunk) => gzipSync(chunk.code).byteLength;

/** The entry and everything it imports statically. */
function firstLoad(chunks: ReadonlyMap<string, Rolldown.OutputChunk>): Set<string> {
  const reached = new Set<string>();
  const open = [...chunks.values()].filter((chunk) => chunk.isEntry).map((chunk) => chunk.fileName);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    open.push(...(chunks.get(name)?.imports ?? []));
  }
  return reached;
}

function sizeLimit(): Plugin {
  return {
    name: 'curfew-first-load-limit',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = new Map(
        Object.values(bundle)
          .filter((output) => output.type === 'chunk')
          .map((chunk) => [chunk.fileName, chunk]),
      );
      const first = firstLoad(chunks);
      let firstBytes = 0;
      let laterBytes = 0;
      for (const [name, chunk] of chunks) {
        if (first.has(name)) firstBytes += gzipped(chunk);
        else laterBytes += gzipped(chunk);
      }
      const sizes = `first load ${kib(firstBytes)} of script gzipped (limit ${kib(firstLoadLimitBytes)}), loaded later ${kib(laterBytes)}`;
      if (firstBytes > firstLoadLimitBytes) this.error(`The console is too large: ${sizes}.`);
      this.info(sizes);
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), sizeLimit()],
  build: {
    outDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
});
