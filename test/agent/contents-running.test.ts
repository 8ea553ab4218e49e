/**
 * Running programs that are known by what their file holds, and by the module or package that a runtime
 * was told to start. Nothing else of a command line is kept.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scanWorld } from '../../agent/scan.js';
import { createContentsCache } from '../../agent/detect/contents-cache.js';
import type { ProcessEntry, World } from '../../agent/detect/index.js';
import { processes } from '../../agent/detect/processes.js';
import { homesWorld } from '../../agent/detect/world.js';
import type { Component } from '../../policies/component.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import * as programs from '../worlds/programs.js';

const catalogue = builtInCatalogue();
let home: string;

beforeEach(() => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-running-')));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

const claudeText = `var x={PACKAGE_URL:"@anthropic-ai/claude-code",VERSION:"2.1.197"};`;
const gooseText = 'crates/goose-cli/src/main.rs';
const withText = (text: string): Buffer =>
  programs.elf([{ name: '.rodata', bytes: Buffer.from(`\0some text\0${text}\0more\0`) }]);

function put(file: string, bytes: Buffer | string, mode = 0o755): string {
  const full = path.join(home, file);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, bytes, { mode });
  return full;
}

describe('a running copy', () => {
  const nothing = { uid: null, account: 'ana', comm: null, exe: null, cwd: null, argv: null };
  const run = (
    entries: readonly Partial<ProcessEntry>[],
    options: Partial<World> = {},
  ): readonly Component[] => {
    const list = entries.map((entry, pid) => ({ ...nothing, pid, ...entry }));
    return scanWorld(
      { ...homesWorld([home], { catalogue, processes: list }), ...options },
      { detectors: [processes] },
    ).components;
  };

  test('is the tool by what its file holds, with its owner', () => {
    const exe = put('somewhere/editor-helper', withText(claudeText));
    const other = put('somewhere/other', withText('nothing'));
    expect(run([{ exe, argv: ['editor-helper', 'CANARY'] }, { exe: other }])).toMatchObject([
      {
        tool: 'claude-code',
        name: 'editor-helper',
        version: '2.1.197',
        path: exe,
        owner: 'ana',
        state: 'running',
        evidence: ['content marker', 'process'],
      },
    ]);
  });

  test('is the tool by the script it was started with, however it was started', () => {
    const script = put('x/app.mjs', `#!/usr/bin/env node\n${claudeText}`, 0o644);
    const runner = '/usr/lib/node_modules/tsx/dist/cli.mjs';
    for (const argv of [
      ['node', script],
      ['bun', 'run', script],
      ['node', runner, script],
      ['deno', 'run', '-A', script],
    ]) {
      expect(run([{ exe: `/usr/bin/${argv[0]}`, argv }])).toMatchObject([{ tool: 'claude-code' }]);
    }
    expect(run([{ exe: '/bin/sh', argv: ['/bin/sh', script] }])).toHaveLength(1);
  });

  test('whose file is gone is what the file was', () => {
    const contents = createContentsCache(catalogue.sha256);
    const exe = put('x/y', withText(gooseText));
    run([{ exe }], { contents });
    fs.rmSync(exe);
    expect(run([{ exe: `${exe} (deleted)` }], { contents })).toMatchObject([{ tool: 'goose' }]);
  });

  test('an in-house script of a generic name stays nothing', () => {
    const exe = put('bin/agent', '#!/bin/sh\necho agent\n');
    expect(run([{ exe, comm: 'agent', argv: ['/bin/sh', exe] }])).toEqual([]);
  });

  test('python -m leads to the package that brought the module', () => {
    const site = 'venv/lib/python3.12/site-packages';
    const record = `${site}/aider_chat-0.86.1.dist-info`;
    put(
      `${record}/METADATA`,
      'Metadata-Version: 2.4\nName: aider-chat\nVersion: 0.86.1\n\n',
      0o644,
    );
    put(`${record}/RECORD`, 'aider/__init__.py,,\naider/main.py,,\n', 0o644);
    const python = put('venv/bin/python', 'BIN');
    const argv = [python, '-X', 'utf8', '-m', 'aider', '--yes'];
    expect(run([{ exe: '/usr/bin/python3.12', argv }])).toMatchObject([
      { tool: 'aider', version: '0.86.1', purl: 'pkg:pypi/aider-chat@0.86.1' },
    ]);
    expect(run([{ exe: '/usr/bin/python3.12', argv: [python, '-m', 'http.server'] }])).toEqual([]);
  });

  test("deno's npm: names are packages", () => {
    const argv = ['deno', 'run', '-A', 'npm:@google/gemini-cli@0.20.0/gemini', 'CANARY'];
    expect(run([{ exe: '/usr/bin/deno', argv }])).toMatchObject([
      { tool: 'gemini-cli', version: '0.20.0' },
    ]);
    const mine = ['deno', 'run', 'npm:cowsay', 'npm:@google/gemini-cli'];
    expect(run([{ exe: '/usr/bin/deno', argv: mine }])).toEqual([]);
  });
});
