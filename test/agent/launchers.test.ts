/**
 * Scripts on a PATH that stand for a program elsewhere: wrappers, shims of package managers, scripts of
 * Python environments, and what Nix links into a profile. Real files; nothing is ever run.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { executables } from '../../agent/detect/executables.js';
import { npmDetector } from '../../agent/detect/npm.js';
import { python } from '../../agent/detect/python.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component, Platform } from '../../policies/component.js';
import * as native from '../worlds/native.js';
import * as programs from '../worlds/programs.js';

const catalogue = builtInCatalogue();
let root: string;

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-launchers-')));
  fs.mkdirSync(path.join(root, 'home/ana'), { recursive: true });
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function scan(platform: Platform = 'linux'): readonly Component[] {
  const world = folderWorld(root, platform, { catalogue });
  return scanWorld(world, { detectors: [npmDetector, python, executables] }).components;
}

const seen = (platform?: Platform) =>
  scan(platform).map(({ tool, version, state, path: at }) => [tool, version, state, at]);

const script = (file: string, text: string): string => native.program(root, file, text);

function codexIn(folder: string): string {
  const record = { name: '@openai/codex', version: '0.50.0', bin: { codex: 'bin/codex.js' } };
  native.place(root, `${folder}/node_modules/@openai/codex/package.json`, JSON.stringify(record));
  script(`${folder}/node_modules/@openai/codex/bin/codex.js`, '#!/usr/bin/env node\n');
  native.link(
    root,
    `${folder}/node_modules/.bin/codex`,
    path.join(root, folder, 'node_modules/@openai/codex/bin/codex.js'),
  );
  return `/${folder}/node_modules/@openai/codex`;
}

const claudeProgram = programs.elf([
  {
    name: '.rodata',
    bytes: Buffer.from('\0PACKAGE_URL:"@anthropic-ai/claude-code",VERSION:"2.1.50"\0'),
  },
]);

describe('a wrapper under a name of its own', () => {
  test.each([
    '#!/bin/sh\nexec /home/ana/tools/ai/node_modules/.bin/codex "$@"\n',
    '#!/usr/bin/env bash\nAI="$HOME/tools/ai"\nexec node "$AI/node_modules/@openai/codex/bin/codex.js" "$@"\n',
    '#!/bin/sh\nbasedir=$(dirname "$(echo "$0" | sed -e \'s,\\\\,/,g\')")\nexec node  "$basedir/../tools/ai/node_modules/@openai/codex/bin/codex.js" "$@"\n',
    '#!/bin/bash\nHERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"\n"$HERE/../tools/ai/node_modules/.bin/codex" ${1+"$@"}\n',
    '#!/usr/bin/env fish\n/home/ana/tools/ai/node_modules/.bin/codex $argv\n',
  ])('is the package that it starts (%#)', (text) => {
    const folder = codexIn('home/ana/tools/ai');
    script('home/ana/bin/ask', text);
    expect(seen()).toEqual([['codex-cli', '0.50.0', 'installed', folder]]);
  });

  test('is the program that it starts, by what that holds', () => {
    fs.mkdirSync(path.join(root, 'home/ana/tools'));
    fs.writeFileSync(path.join(root, 'home/ana/tools/x'), claudeProgram, { mode: 0o755 });
    script('home/ana/bin/notes', '#!/bin/sh\nexec "$HOME/tools/x" "$@"\n');
    expect(seen()).toEqual([['claude-code', '2.1.50', 'installed', '/home/ana/tools/x']]);
  });

  test('around other wrappers is what the innermost starts, and a ring of them is nothing', () => {
    const folder = codexIn('home/ana/tools/ai');
    script('home/ana/bin/ask', '#!/bin/sh\nexec /home/ana/x/one "$@"\n');
    script('home/ana/x/one', '#!/bin/sh\nexec "${0%/*}/two" "$@"\n');
    script('home/ana/x/two', '#!/bin/sh\nexec ~/tools/ai/node_modules/.bin/codex "$@"\n');
    script('home/ana/bin/a', '#!/bin/sh\nexec /home/ana/bin/b "$@"\n');
    script('home/ana/bin/b', '#!/bin/sh\nexec /home/ana/bin/a "$@"\n');
    expect(seen()).toEqual([['codex-cli', '0.50.0', 'installed', folder]]);
  });

  test('that leads into the home of somebody else is nothing', () => {
    codexIn('home/ben/tools/ai');
    script('home/ana/bin/ask', '#!/bin/sh\nexec /home/ben/tools/ai/node_modules/.bin/codex "$@"\n');
    expect(seen()).toEqual([]);
  });

  test('that only mentions a program, or starts it without its own arguments, is nothing', () => {
    codexIn('home/ana/tools/ai');
    script(
      'home/ana/bin/a',
      '#!/bin/sh\n# exec /home/ana/tools/ai/node_modules/.bin/codex "$@"\necho hi\n',
    );
    script('home/ana/bin/b', '#!/bin/sh\nrm /home/ana/tools/ai/node_modules/.bin/codex\n');
    expect(seen()).toEqual([]);
  });

  test('of Windows is the package that it starts, told once for all its scripts', () => {
    const folder = 'Users/ana/.local/bin';
    codexIn('tools/ai');
    native.place(
      root,
      `${folder}/ask.cmd`,
      '@node "C:\\tools\\ai\\node_modules\\@openai\\codex\\bin\\codex.js" %*\r\n',
    );
    native.place(
      root,
      `${folder}/codex.cmd`,
      '@set D=C:\\tools\r\n@"%D%\\ai\\node_modules\\@openai\\codex\\bin\\codex.js" %*\r\n',
    );
    native.place(
      root,
      `${folder}/codex.ps1`,
      '& node "C:/tools/ai/node_modules/@openai/codex/bin/codex.js" $args\r\n',
    );
    expect(seen('win32')).toEqual([
      ['codex-cli', '0.50.0', 'installed', 'C:\\tools\\ai\\node_modules\\@openai\\codex'],
    ]);
  });
});

describe("a wrapper under a tool's name", () => {
  test('whose program is gone is a trace (C023, C032)', () => {
    script(
      'home/ana/bin/claude',
      '#!/bin/sh\nexec /home/ana/.local/share/claude/versions/2.1.9 "$@"\n',
    );
    script(
      'home/ana/bin/codex',
      '#!/bin/sh\nexec node "$HOME/x/node_modules/@openai/codex/bin/codex.js" "$@"\n',
    );
    expect(seen()).toEqual([
      ['claude-code', null, 'residual', '/home/ana/bin/claude'],
      ['codex-cli', null, 'residual', '/home/ana/bin/codex'],
    ]);
  });

  test('is no second install beside the program that it starts', () => {
    native.claudeNative(path.join(root, 'home/ana'), ['2.1.9'], null);
    script(
      'home/ana/bin/claude',
      '#!/bin/sh\nexec "$HOME/.local/share/claude/versions/2.1.9" "$@"\n',
    );
    expect(seen()).toEqual([
      ['claude-code', '2.1.9', 'installed', '/home/ana/.local/share/claude/versions/2.1.9'],
    ]);
  });

  test('that hands nothing on is as much as its name can say', () => {
    script('home/ana/bin/claude', '#!/bin/sh\necho claude is not for you\n');
    expect(scan()).toMatchObject([{ tool: 'claude-code', confidence: 'low', state: 'installed' }]);
  });
});

describe('a script of Deno', () => {
  const text = 'exec deno run --allow-all --no-config \'npm:@openai/codex@0.50.0\' "$@"\n';

  test('is the package that it names, with the version', () => {
    script('home/ana/.deno/bin/any', `#!/bin/sh\n# generated by deno install\n${text}`);
    script(
      'home/ana/.deno/bin/serve',
      '#!/bin/sh\nexec deno run \'jsr:@std/http/file-server\' "$@"\n',
    );
    expect(scan()).toMatchObject([
      {
        tool: 'codex-cli',
        channel: 'npm',
        manager: 'deno',
        purl: 'pkg:npm/%40openai/codex@0.50.0',
      },
    ]);
  });

  test('of Windows counts once, whatever shells it is written for', () => {
    script('Users/ana/.deno/bin/codex', `#!/bin/sh\n${text}`);
    native.place(
      root,
      'Users/ana/.deno/bin/codex.cmd',
      '@deno "run" "--allow-all" "npm:@openai/codex@0.50.0" %*\r\n',
    );
    expect(scan('win32')).toMatchObject([{ tool: 'codex-cli', version: '0.50.0', owner: 'ana' }]);
  });
});

describe('a script of a Python environment that no list names', () => {
  function aiderIn(folder: string): string {
    const site = `${folder}/lib/python3.12/site-packages`;
    const record = `${site}/aider_chat-0.86.1.dist-info`;
    native.place(
      root,
      `${record}/METADATA`,
      'Metadata-Version: 2.1\nName: aider-chat\nVersion: 0.86.1\n\n',
    );
    native.place(root, `${record}/RECORD`, 'aider/__init__.py,,\naider/main.py,,\n');
    return `/${record}`;
  }
  const body =
    'import re\nimport sys\nfrom aider.main import main\nif __name__ == "__main__":\n    sys.exit(main())\n';

  test.each([
    [
      'linked under its name',
      'opt/aider',
      'usr/local/bin/aider',
      '#!/opt/aider/bin/python3\n',
      null,
    ],
    [
      'copied under another',
      'home/ana/env/a',
      'home/ana/bin/pair',
      '#!/home/ana/env/a/bin/python3\n',
      'ana',
    ],
    [
      'with a long first line',
      'home/ana/env/b',
      'home/ana/bin/aider',
      "#!/bin/sh\n'''exec' \"/home/ana/env/b/bin/python3\" \"$0\" \"$@\"\n' '''\n",
      'ana',
    ],
  ])('is its package: %s', (_, folder, file, first, owner) => {
    const record = aiderIn(folder);
    script(file, first + body);
    expect(scan()).toMatchObject([
      { tool: 'aider', channel: 'pypi', version: '0.86.1', path: record, owner },
    ]);
  });

  test('is nothing without the package', () => {
    script('home/ana/bin/aider', `#!/home/ana/env/a/bin/python3\n${body}`);
    expect(seen()).toEqual([]);
  });
});

describe('a profile of Nix', () => {
  const store = (name: string): string => `nix/store/0123456789abcdfghijklmnpqrsvwxyz-${name}`;

  test('belongs to its owner, with name and version of the package in the store', () => {
    script(`${store('codex-0.60.0')}/bin/codex`, 'BIN');
    native.link(
      root,
      `${store('user-environment')}/bin/codex`,
      `/${store('codex-0.60.0')}/bin/codex`,
    );
    native.link(root, 'home/ana/.nix-profile', '/nix/var/nix/profiles/per-user/ana/profile');
    native.link(root, 'nix/var/nix/profiles/per-user/ana/profile', 'profile-3-link');
    native.link(
      root,
      'nix/var/nix/profiles/per-user/ana/profile-3-link',
      `/${store('user-environment')}`,
    );
    expect(scan()).toMatchObject([
      {
        tool: 'codex-cli',
        channel: 'package',
        manager: 'nix',
        name: 'codex',
        version: '0.60.0',
        owner: 'ana',
        path: `/${store('codex-0.60.0')}`,
        confidence: 'high',
      },
    ]);
  });

  test('of the machine belongs to nobody, and what no profile links is not installed', () => {
    script(`${store('ollama-0.12.0')}/bin/ollama`, 'BIN');
    script(`${store('codex-0.60.0')}/bin/codex`, 'BIN');
    native.link(
      root,
      `${store('system-path')}/bin/ollama`,
      `/${store('ollama-0.12.0')}/bin/ollama`,
    );
    native.link(root, 'run/current-system/sw', `/${store('system-path')}`);
    expect(scan()).toMatchObject([
      { tool: 'ollama', manager: 'nix', version: '0.12.0', owner: null },
    ]);
  });

  test('with a package that only shares a command is less sure', () => {
    script(`${store('team-tools-1.2')}/bin/codex`, 'BIN');
    native.link(root, 'home/ana/.nix-profile', `/${store('team-tools-1.2')}`);
    expect(scan()).toMatchObject([{ tool: 'codex-cli', name: 'team-tools', confidence: 'medium' }]);
  });
});

test('a package that npm has linked to the folder in which it is made is one install', () => {
  const record = { name: '@google/gemini-cli', version: '9.9.9', bin: { gemini: 'x.js' } };
  native.place(root, 'home/ana/code/agent/package.json', JSON.stringify(record));
  script('home/ana/code/agent/x.js', '#!/usr/bin/env node\n');
  const modules = 'home/ana/.npm-global/lib/node_modules';
  native.link(root, `${modules}/@google/gemini-cli`, '../../../../code/agent');
  native.link(
    root,
    'home/ana/.npm-global/bin/gemini',
    '../lib/node_modules/@google/gemini-cli/x.js',
  );
  expect(seen()).toEqual([['gemini-cli', '9.9.9', 'installed', `/${modules}/@google/gemini-cli`]]);
});

describe('a link in a home to a program of the machine', () => {
  test('that is on no PATH is found by its place, its record or its command', () => {
    const folder = codexIn('opt/ai');
    native.link(root, 'home/ana/.local/bin/cx', `${folder}/bin/codex.js`);
    script('opt/vendor/bin/claude', 'BIN');
    native.link(root, 'home/ana/.local/bin/claude', '/opt/vendor/bin/claude');
    expect(seen()).toEqual([
      ['claude-code', null, 'installed', '/opt/vendor/bin/claude'],
      ['codex-cli', '0.50.0', 'installed', folder],
    ]);
  });

  test('is not followed when only the home is looked at', () => {
    codexIn('opt/ai');
    const home = path.join(root, 'home/ana');
    native.link(home, '.local/bin/codex', path.join(root, 'opt/ai/node_modules/.bin/codex'));
    expect(scanWorld(homesWorld([home], { catalogue })).components).toEqual([]);
  });
});

describe('a copy of one program under many names', () => {
  test.each([
    'Users/ana/AppData/Local/Volta/bin/codex.exe',
    'Users/ana/AppData/Local/mise/shims/codex.exe',
    'Users/ana/.proto/shims/codex.exe',
    'Users/ana/.pyenv/pyenv-win/shims/aider.exe',
  ])('is never the tool by its name (C026): %s', (file) => {
    const folder = path.win32.dirname(`C:/${file}`);
    native.program(root, file, 'MZ copy');
    native.link(root, 'Users/ana/.local/bin/codex.exe', path.join(root, file));
    expect([folder, seen('win32')]).toEqual([folder, []]);
  });

  test("is not one of Bun's, whose package is told or gone", () => {
    native.program(root, 'Users/ana/.bun/bin/codex.exe', 'MZ copy');
    expect(scan('win32')).toMatchObject([{ tool: 'codex-cli', confidence: 'low' }]);
    native.place(root, 'Users/ana/.bun/bin/codex.bunx', 'x');
    expect(seen('win32')).toEqual([]);
  });

  test("of chocolatey's without its package is a trace", () => {
    native.program(root, 'ProgramData/chocolatey/bin/ollama.exe', 'MZ copy');
    native.program(root, 'Users/ana/.local/bin/x.txt', '');
    expect(scan('win32')).toMatchObject([{ tool: 'ollama', state: 'residual' }]);
  });
});
