/**
 * A made-up developer's home for `npm run up -- --demo` and for looking at the console: a denied tool
 * installed in three ways, the approved one, a tool no rule names, a look-alike that is none, and
 * extensions in two editors. Run as a program it builds that home in the folder named.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { installed } from './editors.js';
import { claudeNative, npmLauncher, place, qoderNative } from './native.js';

/** What the home holds, for tests: tool, channel and version of each install. */
export const demoInstalls = [
  ['claude-code', 'executable', '2.1.150'],
  ['claude-code', 'executable', '2.1.198'],
  ['claude-code', 'npm', '2.1.91'],
  ['qoder-cli', 'executable', '1.1.52'],
  ['codex-cli', 'npm', '0.169.0'],
  ['cline', 'editor-extension', '3.61.0'],
] as const;

/** Builds the home; the folder must not hold one yet. */
export function demoHome(home: string): void {
  mkdirSync(home, { recursive: true });
  const node = path.join(home, '.nvm', 'versions', 'node', 'v22.22.0');
  npmLauncher(node, { name: '@anthropic-ai/claude-code', version: '2.1.91', command: 'claude' });
  npmLauncher(node, { name: '@openai/codex', version: '0.169.0', command: 'codex' });
  npmLauncher(node, { name: 'claude-code-router', version: '1.0.2', command: 'ccr-local' });
  claudeNative(home, ['2.1.150', '2.1.198'], '2.1.198');
  qoderNative(home, '1.1.52');
  installed(path.join(home, '.vscode', 'extensions'), {
    id: 'saoudrizwan.claude-dev',
    version: '3.61.0',
  });
  installed(path.join(home, '.qoder', 'extensions'), {
    id: 'redhat.vscode-yaml',
    version: '1.18.0',
  });
  place(home, '.profile', 'export PATH="$HOME/.local/bin:$PATH"\n');
}

const [, program, home] = process.argv;
if (home !== undefined && program !== undefined && /demo-home\.mjs$/.test(program)) demoHome(home);
