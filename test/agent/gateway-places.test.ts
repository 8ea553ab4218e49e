/**
 * Every place in which an address of a model endpoint can be set for good, on each system: the host is
 * told, and nothing of the rest of the address, of a key or of any other variable.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runScan } from '../../agent/scan-command.js';
import { withKey, writeHive } from '../worlds/hive.js';
import { place, program } from '../worlds/native.js';
import * as made from '../worlds/npm.js';

const host = 'gw.example.test';
const address = `https://ana:CANARY-user@${host}:8443/v1?key=CANARY-query`;
let root = '';

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-gateways-'));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

/** What a scan says of each tool's gateway; nothing secret may be in what it writes. */
async function gateways(platform: string): Promise<Record<string, unknown>> {
  let text = '';
  const write = (part: string): void => void (text += part);
  await runScan(['--json', '--world', root, '--platform', platform], {
    stdout: write,
    stderr: write,
  });
  expect(text).not.toContain('CANARY');
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const told = records.filter(({ tool, state }) => tool != null && state === 'installed');
  return Object.fromEntries(told.map(({ tool, gateway }) => [tool as string, gateway]));
}

function tools(home: string): void {
  made.npmGlobal(
    path.join(home, '.npm-global'),
    { name: '@anthropic-ai/claude-code', version: '2.1.150' },
    made.codex('0.50.0'),
    made.gemini('0.20.0'),
    made.opencode('1.0.0'),
  );
}

describe('on Linux', () => {
  const set = `export ANTHROPIC_BASE_URL="${address}"\n`;
  test.each([
    ['home/ana/.bashrc', set.replace('\n', '\r\n')],
    ['home/ana/.bash_aliases', set],
    ['home/ana/.zshrc', `alias claude='ANTHROPIC_BASE_URL=${address} claude'\n`],
    ['home/ana/.bashrc', `claude() {\n  ANTHROPIC_BASE_URL=${address} command claude "$@"\n}\n`],
    ['home/ana/.bashrc', `GW=${address}\nexport ANTHROPIC_BASE_URL=$GW/more\n`],
    ['home/ana/.profile', `export ANTHROPIC_BASE_URL=\${ANTHROPIC_BASE_URL:-${address}}\n`],
    ['home/ana/.bashrc.d/model', set],
    ['home/ana/.oh-my-zsh/custom/model.zsh', set],
    ['home/ana/.config/fish/conf.d/x.fish', `set -gx ANTHROPIC_BASE_URL "${address}"\n`],
    ['home/ana/.config/fish/config.fish', `alias cc 'ANTHROPIC_BASE_URL=${address} claude'\n`],
    [
      'home/ana/.config/fish/fish_variables',
      `SETUVAR --export ANTHROPIC_BASE_URL:${address.replaceAll(':', '\\x3a')}\n`,
    ],
    ['home/ana/.config/environment.d/10.conf', `ANTHROPIC_BASE_URL=${address}\n`],
    ['home/ana/.config/nushell/env.nu', `$env.ANTHROPIC_BASE_URL = "${address}"\n`],
    ['home/ana/.config/powershell/profile.ps1', `$env:ANTHROPIC_BASE_URL = '${address}'\n`],
    ['home/ana/.tcshrc', `setenv ANTHROPIC_BASE_URL "${address}"\n`],
    ['home/ana/.pam_environment', `ANTHROPIC_BASE_URL DEFAULT="${address}"\n`],
    ['etc/environment', `ANTHROPIC_BASE_URL=${address}\n`],
    ['etc/environment.d/10.conf', `ANTHROPIC_BASE_URL=${address}\n`],
    ['etc/profile.d/x.csh', `setenv ANTHROPIC_BASE_URL ${address}\n`],
    ['etc/fish/conf.d/x.fish', `set -gx ANTHROPIC_BASE_URL ${address}\n`],
    ['home/ana/.claude/settings.json', JSON.stringify({ env: { ANTHROPIC_BASE_URL: address } })],
    ['home/ana/.claude/settings.local.json', `{"env":{"ANTHROPIC_BASE_URL":"${address}"}}`],
    [
      'etc/claude-code/managed-settings.d/10.json',
      JSON.stringify({ env: { ANTHROPIC_BASE_URL: address } }),
    ],
  ])('%s sets that of Claude Code', async (file, text) => {
    tools(path.join(root, 'home/ana'));
    expect(await gateways('linux')).toMatchObject({ 'claude-code': null, 'codex-cli': null });
    place(root, file, text);
    expect(await gateways('linux')).toMatchObject({ 'claude-code': host, 'codex-cli': null });
  });

  test('files of zsh that were moved count, for PATH too', async () => {
    tools(path.join(root, 'home/ana'));
    place(root, 'home/ana/.zshenv', 'export ZDOTDIR="$HOME/.zz"\n');
    place(root, 'home/ana/.zz/.zshrc', `${set}export PATH="$HOME/tools/bin:$PATH"\n`);
    program(root, 'home/ana/tools/bin/qodercli');
    const told = await gateways('linux');
    expect(told).toMatchObject({ 'claude-code': host });
    expect(Object.keys(told)).toContain('qoder-cli');
  });

  test('a file that a start file includes counts, and one of somebody else does not', async () => {
    tools(path.join(root, 'home/ana'));
    place(root, 'home/ben/.env.sh', `export OPENAI_BASE_URL=${address}\n`);
    const lines = '[ -f ~/.env.sh ] && . ~/.env.sh\nsource "/home/ben/.env.sh"\n. "$UNKNOWN/x"\n';
    place(root, 'home/ana/.profile', lines);
    place(root, 'home/ana/.env.sh', `export ANTHROPIC_BASE_URL=${address}\n`);
    expect(await gateways('linux')).toMatchObject({ 'claude-code': host, 'codex-cli': null });
  });

  test.each([
    [
      'opencode',
      '.config/opencode/opencode.json',
      { provider: { x: { options: { baseURL: address } } } },
    ],
    ['gemini-cli', '.env', `GOOGLE_GEMINI_BASE_URL=${address}\nOTHER=CANARY\n`],
  ])('%s has its own in %s', async (tool, file, content) => {
    tools(path.join(root, 'home/ana'));
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    place(root, `home/ana/${file}`, text);
    expect(await gateways('linux')).toMatchObject({ [tool]: host });
  });

  test('a folder of settings that a start file moves is followed', async () => {
    tools(path.join(root, 'home/ana'));
    place(root, 'home/ana/.profile', 'export XDG_CONFIG_HOME="$HOME/.cfg"\n');
    const provider = { x: { options: { baseURL: address } } };
    place(root, 'home/ana/.cfg/opencode/opencode.json', JSON.stringify({ provider }));
    expect(await gateways('linux')).toMatchObject({ opencode: host });
  });

  test('of several providers the chosen one counts, then a third party', async () => {
    tools(path.join(root, 'home/ana'));
    const provider = {
      one: { options: { baseURL: 'https://one.example.test' } },
      two: { options: { baseURL: address } },
    };
    place(
      root,
      'home/ana/.config/opencode/opencode.json',
      JSON.stringify({ model: 'two/m', provider }),
    );
    expect(await gateways('linux')).toMatchObject({ opencode: host });
  });

  test('what is managed stands above the rest, and its last piece above the file', async () => {
    tools(path.join(root, 'home/ana'));
    const settings = (url: string): string => JSON.stringify({ env: { ANTHROPIC_BASE_URL: url } });
    place(root, 'home/ana/.bashrc', `export ANTHROPIC_BASE_URL=https://own.example.test\n`);
    place(root, 'etc/claude-code/managed-settings.json', settings('https://file.example.test'));
    expect(await gateways('linux')).toMatchObject({ 'claude-code': 'file.example.test' });
    place(root, 'etc/claude-code/managed-settings.d/10.json', settings('https://ten.example.test'));
    place(root, 'etc/claude-code/managed-settings.d/20.json', settings(address));
    expect(await gateways('linux')).toMatchObject({ 'claude-code': host });
  });
});

describe('on macOS', () => {
  const plist = (...words: readonly string[]): string =>
    `<plist><dict><key>ProgramArguments</key><array>${words
      .map((word) => `<string>${word.replaceAll('&', '&amp;')}</string>`)
      .join('')}</array></dict></plist>`;

  test.each([
    [
      'Users/ana/Library/LaunchAgents/env.plist',
      plist('/bin/launchctl', 'setenv', 'ANTHROPIC_BASE_URL', address),
    ],
    [
      'Library/LaunchAgents/env.plist',
      plist('sh', '-c', `launchctl setenv ANTHROPIC_BASE_URL ${address}`),
    ],
    [
      'Library/Managed Preferences/com.anthropic.claudecode.plist',
      `<plist><dict><key>env</key><dict><key>ANTHROPIC_BASE_URL</key><string>${address}</string></dict></dict></plist>`,
    ],
    [
      'Library/Managed Preferences/ana/com.anthropic.claudecode.plist',
      `<plist><dict><key>env</key><dict><key>ANTHROPIC_BASE_URL</key><string>${address}</string></dict></dict></plist>`,
    ],
  ])('%s sets that of Claude Code', async (file, text) => {
    tools(path.join(root, 'Users/ana'));
    place(root, file, text);
    expect(await gateways('darwin')).toMatchObject({ 'claude-code': host });
  });
});

describe('on Windows', () => {
  const hive = (file: string, key: string, values: Record<string, string | number>): void =>
    writeHive(path.join(root, file), withKey({}, key, { values }));
  const policy = JSON.stringify({ env: { ANTHROPIC_BASE_URL: address } });

  test.each<readonly [string, () => void]>([
    [
      "the person's own variables",
      () =>
        hive('Users/ana/NTUSER.DAT', 'Environment', {
          ANTHROPIC_BASE_URL: address,
          ANTHROPIC_AUTH_TOKEN: 'CANARY-token',
        }),
    ],
    [
      "the machine's variables",
      () =>
        hive(
          'Windows/System32/config/SYSTEM',
          'ControlSet001\\Control\\Session Manager\\Environment',
          {
            ANTHROPIC_BASE_URL: address,
          },
        ),
    ],
    [
      'a policy of the machine',
      () => hive('Windows/System32/config/SOFTWARE', 'Policies\\ClaudeCode', { Settings: policy }),
    ],
    [
      'a policy of the person',
      () => hive('Users/ana/NTUSER.DAT', 'Software\\Policies\\ClaudeCode', { Settings: policy }),
    ],
    [
      'a profile of PowerShell with a mark',
      () =>
        void place(
          root,
          'Users/ana/Documents/PowerShell/Microsoft.PowerShell_profile.ps1',
          `\ufeff$Env:ANTHROPIC_BASE_URL="${address}"\r\n`,
        ),
    ],
    [
      'the earlier managed file',
      () => void place(root, 'ProgramData/ClaudeCode/managed-settings.json', policy),
    ],
  ])('%s set that of Claude Code', async (_, set) => {
    program(root, 'Users/ana/.local/bin/claude.exe');
    expect(await gateways('win32')).toMatchObject({ 'claude-code': null });
    set();
    expect(await gateways('win32')).toMatchObject({ 'claude-code': host });
  });

  test('a hive that cannot be read leaves the gateway open', async () => {
    program(root, 'Users/ana/.local/bin/claude.exe');
    place(root, 'Users/ana/NTUSER.DAT', 'regf is not all that it takes');
    expect(await gateways('win32')).toEqual({ 'claude-code': undefined });
  });
});
