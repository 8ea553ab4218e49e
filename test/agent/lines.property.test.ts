/**
 * The readers of lines: shells' start files, command lines of MCP servers, reg.exe, mount tables, accounts,
 * headers of Python packages, names of files. What was written comes back; no line makes a failure, leaks a
 * value or takes longer than its length explains.
 */
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reader } from '../../agent/detect/index.js';
import { commandName, servedPackage } from '../../agent/detect/mcp-command.js';
import { parseMountinfo, parseMountOutput } from '../../agent/detect/mounts.js';
import { decodeName, onDisk } from '../../agent/detect/names.js';
import { parseHeader } from '../../agent/detect/python-records.js';
import { editorOption, fishVariable, nushell } from '../../agent/detect/shell-dialects.js';
import {
  assignments,
  expandFolder,
  readMachineStart,
  readStartFiles,
  splitPath,
  startFiles,
} from '../../agent/detect/shell-path.js';
import { parseDirectory } from '../../agent/platform/darwin.js';
import { parsePasswd } from '../../agent/platform/linux.js';
import { parseProfileList, parseQuery } from '../../agent/platform/reg-query.js';
import { runs } from '../runs.js';
import { anyBytes, anyText, foreignFile, mangledText, pieces } from './mangled.js';

const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/).filter((name) => name !== 'PATH');
const folder = fc
  .stringMatching(/^(\/[a-zA-Z0-9._ +-]{1,8}){1,3}$/)
  .filter((text) => text === text.trim());
const plainFolder = fc.stringMatching(/^(\/[a-zA-Z0-9._+-]{1,8}){1,3}$/);

describe('start files of shells', () => {
  const owner = { home: '/home/ana', account: 'ana' };
  const noise = fc.constantFrom('', 'export ', '  ', 'true && export ', 'X=1; ');
  const mark = fc.constantFrom('"', "'");

  test('give the assignments that stand on a line, in bash, zsh, fish and nushell', () => {
    fc.assert(
      fc.property(
        variable,
        folder,
        plainFolder,
        noise,
        mark,
        (name, quoted, bare, before, sign) => {
          const last = (line: string) =>
            assignments(line)
              .filter((one) => one.name === name)
              .at(-1)?.value;
          expect(last(`${before}${name}=${sign}${quoted}${sign} # why`)).toBe(quoted);
          expect(last(`${before}${name}=${bare}; run`)).toBe(bare);
          expect(last(`set -gx ${name} ${sign}${bare}${sign}`)).toBe(bare);
          expect(nushell(`$env.${name} = ${sign}${quoted}${sign}`)).toEqual([
            { name, value: quoted },
          ]);
          const hex = [...Buffer.from(bare)].map((byte) => `\\x${byte.toString(16)}`).join('');
          expect(fishVariable(`SETUVAR --export ${name}:${hex}`)).toEqual([{ name, value: bare }]);
          expect(editorOption(`code --extensions-dir ${sign}${quoted}${sign} .`)).toEqual([
            { name: 'VSCODE_EXTENSIONS', value: quoted },
          ]);
        },
      ),
      runs(120),
    );
  });

  test('give the folders of PATH in order, for the person who owns them', () => {
    fc.assert(
      fc.property(fc.array(plainFolder, { minLength: 1, maxLength: 5 }), (folders) => {
        const line = `export PATH="$HOME/bin:${folders.join(':')}:$PATH"`;
        expect(readMachineStart([line]).folders).toEqual(folders);
        const none = { text: () => null, list: () => [] } as unknown as Reader;
        const facts = readStartFiles(owner, path.posix.join, none, [
          line,
          `path=(${folders[0] ?? ''} $path)`,
        ]);
        expect(facts.folders).toEqual(['/home/ana/bin', ...folders, folders[0]]);
        expect(splitPath(folders.join(';'), 'win32')).toEqual(folders);
        expect(splitPath(`"${folders.join(':')}"`, 'linux')).toEqual([folders.join(':')]);
      }),
      runs(80),
    );
  });

  test('of any text keep nothing but folders', () => {
    const file = foreignFile(startFiles[6]);
    const marks = [
      'export ',
      'PATH=',
      'NVM_DIR=',
      'set -gx ',
      'fish_add_path ',
      'path=(',
      ')',
      '"',
      "'",
      '$HOME',
      '${X:-/y}',
      '$(',
      '`',
      '~',
      '/a',
      ':',
      ' ',
      '\n',
      ';',
      '#',
      '\\',
      'CANARY',
      'TOKEN=',
    ];
    const sample =
      'export PATH="$HOME/bin:/opt/x:$PATH"\nexport NVM_DIR=~/.nvm\nexport KEY=CANARY\n';
    const text = fc.oneof(anyText, pieces(marks), mangledText(sample));
    try {
      fc.assert(
        fc.property(text, (written) => {
          const home = path.dirname(file.path);
          const { folders, env } = readStartFiles(
            { home, account: 'ana' },
            path.join,
            file.holding(written),
          );
          for (const value of Object.values(env)) expect(value.startsWith('/')).toBe(true);
          for (const one of folders) expect(one).not.toMatch(/[$`*?\0]|^$/);
          for (const line of written.split('\n')) {
            for (const { name } of [...nushell(line), ...fishVariable(line)]) {
              expect(name).toMatch(/^[A-Za-z_]\w*$/);
            }
          }
        }),
        runs(200),
      );
    } finally {
      file.remove();
    }
  });

  test('expand what is the owner’s and nothing else', () => {
    const text = fc.oneof(
      anyText,
      pieces([
        '~',
        '/',
        '$HOME',
        '${HOME}',
        '$X',
        '%USERPROFILE%',
        '%A%',
        'a',
        '$',
        '%',
        '{',
        '}',
        ':-',
      ]),
    );
    fc.assert(
      fc.property(
        text,
        fc.constantFrom('linux' as const, 'win32' as const),
        (written, platform) => {
          const known = expandFolder(written, { home: '/h', account: 'a', env: {} }, platform);
          if (known !== null) expect(known).not.toMatch(/[$`*?\n\0]/);
          const nobody = expandFolder(written, { home: null, account: null, env: {} }, platform);
          if (/^~(?=$|[\\/])/.test(written)) expect(nobody).toBeNull();
        },
      ),
      runs(120),
    );
  });
});

describe('the command of an MCP server', () => {
  const name = fc.stringMatching(/^(@[a-z][a-z0-9-]{0,6}\/)?[a-z][a-z0-9-]{0,10}$/);
  const version = fc.stringMatching(/^[1-9]?[0-9]\.[0-9]\.[0-9]$/);

  test('names the package that it runs, with the version that is pinned', () => {
    fc.assert(
      fc.property(name, version, fc.boolean(), (pack, pinned, isPinned) => {
        const spec = isPinned ? `${pack}@${pinned}` : `${pack}@latest`;
        for (const [command, args] of [
          ['npx', ['-y', spec, '--token', 'CANARY']],
          ['/usr/local/bin/npx', [`--package=${spec}`, 'run']],
          ['cmd', ['/c', 'npx', '-y', spec]],
          ['sh', ['-c', `npx -y ${spec}`]],
        ] as const) {
          const served = servedPackage(command, args);
          expect(served).toMatchObject({
            ecosystem: 'npm',
            name: pack,
            version: isPinned ? pinned : null,
          });
          const end = isPinned ? `@${pinned}` : pack.slice(-1);
          expect(served?.purl?.startsWith('pkg:npm/') && served.purl.endsWith(end)).toBe(true);
        }
      }),
      runs(80),
    );
  });

  test('of any words names a program and a package in their plain forms, or none', () => {
    const marks = [
      'npx',
      ' ',
      '-y',
      '--',
      '=',
      '@',
      '/',
      '\\',
      '"',
      "'",
      'a',
      'B',
      '1.2.3',
      ':',
      '.exe',
      'uvx',
      '==',
      'docker',
      'run',
      '-e',
      '\n',
    ];
    const text = fc.oneof(anyText, pieces(marks, 12));
    const program = fc.oneof(
      text,
      fc.constantFrom('npx', 'uvx', 'pipx', 'docker', 'sh', 'cmd', 'env', 'bunx', 'pnpm'),
    );
    fc.assert(
      fc.property(program, fc.array(text, { maxLength: 5 }), (command, args) => {
        expect(commandName(command) ?? 'x').toMatch(/^[\w.+@-]{1,64}$/);
        const served = servedPackage(command, args);
        if (served === null) return;
        expect(served.name).toMatch(/^[a-z0-9@~][a-z0-9@._~/-]*$/);
        expect(served.version ?? '1').toMatch(/^v?\d[0-9a-z.-]*$/);
        const isSaid = [command, ...args].some((word) =>
          word.replace(/[-_.]+/g, '-').includes(served.name.replace(/[-_.]+/g, '-')),
        );
        expect(isSaid).toBe(true);
      }),
      runs(150),
    );
  });
});

describe('what systems print', () => {
  test('reg.exe gives the wanted values of a key and of those below it', () => {
    const key = fc.stringMatching(/^[A-Za-z0-9{}._-]{1,12}$/);
    const content = fc.stringMatching(/^[!-~]([ -~]{0,16}[!-~])?$/);
    const number = fc.nat(0xffffffff);
    fc.assert(
      fc.property(fc.dictionary(key, fc.tuple(content, number), { maxKeys: 5 }), (keys) => {
        const top = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Uninstall';
        const blocks = Object.entries(keys).map(
          ([name, [text, size]]) =>
            `${top}\\${name}\r\n    DisplayName    REG_SZ    ${text}\r\n    Secret    REG_SZ    CANARY\r\n    Size    REG_DWORD    0x${size.toString(16)}\r\n`,
        );
        const read = parseQuery(
          `\r\n${blocks.join('\r\n')}`,
          'HKLM\\SOFTWARE\\Uninstall',
          new Set(['displayname', 'size']),
        );
        const wanted = Object.entries(keys).map(
          ([name, [text, size]]): [string, Map<string, unknown>] => [
            name,
            new Map<string, unknown>([
              ['displayname', text],
              ['size', size],
            ]),
          ],
        );
        expect(read.keys).toEqual(new Map(wanted));
      }),
      runs(80),
    );
  });

  test('mount tables give their folders, blanks and odd bytes too', () => {
    const point = fc
      .uint8Array({ minLength: 1, maxLength: 12 })
      .map((bytes) => Buffer.from([0x2f, ...bytes.map((byte) => byte || 1)]));
    const type = fc.constantFrom('ext4', 'nfs4', 'fuse.sshfs', 'tmpfs');
    fc.assert(
      fc.property(fc.array(fc.tuple(point, type), { maxLength: 4 }), (mounts) => {
        const escaped = (bytes: Buffer): string =>
          bytes
            .toString('latin1')
            .replace(
              /[ \t\n\\]/g,
              (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`,
            );
        const lines = mounts.map(
          ([at, kind]) => `36 35 0:45 / ${escaped(at)} rw,noatime - ${kind} server rw`,
        );
        const read = parseMountinfo(Buffer.from(lines.join('\n'), 'latin1'));
        expect(read.map((mount) => Buffer.from(onDisk(mount.point)))).toEqual(
          mounts.map(([at]) => at),
        );
        expect(read.map(({ isLocal }) => isLocal)).toEqual(
          mounts.map(([, kind]) => kind === 'tmpfs'),
        );
      }),
      runs(80),
    );
  });

  test('account files give names, homes and numbers, and any text is answered', () => {
    const user = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/);
    fc.assert(
      fc.property(user, fc.nat(60_000), plainFolder, anyText, (name, uid, home, text) => {
        expect(parsePasswd(`${name}:x:${uid}:100:Ana,,,:${home}:/bin/zsh\n`)).toEqual([
          { name, uid, home, shell: '/bin/zsh' },
        ]);
        const block = `NFSHomeDirectory: ${home}\nRecordName: ${name} other\nUniqueID: ${uid}\nUserShell: /bin/zsh\n-\n`;
        expect(parseDirectory(block)).toEqual([{ name, uid, home, shell: '/bin/zsh' }]);
        for (const account of [...parsePasswd(text), ...parseDirectory(text)]) {
          expect(account.home.startsWith('/')).toBe(true);
          expect(Number.isInteger(account.uid)).toBe(true);
        }
        for (const { point } of parseMountOutput(text)) expect(point.startsWith('/')).toBe(true);
        for (const sid of parseProfileList(text).keys()) expect(sid).toMatch(/^S-1-/);
        parseQuery(text, text, new Set(['a']));
      }),
      runs(200),
    );
  });
});

describe('the header of a Python package', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?$/);
  const version = fc.stringMatching(/^[0-9][0-9a-z.!+]{0,8}$/);

  test('gives name and version as they stand, the first of each, and nothing below it', () => {
    const end = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(name, version, end, (pack, built, line) => {
        const lines = [
          'Metadata-Version: 2.1',
          `Name:  ${pack} `,
          'Summary: Version: 9',
          ' Name: folded',
          `version:\t${built}`,
          'Name: second',
          '',
          'Version: body',
          '',
        ];
        expect(parseHeader(lines.join(line))).toEqual({ name: pack, version: built });
        expect(parseHeader(`Name: ${pack}${line}Version: ${built}`)).toBeNull();
      }),
      runs(80),
    );
  });

  test('of any text gives a plain name and a plain version, or none', () => {
    const text = fc.oneof(
      anyText,
      mangledText('Metadata-Version: 2.1\nName: a-b\nVersion: 1.0\n\nbody'),
      pieces(['Name', 'Version', ':', ' ', '\n', '\r', 'a', '1', '-', '\t']),
    );
    fc.assert(
      fc.property(text, (written) => {
        const read = parseHeader(written);
        if (read === null) return;
        expect(read.name).toMatch(/^[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?$/i);
        expect(read.version ?? '1').toMatch(/^[\w.!+-]{1,128}$/);
      }),
      runs(120),
    );
  });

  test('with a line of blanks of some megabytes is read at once', () => {
    const read = parseHeader(`Name: a\nSummary: ${' '.repeat(4_000_000)}x\nVersion: 1\n`);
    expect(read).toEqual({ name: 'a', version: '1' });
  });
});

test('a name of a file has one spelling, which leads back to its bytes', () => {
  const odd = fc.oneof(
    anyBytes,
    anyText.map((text) => Buffer.from(text)),
    pieces(['\u{fffd}', 'ef', 'a', '\u{e9}', '\u{1f680}']).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(odd, odd, (one, two) => {
      expect(Buffer.from(onDisk(decodeName(one)))).toEqual(one);
      if (decodeName(one) === decodeName(two)) expect(one).toEqual(two);
    }),
    runs(120),
  );
});
