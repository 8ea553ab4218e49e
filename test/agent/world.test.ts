/**
 * Who is a person, what is on their PATH and which variables are theirs: read from account lists and
 * start files of made-up machines, never from the environment of these tests.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pathFolders, splitPath } from '../../agent/detect/shell-path.js';
import type { World } from '../../agent/detect/index.js';
import { folderWorld, homesWorld, machineWorld, parseAccounts } from '../../agent/detect/world.js';
import { parseDirectory } from '../../agent/platform/darwin.js';
import { linux, parsePasswd } from '../../agent/platform/linux.js';
import { parseProfiles } from '../../agent/platform/win32.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
let top = '';

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-world-'));
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const people = (world: World): string[] =>
  world.homes.map(({ account, path: home }) => `${account} ${home}`);

describe('people', () => {
  test('C109 service accounts, guests and shared folders are nobody', () => {
    const accounts = parseAccounts([
      { name: 'root', uid: 0, home: '/var/root', shell: '/bin/sh' },
      { name: 'ana', uid: 501, home: '/Users/ana', shell: '/bin/zsh' },
      { name: 'kim', uid: 20113, home: '/data/homes/kim', shell: '/bin/zsh', source: 'directory' },
      { name: 'svc-build', uid: 499, home: '/var/svc-build', shell: '/usr/bin/false' },
      { name: 'Guest', uid: 201, home: '/Users/Guest', shell: '/bin/bash' },
    ]);
    expect(people(folderWorld(top, 'darwin', { catalogue, accounts }))).toEqual([
      'ana /Users/ana',
      'kim /data/homes/kim',
    ]);
    fs.mkdirSync(path.join(top, 'var/root'), { recursive: true });
    expect(people(folderWorld(top, 'darwin', { catalogue, accounts }))).toContain('root /var/root');
  });

  test('C109 people of systemd-homed and of a directory are people, and a home that is none is nobody’s', () => {
    const account = (name: string, uid: number, at = `/home/${name}`): object => {
      return { name, uid, home: at, shell: '/bin/bash' };
    };
    const accounts = parseAccounts([
      account('ana', 60_000),
      account('ben', 60_010),
      account('dynamic', 61_200),
      account('nobody', 65_534),
      account('kim', 1_928_374_650),
      account('agent', 1_001, '/nonexistent'),
      account('sync', 1_002, '/'),
    ]);
    const found = folderWorld(top, 'linux', { catalogue, accounts }).homes;
    expect(found.map(({ account: name }) => name)).toEqual(['ana', 'ben', 'kim']);
  });

  test('the passwd file of a folder names its people, and a home without a line is one too', () => {
    const lines = [
      'root:x:0:0:root:/root:/bin/bash',
      'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
      'ana:x:1000:1000::/srv/homes/ana:/bin/zsh',
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
      'broken line',
    ];
    place(top, 'etc/passwd', `${lines.join('\n')}\n`);
    fs.mkdirSync(path.join(top, 'home/ben'), { recursive: true });
    expect(people(folderWorld(top, 'linux', { catalogue }))).toEqual([
      'ana /srv/homes/ana',
      'ben /home/ben',
    ]);
  });

  test('the homes of Windows are those that are not shared', () => {
    for (const name of ['Ana 100% Lima', 'Public', 'Default', 'Default User', 'All Users']) {
      fs.mkdirSync(path.join(top, 'Users', name), { recursive: true });
    }
    expect(people(folderWorld(top, 'win32', { catalogue }))).toEqual([
      'Ana 100% Lima C:\\Users\\Ana 100% Lima',
    ]);
  });

  test('a home is named by its folder, and two of one name stay apart', () => {
    const homes = ['a/ana', 'b/ana'].map((name) => path.join(top, name));
    for (const home of homes) fs.mkdirSync(home, { recursive: true });
    const world = homesWorld(homes, { catalogue });
    expect(people(world)).toEqual([`ana ${homes[0]}`, `ana-2 ${homes[1]}`]);
    expect(world.hasSystem).toBe(false);
  });

  test.each([
    [{}, 'accounts: expected a list'],
    [[{ home: '/x' }], 'accounts[0].name'],
    [[{ name: 'ana' }], 'accounts[0].home'],
    [[{ name: 'ana', home: '/x', uid: 'one' }], 'accounts[0].uid'],
    [[null], 'accounts[0].name'],
  ])('a bad account list is refused by the field: %j', (value, words) => {
    expect(() => parseAccounts(value)).toThrow(words);
  });

  test('lists of the operating systems are read as they are written', () => {
    expect(parsePasswd('ana:x:1000:1000:Ana:/home/ana:/bin/bash\n#x\n')).toEqual([
      { name: 'ana', uid: 1000, home: '/home/ana', shell: '/bin/bash' },
    ]);
    const dscl =
      'NFSHomeDirectory: /Users/ana\nRecordName: ana com.apple.idms.appleid\nUniqueID: 501\nUserShell: /bin/zsh\n-\n' +
      'NFSHomeDirectory: /var/empty\nRecordName: _amavisd amavisd\nUniqueID: 83\nUserShell: /usr/bin/false\n';
    expect(parseDirectory(dscl)).toEqual([
      { name: 'ana', uid: 501, home: '/Users/ana', shell: '/bin/zsh' },
      { name: '_amavisd', uid: 83, home: '/var/empty', shell: '/usr/bin/false' },
    ]);
    const key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList';
    const reg =
      `\r\n${key}\r\n    Default    REG_EXPAND_SZ    %SystemDrive%\\Users\\Default\r\n\r\n` +
      `${key}\\S-1-5-18\r\n    ProfileImagePath    REG_EXPAND_SZ    %systemroot%\\system32\\config\\systemprofile\r\n\r\n` +
      `${key}\\S-1-5-21-1-2-3-1001\r\n    ProfileImagePath    REG_EXPAND_SZ    C:\\Users\\Ana Lima\r\n    Flags    REG_DWORD    0x0\r\n`;
    expect(parseProfiles(reg)).toEqual([
      { name: 'Ana Lima', uid: null, home: 'C:\\Users\\Ana Lima', shell: null },
    ]);
  });

  test('the account list of this machine can be read', () => {
    const listed = linux.listAccounts();
    expect(listed?.find(({ uid }) => uid === 0)?.name).toBe('root');
  });
});

describe('PATH', () => {
  const worldWith = (file: string, text: string, platform: 'linux' | 'darwin' = 'linux'): World => {
    place(top, `home/ana/${file}`, text);
    const accounts = [{ name: 'ana', uid: 1000, home: '/home/ana', shell: null }];
    return folderWorld(top, platform, { catalogue, accounts });
  };
  const own = (world: World): readonly string[] => pathFolders(world, world.homes[0] ?? null);

  test('C048 odd parts are dropped or expanded for the owner, each folder once', () => {
    const text =
      ':.:~/.local/bin:$HOME/bin/:"/opt/with:colon/bin":/nonexistent/bin:/root-only/bin:/etc/hosts:/opt/tools/bin:/opt/tools/bin/:/opt/tools//bin';
    const world = {
      ...worldWith('.profile', ''),
      homePath: new Map([['ana', splitPath(text, 'linux')]]),
    };
    expect(own(world)).toEqual([
      '/home/ana/.local/bin',
      '/home/ana/bin',
      '/opt/with:colon/bin',
      '/nonexistent/bin',
      '/root-only/bin',
      '/etc/hosts',
      '/opt/tools/bin',
    ]);
  });

  test('C048 odd parts on Windows, where case does not make two folders', () => {
    const text =
      ';.;%USERPROFILE%\\bin;"C:\\Program Files (x86)\\Yarn;old\\bin";C:\\Tools\\bin;C:\\Tools\\bin\\;c:\\tools\\BIN;C:\\missing;d:\\aa"';
    fs.mkdirSync(path.join(top, 'Users/ana'), { recursive: true });
    const world = {
      ...folderWorld(top, 'win32', { catalogue }),
      homePath: new Map([['ana', splitPath(text, 'win32')]]),
    };
    expect(own(world)).toEqual([
      'C:\\Users\\ana\\bin',
      'C:\\Program Files (x86)\\Yarn;old\\bin',
      'C:\\Tools\\bin',
      'C:\\missing',
      'd:\\aa',
    ]);
  });

  test.each([
    ['.zprofile', 'export PATH="$HOME/tools/bin:$PATH"', '/home/ana/tools/bin'],
    ['.profile', 'if [ -d "$HOME/x" ] ; then PATH="$HOME/x/bin:$PATH"; fi', '/home/ana/x/bin'],
    ['.bashrc', 'export GOROOT=/opt/go && export PATH=$PATH:${GOROOT}/bin', '/opt/go/bin'],
    ['.zshrc', 'path=(~/zsh/bin $path)', '/home/ana/zsh/bin'],
    ['.config/fish/config.fish', 'fish_add_path -g ~/fish/bin', '/home/ana/fish/bin'],
    ['.config/fish/config.fish', 'set -gx PATH ~/set/bin $PATH', '/home/ana/set/bin'],
    ['.config/fish/conf.d/own.fish', 'fish_add_path ~/conf/bin', '/home/ana/conf/bin'],
    [
      '.config/fish/fish_variables',
      'SETUVAR fish_user_paths:/home/ana/uni/bin\\x1e/opt/a\\x2db/bin',
      '/opt/a-b/bin',
    ],
    ['.config/zsh/.zshrc', 'export PATH="$HOME/zdot/bin:$PATH"', '/home/ana/zdot/bin'],
    [
      '.config/environment.d/10-own.conf',
      'PATH=${HOME}/session/bin:${PATH}',
      '/home/ana/session/bin',
    ],
    [
      '.config/nushell/env.nu',
      '$env.PATH = ($env.PATH | split row (char esep) | prepend "/home/ana/nu/bin")',
      '/home/ana/nu/bin',
    ],
    [
      '.config/nushell/config.nu',
      "$env.PATH = ($env.PATH | prepend ($env.HOME | path join 'a' 'bin'))",
      '/home/ana/a/bin',
    ],
    ['.config/nushell/config.nu', 'path add ~/nu2/bin', '/home/ana/nu2/bin'],
    ['.config/nushell/config.nu', '$env.PATH ++= [ ~/nu3/bin ]', '/home/ana/nu3/bin'],
  ])('%s: %s', (file, line, folder) => {
    expect(own(worldWith(file, `${line}\n`))).toContain(folder);
  });

  test('comments and what only a shell could know are left out', () => {
    const lines = [
      '# export PATH=/commented:$PATH',
      'export PATH="$(brew --prefix)/bin:$UNKNOWN/bin"',
    ];
    const folders = own(worldWith('.bashrc', lines.join('\n')));
    expect(folders).toEqual(['/home/ana/.local/bin', '/home/ana/bin']);
  });

  test('places of tool managers are known from start files, and no other variable is kept', () => {
    const lines = [
      'export NVM_DIR="$HOME/.config/nvm"',
      'export PNPM_HOME="/home/ana/pnpm"',
      'export PATH="$PNPM_HOME:$PATH"',
      'export SECRET_TOKEN=CANARY',
      'export VOLTA_HOME=CANARY',
    ];
    const world = worldWith('.zshrc', lines.join('\n'));
    expect(world.homes[0]?.env).toEqual({
      NVM_DIR: '/home/ana/.config/nvm',
      PNPM_HOME: '/home/ana/pnpm',
    });
    expect(own(world)).toContain('/home/ana/pnpm');
    expect(JSON.stringify([world.homes, [...world.homePath]])).not.toContain('CANARY');
  });

  test('start files of the machine name folders of the machine and of each person', () => {
    place(top, 'etc/profile.d/tool.sh', 'export PATH="/opt/tool/bin:$HOME/.tool/bin:$PATH"\n');
    place(top, 'etc/profile.d/nvm.sh', 'export NVM_DIR=/usr/local/nvm\nexport TOKEN=/CANARY\n');
    place(top, 'etc/environment.d/20-models.conf', 'OLLAMA_MODELS=/srv/models\n');
    const world = worldWith('.profile', 'export OLLAMA_MODELS=$HOME/models\n');
    expect(pathFolders(world, null)).toContain('/opt/tool/bin');
    expect(pathFolders(world, null).join()).not.toContain('.tool');
    expect(own(world)).toContain('/home/ana/.tool/bin');
    expect(own(world)).not.toContain('/opt/tool/bin');
    expect(world.homes[0]?.env).toEqual({
      NVM_DIR: '/usr/local/nvm',
      OLLAMA_MODELS: '/home/ana/models',
    });
    expect(JSON.stringify([world.homes, world.systemPath])).not.toContain('CANARY');
  });

  test("the machine's PATH comes from its own files", () => {
    place(top, 'etc/environment', 'PATH="/srv/bin:/usr/bin"\n');
    expect(pathFolders(folderWorld(top, 'linux', { catalogue }), null).slice(0, 2)).toEqual([
      '/srv/bin',
      '/usr/bin',
    ]);
    place(top, 'etc/paths', '/usr/local/bin\n');
    place(top, 'etc/paths.d/10-tool', '/opt/tool/bin\n');
    expect(pathFolders(folderWorld(top, 'darwin', { catalogue }), null)).toContain('/opt/tool/bin');
  });
});

describe('the environment of these tests', () => {
  test('is applied to nobody but the person who runs a scan of their own', () => {
    process.env['NVM_DIR'] = '/opt/canary-nvm';
    try {
      const home = path.join(top, 'ana');
      fs.mkdirSync(home);
      expect(homesWorld([home], { catalogue }).homes[0]?.env).toEqual({});
      const daemon = machineWorld({ catalogue, takesOwnEnvironment: false });
      expect(JSON.stringify(daemon.homes)).not.toContain('canary-nvm');
      const { homes, homePath } = machineWorld({ catalogue, takesOwnEnvironment: true });
      const { username } = os.userInfo();
      expect(homes.find(({ account }) => account === username)?.env['NVM_DIR']).toBe(
        '/opt/canary-nvm',
      );
      expect(homePath.get(username)?.[0]).toBe(splitPath(process.env['PATH'] ?? '', 'linux')[0]);
    } finally {
      delete process.env['NVM_DIR'];
    }
  });
});
