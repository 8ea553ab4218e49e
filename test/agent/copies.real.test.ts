/**
 * Real programs from the npm registry, copied out of their packages under a name that says nothing:
 * each is found there as what it is. Nothing of them is ever run.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  chmodSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homesWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';

const run = promisify(execFile);

/** Package and version, the file in it, the tool, and the version where the program states it. */
const programs = [
  ['@anthropic-ai/claude-code@2.1.91', 'cli.js', 'claude-code', '2.1.91'],
  ['@anthropic-ai/claude-code-linux-x64@2.1.113', 'claude', 'claude-code', '2.1.113'],
  ['@anthropic-ai/claude-code-linux-x64@2.1.197', 'claude', 'claude-code', '2.1.197'],
  ['@anthropic-ai/claude-code-darwin-arm64@2.1.197', 'claude', 'claude-code', '2.1.197'],
  ['@anthropic-ai/claude-code-win32-x64@2.1.197', 'claude.exe', 'claude-code', '2.1.197'],
  ['@openai/codex@0.169.0-linux-x64', 'codex', 'codex-cli', null],
  ['@openai/codex@0.169.0-darwin-arm64', 'codex', 'codex-cli', null],
  ['@qoder-ai/qodercli@1.1.52', 'qodercli.js', 'qoder-cli', null],
  ['@qwen-code/qwen-code@0.5.0', 'cli.js', 'qwen-code', null],
  ['opencode-linux-x64@1.18.33', 'opencode', 'opencode', null],
  ['@github/copilot-linux-x64@1.0.102', 'copilot', 'github-copilot-cli', null],
  // Much the same code as another tool's, and none of these.
  ['@qodercn-ai/qoderclicn@1.1.52', 'qoderclicn.js', null, null],
  ['@zed-industries/codex-acp-linux-x64@0.16.0', 'codex-acp', null, null],
] as const;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-copies-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }), 300_000);

/** The package unpacked, and the largest file of that name in it. */
async function unpack(name: string, file: string): Promise<string> {
  const at = path.join(folder, name.replace(/[@/]/g, '-'));
  mkdirSync(at);
  const args = ['pack', name, '--silent', '--ignore-scripts', '--pack-destination', at];
  await run('npm', args, { timeout: 240_000, cwd: at });
  const [archive = ''] = readdirSync(at);
  await run('tar', ['xzf', archive], { timeout: 120_000, cwd: at });
  const found = readdirSync(at, { recursive: true, encoding: 'utf8' })
    .filter((entry) => path.basename(entry) === file)
    .map((entry) => path.join(at, entry))
    .sort((a, b) => statSync(b).size - statSync(a).size);
  expect(found).not.toEqual([]);
  return found[0] ?? '';
}

describe('a program copied to another name', () => {
  for (const [name, file, tool, version] of programs) {
    test(`${name}: ${tool ?? 'none of the tools'}`, { timeout: 400_000 }, async () => {
      const program = await unpack(name, file);
      const home = path.join(path.dirname(program), 'home-of-ana');
      const isWindows = file.endsWith('.exe');
      const place = path.join(home, '.local', 'bin', isWindows ? 'thing.exe' : 'thing');
      mkdirSync(path.dirname(place), { recursive: true });
      copyFileSync(program, place);
      chmodSync(place, 0o755);
      const { components, status } = scanWorld(
        homesWorld([home], { catalogue: builtInCatalogue() }),
      );
      rmSync(path.join(folder, name.replace(/[@/]/g, '-')), { recursive: true });
      expect(status).toBe('complete');
      expect(components.map((one) => [one.tool, one.version, one.path])).toEqual(
        tool === null ? [] : [[tool, version, place]],
      );
    });
  }
});
