/**
 * The door to every npm script, written for whatever Node the visitor has: checks its version, installs
 * the locked dependencies when they are missing or changed (the pinned Node 22 is one of them), and
 * runs the named step with that Node. It imports nothing but built-ins, because nothing else may be
 * there yet, and it needs no compiler.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const oldest = [20, 19];

/**
 * The step's commands in order; each is [label, file, arguments] for the pinned Node. A list of them runs
 * side by side.
 */
const build = ['build', 'installers/local/build.ts', []];
const buildIfOld = isBuilt() ? [] : [build];
const vitest = (label, group) => [
  label,
  'node_modules/vitest/vitest.mjs',
  ['run'],
  { CURFEW_TEST_GROUP: group },
];
const checks = [
  build,
  ['generated files', 'dist/local/generate.mjs', ['--check']],
  [
    ['types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']],
    ['lint', 'node_modules/eslint/bin/eslint.js', ['.']],
  ],
  [
    ['console types', 'node_modules/typescript/bin/tsc', ['-p', 'server/console/tsconfig.json']],
    ['format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']],
  ],
];
const steps = {
  up: [...buildIfOld, ['up', 'dist/local/up.mjs', []]],
  curfew: [...buildIfOld, ['curfew', 'dist/agent/curfew.mjs', []]],
  'curfew-server': [...buildIfOld, ['curfew-server', 'dist/server/curfew-server.mjs', []]],
  build: [build],
  generate: [build, ['generate', 'dist/local/generate.mjs', []]],
  test: [...checks, vitest('tests', 'quick')],
  'test:all': [build, vitest('long tests', 'all'), vitest('real packages', 'real')],
  'test:real': [build, vitest('real packages', 'real')],
  'bench:latency': [build, ['bench:latency', 'dist/local/bench-latency.mjs', []]],
  'bench:scan': [build, ['bench:scan', 'dist/local/bench-scan.mjs', []]],
  'bench:policy': [build, ['bench:policy', 'dist/local/bench-policy.mjs', []]],
  'bench:plan': [build, ['bench:plan', 'dist/local/bench-plan.mjs', []]],
  'bench:rest': [build, ['bench:rest', 'dist/local/bench-rest.mjs', []]],
};

const running = new Set();

function fail(sentence, hint) {
  process.stderr.write(`curfew: ${sentence}\n${hint === undefined ? '' : `  ${hint}\n`}`);
  process.exit(2);
}

/** Whether what was built last is newer than every source. */
function isBuilt() {
  const built = path.join(top, 'dist', 'local', 'up.mjs');
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return ['agent', 'installers', 'policies', 'server', 'wire', 'test/worlds', 'test/bench']
    .flatMap((folder) =>
      readdirSync(path.join(top, folder), { recursive: true }).map((name) =>
        path.join(top, folder, name),
      ),
    )
    .concat(path.join(top, 'package-lock.json'))
    .every((file) => statSync(file).mtimeMs <= mtimeMs);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  fail(
    `Node ${process.versions.node} is too old to start from; ${oldest.join('.')} or newer is needed.`,
    'Install a current Node from https://nodejs.org and run the same command again.',
  );
}

/** npm ci, when the lockfile is not the one that was last installed. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(top, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(top, 'node_modules', '.curfew-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  const startedAt = Date.now();
  process.stderr.write('curfew: installing the locked dependencies ...\n');
  const npm = process.env.npm_execpath;
  const outside = process.env.npm_node_execpath ?? process.execPath;
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund'];
  const ran =
    npm !== undefined && npm.endsWith('.js')
      ? spawnSync(outside, [npm, ...args], { cwd: top, stdio: ['ignore', 2, 2] })
      : spawnSync('npm', args, {
          cwd: top,
          stdio: ['ignore', 2, 2],
          shell: process.platform === 'win32',
        });
  if (ran.status !== 0) {
    fail(
      'the dependencies could not be installed (see above).',
      'The npm registry must be reachable and this folder writable; then run the same command again.',
    );
  }
  writeFileSync(stamp, lock);
  process.stderr.write(`curfew: installed in ${seconds(startedAt)}\n`);
}

/** The pinned Node 22 that came with the dependencies; where none is packaged, a new enough one that runs us. */
function pinnedNode() {
  const require = createRequire(path.join(top, 'package.json'));
  const system = `${process.platform}-${process.arch}`.replace('win32', 'win');
  const names = [`node-${system}`, `node-bin-${system}`];
  for (const name of names) {
    try {
      const folder = path.dirname(require.resolve(`${name}/package.json`));
      const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      const file = path.join(folder, typeof bin === 'string' ? bin : bin.node);
      if (existsSync(file)) return file;
    } catch {
      // Not packaged for this system under that name.
    }
  }
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  return fail(
    `no packaged Node 22 for ${system}, and this Node is ${process.versions.node}.`,
    'Install Node 22.22 or newer and run the same command again.',
  );
}

function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/** Runs a command to its end; signals are passed on, so that it can stop in its own way. */
function run(node, [label, file, args, env], extra, isLast) {
  const startedAt = Date.now();
  const bin = path.join(top, 'node_modules', '.bin');
  const folders = [path.dirname(node), bin, process.env.PATH ?? ''].join(path.delimiter);
  const child = spawn(
    node,
    ['--disable-warning=ExperimentalWarning', path.join(top, file), ...args, ...extra],
    {
      cwd: top,
      // The channel tells our own programs when we are gone without a word.
      stdio: ['inherit', 'inherit', 'inherit', ...(file.startsWith('dist/') ? ['ipc'] : [])],
      env: { ...process.env, ...env, PATH: folders },
    },
  );
  running.add(child);
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${label} could not be started: ${error.message}`));
    child.on('exit', (code) => {
      running.delete(child);
      if (!isLast || label.endsWith('tests')) {
        process.stderr.write(`curfew: ${label}: ${seconds(startedAt)}\n`);
      }
      resolve(code ?? 1);
    });
  });
}

const [name = '', ...extra] = process.argv.slice(2);
const plan = steps[name];
if (plan === undefined) fail(`"${name}" is no step; one of ${Object.keys(steps).join(', ')} is.`);
checkNode();
install();
const node = pinnedNode();
for (const sign of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(sign, () => running.forEach((child) => child.kill(sign)));
}
// npm's shell passes no signal on when npm alone is ended: whoever started us being gone ends us too.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) running.forEach((child) => child.kill('SIGTERM'));
}, 1000).unref();
let code = 0;
for (const [index, step] of plan.entries()) {
  const isLast = index === plan.length - 1;
  const together = Array.isArray(step[0]) ? step : [step];
  const codes = await Promise.all(
    together.map((command) => run(node, command, isLast ? extra : [], isLast)),
  );
  code = codes.find((one) => one !== 0) ?? 0;
  if (code !== 0) {
    const failed = together.filter((_, at) => codes[at] !== 0).map(([label]) => label);
    if (!isLast) process.stderr.write(`curfew: stopped at ${failed.join(' and ')}.\n`);
    break;
  }
}
process.exit(code);
