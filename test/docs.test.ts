/**
 * Every command in the docs runs. Fenced `sh` blocks are run in order, page by page, in a folder of
 * their own with an example policy in it; system folders stand for temporary ones. npm scripts must
 * exist; what they do is tested where they are.
 */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  readdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCommand, startChild } from '../installers/local/children.js';
import { curfew, curfewServer, examplePolicy, freePort } from './fleet/machines.js';

const top = path.resolve(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(path.join(top, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join('docs', file)),
];
const folder = mkdtempSync(path.join(tmpdir(), 'curfew-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The lines of a page's `sh` blocks, without comments and continuation. */
function commandsOf(page: string): string[] {
  const text = readFileSync(path.join(top, page), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap((block) =>
    (block[1] ?? '')
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== '' && !line.startsWith('#')),
  );
}

/** Inline commands of ours: `curfew ...`, `curfew-server ...`, `npm run ...`. */
function inlineOf(page: string): string[] {
  const text = readFileSync(path.join(top, page), 'utf8');
  return [...text.matchAll(/`((?:curfew|curfew-server|npm run|npm) [a-z][^`]*)`/g)].map(
    (match) => match[1] ?? '',
  );
}

const scripts = (
  JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  }
).scripts;

function checkScript(line: string): void {
  const [, word, name] = line.split(' ');
  const script = word === 'run' ? name : word;
  // npm's own words; taking a tool's package away is no script either.
  if (script === 'ci' || script === 'install' || line.startsWith('npm uninstall ')) return;
  expect(Object.keys(scripts)).toContain(script);
}

async function serves(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = startChild('server', [curfewServer, ...args], env);
  const ready = await new Promise<boolean>((resolve) => {
    child.onRecord((record) => resolve(record['event'] === 'listening'));
    void child.ended.then(() => resolve(false));
  });
  expect([ready, child.lastWords().includes('"level":50')]).toEqual([true, false]);
  expect(await child.stop()).toBe(0);
}

async function runs(line: string): Promise<void> {
  const [program = '', ...words] = line.split(/\s+/);
  const args = words.map((word) =>
    word.startsWith('/var/lib/') || word.startsWith('/tmp/') ? path.join(folder, word) : word,
  );
  const env = {
    CURFEW_SERVER_PORT: String(await freePort()),
    CURFEW_SERVER_DATA: path.join(folder, 'server'),
  };
  if (program === 'npm') return checkScript(line);
  // A page may speak of a server that another page has made.
  const data = args[args.indexOf('--data') + 1] ?? '';
  for (const place of [env.CURFEW_SERVER_DATA, ...(args.includes('--data') ? [data] : [])]) {
    mkdirSync(place, { recursive: true });
  }
  if (args[0] === 'serve') return serves(args, env);
  const file = program === 'curfew-server' ? curfewServer : program === 'curfew' ? curfew : null;
  if (file === null) throw new Error(`no test knows how to run: ${line}`);
  const at = process.cwd();
  process.chdir(folder);
  try {
    const { code, stderr } = await runCommand([file, ...args], env);
    // A scan of the machine that runs the test may find anything, but it is never a wrong command.
    if (args[0] === 'scan') expect([0, 1, 3], stderr).toContain(code);
    // Hardly any enforcer can say all of a policy: 3 is the usual answer.
    else if (args[1] === 'compile') expect([0, 3], stderr).toContain(code);
    else expect(code, `${line}\n${stderr}`).toBe(0);
  } finally {
    process.chdir(at);
  }
}

describe('commands in the docs', () => {
  copyFileSync(examplePolicy, path.join(folder, 'policy.yaml'));
  cpSync(path.dirname(examplePolicy), path.join(folder, 'examples'), { recursive: true });
  for (const page of pages) {
    const lines = commandsOf(page);
    if (lines.length > 0) {
      test(`${page}: every command of its blocks runs`, { timeout: 60_000 }, async () => {
        for (const line of lines) await runs(line);
      });
    }
    const inline = inlineOf(page);
    if (inline.length > 0) {
      test(`${page}: every command it mentions is one`, { timeout: 60_000 }, async () => {
        for (const line of inline) {
          const [program, word = ''] = line.split(' ');
          if (program === 'npm') checkScript(line);
          else {
            const file = program === 'curfew' ? curfew : curfewServer;
            const { code, stderr } = await runCommand([file, word, '--help']);
            expect(code, `${line}\n${stderr}`).toBe(0);
          }
        }
      });
    }
  }
});
