/**
 * Builds the ways a Python package gets onto a machine, below a temporary folder: one function per
 * way, each as its manager lays it out on the disk, records and launchers included. Contents are made
 * up; no interpreter is there, only the links to one.
 */
import path from 'node:path';
import { link, place, program } from './native.js';

export interface PythonPackage {
  /** As the project spells it. */
  readonly name: string;
  readonly version: string;
  /** Name of its command. */
  readonly command?: string;
}

export const aider = (version: string): PythonPackage => {
  return { name: 'aider-chat', version, command: 'aider' };
};
export const litellm = (version: string): PythonPackage => {
  return { name: 'litellm', version, command: 'litellm' };
};
export const openai = (version: string): PythonPackage => ({ name: 'openai', version });

/** The name as wheels spell it in file names (PEP 427). */
const escaped = (name: string): string => name.replace(/[-.]+/g, '_');

/** The package as pip puts it into a site-packages folder; answers its record's folder. */
export function wheelInto(site: string, pack: PythonPackage): string {
  const { name, version, command } = pack;
  const module = escaped(name);
  const record = `${module}-${version}.dist-info`;
  const header = ['Metadata-Version: 2.4', `Name: ${name}`, `Version: ${version}`];
  place(site, `${record}/METADATA`, `${header.join('\n')}\n`);
  place(site, `${record}/RECORD`, `${module}/__init__.py,,\n${record}/METADATA,,\n`);
  place(site, `${record}/INSTALLER`, 'pip\n');
  place(site, `${module}/__init__.py`, '');
  if (command !== undefined) {
    const points = `[console_scripts]\n${command} = ${module}.main:main\n`;
    place(site, `${record}/entry_points.txt`, points);
  }
  return path.join(site, record);
}

/** A virtual environment (PEP 405) with its interpreter link; answers its site-packages. */
export function environment(at: string, ...packs: readonly PythonPackage[]): string {
  place(at, 'pyvenv.cfg', 'home = /usr/bin\nversion = 3.12.11\n');
  program(at, '../python3.12', 'PYTHON');
  link(at, 'bin/python', '../../python3.12');
  const site = path.join(at, 'lib/python3.12/site-packages');
  for (const pack of packs) {
    wheelInto(site, pack);
    if (pack.command !== undefined) {
      program(at, `bin/${pack.command}`, `#!${at}/bin/python\nimport sys\n`);
    }
  }
  return site;
}

/** `pipx install`, with what was injected and what the tool depends on; answers the environment. */
export function pipx(
  home: string,
  pack: PythonPackage,
  more: {
    readonly below?: string;
    readonly suffix?: string;
    readonly injected?: readonly PythonPackage[];
    readonly dependencies?: readonly PythonPackage[];
  } = {},
): string {
  const { injected = [], dependencies = [], suffix = '' } = more;
  const at = path.join(home, more.below ?? '.local/share/pipx/venvs', `${pack.name}${suffix}`);
  environment(at, pack, ...injected, ...dependencies);
  const entry = ({ name, version, command }: PythonPackage): object => {
    return { package: name, package_or_url: name, package_version: version, apps: [command] };
  };
  const record = {
    main_package: { ...entry(pack), include_apps: true, suffix },
    injected_packages: Object.fromEntries(injected.map((each) => [each.name, entry(each)])),
    pipx_metadata_version: '0.5',
  };
  place(at, 'pipx_metadata.json', JSON.stringify(record));
  if (pack.command !== undefined) {
    link(home, `.local/bin/${pack.command}${suffix}`, path.join(at, 'bin', pack.command));
  }
  return at;
}

/** `uv tool install`; `beside`: packages whose commands were asked for too (`--with-executables-from`). */
export function uvTool(
  home: string,
  pack: PythonPackage,
  more: {
    readonly below?: string;
    readonly beside?: readonly PythonPackage[];
    readonly dependencies?: readonly PythonPackage[];
  } = {},
): string {
  const { beside = [], dependencies = [] } = more;
  const at = path.join(home, more.below ?? '.local/share/uv/tools', pack.name);
  environment(at, pack, ...beside, ...dependencies);
  const asked = [pack, ...beside];
  const lines = [
    '[tool]',
    'requirements = [',
    ...asked.map(({ name }) => `    { name = "${name}", extras = ["all"] },`),
    ']',
    'entrypoints = [',
    ...asked.map(({ name, command }) => {
      return `    { name = "${command}", install-path = "${home}/.local/bin/${command}", from = "${name}" },`;
    }),
    ']',
    '',
    '[tool.options]',
    'index = [{ url = "https://ana:CANARY-index-token@packages.example.test/", from = "x" }]',
  ];
  place(at, 'uv-receipt.toml', `${lines.join('\n')}\n`);
  for (const { command } of asked) {
    if (command !== undefined) link(home, `.local/bin/${command}`, path.join(at, 'bin', command));
  }
  return at;
}

/** What `uvx` keeps: an unpacked environment, and the link under which uv finds it again. */
export function uvxKept(home: string, id: string, ...packs: readonly PythonPackage[]): string {
  const cache = path.join(home, '.cache/uv');
  const at = path.join(cache, 'archive-v0', id);
  environment(at, ...packs);
  link(cache, `environments-v2/0a1b2c3d4e5f/${id.toLowerCase()}`, at);
  return at;
}
