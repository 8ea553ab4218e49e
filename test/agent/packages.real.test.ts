/**
 * Real packages from the npm registry, laid out by npm itself: each version in a prefix of its own,
 * install scripts off, nothing of them ever run. Every one must be found with its right version, as
 * one finding, and the scan must leave the prefix as it was.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const top = path.resolve(import.meta.dirname, '..', '..');

/** Package, version, the catalogue's tool, and the command npm links. */
const packages = [
  ['@anthropic-ai/claude-code', '2.1.91', 'claude-code', 'claude'],
  ['@anthropic-ai/claude-code', '2.1.198', 'claude-code', 'claude'],
  ['@qoder-ai/qodercli', '1.1.52', 'qoder-cli', 'qodercli'],
  ['@openai/codex', '0.169.0', 'codex-cli', 'codex'],
  ['@google/gemini-cli', '0.61.0', 'gemini-cli', 'gemini'],
  ['opencode-ai', '1.18.33', 'opencode', 'opencode'],
] as const;

interface Row {
  readonly record: string;
  readonly tool: string | null;
  readonly channel: string;
  readonly name: string;
  readonly version: string | null;
  readonly state: string;
  readonly path: string;
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-real-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Path, size and time of everything below a folder, as one text. */
function snapshot(below: string): string {
  return readdirSync(below, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const at = path.join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) return `${at} link`;
      const { size, mtimeMs } = statSync(at);
      return entry.isFile() ? `${at} ${size} ${mtimeMs}` : `${at} folder`;
    })
    .sort()
    .join('\n');
}

async function install(name: string, version: string): Promise<string> {
  const home = path.join(folder, `${name.replace(/[@/]/g, '-')}-${version}`, 'ana');
  const prefix = path.join(home, '.npm-global');
  mkdirSync(prefix, { recursive: true });
  await run(
    'npm',
    [
      'install',
      '--global',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ].concat(['--prefix', prefix, '--cache', path.join(folder, 'cache'), `${name}@${version}`]),
    { timeout: 240_000, maxBuffer: 16 * 1024 * 1024 },
  );
  writeFileSync(path.join(home, '.npmrc'), 'prefix=${HOME}/.npm-global\n');
  return home;
}

async function scan(home: string): Promise<Row[]> {
  const curfew = path.join(top, 'dist', 'agent', 'curfew.mjs');
  const { stdout } = await run(process.execPath, [curfew, 'scan', '--home', home, '--json'], {
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    .filter((row) => row.record === 'component');
}

describe('real packages, laid out by npm', () => {
  for (const [name, version, tool, command] of packages) {
    test(
      `${name} ${version} is one finding of ${tool} with that version`,
      { timeout: 300_000 },
      async () => {
        const home = await install(name, version);
        const before = snapshot(home);
        expect(before).toContain(`bin/${command} link`);
        const rows = await scan(home);
        const seen = rows.map((row) => [row.tool, row.channel, row.name, row.version, row.state]);
        expect(seen).toEqual([[tool, 'npm', name, version, 'installed']]);
        expect(rows[0]?.path).toBe(path.join(home, '.npm-global', 'lib', 'node_modules', name));
        expect(snapshot(home)).toBe(before);
      },
    );
  }
});
