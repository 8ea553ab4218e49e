/**
 * Extensions of editors and plugins of IDEs on a Windows machine, as the editors list them there
 * (`/c:/Users/...` with `_sep`), in profiles, and in the program folders of editors and IDEs.
 */
import { createHash } from 'node:crypto';
import { pluginXml, zip } from './jetbrains.js';
import type { Machine } from './windows-machine.js';
import { home, kim, local, roaming } from './windows-places.js';

export function plantEditors(machine: Machine): void {
  plantExtensions(machine);
  plantProfiles(machine);
  plantPrograms(machine);
  plantDecoys(machine);
  plantJetBrains(machine);
}

/** `native`: the program inside, '' for a platform's own folder without one. */
interface Extension {
  readonly id: string;
  readonly version: string;
  readonly tool: string | null;
  readonly native?: string;
}

const extension = (
  id: string,
  version: string,
  tool: string | null,
  native?: string,
): Extension => {
  return { id, version, tool, ...(native === undefined ? {} : { native }) };
};

const claude = extension(
  'Anthropic.claude-code',
  '2.1.120',
  'claude-code-vscode',
  'resources/native-binary/claude.exe',
);
const codex = extension(
  'openai.chatgpt',
  '0.4.66',
  'openai-chatgpt-vscode',
  'bin/windows-x86_64/codex.exe',
);
const cline = extension('saoudrizwan.claude-dev', '3.34.0', 'cline');
const copilot = extension('GitHub.copilot', '1.388.0', 'github-copilot');
const chat = extension('GitHub.copilot-chat', '0.32.4', 'github-copilot');
const others: readonly Extension[] = [
  extension('Continue.continue', '1.2.10', 'continue', ''),
  extension('RooVeterinaryInc.roo-cline', '3.28.18', 'roo-code'),
  extension('Codeium.codeium', '1.48.2', 'codeium-plugins'),
  extension('TabNine.tabnine-vscode', '3.320.0', 'tabnine'),
  extension('AmazonWebServices.amazon-q-vscode', '1.98.0', 'amazon-q'),
  extension('Google.geminicodeassist', '2.55.0', 'gemini-code-assist'),
];
const plain = ['ms-python.python', 'dbaeumer.vscode-eslint', 'golang.go', 'redhat.vscode-yaml'].map(
  (id) => extension(id, '1.0.0', null),
);

const folderOf = ({ id, version, native }: Extension): string =>
  `${id.toLowerCase()}-${version}${native === undefined ? '' : '-win32-x64'}`;

function unpack(machine: Machine, root: string, each: Extension, folder = folderOf(each)): string {
  const [publisher, name] = each.id.split('.');
  const at = `${root}/${folder}`;
  machine.json(`${at}/package.json`, {
    publisher,
    name,
    version: each.version,
    engines: { vscode: '^1.95.0' },
  });
  machine.filler(`${at}/dist`, machine.int(20, 120));
  return at;
}

/** One line of the list. Windows editors keep the path as a URI has it, with the separator noted. */
function lineOf(root: string, each: Extension, drive: string): unknown {
  const folder = folderOf(each);
  const hash = createHash('md5').update(each.id).digest('hex');
  const external = `file:///${drive}%3A/${encodeURI(root)}/${folder}`;
  return {
    identifier: {
      id: each.id.toLowerCase(),
      uuid: hash.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    },
    version: each.version,
    location: {
      $mid: 1,
      fsPath: `${drive}:\\${root.replaceAll('/', '\\')}\\${folder}`,
      _sep: 1,
      external,
      path: `/${drive}:/${root}/${folder}`,
      scheme: 'file',
    },
    relativeLocation: folder,
    metadata: {
      installedTimestamp: 1_760_000_000_000,
      source: 'gallery',
      targetPlatform: each.native === undefined ? 'undefined' : 'win32-x64',
    },
  };
}

/** `hasRelative` false: an older editor, whose list has the whole path alone. */
function install(
  machine: Machine,
  root: string,
  list: readonly Extension[],
  hasRelative = true,
): void {
  const via = root.split('/').at(-2)?.slice(1) ?? '';
  const lines = list.map((each) => {
    const at = unpack(machine, root, each);
    if (each.tool !== null)
      machine.found('editor-extension', [each.tool, each.id.toLowerCase(), each.version], at, {
        via,
      });
    if (each.native) {
      const tool = each === codex ? 'codex-cli' : 'claude-code';
      const program = `${at}/${each.native}`;
      machine.program(program);
      const name = tool === 'codex-cli' ? 'codex' : 'claude';
      machine.found('executable', [tool, name, null], program, { state: 'bundled', via });
    }
    const line = lineOf(root, each, 'c') as Record<string, unknown>;
    return hasRelative ? line : { ...line, relativeLocation: undefined };
  });
  machine.file(`${root}/extensions.json`, JSON.stringify(lines));
}

const theme = extension('anthropic.claude-code-theme', '1.0.2', null);

function plantExtensions(machine: Machine): void {
  const code = `${home('ana')}/.vscode/extensions`;
  install(machine, code, [...plain, theme, claude, codex, copilot, chat, ...others]);
  install(machine, `${home('ana')}/.cursor/extensions`, [...plain, claude]);
  install(machine, `${home(kim)}/.windsurf/extensions`, [...plain, codex]);
  install(machine, `${home(kim)}/.qoder/extensions`, [...plain, cline], false);
  install(machine, `${home('ben')}/.vscode-insiders/extensions`, [...plain, cline]);
}

/** A named profile lists extensions of the same folder on its own. */
function plantProfiles(machine: Machine): void {
  const root = `${home('ben')}/.vscode/extensions`;
  install(machine, root, plain);
  const at = unpack(machine, root, chat);
  machine.found('editor-extension', [chat.tool, 'github.copilot-chat', chat.version], at, {
    via: 'vscode',
  });
  const profile = `${roaming('ben')}/Code/User/profiles/-5ea8d1c3`;
  machine.file(`${profile}/extensions.json`, JSON.stringify([lineOf(root, chat, 'c')]));
  machine.json(`${profile}/settings.json`, {});
}

/** What an editor ships; newer ones keep a folder per build, named by the head of its commit. */
function plantPrograms(machine: Machine): void {
  const product = { dataFolderName: '.vscode', nameShort: 'Code' };
  const bundled = (app: string): void => {
    machine.json(`${app}/product.json`, product);
    machine.json(`${app}/package.json`, { name: 'Code', version: '1.116.0' });
    const at = unpack(machine, `${app}/extensions`, chat, 'copilot');
    unpack(machine, `${app}/extensions`, extension('vscode.git', '1.0.0', null), 'git');
    machine.found('editor-extension', ['github-copilot', 'github.copilot-chat', chat.version], at, {
      state: 'bundled',
      via: 'vscode',
    });
  };
  const newer = `${local('ana')}/Programs/Microsoft VS Code`;
  machine.program(`${newer}/Code.exe`);
  machine.file(`${newer}/bin/code.cmd`, '@echo off\r\n');
  bundled(`${newer}/b2f1d4c7a0/resources/app`);
  machine.program('Program Files/Microsoft VS Code/Code.exe');
  bundled('Program Files/Microsoft VS Code/resources/app');
  machine.note(
    'Folder per build: microsoft/vscode, pull request 263998; that the chat extension is bundled as `copilot` is plausible, not seen.',
  );
}

function plantDecoys(machine: Machine): void {
  const at = `${home('ana')}/.vscode/extensions`;
  const stale = extension('Anthropic.claude-code', '2.1.91', null, '');
  machine.decoy(
    'superseded extension folder, marked for deletion',
    unpack(machine, at, stale),
    'residual',
  );
  machine.json(`${at}/.obsolete`, { [folderOf(stale)]: true });
  const stray = extension('GitHub.copilot', '1.300.0', null);
  machine.decoy('extension folder that no list names', unpack(machine, at, stray), 'residual');
  machine.filler(`${at}/kilocode.kilo-code-4.100.0/dist`, 5);
  machine.decoy('half-deleted extension folder', `${at}/kilocode.kilo-code-4.100.0`, 'residual');
  machine.decoy('extension id that differs by its suffix (synthetic)', `${at}/${folderOf(theme)}`);
  machine.file(
    `${roaming('ana')}/Code/CachedExtensionVSIXs/anthropic.claude-code-2.1.120-win32-x64`,
    'PK',
  );
  machine.decoy(
    'downloaded package of an extension',
    `${roaming('ana')}/Code/CachedExtensionVSIXs`,
  );
}

type Plugin = readonly [
  product: string,
  account: string,
  folder: string,
  id: string,
  version: string,
  tool: string | null,
  state?: string,
];

function plantJetBrains(machine: Machine): void {
  const plugins: readonly Plugin[] = [
    [
      'IntelliJIdea2025.2',
      'ana',
      'github-copilot-intellij',
      'com.github.copilot',
      '1.5.58-243',
      'github-copilot',
    ],
    ['IntelliJIdea2025.2', 'ana', 'ml-llm', 'com.intellij.ml.llm', '252.26830.106', 'jetbrains-ai'],
    [
      'WebStorm2025.3',
      kim,
      'claude-code-jetbrains-plugin',
      'com.anthropic.code.plugin',
      '0.1.14-beta',
      'claude-code-jetbrains',
    ],
    ['WebStorm2025.3', kim, 'TabNine', 'com.tabnine.TabNine', '1.274.0', 'tabnine'],
    [
      'PyCharm2025.2',
      'ben',
      'continue-intellij-extension',
      'com.github.continuedev.continueintellijextension',
      '1.0.48',
      'continue',
    ],
    [
      'PyCharm2025.2',
      'ben',
      'codeium',
      'com.codeium.intellij',
      '2.12.21',
      'codeium-plugins',
      'disabled',
    ],
    ['PyCharm2025.2', 'ben', 'qoder-intellij', 'com.qoder', '0.9.4', 'qoder-jetbrains'],
    ['PyCharm2025.2', 'ben', 'string-manipulation', 'String Manipulation', '9.16.0', null],
  ];
  const unpacked = (at: string, folder: string, id: string, version: string): void =>
    machine.file(
      `${at}/${folder}/lib/${folder}.jar`,
      zip([{ name: 'META-INF/plugin.xml', content: pluginXml({ id, version, folder }) }]),
    );
  for (const [product, account, folder, id, version, tool, state] of plugins) {
    const at = `${roaming(account)}/JetBrains/${product}/plugins`;
    unpacked(at, folder, id, version);
    if (tool !== null)
      machine.found('jetbrains-plugin', [tool, id, version], `${at}/${folder}`, {
        via: product,
        ...(state === undefined ? {} : { state }),
      });
  }
  machine.file(
    `${roaming('ben')}/JetBrains/PyCharm2025.2/disabled_plugins.txt`,
    'com.codeium.intellij\r\norg.example.other\r\n',
  );
  const old = `${roaming('ben')}/JetBrains/PyCharm2024.1/plugins`;
  unpacked(old, 'github-copilot-intellij', 'com.github.copilot', '1.4.0');
  machine.decoy(
    'plugin of an IDE version that is gone',
    `${old}/github-copilot-intellij`,
    'residual',
  );
  const fake = `${roaming('ana')}/JetBrains/IntelliJIdea2025.2/plugins`;
  unpacked(fake, 'claude-code-jetbrains-plugin', 'com.example.claude.theme', '1.0.0');
  machine.decoy(
    'plugin whose folder only is named like the tool (synthetic id)',
    `${fake}/claude-code-jetbrains-plugin`,
  );
  const ide = (at: string, product: string): void => {
    machine.json(`${at}/product-info.json`, {
      name: 'IDE',
      dataDirectoryName: product,
      productVendor: 'JetBrains',
    });
    unpacked(`${at}/plugins`, 'fullLine', 'org.jetbrains.completion.full.line', '252.1');
    machine.found(
      'jetbrains-plugin',
      ['jetbrains-full-line', 'org.jetbrains.completion.full.line', '252.1'],
      `${at}/plugins/fullLine`,
      { state: 'bundled', via: product },
    );
  };
  ide('Program Files/JetBrains/IntelliJ IDEA 2025.2', 'IntelliJIdea2025.2');
  ide(`${local('ben')}/Programs/PyCharm Professional`, 'PyCharm2025.2');
  ide(`${local(kim)}/JetBrains/Toolbox/apps/WebStorm/ch-0/253.1`, 'WebStorm2025.3');
}
