/**
 * Builds everything into dist/: the agent and the server as ESM bundles, the local tools, and the
 * console as static files. Run by the pinned Node directly (types are stripped), so it imports only
 * packages and built-ins. Native modules stay outside the bundles.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const top = path.resolve(import.meta.dirname, '..', '..');
const at = (file: string): string => path.join(top, file);

/** Bundled CommonJS packages ask for `require`; an ES module has to be given one. */
const requireBanner =
  "const require = (name) => process.getBuiltinModule(name) ?? process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);";

/** What is built in is fetched, not imported: an import reads each export, and so loads all that lies behind. */
const builtInsFetched: Plugin = {
  name: 'built-ins-fetched',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^node:/ }, ({ path: name, kind }) =>
      kind === 'dynamic-import' ? null : { path: name, namespace: 'built-in' },
    );
    onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path: name }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)})`,
      loader: 'js',
    }));
  },
};

/** The catalogue as text that is parsed at run time: four times as fast to load as a literal of it. */
const catalogueAsText: Plugin = {
  name: 'catalogue-as-text',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]policies[\\/]catalogue\.json$/ }, ({ path: file }) => {
      const text = JSON.stringify(JSON.parse(readFileSync(file, 'utf8')));
      return { contents: `export default JSON.parse(${JSON.stringify(text)})`, loader: 'js' };
    });
  },
};

const shared: BuildOptions = {
  bundle: true,
  platform: 'node',
  // jsonc-parser's CommonJS form cannot be bundled; its ES module can.
  mainFields: ['module', 'main'],
  target: 'node22',
  format: 'esm',
  sourcemap: true,
  minifySyntax: true,
  outExtension: { '.js': '.mjs' },
  banner: { js: requireBanner },
  logLevel: 'warning',
  absWorkingDir: top,
  plugins: [catalogueAsText, builtInsFetched],
};

interface Bundle {
  readonly folder: string;
  readonly entries: Readonly<Record<string, string>>;
  readonly options: BuildOptions;
}

const bundles: readonly Bundle[] = [
  {
    folder: 'dist/agent',
    entries: {
      curfew: 'agent/main.ts',
      'facts-process': 'agent/facts-process.ts',
      'scanner-worker': 'agent/scanner-worker.ts',
    },
    // The text of what is loaded stays in memory; names are kept, as stacks are read by people.
    options: { splitting: true, external: ['better-sqlite3'], minifyWhitespace: true },
  },
  {
    folder: 'dist/server',
    entries: { 'curfew-server': 'server/main.ts' },
    // Half the processor time of a start, compared with loose packages.
    options: { splitting: true, external: ['better-sqlite3'] },
  },
  {
    folder: 'dist/local',
    entries: {
      up: 'installers/local/up.ts',
      generate: 'installers/generate.ts',
      'demo-home': 'test/worlds/demo.ts',
      'bench-latency': 'test/bench/latency.ts',
      'bench-plan': 'test/bench/plan.ts',
      'bench-policy': 'test/bench/policy.ts',
      'bench-rest': 'test/bench/rest.ts',
      'bench-scan': 'test/bench/scan.ts',
    },
    options: { packages: 'external' },
  },
];

async function bundle({ folder, entries, options }: Bundle): Promise<void> {
  rmSync(at(folder), { recursive: true, force: true });
  await build({ ...shared, ...options, entryPoints: { ...entries }, outdir: at(folder) });
}

async function buildConsole(): Promise<void> {
  const config = at('server/console/vite.config.ts');
  if (!existsSync(config)) throw new Error(`${config} is missing`);
  const vite = await import('vite');
  await vite.build({ configFile: config, logLevel: 'warn' });
}

/**
 * One scan of a small made-up home, whose code Node keeps beside the agent as it was compiled: a scan
 * that has to compile itself takes half as long again.
 */
function compileAhead(): void {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-build-'));
  try {
    const home = path.join(folder, 'home');
    mkdirSync(at('dist/agent/compiled'));
    const made = [at('test/bench/make-home.mjs'), home, '--projects', '2', '--scale', '0.0001'];
    const scan = ['dist/agent/curfew.mjs', 'scan', '--deep', '--json', '--home', home];
    for (const args of [made, scan]) {
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: top, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stderr}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await Promise.all([...bundles.map(bundle), buildConsole()]);
compileAhead();
