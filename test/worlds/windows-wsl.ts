/**
 * Linux distributions of WSL on a Windows machine: the folder that WSL 1 unpacks one into, and the
 * disk image of WSL 2, each registered as `wsl.exe` does.
 */
import { claudeNative } from './native.js';
import type { Machine } from './windows-machine.js';
import { home, kim, local, windowsPath } from './windows-places.js';

/** The key of a distribution in a person's hive. */
export function register(machine: Machine, account: string, name: string, at: string): void {
  const guid = [8, 4, 4, 4, 12].map((length) => machine.hex(length)).join('-');
  machine.key(account, `Software\\Microsoft\\Windows\\CurrentVersion\\Lxss\\{${guid}}`, {
    State: 1,
    DistributionName: name,
    Version: at.includes('Debian') ? 2 : 1,
    BasePath: `\\\\?\\${windowsPath(at)}`,
    Flags: 15,
    DefaultUid: 1000,
  });
}

export function plantWsl(machine: Machine): void {
  const at = `${local('ana')}/Packages/CanonicalGroupLimited.Ubuntu_79rhkp1fndgsc/LocalState`;
  register(machine, 'ana', 'Ubuntu', at);
  const rootfs = `${at}/rootfs`;
  machine.file(
    `${rootfs}/etc/passwd`,
    'root:x:0:0:root:/root:/bin/bash\nana:x:1000:1000:,,,:/home/ana:/bin/bash\n',
  );
  machine.file(`${rootfs}/root/.bashrc`, '# root\n');
  const linux = `${rootfs}/home/ana`;
  machine.file(`${linux}/.bashrc`, 'export PATH="$HOME/.npm-global/bin:$PATH"\n');
  machine.file(`${linux}/.npmrc`, 'prefix=${HOME}/.npm-global\n');
  claudeNative(machine.onDisk(linux), ['2.1.117'], '2.1.117');
  const native = `${linux}/.local/share/claude/versions/2.1.117`;
  machine.found('executable', ['claude-code', 'claude', '2.1.117'], native, { via: 'wsl' });
  const found = (tool: string, name: string, version: string, modules: string): void => {
    const folder = `${modules}/${name}`;
    machine.json(`${folder}/package.json`, { name, version });
    machine.found('npm', [tool, name, version], folder, { via: 'wsl' });
  };
  found('codex-cli', '@openai/codex', '0.138.0', `${linux}/.npm-global/lib/node_modules`);
  found('gemini-cli', '@google/gemini-cli', '0.58.0', `${rootfs}/usr/lib/node_modules`);
  const server = `${linux}/.vscode-server/extensions/saoudrizwan.claude-dev-3.30.0`;
  machine.json(`${server}/package.json`, {
    publisher: 'saoudrizwan',
    name: 'claude-dev',
    version: '3.30.0',
  });
  machine.found('editor-extension', ['cline', 'saoudrizwan.claude-dev', '3.30.0'], server, {
    via: 'wsl',
  });
  machine.json(`${linux}/.cursor/mcp.json`, {
    mcpServers: { inside: { command: 'uvx', args: ['mcp-server-git'] } },
  });
  machine.found('mcp', [null, 'inside', null], `${linux}/.cursor/mcp.json`, { host: 'cursor' });
  plantDecoys(machine, rootfs);
}

function plantDecoys(machine: Machine, rootfs: string): void {
  // A distribution that was moved out of the way is registered no more, and is no usual place.
  const old = `${home(kim)}/backup/rootfs/home/kim/.local/share/claude/versions/2.1.90`;
  machine.program(old);
  machine.decoy('a copy of a distribution that Windows does not know', old);
  const docs = `${rootfs}/usr/share/doc/claude`;
  machine.file(`${docs}/copyright`, 'text\n');
  machine.decoy('documents in a distribution', docs);
  machine.note(
    'WSL 1: folders and registry values as documents and threads have them. On a real machine links in a rootfs are reparse points of their own kind; here they are symbolic links.',
  );
}
