/**
 * Which JetBrains plugins count: the id is the descriptor's, the IDE's own list says what is off, a
 * version that is gone leaves only traces, and what an IDE ships is no install.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jetbrains } from '../../agent/detect/jetbrains.js';
import { parsePluginXml } from '../../agent/detect/plugin-xml.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import * as made from '../worlds/jetbrains.js';
import { link, place } from '../worlds/native.js';
import { runs } from '../runs.js';

const catalogue = builtInCatalogue();
const { claudePlugin: claude } = made;
const copilot = {
  id: 'com.github.copilot',
  version: '1.5.58-243',
  folder: 'github-copilot-intellij',
};
const vim = { id: 'IdeaVIM', version: '2.27.2', folder: 'ideavim' };
let top: string;
let home: string;

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-jetbrains-')));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const detectors = [jetbrains];
const scanHome = (platform: Platform = 'linux'): ScanResult =>
  scanWorld(homesWorld([home], { catalogue, platform }), { detectors });
const scanMachine = (platform: Platform = 'linux'): ScanResult =>
  scanWorld(folderWorld(top, platform, { catalogue }), { detectors });

function rows({ components }: ScanResult): string[] {
  return components
    .map(({ tool, version, state, manager }) => `${tool} ${version} ${state} ${manager}`)
    .sort();
}

const codes = ({ readings }: ScanResult): string[] =>
  readings.flatMap(({ problems }) => problems.map(({ code, isLoss }) => `${code} ${isLoss}`));

describe('a plugin', () => {
  test.each(['linux', 'darwin', 'win32'] as const)('is found where %s keeps it', (platform) => {
    const below = made.pluginsFolder[platform]('WebStorm2025.2');
    const folder = made.unpackPlugin(path.join(home, below), claude);
    made.unpackPlugin(path.join(home, below), vim);
    const result = scanHome(platform);
    expect(result.status).toBe('complete');
    expect(result.components).toMatchObject([
      {
        tool: 'claude-code-jetbrains',
        channel: 'jetbrains-plugin',
        manager: 'WebStorm2025.2',
        name: 'com.anthropic.code.plugin',
        version: '0.1.14-beta',
        path: folder,
        owner: 'ana',
        state: 'installed',
        confidence: 'high',
        evidence: ['plugin.xml'],
      },
    ]);
  });

  test('is known by the id of its descriptor, never by its folder or its name', () => {
    const plugins = path.join(home, made.pluginsFolder.linux('IntelliJIdea2025.2'));
    made.unpackPlugin(plugins, { ...vim, folder: claude.id });
    made.unpackPlugin(plugins, { ...vim, folder: claude.folder });
    const nameless = `<idea-plugin><name>${claude.id}</name><version>1</version></idea-plugin>`;
    place(plugins, 'nameless/META-INF/plugin.xml', nameless);
    made.unpackPlugin(plugins, { ...claude, folder: 'something-else' });
    expect(scanHome().components).toMatchObject([
      { tool: 'claude-code-jetbrains', path: path.join(plugins, 'something-else') },
    ]);
  });

  test('is found as a jar by itself, unpacked, in classes, and in Android Studio', () => {
    const idea = path.join(home, made.pluginsFolder.linux('IdeaIC2025.1'));
    made.writeZip(path.join(idea, 'single.jar'), [made.descriptorEntry(claude)]);
    place(idea, 'loose/META-INF/plugin.xml', made.pluginXml({ ...copilot, folder: 'loose' }));
    const studio = path.join(home, '.local/share/Google/AndroidStudio2025.1.2');
    place(studio, 'built/classes/META-INF/plugin.xml', made.pluginXml(copilot));
    expect(rows(scanHome())).toEqual([
      'claude-code-jetbrains 0.1.14-beta installed IdeaIC2025.1',
      'github-copilot 1.5.58-243 installed AndroidStudio2025.1.2',
      'github-copilot 1.5.58-243 installed IdeaIC2025.1',
    ]);
  });

  test('of an IDE in a flatpak is found in its sandbox', () => {
    const data = '.var/app/com.jetbrains.PyCharm-Community/data/JetBrains/PyCharmCE2025.1';
    made.unpackPlugin(path.join(home, data), claude);
    expect(rows(scanHome())).toEqual([
      'claude-code-jetbrains 0.1.14-beta installed PyCharmCE2025.1',
    ]);
  });

  test('is found where the properties put it, and is refused outside the home', () => {
    const config = path.join(home, '.config/JetBrains/WebStorm2025.2');
    const put = (to: string): string =>
      place(config, 'idea.properties', `# moved\nidea.plugins.path = ${to}\n`);
    made.unpackPlugin(path.join(home, 'ides/plugins'), claude);
    made.unpackPlugin(path.join(top, 'elsewhere'), claude);
    put('${user.home}/ides/plugins');
    expect(rows(scanHome())).toEqual([
      'claude-code-jetbrains 0.1.14-beta installed WebStorm2025.2',
    ]);
    put(path.join(top, 'elsewhere'));
    const refused = scanHome();
    expect(refused.components).toEqual([]);
    expect(codes(refused)).toEqual(['refused-entry false']);
  });

  test('is found in the folder that an older Toolbox gives each IDE, and off where its list says', () => {
    const build = path.join(home, '.local/share/JetBrains/Toolbox/apps/IDEA-U/ch-0/221.5080.210');
    place(build, 'product-info.json', made.productInfo('IntelliJIdea2022.1'));
    made.unpackPlugin(`${build}.plugins`, claude);
    expect(rows(scanHome())).toEqual([
      'claude-code-jetbrains 0.1.14-beta installed IntelliJIdea2022.1',
    ]);
    place(home, '.config/JetBrains/IntelliJIdea2022.1/disabled_plugins.txt', claude.id);
    expect(rows(scanHome())).toEqual([
      'claude-code-jetbrains 0.1.14-beta disabled IntelliJIdea2022.1',
    ]);
  });

  test('linked twice is one', () => {
    const plugins = path.join(home, made.pluginsFolder.linux('GoLand2025.2'));
    made.unpackPlugin(plugins, claude);
    link(plugins, 'again', claude.folder);
    expect(scanHome().components).toHaveLength(1);
  });

  test('that no entry claims is reported where a rule names it or takes the channel', () => {
    made.unpackPlugin(path.join(home, made.pluginsFolder.linux('GoLand2025.2')), vim);
    expect(scanHome().components).toEqual([]);
    const world = homesWorld([home], { catalogue });
    const named = new Map([['jetbrains-plugin', new Set(['IdeaVIM'])]]);
    const wholeChannels = new Set(['jetbrains-plugin'] as const);
    for (const each of [
      { ...world, named },
      { ...world, wholeChannels },
    ]) {
      expect(scanWorld(each, { detectors }).components).toMatchObject([
        { name: 'IdeaVIM', tool: null },
      ]);
    }
  });
});

describe('C014', () => {
  const disabled = '.config/JetBrains/IntelliJIdea2025.3/disabled_plugins.txt';

  beforeEach(() => {
    for (const product of ['IntelliJIdea2024.3', 'IntelliJIdea2025.3']) {
      made.unpackPlugin(path.join(home, made.pluginsFolder.linux(product)), claude);
    }
    place(home, disabled, `com.example.other\r\n${claude.id}\r\n`);
  });

  const leftBehind = [
    'claude-code-jetbrains 0.1.14-beta disabled IntelliJIdea2025.3',
    'claude-code-jetbrains 0.1.14-beta residual IntelliJIdea2024.3',
  ];
  const inUse = [leftBehind[0], 'claude-code-jetbrains 0.1.14-beta installed IntelliJIdea2024.3'];

  test('a disabled plugin is disabled, and the copy of a version that is gone is a trace', () => {
    place(top, 'opt/idea/product-info.json', made.productInfo('IntelliJIdea2025.3'));
    expect(rows(scanMachine())).toEqual(leftBehind);
    expect(rows(scanHome())).toEqual(leftBehind);
  });

  test('a version whose program is still there keeps its plugins', () => {
    for (const product of ['IntelliJIdea2025.3', 'IntelliJIdea2024.3']) {
      place(top, `opt/${product}/product-info.json`, made.productInfo(product));
    }
    expect(rows(scanMachine())).toEqual(inUse);
  });

  test('a program in an unusual place is believed where its own cache names it', () => {
    place(home, '.cache/JetBrains/IntelliJIdea2024.3/.home', '/home/ana/ides/old');
    expect(rows(scanMachine())).toEqual(leftBehind);
    place(home, 'ides/old/bin/idea.sh', '');
    expect(rows(scanMachine())).toEqual(inUse);
  });

  test('another product of a later version says nothing about this one', () => {
    fs.rmSync(path.join(home, made.pluginsFolder.linux('IntelliJIdea2025.3')), { recursive: true });
    fs.rmSync(path.join(home, '.config'), { recursive: true });
    made.unpackPlugin(path.join(home, made.pluginsFolder.linux('WebStorm2025.3')), vim);
    expect(rows(scanMachine())).toEqual([inUse[1]]);
  });

  test('versions are numbers, not text', () => {
    made.unpackPlugin(path.join(home, made.pluginsFolder.linux('IntelliJIdea2025.10')), claude);
    expect(rows(scanMachine())).toContain(
      'claude-code-jetbrains 0.1.14-beta installed IntelliJIdea2025.10',
    );
  });
});

describe('what an IDE ships', () => {
  const fullLine = {
    id: 'org.jetbrains.completion.full.line',
    version: '253.28294.334',
    folder: 'fullLine',
  };
  const layout = [
    { name: fullLine.id, kind: 'plugin', classPath: ['plugins/fullLine/lib/fullLine.jar'] },
    { name: vim.id, kind: 'plugin', classPath: ['plugins/ideavim/lib/ideavim.jar'] },
  ];

  test.each([
    ['linux', 'opt/idea', 'opt/idea/product-info.json', 'opt/idea/plugins'],
    [
      'linux',
      'toolbox',
      'home/ana/.local/share/JetBrains/Toolbox/apps/idea/ch-0/253.1/product-info.json',
      'home/ana/.local/share/JetBrains/Toolbox/apps/idea/ch-0/253.1/plugins',
    ],
    ['linux', 'snap', 'snap/idea/42/product-info.json', 'snap/idea/42/plugins'],
    [
      'darwin',
      'application',
      'Applications/IntelliJ IDEA.app/Contents/Resources/product-info.json',
      'Applications/IntelliJ IDEA.app/Contents/plugins',
    ],
    [
      'win32',
      'program files',
      'Program Files/JetBrains/IDEA/product-info.json',
      'Program Files/JetBrains/IDEA/plugins',
    ],
  ] as const)('is bundled: %s, %s', (platform, _, record, plugins) => {
    place(top, record, made.productInfo('IntelliJIdea2025.3', layout));
    if (plugins.startsWith('snap')) link(top, 'snap/idea/current', '42');
    made.unpackPlugin(path.join(top, plugins), fullLine);
    made.unpackPlugin(path.join(top, plugins), vim);
    const result = scanMachine(platform);
    expect(result.status).toBe('complete');
    expect(rows(result)).toEqual(['jetbrains-full-line 253.28294.334 bundled IntelliJIdea2025.3']);
  });

  test('says so where everybody has it switched off (C011)', () => {
    place(top, 'opt/idea/product-info.json', made.productInfo('IntelliJIdea2025.3', layout));
    made.unpackPlugin(path.join(top, 'opt/idea/plugins'), fullLine);
    const off = '.config/JetBrains/IntelliJIdea2025.3/disabled_plugins.txt';
    const said = (): boolean | undefined =>
      scanMachine().components[0]?.evidence.includes('disabled_plugins.txt');
    place(home, off, `${fullLine.id}\n`);
    expect(said()).toBe(true);
    place(top, `home/ben/${off}`, '');
    expect(said()).toBe(false);
  });

  test('and what was put beside it by hand is seen though the record does not name it', () => {
    place(top, 'opt/idea/product-info.json', made.productInfo('IntelliJIdea2025.3', layout));
    made.unpackPlugin(path.join(top, 'opt/idea/plugins'), claude);
    expect(rows(scanMachine())).toEqual([
      'claude-code-jetbrains 0.1.14-beta bundled IntelliJIdea2025.3',
    ]);
  });

  test('is bundled also where the program has no record but its build number', () => {
    place(top, 'opt/idea/build.txt', 'IU-172.3317.76');
    place(top, 'opt/other/build.txt', 'nightly 4711');
    for (const folder of ['idea', 'other']) {
      made.unpackPlugin(path.join(top, `opt/${folder}/plugins`), fullLine);
    }
    expect(rows(scanMachine())).toEqual([
      'jetbrains-full-line 253.28294.334 bundled IntelliJIdea2017.2',
    ]);
  });

  test('a program folder without the record is no IDE, and homes alone show none of the machine', () => {
    made.unpackPlugin(path.join(top, 'opt/idea/plugins'), claude);
    expect(rows(scanMachine())).toEqual([]);
    place(top, 'opt/idea/product-info.json', made.productInfo('IntelliJIdea2025.3'));
    expect(rows(scanHome())).toEqual([]);
  });
});

describe('a broken plugin', () => {
  const plugins = (): string => path.join(home, made.pluginsFolder.linux('PyCharm2025.2'));

  test('marks its root and costs no other', () => {
    made.unpackPlugin(plugins(), claude);
    place(
      plugins(),
      'half/lib/half.jar',
      made.zip([made.descriptorEntry(copilot)]).toString('latin1'),
    );
    const result = scanHome();
    expect(rows(result)).toEqual(['claude-code-jetbrains 0.1.14-beta installed PyCharm2025.2']);
    expect(result.status).toBe('partial');
    expect(codes(result)).toEqual(['malformed true']);
  });

  test('library beside a whole descriptor is told and is no loss', () => {
    made.unpackPlugin(plugins(), claude);
    place(plugins(), `${claude.folder}/lib/a.jar`, 'no archive');
    const result = scanHome();
    expect(result.status).toBe('complete');
    expect(rows(result)).toHaveLength(1);
    expect(codes(result)).toEqual(['malformed false']);
  });

  test('descriptor that is cut short is a loss', () => {
    place(plugins(), 'a/META-INF/plugin.xml', made.pluginXml(claude).slice(0, -16));
    const result = scanHome();
    expect(result).toMatchObject({ status: 'partial', components: [] });
  });

  test('folder that leads out of the home is not read', () => {
    made.unpackPlugin(path.join(top, 'elsewhere'), claude);
    link(plugins(), 'out', path.join(top, 'elsewhere', claude.folder));
    const result = scanHome();
    expect(result).toMatchObject({ status: 'partial', components: [] });
    expect(codes(result)).toContain('outside true');
  });
});

describe('a descriptor', () => {
  const id = (text: string): string | null | undefined => parsePluginXml(text)?.id;

  test('gives only what stands directly in it', () => {
    expect(parsePluginXml(made.pluginXml(claude))).toEqual({
      id: claude.id,
      version: claude.version,
    });
    expect(id('<idea-plugin><a><id>x</id></a><id/></idea-plugin>')).toBeNull();
    expect(id('<idea-plugin><id>x<b>y</b></id></idea-plugin>')).toBe('x');
    expect(id('<plugin><id>x</id></plugin>')).toBeUndefined();
  });

  test('may have a head, references, quoted brackets and unparsed text', () => {
    const head = '\u{feff}<?xml version="1.0"?><!DOCTYPE idea-plugin [<!ENTITY a "b">]><!-- > -->';
    expect(
      id(`${head}<idea-plugin url='a>b'><id> a&amp;&#98;&#x63;<![CDATA[<d>]]> </id></idea-plugin>`),
    ).toBe('a&bc<d>');
    expect(id('<idea-plugin><id>&constructor;&a;</id></idea-plugin>')).toBe('&constructor;&a;');
  });

  test('of odd sizes and characters states no id', () => {
    expect(id(`<idea-plugin><id>${'x'.repeat(300)}</id></idea-plugin>`)).toBeNull();
    expect(id('<idea-plugin><id>a\nb</id></idea-plugin>')).toBeNull();
  });

  test('of any text gives an answer', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '"',
      "'",
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      'id',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = `<idea-plugin><id>x</id>${pieces.join('')}`;
        expect([null, 'x']).toContain(parsePluginXml(text)?.id ?? null);
      }),
      runs(100),
    );
  });

  test('nested without end is read in one pass', () => {
    expect(parsePluginXml('<a>'.repeat(1_000_000))).toBeNull();
    expect(parsePluginXml(`<idea-plugin>${'<a "'.repeat(500_000)}`)).toBeNull();
  });
});
