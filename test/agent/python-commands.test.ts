/**
 * What a running Python tool is known by, and that the launchers of Python packages are no programs of
 * their own.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { executables } from '../../agent/detect/executables.js';
import { processes } from '../../agent/detect/processes.js';
import { python } from '../../agent/detect/python.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component, Platform } from '../../policies/component.js';
import { place, program } from '../worlds/native.js';
import * as made from '../worlds/python.js';

const catalogue = builtInCatalogue();
let top = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-commands-')));
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

/** What runs when ana has started this script with the machine's Python. */
function running(script: string, platform: Platform = 'linux'): readonly Component[] {
  const entry = {
    pid: 400,
    uid: 1001,
    account: 'ana',
    comm: 'python3',
    exe: '/usr/bin/python3.12',
    cwd: '/',
    argv: ['python3', script, '--api-key', 'CANARY-key'],
  };
  const world = folderWorld(top, platform, { catalogue, processes: [entry] });
  return scanWorld(world, { detectors: [processes] }).components;
}

test.each(['pipx', 'uv'] as const)(
  'a tool of %s that runs, by the link it was started with',
  (by) => {
    const home = path.join(top, 'home/ana');
    (by === 'pipx' ? made.pipx : made.uvTool)(home, made.aider('0.86.1'));
    const components = running('/home/ana/.local/bin/aider');
    expect(components).toMatchObject([
      {
        tool: 'aider',
        channel: 'process',
        manager: by,
        name: 'aider-chat',
        version: '0.86.1',
        purl: 'pkg:pypi/aider-chat@0.86.1',
        owner: 'ana',
        state: 'running',
      },
    ]);
    expect(JSON.stringify(components)).not.toContain('CANARY');
  },
);

test.each([
  ['linux', 'home/ana/.local/lib/python3.12/site-packages', '/home/ana/.local/bin/litellm'],
  ['linux', 'opt/conda/lib/python3.12/site-packages', '/opt/conda/bin/litellm'],
  [
    'darwin',
    'Users/ana/Library/Python/3.12/lib/python/site-packages',
    '/Users/ana/Library/Python/3.12/bin/litellm',
  ],
] as const)('a package of %s in %s, by the script beside it', (platform, site, script) => {
  fs.mkdirSync(path.join(top, platform === 'linux' ? 'home/ana' : 'Users/ana'), {
    recursive: true,
  });
  made.wheelInto(path.join(top, site), made.litellm('1.78.5'));
  program(top, script, '#!/usr/bin/python3\nfrom litellm.main import main\n');
  expect(running(script, platform)).toMatchObject([
    { tool: 'litellm', version: '1.78.5', manager: 'pip', state: 'running' },
  ]);
});

test('a script that no package declares is nothing, whatever its name', () => {
  const home = path.join(top, 'home/ana');
  made.wheelInto(path.join(home, '.local/lib/python3.12/site-packages'), made.litellm('1.78.5'));
  program(home, '.local/bin/aider', '#!/usr/bin/python3\n');
  program(home, 'code/litellm', '#!/usr/bin/python3\n');
  expect(running('/home/ana/.local/bin/aider')).toEqual([]);
  expect(running('/home/ana/code/litellm')).toEqual([]);
});

test('the launcher that pip or uv writes on Windows is no second install', () => {
  const home = path.join(top, 'Users/ana');
  made.wheelInto(
    path.join(home, 'AppData/Roaming/uv/tools/aider-chat/Lib/site-packages'),
    made.aider('0.86.1'),
  );
  place(
    home,
    '.local/bin/aider.exe',
    `MZ launcher ${'\0'.repeat(20_000)}PK\u0003\u0004__main__.py`,
  );
  const world = folderWorld(top, 'win32', { catalogue });
  const { components } = scanWorld(world, { detectors: [python, executables] });
  expect(components.map(({ channel, tool }) => [channel, tool])).toEqual([['pypi', 'aider']]);
});

test('a program of that name that is no such launcher still counts on Windows', () => {
  program(path.join(top, 'Users/ana'), '.local/bin/aider.exe', 'MZ a program');
  const world = folderWorld(top, 'win32', { catalogue });
  const { components } = scanWorld(world, { detectors: [executables] });
  expect(components).toMatchObject([{ channel: 'executable', tool: 'aider', confidence: 'low' }]);
});

test.each([
  [
    'win32',
    'Users/ana/AppData/Roaming/uv/tools/aider-chat/Lib/site-packages',
    'C:\\Users\\ana\\AppData\\Roaming\\uv\\tools\\aider-chat\\Scripts\\python.exe',
    'C:\\Users\\ana\\.local\\bin\\aider.exe',
  ],
  [
    'linux',
    'home/ana/env/lib/python3.12/site-packages',
    '/home/ana/env/bin/python3',
    '/home/ana/bin/aider',
  ],
] as const)(
  'on %s a command far from its environment, by its interpreter',
  (platform, site, exe, script) => {
    made.wheelInto(path.join(top, site), made.aider('0.86.1'));
    program(top, exe.replace(/^C:/, '').replaceAll('\\', '/'), 'PYTHON');
    const entry = { pid: 400, uid: null, account: 'ana', comm: null, exe: null, cwd: null };
    const started = (argv: readonly string[]): readonly Component[] => {
      const world = folderWorld(top, platform, { catalogue, processes: [{ ...entry, argv }] });
      return scanWorld(world, { detectors: [processes] }).components;
    };
    expect(started([exe, script, '--api-key', 'CANARY'])).toMatchObject([
      { tool: 'aider', name: 'aider-chat', version: '0.86.1', owner: 'ana', path: script },
    ]);
    expect(started([exe, `${script}-notes`])).toEqual([]);
  },
);
