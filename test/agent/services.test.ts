/** Services that a tool has left, by whole names and nothing that only looks like one. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { services } from '../../agent/detect/services.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import { place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
let top = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-services-')));
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

/** Tool, name and owner of each trace on a machine of that platform. */
function found(platform: Platform): unknown[] {
  const world = folderWorld(top, platform, { catalogue });
  const { components } = scanWorld(world, { detectors: [services] });
  for (const { state } of components) expect(state).toBe('residual');
  return components.map(({ tool, name, owner }) => [tool, name, owner]);
}

const startup = (above: string): string => `${above}/Microsoft/Windows/Start Menu/Programs`;

test.each([
  ['darwin', 'Users/ana/Library/LaunchAgents/ai.openclaw.gateway.plist', 'openclaw', 'ana'],
  ['darwin', 'Users/ana/Library/LaunchAgents/bot.molt.work.plist', 'openclaw', 'ana'],
  ['darwin', 'Users/ana/Library/LaunchAgents/homebrew.mxcl.ollama.plist', 'ollama', 'ana'],
  ['darwin', 'Library/LaunchAgents/com.amazon.codewhisperer.launcher.plist', 'kiro-cli', null],
  ['linux', 'home/ana/.config/systemd/user/openclaw-gateway.service', 'openclaw', 'ana'],
  ['linux', 'home/ana/.config/systemd/user/openclaw-gateway-work.service', 'openclaw', 'ana'],
  ['linux', 'etc/systemd/system/ollama.service', 'ollama', null],
  ['win32', 'Windows/System32/Tasks/OpenClaw Gateway (work)', 'openclaw', null],
  [
    'win32',
    `${startup('Users/ana/AppData/Roaming')}/Startup/OpenClaw Gateway.cmd`,
    'openclaw',
    'ana',
  ],
  ['win32', `${startup('ProgramData')}/StartUp/ollama.LNK`, 'ollama', null],
] as const)('on %s %s is a trace of %s', (platform, file, tool, owner) => {
  place(top, file, 'CANARY');
  fs.mkdirSync(path.join(top, platform === 'linux' ? 'home/ana' : 'Users/ana'), {
    recursive: true,
  });
  const name = path.posix.basename(file).replace(/\.(plist|service|cmd|lnk)$/i, '');
  expect(found(platform)).toEqual([[tool, name, owner]]);
});

test('names that only begin or end like one, and other programs, are none', () => {
  const agents = 'Users/ana/Library/LaunchAgents';
  for (const name of [
    'ai.openclaw.gateway.plist.bak',
    'x.ai.openclaw.gateway.plist',
    'ai.openclaw.a.b.plist',
    'ai.openclaw..plist',
    'com.example.updater.plist',
    'homebrew.mxcl.postgresql.plist',
  ]) {
    place(top, `${agents}/${name}`, '');
  }
  expect(found('darwin')).toEqual([]);
});

test('a folder of that name and a file with another ending are none', () => {
  place(top, 'home/ana/.config/systemd/user/openclaw-gateway.service/x', '');
  place(top, 'home/ana/.config/systemd/user/openclaw-gateway.timer', '');
  expect(found('linux')).toEqual([]);
});
