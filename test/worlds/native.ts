/**
 * Builds the ways a program gets onto a machine without a package manager, below a temporary folder:
 * one function per way, each as the vendor's installer lays it out. Contents are made up and small.
 */
import fs from 'node:fs';
import path from 'node:path';

/** Writes a file with its folders; executable when `mode` says so. */
export function place(root: string, file: string, content: string, mode = 0o644): string {
  const full = path.join(root, file);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, content);
  fs.chmodSync(full, mode);
  return full;
}

/** A small program; two calls with different text make two different files. */
export function program(root: string, file: string, text = 'BIN'): string {
  return place(root, file, text, 0o755);
}

export function link(root: string, file: string, target: string): string {
  const full = path.join(root, file);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.symlinkSync(target, full);
  return full;
}

/** Claude Code's native installer: files named by version only, the launcher a link to one of them. */
export function claudeNative(
  home: string,
  versions: readonly string[],
  launched: string | null,
): void {
  for (const version of versions) {
    program(home, `.local/share/claude/versions/${version}`, `BIN ${version}`);
  }
  if (launched !== null) {
    link(home, '.local/bin/claude', `../share/claude/versions/${launched}`);
  }
}

/** Claude Code's migrated local install: an npm package in a private folder, behind a script. */
export function claudeLocal(home: string, version: string): void {
  const at = '.claude/local';
  const name = '@anthropic-ai/claude-code';
  program(home, `${at}/claude`, `#!/bin/bash\nexec "$HOME/${at}/node_modules/.bin/claude" "$@"\n`);
  const manifest = JSON.stringify({ name, version, bin: { claude: 'cli.js' } });
  place(home, `${at}/node_modules/${name}/package.json`, manifest);
  program(home, `${at}/node_modules/${name}/cli.js`, '#!/usr/bin/env node\n');
  link(home, `${at}/node_modules/.bin/claude`, `../${name}/cli.js`);
}

/** Qoder CLI's installer: a versioned file, the launcher a link to it. */
export function qoderNative(home: string, version: string): void {
  program(home, `.qoder/bin/qodercli/qodercli-${version}`);
  link(home, '.local/bin/qodercli', `../../.qoder/bin/qodercli/qodercli-${version}`);
}

/** Cursor's command-line agent: a script and its own runtime in a folder per version, two launchers. */
export function cursorAgent(home: string, version: string): string {
  const at = `.local/share/cursor-agent/versions/${version}`;
  const script =
    '#!/usr/bin/env bash\nexec "$(dirname "$0")/node" "$(dirname "$0")/index.js" "$@"\n';
  program(home, `${at}/cursor-agent`, script);
  program(home, `${at}/node`, 'NODE');
  place(home, `${at}/index.js`, '// body\n');
  for (const name of ['agent', 'cursor-agent']) {
    link(home, `.local/bin/${name}`, path.join(home, at, 'cursor-agent'));
  }
  return path.join(home, at);
}

/** A global npm package and the launcher npm makes for it, below a prefix. */
export function npmLauncher(
  prefix: string,
  pkg: { readonly name: string; readonly version: string; readonly command: string },
): void {
  const at = `lib/node_modules/${pkg.name}`;
  const manifest = { name: pkg.name, version: pkg.version, bin: { [pkg.command]: 'cli.js' } };
  place(prefix, `${at}/package.json`, JSON.stringify(manifest));
  program(prefix, `${at}/cli.js`, '#!/usr/bin/env node\n');
  link(prefix, `bin/${pkg.command}`, `../${at}/cli.js`);
}
