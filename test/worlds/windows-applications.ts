/**
 * Programs with a window on a Windows machine: their folders, the uninstall keys in the registry, the
 * folders of packaged apps, and keys and folders that only look like a tool.
 */
import type { Machine } from './windows-machine.js';
import { home, kim, local, windowsPath } from './windows-places.js';

const uninstall = 'Microsoft\\Windows\\CurrentVersion\\Uninstall';

interface Uninstall {
  /** null: for all people. */
  readonly account: string | null;
  readonly id: string;
  readonly name: string;
  readonly publisher: string;
  readonly version: string;
  readonly at: string;
  /** Below the 32-bit view of the registry. */
  readonly is32Bit?: boolean;
  readonly program?: string;
}

export function uninstallKey(machine: Machine, entry: Uninstall): void {
  const { account, id, name, publisher, version, at, is32Bit = false, program } = entry;
  const above = account === null ? (is32Bit ? 'WOW6432Node\\' : '') : 'Software\\';
  const folder = windowsPath(at);
  machine.key(account, `${above}${uninstall}\\${id}`, {
    DisplayName: name,
    DisplayVersion: version,
    Publisher: publisher,
    InstallLocation: `${folder}\\`,
    UninstallString: `"${folder}\\unins000.exe"`,
    ...(program === undefined ? {} : { DisplayIcon: `${folder}\\${program}` }),
    EstimatedSize: 512_000,
  });
}

interface App extends Omit<Uninstall, 'id'> {
  readonly tool: string;
  readonly program: string;
  readonly id?: string;
  /** Whether the product's own version is in the program's folder. */
  readonly hasRecord?: boolean;
}

/** The app, its record as Electron has it, its key: one install. */
function install(machine: Machine, app: App): void {
  const { at, program, version, account, tool, hasRecord = true } = app;
  machine.program(`${at}/${program}`, version);
  machine.program(`${at}/unins000.exe`);
  machine.filler(`${at}/resources/app/out`, 200);
  if (hasRecord) machine.json(`${at}/resources/app/package.json`, { name: tool, version });
  const guid = [8, 4, 4, 4, 12]
    .map((length) => machine.hex(length))
    .join('-')
    .toUpperCase();
  uninstallKey(machine, { id: `{${guid}}_is1`, ...app });
  machine.found('application', [tool, app.name, version], at, { owner: account });
}

export function plantApplications(machine: Machine): void {
  plantUserApps(machine);
  plantMachineApps(machine);
  plantPackaged(machine);
  plantDecoys(machine);
  machine.note(
    'Uninstall keys: DisplayName of Cursor, Windsurf, Kiro, Antigravity IDE, Ollama, Claude from the catalogue\'s facts; "Ollama version X" is what Inno Setup makes of ollama.iss without AppVerName; of LM Studio "LM Studio X" as electron-builder writes it. Other values are as the installers\' documents say, not seen.',
  );
}

type UserApp = readonly [
  account: string,
  tool: string,
  folder: string,
  program: string,
  name: string,
  publisher: string,
  version: string,
  more?: Partial<App>,
];

const ofOllama = { id: '{44E83376-CE68-45EB-8FC1-393500EB558C}_is1', hasRecord: false };
const userApps: readonly UserApp[] = [
  // The installer says `cursor`, the catalogue `Cursor`: names on Windows have no case.
  ['ana', 'cursor', 'cursor', 'Cursor.exe', 'Cursor (User)', 'Anysphere', '3.12.10'],
  ['ana', 'kiro', 'Kiro', 'Kiro.exe', 'Kiro (User)', 'Amazon Web Services', '0.4.25'],
  [
    'ana',
    'ollama',
    'Ollama',
    'ollama app.exe',
    'Ollama version 0.12.6',
    'Ollama',
    '0.12.6',
    ofOllama,
  ],
  ['ben', 'trae', 'Trae', 'Trae.exe', 'Trae (User)', 'SPRING (SG) PTE. LTD.', '2.3.5'],
  ['ben', 'zed', 'Zed', 'Zed.exe', 'Zed', 'Zed Industries', '0.210.4', { hasRecord: false }],
  [kim, 'windsurf', 'Windsurf', 'Windsurf.exe', 'Windsurf (User)', 'Codeium', '1.12.20'],
  [kim, 'qoder', 'Qoder IDE', 'Qoder IDE.exe', 'Qoder IDE (User)', 'Qoder', '0.2.19'],
  [
    kim,
    'lm-studio',
    'LM Studio',
    'LM Studio.exe',
    'LM Studio 0.3.30',
    'Element Labs Inc.',
    '0.3.30',
  ],
  [
    kim,
    'google-antigravity',
    'Antigravity IDE',
    'Antigravity IDE.exe',
    'Antigravity IDE (User)',
    'Google',
    '1.11.3',
  ],
];

function plantUserApps(machine: Machine): void {
  for (const [account, tool, folder, program, name, publisher, version, more] of userApps) {
    const at = `${local(account)}/Programs/${folder}`;
    install(machine, { account, tool, program, name, publisher, version, at, ...more });
  }
  machine.program(`${local('ana')}/Programs/Ollama/ollama.exe`);
  // Outside the folders the vendors choose: only the key tells.
  install(machine, {
    account: 'ben',
    tool: 'kiro',
    program: 'Kiro.exe',
    name: 'Kiro (User)',
    publisher: 'Amazon Web Services',
    version: '0.4.20',
    at: `${home('ben')}/Apps/Kiro`,
  });

  const squirrel = `${local('ben')}/AnthropicClaude`;
  machine.program(`${squirrel}/claude.exe`, 'launcher');
  machine.program(`${squirrel}/Update.exe`);
  machine.program(`${squirrel}/app-0.14.10/claude.exe`, '0.14.10');
  machine.filler(`${squirrel}/app-0.14.10/resources`, 100);
  uninstallKey(machine, {
    account: 'ben',
    id: 'AnthropicClaude',
    name: 'Claude',
    publisher: 'Anthropic, PBC',
    version: '0.14.10',
    at: squirrel,
  });
  machine.found('application', ['claude-desktop', 'Claude', '0.14.10'], squirrel);
}

function plantMachineApps(machine: Machine): void {
  install(machine, {
    account: null,
    tool: 'lm-studio',
    program: 'LM Studio.exe',
    name: 'LM Studio 0.3.29',
    publisher: 'Element Labs Inc.',
    version: '0.3.29',
    at: 'Program Files/LM Studio',
  });
  install(machine, {
    account: null,
    tool: 'cursor',
    program: 'Cursor.exe',
    name: 'Cursor',
    publisher: 'Anysphere',
    version: '3.11.2',
    at: 'D/Tools/cursor',
  });
  install(machine, {
    account: null,
    tool: 'windsurf',
    program: 'Windsurf.exe',
    name: 'Windsurf',
    publisher: 'Codeium',
    version: '1.11.4',
    at: 'Program Files (x86)/Windsurf',
    is32Bit: true,
  });
  const plain = [
    ['7-Zip 25.01 (x64)', 'Igor Pavlov', '7-Zip', '25.01'],
    ['Git', 'The Git Development Community', 'Git', '2.51.1'],
    ['Mozilla Firefox (x64 en-US)', 'Mozilla', 'Mozilla Firefox', '144.0'],
  ] as const;
  for (const [name, publisher, folder, version] of plain) {
    uninstallKey(machine, {
      account: null,
      id: name,
      name,
      publisher,
      version,
      at: `Program Files/${folder}`,
    });
    machine.filler(`Program Files/${folder}`, 200);
  }
}

function plantPackaged(machine: Machine): void {
  const apps = 'Program Files/WindowsApps';
  const packaged = (
    [name, version, family]: readonly [string, string, string],
    program: string,
    tool: string,
  ): string => {
    const at = `${apps}/${name}_${version}_x64__${family}`;
    machine.program(`${at}/app/${program}`, version);
    machine.filler(`${at}/app/resources`, 80);
    machine.file(
      `${at}/AppxManifest.xml`,
      `<?xml version="1.0" encoding="utf-8"?>\r\n<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10">\r\n  <Identity Name="${name}" Publisher="CN=X" Version="${version}" ProcessorArchitecture="x64"/>\r\n</Package>\r\n`,
    );
    machine.found('application', [tool, name, version], at, { via: 'msix' });
    return at;
  };
  packaged(['Claude', '1.17282.0.0', 'pzs8sxrjxfjjc'], 'claude.exe', 'claude-desktop');
  packaged(
    ['OpenAI.ChatGPT-Desktop', '1.2025.280.0', '2p2nqsd0c76g0'],
    'ChatGPT.exe',
    'chatgpt-classic',
  );
  const codex = packaged(
    ['OpenAI.Codex', '26.820.7780.0', '2p2nqsd0c76g0'],
    'Codex.exe',
    'codex-app',
  );
  machine.program(`${codex}/app/resources/codex.exe`);
  const own = `${codex}/app/resources/codex.exe`;
  machine.found('executable', ['codex-cli', 'codex', null], own, { state: 'bundled' });
  machine.program(`${apps}/Claude.Monet_2.1.0.0_x64__h8qv1k3z9d0xa/app/claude.exe`);
  machine.decoy(
    "another publisher's package (synthetic family)",
    `${apps}/Claude.Monet_2.1.0.0_x64__h8qv1k3z9d0xa`,
  );
  machine.program(`${apps}/Claude_9.9.0.0_x64__h8qv1k3z9d0xa/app/claude.exe`);
  machine.decoy(
    "another publisher's package of the same name (synthetic family)",
    `${apps}/Claude_9.9.0.0_x64__h8qv1k3z9d0xa`,
  );
  const deleted = `${apps}/Deleted/Claude_1.16000.0.0_x64__pzs8sxrjxfjjc${machine.hex(8)}`;
  machine.program(`${deleted}/app/claude.exe`);
  machine.decoy('packaged app that waits to be deleted', deleted, 'residual');
}

function plantDecoys(machine: Machine): void {
  const pointer = 'Program Files/Pointer Tools/Cursor';
  machine.program(`${pointer}/PointerSettings.exe`);
  uninstallKey(machine, {
    account: null,
    id: 'PointerTools',
    name: 'Cursor',
    publisher: 'Example Pointer Tools Ltd',
    version: '2.0',
    at: pointer,
    program: 'PointerSettings.exe',
  });
  machine.decoy("another vendor's app with the same display name (synthetic)", pointer);
  uninstallKey(machine, {
    account: 'ana',
    id: '{0B1C77A2-4F7E-4B8C-9D11-7A6E1C2D3F40}_is1',
    name: 'Windsurf (User)',
    publisher: 'Codeium',
    version: '1.9.0',
    at: `${local('ana')}/Programs/Windsurf`,
    program: 'Windsurf.exe',
  });
  machine.decoy(
    'uninstall key whose files are gone',
    `${local('ana')}/Programs/Windsurf`,
    'residual',
  );
  const theme = 'Program Files/Cursor Themes';
  machine.program(`${theme}/themes.exe`);
  uninstallKey(machine, {
    account: null,
    id: 'CursorThemes',
    name: 'Cursor Themes',
    publisher: 'Anysphere Fans',
    version: '1.0',
    at: theme,
  });
  machine.decoy('display name that only begins like the tool (synthetic)', theme);
  machine.folder(`${local('ben')}/Programs/cursor/locales`);
  machine.decoy(
    'folder of an app whose program is gone',
    `${local('ben')}/Programs/cursor`,
    'residual',
  );
  machine.file(`${home('ana')}/Desktop/Cursor.lnk`, Buffer.from([0x4c, 0, 0, 0]));
  machine.decoy('shortcut on the desktop', `${home('ana')}/Desktop/Cursor.lnk`);
}
