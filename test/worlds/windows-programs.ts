/**
 * Command-line programs that vendors' own installers and people put on a Windows machine, copies that
 * other programs bring along, and programs of other vendors with the same names.
 */
import type { Machine } from './windows-machine.js';
import { home, kim, local, roaming } from './windows-places.js';

/** As in a Go program's build information. */
const goModule = (module: string, version: string): string =>
  `\0path\t${module}\nmod\t${module}\t${version}\t\nbuild\t-compiler=gc\n\0`;

export function plantPrograms(machine: Machine): void {
  plantNative(machine);
  plantBundled(machine);
  plantDecoys(machine);
}

function plantNative(machine: Machine): void {
  const versions = `${home('ana')}/.local/share/claude/versions`;
  for (const version of ['2.1.91', '2.1.120']) {
    machine.program(`${versions}/${version}`, version);
    machine.found('executable', ['claude-code', 'claude', version], `${versions}/${version}`, {
      via: 'native',
    });
  }
  machine.program(`${home('ana')}/.local/bin/claude.exe`, '2.1.120');
  machine.found(
    'executable',
    ['claude-code', 'claude', null],
    `${home('ana')}/.local/bin/claude.exe`,
    { via: 'native' },
  );
  machine.note(
    'claude: that the native installer copies the program to .local\\bin\\claude.exe is believed, not seen; a version there is not on record.',
  );

  const agent = `${local('ana')}/cursor-agent`;
  const inVersion = `${agent}/versions/2026.09.15-d2fe57e`;
  for (const command of ['agent', 'cursor-agent']) {
    machine.file(
      `${agent}/${command}.cmd`,
      `@echo off\r\npowershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0${command}.ps1" %*\r\n`,
    );
    machine.file(`${agent}/${command}.ps1`, '$versions = Join-Path $PSScriptRoot "versions"\n');
  }
  machine.program(`${inVersion}/node.exe`);
  machine.file(`${inVersion}/index.js`, '// agent\n');
  machine.file(
    `${inVersion}/cursor-agent.cmd`,
    '@echo off\r\n"%~dp0node.exe" "%~dp0index.js" %*\r\n',
  );
  machine.file(
    `${inVersion}/cursor-agent.ps1`,
    '& "$PSScriptRoot\\node.exe" "$PSScriptRoot\\index.js" @args\n',
  );
  machine.found('executable', ['cursor-agent', 'cursor-agent', '2026.09.15-d2fe57e'], inVersion, {
    also: ['cursor-agent.cmd', 'agent.cmd', 'cursor-agent.ps1', 'agent.ps1'].map(
      (each) => `${agent}/${each}`,
    ),
    via: 'native',
  });
  machine.note(
    'cursor-agent: folder, launchers and versions from issue threads of tools that look for it; the files of a version folder are a guess after the Linux layout.',
  );

  const releases = `${home('ben')}/.codex/packages/standalone`;
  const release = `${releases}/releases/0.141.0-x86_64-pc-windows-msvc`;
  for (const name of ['codex', 'codex-command-runner', 'rg'])
    machine.program(`${release}/bin/${name}.exe`, name);
  machine.link(`${releases}/current`, release);
  machine.link(`${local('ben')}/Programs/OpenAI/Codex/bin`, `${releases}/current/bin`);
  machine.key('ben', 'Environment', {
    Path: '%USERPROFILE%\\AppData\\Local\\Programs\\OpenAI\\Codex\\bin;%USERPROFILE%\\.local\\bin;D:\\Tools\\bin',
  });
  machine.found('executable', ['codex-cli', 'codex', '0.141.0'], `${release}/bin/codex.exe`, {
    also: [`${local('ben')}/Programs/OpenAI/Codex/bin/codex.exe`],
    via: 'native',
  });

  const qoder = `${home(kim)}/.qoder/bin/qodercli`;
  // Windows compares names without regard to case: so does whoever writes them.
  machine.program(`${qoder}/QoderCLI-1.0.3.EXE`);
  machine.found('executable', ['qoder-cli', 'qodercli', '1.0.3'], `${qoder}/QoderCLI-1.0.3.EXE`, {
    via: 'native',
  });
  plantLoose(machine);
}

/** Programs that a person copied into a folder on the PATH. */
function plantLoose(machine: Machine): void {
  const rows: readonly (readonly [string, string, string, string])[] = [
    [`${home(kim)}/.local/bin/opencode.exe`, 'opencode', 'opencode', ''],
    [
      `${home('ana')}/.local/bin/goose.exe`,
      'goose',
      'goose',
      '\0crates/goose-cli/src/main.rs\0https://block.github.io/goose/\0',
    ],
    [
      `${home(kim)}/.local/bin/crush.exe`,
      'crush',
      'crush',
      goModule('github.com/charmbracelet/crush', '(devel)'),
    ],
    [`${home(kim)}/.lmstudio/bin/lms.exe`, 'lm-studio', 'lms', ''],
    ['D/Tools/bin/llama-server.exe', 'llama-cpp', 'llama-server', ''],
  ];
  for (const [at, tool, name, marker] of rows) {
    machine.program(at, marker);
    machine.found('executable', [tool, name, null], at);
  }
}

function plantBundled(machine: Machine): void {
  const own = `${roaming('ana')}/Claude/claude-code/2.1.119/claude.exe`;
  machine.program(own, '2.1.119');
  machine.found('executable', ['claude-code', 'claude', '2.1.119'], own, {
    state: 'bundled',
    via: 'desktop',
  });
  // A packaged app sees its own copy of AppData\Roaming.
  const packaged = `${local(kim)}/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude-code/2.1.121/claude.exe`;
  machine.program(packaged, '2.1.121');
  machine.found('executable', ['claude-code', 'claude', '2.1.121'], packaged, {
    state: 'bundled',
    via: 'desktop',
  });
}

function plantDecoys(machine: Machine): void {
  const bin = `${home('ana')}/.local/bin`;
  machine.program(
    `${home('ana')}/go/bin/goose.exe`,
    goModule('github.com/pressly/goose/v3', 'v3.26.0'),
  );
  machine.decoy('the SQL migration tool of the same name', `${home('ana')}/go/bin/goose.exe`);
  machine.program(`${bin}/copilot.exe`, goModule('github.com/aws/copilot-cli', 'v1.34.1'));
  machine.decoy('the AWS Copilot CLI, same program name', `${bin}/copilot.exe`);
  machine.file(`${bin}/claude.txt`, 'remember: ask about claude\r\n');
  machine.decoy('a text file called like the tool on the PATH', `${bin}/claude.txt`);
  machine.file(`${bin}/agent.cmd`, '@echo off\r\nssh-agent %*\r\n');
  machine.decoy('an in-house script with a generic name', `${bin}/agent.cmd`);
  machine.file(`${home('ana')}/.local/share/claude/versions/2.1.119`, '');
  machine.decoy(
    'empty file where a version was being downloaded',
    `${home('ana')}/.local/share/claude/versions/2.1.119`,
    'residual',
  );
  machine.link(`${home('ben')}/.local/bin/gemini.exe`, `${home('ben')}/gone/gemini.exe`);
  machine.decoy(
    'link to a program that is gone',
    `${home('ben')}/.local/bin/gemini.exe`,
    'residual',
  );
  machine.program('D/Tools/bin/claude-usage.exe');
  machine.decoy(
    'program whose name only begins like the tool (synthetic)',
    'D/Tools/bin/claude-usage.exe',
  );
  for (const [account, folder] of [
    ['ben', '.claude'],
    ['ben', '.factory'],
    [kim, '.openclaw'],
  ] as const) {
    machine.json(`${home(account)}/${folder}/settings.json`, {});
    machine.decoy('state folder: no install of its own', `${home(account)}/${folder}`, 'residual');
  }
  // An app execution alias has no bytes; the packaged app behind it is the install.
  machine.file(`${local('ana')}/Microsoft/WindowsApps/claude.exe`, '');
  machine.decoy(
    'alias of a packaged app',
    `${local('ana')}/Microsoft/WindowsApps/claude.exe`,
    'residual',
  );
  machine.note(
    'App execution aliases are reparse points of their own kind; here an empty file stands for one.',
  );
}
