/**
 * The agent bundled as for an install, for tests that need it in a process of its own. The bundle lies
 * below node_modules, so that packages left outside it are found; `remove` takes it away.
 */
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const top = path.resolve(import.meta.dirname, '..', '..');

/** Bundled CommonJS packages ask for `require`; an ES module has to be given one. */
const requireForBundled =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export interface BuiltAgent {
  /** The program, to be given to Node. */
  readonly program: string;
  remove(): void;
}

export async function buildAgent(name: string): Promise<BuiltAgent> {
  const folder = path.join(top, 'node_modules', '.cache', `curfew-${name}-${process.pid}`);
  await build({
    entryPoints: {
      curfew: path.join(top, 'agent', 'main.ts'),
      'facts-process': path.join(top, 'agent', 'facts-process.ts'),
      'scanner-worker': path.join(top, 'agent', 'scanner-worker.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    external: ['better-sqlite3'],
    // jsonc-parser's other form loads its parts by a require that a bundle cannot follow.
    mainFields: ['module', 'main'],
    banner: { js: requireForBundled },
    logLevel: 'silent',
  });
  return {
    program: path.join(folder, 'curfew.mjs'),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
