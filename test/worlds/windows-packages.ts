/**
 * What winget, scoop and Chocolatey put on a Windows machine: folders per package, links, shims and
 * the registry's record of portable packages, with packages of other vendors that share a name.
 */
import type { Machine } from './windows-machine.js';
import { home, kim, local, windowsPath } from './windows-places.js';
import { uninstallKey } from './windows-applications.js';

export function plantPackages(machine: Machine): void {
  plantWinget(machine);
  plantScoop(machine);
  plantChocolatey(machine);
}

const source = '_Microsoft.Winget.Source_8wekyb3d8bbwe';

interface Portable {
  readonly account: string | null;
  readonly id: string;
  readonly name: string;
  readonly publisher: string;
  readonly version: string;
  readonly program: string;
}

/** A portable package: its folder, the link on the PATH, and an uninstall key with its version. */
function portable(machine: Machine, pack: Portable): string {
  const { account, id, program } = pack;
  const above = account === null ? 'Program Files/WinGet' : `${local(account)}/Microsoft/WinGet`;
  const at = `${above}/Packages/${id}${source}`;
  machine.program(`${at}/${program}`, pack.version);
  machine.link(`${above}/Links/${program}`, `${at}/${program}`);
  uninstallKey(machine, { ...pack, id: `${id}${source}`, at });
  const software = account === null ? '' : 'Software\\';
  machine.key(account, `${software}Microsoft\\Windows\\CurrentVersion\\Uninstall\\${id}${source}`, {
    WinGetPackageIdentifier: id,
    WinGetSourceIdentifier: 'Microsoft.Winget.Source_8wekyb3d8bbwe',
    WinGetInstallerType: 'portable',
    SymbolicLinkPath: windowsPath(`${above}/Links/${program}`),
    TargetFullPath: windowsPath(`${at}/${program}`),
  });
  return at;
}

function plantWinget(machine: Machine): void {
  const rows: readonly (readonly [string, Portable])[] = [
    [
      'claude-code',
      {
        account: 'ben',
        id: 'Anthropic.ClaudeCode',
        name: 'Claude Code',
        publisher: 'Anthropic',
        version: '2.1.110',
        program: 'claude.exe',
      },
    ],
    [
      'codex-cli',
      {
        account: kim,
        id: 'OpenAI.Codex',
        name: 'Codex CLI',
        publisher: 'OpenAI',
        version: '0.140.0',
        program: 'codex.exe',
      },
    ],
    [
      'crush',
      {
        account: null,
        id: 'charmbracelet.crush',
        name: 'Crush',
        publisher: 'Charmbracelet',
        version: '0.29.0',
        program: 'crush.exe',
      },
    ],
  ];
  for (const [tool, pack] of rows)
    machine.found('package', [tool, pack.id, pack.version], portable(machine, pack), {
      via: 'winget',
    });
  const others: readonly (readonly [string, Portable])[] = [
    [
      'the SQL migration tool',
      {
        account: 'ben',
        id: 'Pressly.Goose',
        name: 'goose',
        publisher: 'Pressly',
        version: '3.26.0',
        program: 'goose.exe',
      },
    ],
    [
      'the AWS Copilot CLI',
      {
        account: 'ben',
        id: 'Amazon.CopilotCLI',
        name: 'Copilot CLI',
        publisher: 'Amazon',
        version: '1.34.1',
        program: 'copilot.exe',
      },
    ],
    [
      'another product called Crush',
      {
        account: 'ben',
        id: 'kalink0.Crush',
        name: 'Crush',
        publisher: 'kalink0',
        version: '0.4.0',
        program: 'crush-gui.exe',
      },
    ],
  ];
  for (const [why, pack] of others) machine.decoy(`${why}, same name`, portable(machine, pack));
  const left = `${local('ana')}/Microsoft/WinGet/Packages/OpenAI.Codex${source}`;
  machine.folder(left);
  machine.decoy('folder of a portable package that is gone', left, 'residual');
  machine.link(`${local('ana')}/Microsoft/WinGet/Links/codex.exe`, `${left}/codex.exe`);
  machine.decoy(
    'link to a package that is gone',
    `${local('ana')}/Microsoft/WinGet/Links/codex.exe`,
    'residual',
  );
  machine.note(
    'winget: names of portable folders and keys follow microsoft/winget-cli (PortableARPEntry).',
  );
}

interface ScoopApp {
  readonly name: string;
  readonly version: string;
  readonly tool: string;
  readonly program: string;
}

/** `current` is a junction; a shim is a small program with a text file beside it. */
function scoopApp(machine: Machine, scoop: string, { name, version, program }: ScoopApp): string {
  const at = `${scoop}/apps/${name}`;
  machine.json(`${at}/${version}/manifest.json`, { version, bin: program });
  machine.json(`${at}/${version}/install.json`, { architecture: '64bit', bucket: 'main' });
  machine.program(`${at}/${version}/${program}`, version);
  machine.link(`${at}/current`, `${at}/${version}`);
  machine.program(`${scoop}/shims/${program}`, 'shim');
  const shim = program.replace(/\.exe$/, '.shim');
  machine.file(`${scoop}/shims/${shim}`, `path = "${windowsPath(`${at}/current/${program}`)}"\r\n`);
  return at;
}

function plantScoop(machine: Machine): void {
  const own = `${home('ben')}/scoop`;
  const rows: readonly (readonly [string, ScoopApp])[] = [
    [own, { name: 'claude-code', version: '2.1.118', tool: 'claude-code', program: 'claude.exe' }],
    [own, { name: 'ollama', version: '0.12.5', tool: 'ollama', program: 'ollama.exe' }],
    [own, { name: 'opencode', version: '1.18.20', tool: 'opencode', program: 'opencode.exe' }],
    [
      'ProgramData/scoop',
      { name: 'codex', version: '0.139.0', tool: 'codex-cli', program: 'codex.exe' },
    ],
  ];
  for (const [scoop, app] of rows) {
    const at = scoopApp(machine, scoop, app);
    machine.found('package', [app.tool, app.name, app.version], at, { via: 'scoop' });
  }
  machine.program(`${own}/apps/claude-code/2.1.100/claude.exe`);
  machine.json(`${own}/apps/claude-code/2.1.100/manifest.json`, { version: '2.1.100' });
  machine.decoy(
    'version that scoop keeps until it is told to clean up',
    `${own}/apps/claude-code/2.1.100`,
    'residual',
  );
  machine.decoy('the shim of a package that is reported', `${own}/shims/claude.exe`);
  scoopApp(machine, own, { name: 'warp', version: '1.1.0', tool: '', program: 'warp.exe' });
  machine.decoy('scoop package that shares its name with the terminal', `${own}/apps/warp`);
  machine.program(`${own}/shims/qwen.exe`, 'shim');
  machine.file(
    `${own}/shims/qwen.shim`,
    `path = "${windowsPath(`${own}/apps/qwen/current/qwen.exe`)}"\r\n`,
  );
  machine.decoy('shim whose package is gone', `${own}/shims/qwen.exe`, 'residual');
  machine.json(`${own}/buckets/main/bucket/codex.json`, { version: '0.141.0', bin: 'codex.exe' });
  machine.decoy('manifest in a bucket: what could be installed', `${own}/buckets`);
}

function nuspec(id: string, version: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>\r\n<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd">\r\n  <metadata>\r\n    <id>${id}</id>\r\n    <version>${version}</version>\r\n  </metadata>\r\n</package>\r\n`;
}

function plantChocolatey(machine: Machine): void {
  const choco = 'ProgramData/chocolatey';
  machine.file(`${choco}/lib/Ollama/ollama.nuspec`, nuspec('ollama', '0.12.4'));
  machine.program(`${choco}/lib/Ollama/tools/ollama.exe`);
  machine.program(`${choco}/bin/ollama.exe`, 'shimgen');
  machine.found('package', ['ollama', 'ollama', '0.12.4'], `${choco}/lib/Ollama`, {
    via: 'chocolatey',
  });
  machine.file(`${choco}/lib/git/git.nuspec`, nuspec('git', '2.51.1'));
  machine.file(`${choco}/lib-bad/ollama/ollama.nuspec`, nuspec('ollama', '0.12.3'));
  machine.decoy('package whose installation failed', `${choco}/lib-bad/ollama`, 'residual');
  machine.file(
    `${choco}/lib/ollama-models-helper/ollama-models-helper.nuspec`,
    nuspec('ollama-models-helper', '1.0.0'),
  );
  machine.decoy(
    'package whose name only begins like the tool (synthetic)',
    `${choco}/lib/ollama-models-helper`,
  );
  machine.decoy('the shim of a package that is reported', `${choco}/bin/ollama.exe`);
}
