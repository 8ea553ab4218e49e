/**
 * Extensions of browsers on a Windows machine: profiles below AppData\Local, Opera's and Firefox's
 * below AppData\Roaming, states in `Secure Preferences`, and extensions that only share a name.
 */
import { zip } from './jetbrains.js';
import type { Machine } from './windows-machine.js';
import { kim, local, roaming, windowsPath } from './windows-places.js';

interface Extension {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly tool: string | null;
  readonly isOff?: boolean;
}

const claude: Extension = {
  id: 'fcoeoabgfenejglbffodgkkbkcdhcgfn',
  name: 'Claude',
  version: '1.0.33',
  tool: 'claude-for-chrome',
};
const monica: Extension = {
  id: 'ofpnmcalabcbjgholdjcjblkibolbppb',
  name: 'Monica',
  version: '9.1.1',
  tool: 'monica',
};
const sider: Extension = {
  id: 'difoiogjjojoaoomphldepapgpbgkhkb',
  name: '__MSG_appName__',
  version: '5.20.1',
  tool: 'sider',
};
const merlin: Extension = {
  id: 'camppjleccjaphfdbohjdohecfnoikec',
  name: 'Merlin',
  version: '7.5.16',
  tool: 'merlin',
};
const blocker: Extension = {
  id: 'cjpalhdlnbpafiamejdnhcphjbkeiagm',
  name: 'uBlock Origin',
  version: '1.66.4',
  tool: null,
};
const fake: Extension = {
  id: 'abcdefghijklmnopabcdefghijklmnop',
  name: 'Claude',
  version: '1.0.33',
  tool: null,
};

/** A profile with its extensions. Windows protects the settings, so they lie in the second file. */
function profile(machine: Machine, at: string, via: string, list: readonly Extension[]): void {
  const settings: Record<string, unknown> = {};
  for (const { id, name, version, tool, isOff = false } of list) {
    const folder = `${at}/Extensions/${id}/${version}_0`;
    machine.json(`${folder}/manifest.json`, { name, version, manifest_version: 3 });
    machine.filler(`${folder}/js`, machine.int(10, 60));
    settings[id] = {
      path: `${id}\\${version}_0`,
      location: 1,
      from_webstore: true,
      disable_reasons: isOff ? [1] : [],
      manifest: { name, version, manifest_version: 3 },
    };
    if (tool !== null)
      machine.found('browser-extension', [tool, id, version], folder, {
        via,
        ...(isOff ? { state: 'disabled' } : {}),
      });
  }
  machine.json(`${at}/Preferences`, { profile: { name: 'Person 1' } });
  machine.json(`${at}/Secure Preferences`, { extensions: { settings }, protection: { macs: {} } });
}

export function plantBrowsers(machine: Machine): void {
  const chrome = `${local('ana')}/Google/Chrome/User Data`;
  profile(machine, `${chrome}/Default`, 'chrome', [
    blocker,
    claude,
    monica,
    sider,
    { ...merlin, isOff: true },
    fake,
  ]);
  profile(machine, `${chrome}/Profile 3`, 'chrome', [claude]);
  machine.json(`${chrome}/Local State`, { profile: { info_cache: { Default: {} } } });
  profile(machine, `${local('ben')}/Microsoft/Edge/User Data/Default`, 'edge', [blocker, monica]);
  profile(machine, `${local('ben')}/Vivaldi/User Data/Default`, 'vivaldi', [sider]);
  profile(machine, `${local(kim)}/BraveSoftware/Brave-Browser/User Data/Default`, 'brave', [
    claude,
  ]);
  profile(machine, `${roaming(kim)}/Opera Software/Opera Stable/Default`, 'opera', [merlin]);
  profile(machine, `${roaming('ben')}/Opera Software/Opera GX Stable`, 'opera-gx', [monica]);
  machine.filler(`${local('ana')}/Google/Chrome/User Data/Default/Cache/Cache_Data`, 500);
  plantFirefox(machine);
  const old = `${chrome}/Default/Extensions/${claude.id}/1.0.30_0`;
  machine.json(`${old}/manifest.json`, { name: 'Claude', version: '1.0.30', manifest_version: 3 });
  machine.decoy('version that an update left', old, 'residual');
  machine.decoy(
    'extension with the name of the tool and another id (synthetic id)',
    `${chrome}/Default/Extensions/${fake.id}`,
  );
  const left = `${local('ben')}/Microsoft/Edge/User Data/Default/Extensions/${claude.id}/1.0.20_0`;
  machine.json(`${left}/manifest.json`, { name: 'Claude', version: '1.0.20', manifest_version: 3 });
  machine.decoy('folder of an extension that the preferences do not name', left, 'residual');
  machine.note(
    'Chrome spells the folder in its preferences with a backslash on Windows; Opera keeps newer profiles in Default below Opera Stable.',
  );
}

function plantFirefox(machine: Machine): void {
  const folder = `${roaming('ana')}/Mozilla/Firefox`;
  const own = `${folder}/Profiles/k2x9q1ab.default-release`;
  const addons = [
    ['uBlock0@raymondhill.net', 'uBlock Origin', '1.66.4'],
    ['{b764208e-0a98-436d-a599-c1baa044f829}', 'ChatGPTBox', '2.5.9'],
    ['{00000000-0000-4000-8000-000000000001}', 'Claude', '1.0.0'],
  ] as const;
  machine.file(
    `${folder}/profiles.ini`,
    '[Profile0]\r\nName=default-release\r\nIsRelative=1\r\nPath=Profiles/k2x9q1ab.default-release\r\nDefault=1\r\n\r\n[General]\r\nStartWithLastProfile=1\r\nVersion=2\r\n',
  );
  machine.json(`${own}/extensions.json`, {
    schemaVersion: 37,
    addons: addons.map(([id, name, version]) => ({
      ...{ id, version, type: 'extension', location: 'app-profile', userDisabled: false },
      ...{ appDisabled: false, active: true, visible: true, defaultLocale: { name } },
      path: windowsPath(`${own}/extensions/${id}.xpi`),
    })),
  });
  for (const [id, name, version] of addons) {
    const content = JSON.stringify({ manifest_version: 2, name, version });
    machine.file(`${own}/extensions/${id}.xpi`, zip([{ name: 'manifest.json', content }]));
  }
  const [, box, other] = addons;
  machine.found(
    'browser-extension',
    ['chatgptbox', box[0], box[2]],
    `${own}/extensions/${box[0]}.xpi`,
    { via: 'firefox' },
  );
  machine.decoy(
    'add-on with the name of the tool and another id (synthetic id)',
    `${own}/extensions/${other[0]}.xpi`,
  );
}
